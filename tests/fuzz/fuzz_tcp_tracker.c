/* TCP in lab time against any order of segments, notes and alarms. Bytes are a program: each operation is a letter and
 * its numbers; s, p: a segment out, in (flags, sequence, acknowledgement, size); i: an ICMP error about a segment; n: a
 * note; d: drained; x: to the next alarm; a: all orphaned; f: power lost. */
#include "netns/netns_end.h"
#include "netns/netns_tcp.h"
#include "nodes/proto/tcp.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct input {
    const uint8_t *p;
    size_t n;
};

static unsigned next(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

/* Two connections, numbers near each other. */
static struct endpoint local_of(unsigned which)
{
    return (struct endpoint){IPV4(192, 168, 1, 20), (uint16_t)(40000 + which % 2)};
}

static const struct endpoint remote = {IPV4(203, 0, 113, 9), 5060};

static size_t segment(uint8_t *dst, struct input *in, bool out)
{
    static const char payload[1500];
    unsigned which = next(in);
    struct endpoint src = out ? local_of(which) : remote;
    struct endpoint to = out ? remote : local_of(which);
    const struct ip_build ip = {.src = src.addr, .dst = to.addr, .ttl = 64, .fragment = IP_DF};
    struct tcp_build tcp = {.sport = src.port, .dport = to.port, .window = 1000};
    tcp.flags = (uint8_t)(next(in) & 0x1f);
    tcp.mss = tcp.flags & TCP_SYN ? 1460 : 0;
    tcp.seq = (out ? 0xfffffff0u : 5000u) + next(in);
    tcp.ack = (out ? 5000u : 0xfffffff0u) + next(in);
    return tcp_build(dst, NETNS_PACKET, &ip, &tcp, span_make(payload, next(in) * 5));
}

static void take_all(struct netns_tcp *t)
{
    static uint8_t packet[NETNS_PACKET];
    struct turn_ends ends;
    struct ip_view v;
    unsigned port;
    bool told;
    for (size_t n; (n = netns_tcp_next(t, packet, &port));)
        assert(ip_parse(packet, n, &v) == 0 && ip_transport_sum_ok(packet, n) && port < 16);
    for (size_t n; (n = netns_tcp_reset(t, packet, &told, &ends));)
        assert(ip_parse(packet, n, &v) == 0 && ip_transport_sum_ok(packet, n));
}

static size_t icmp(uint8_t *dst, struct input *in)
{
    static uint8_t quoted[NETNS_PACKET];
    const struct ip_build ip = {.src = IPV4(198, 51, 100, 1), .ttl = 64};
    uint8_t code = (uint8_t)(next(in) % 16);
    uint32_t mtu = next(in) * 6;
    size_t n = segment(quoted, in, true);
    return ip_build_icmp_error(dst, NETNS_PACKET, &ip, ICMP_UNREACHABLE, code, mtu, quoted, n);
}

static struct turn_tcp note(struct input *in)
{
    struct turn_tcp said = {.local = local_of(next(in)), .remote = remote, .state = next(in) % 3};
    if (said.state == TURN_TCP_GONE && next(in) & 1)
        said.remote = (struct endpoint){0};
    said.idle = next(in) * SEC;
    said.interval = SEC + next(in) * SEC;
    said.probes = next(in) % 4;
    said.waiting = next(in) & 1;
    said.user_timeout = next(in) * SEC;
    return said;
}

/* The engine never lets the time of an alarm pass. */
static lab_time before(lab_time a, lab_time alarm)
{
    return a < alarm ? a : alarm;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packet[NETNS_PACKET];
    struct input in = {data, size};
    struct netns_tcp *t = netns_tcp_new();
    lab_time now = 0;
    size_t n;
    assert(t);
    while (in.n) {
        struct turn_tcp said;
        switch (next(&in)) {
        case 's':
            n = segment(packet, &in, true);
            netns_tcp_sent(t, now, next(&in) % 16, packet, n);
            break;
        case 'p': netns_tcp_pushed(t, now, packet, segment(packet, &in, false)); break;
        case 'i': netns_tcp_pushed(t, now, packet, icmp(packet, &in)); break;
        case 'n':
            said = note(&in);
            netns_tcp_note(t, now, &said);
            break;
        case 'd': netns_tcp_drained(t, now); break;
        case 'x':
            if (netns_tcp_deadline(t) == NEVER)
                break;
            assert(netns_tcp_deadline(t) >= now);
            now = netns_tcp_deadline(t);
            netns_tcp_expire(t, now);
            assert(netns_tcp_deadline(t) > now);
            break;
        case 'a': netns_tcp_orphan_all(t, now); break;
        case 'f': netns_tcp_forget_all(t); break;
        default: now = before(now + next(&in) * MS, netns_tcp_deadline(t)); break;
        }
        take_all(t);
    }
    netns_tcp_free(t);
    return 0;
}
