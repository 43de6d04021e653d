/* The TCP view on arbitrary bytes behind an IPv4 header: it never reads outside them, and what is built from a view
 * gives the same view. */
#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_again(const struct tcp_view *s)
{
    static uint8_t packet[UINT16_MAX];
    struct ip_build ip = {.src = s->src.addr, .dst = s->dst.addr, .ttl = 64};
    struct tcp_build tcp = {.sport = s->src.port,
                            .dport = s->dst.port,
                            .seq = s->seq,
                            .ack = s->ack,
                            .flags = s->flags,
                            .window = s->window,
                            .mss = s->mss};
    struct ip_view v;
    struct tcp_view again;
    size_t n = tcp_build(packet, sizeof packet, &ip, &tcp, s->payload);
    must(n > 0 && ip_parse(packet, n, &v) == 0 && ip_transport_sum_ok(packet, n));
    must(tcp_parse(packet, &v, &again) == 0);
    must(endpoint_equal(again.src, s->src) && endpoint_equal(again.dst, s->dst) && again.seq == s->seq);
    must(again.ack == s->ack && again.flags == s->flags && again.window == s->window && again.mss == s->mss);
    must(span_equal(again.payload, s->payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tcp_view s;
    struct ip_view v = {.src = 1, .dst = 2, .header = IP_HEADER, .protocol = IP_TCP};
    if (size > UINT16_MAX - IP_HEADER - TCP_MSS_OPTION)
        return 0;
    size_t n = IP_HEADER + size;
    uint8_t *packet = calloc(1, n);
    if (!packet)
        return 0;
    if (size > 0)
        memcpy(packet + IP_HEADER, data, size);
    v.total = (uint16_t)n;
    if (tcp_parse(packet, &v, &s) == 0) {
        must(s.header >= TCP_HEADER && s.header + s.payload.n == size);
        build_again(&s);
    }
    tcp_parse_quoted(packet, n, &v, &s);
    free(packet);
    return 0;
}
