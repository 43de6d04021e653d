/* Every stream is drawn from once a packet while its feature is in use, whatever becomes of the packet, so that
 * changing one ratio moves nobody else's numbers.
 *
 * Bursts (Gilbert 1960, Elliott 1963): two states, and a packet first moves the state, then meets its loss. With b for
 * `burst_begins` and e for `burst_ends` a burst lasts 1/e packets on average and b/(b+e) of all packets meet it. */
#include "sim/engine/wire_special.h"

#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"
#include "sim/engine/profile.h"

void wire_special_init(struct wire_way *way, uint64_t seed, const char *name, unsigned direction)
{
    static const char *const purpose[WIRE_STREAMS][2] = {
        [WIRE_STREAM_BURST] = {"burst.0", "burst.1"},
        [WIRE_STREAM_DUPLICATE] = {"duplicate.0", "duplicate.1"},
        [WIRE_STREAM_CORRUPT] = {"corrupt.0", "corrupt.1"},
    };
    for (unsigned i = 0; i < WIRE_STREAMS; i++)
        prng_init(&way->special_stream[i], seed, span_of(name), span_of(purpose[i][direction]));
}

void wire_special_set(struct wire_way *way)
{
    const struct wire_spec *spec = &way->spec;
    way->special = spec->icmp_off || spec->dscp_clear || spec->ttl || spec->burst_begins || spec->duplicate ||
                   spec->corrupt || spec->profile || spec->path_mtu;
    way->burst = way->burst && spec->burst_begins;
    way->marks = 0;
    way->loss_now = spec->loss;
    way->profile_row = 0;
}

static bool is_ipv4(const struct packet *p)
{
    return p->n >= IP_HEADER && p->data[0] >> 4 == 4;
}

/* ---- loss ---- */

static void follow_profile(struct wire_way *way, lab_time now)
{
    const struct profile_row *row = profile_at(way->spec.profile, now, &way->profile_row);
    way->delay = row->delay;
    way->loss_now = row->loss;
}

static bool is_lost(struct wire_way *way)
{
    const struct wire_spec *spec = &way->spec;
    if (spec->burst_begins) {
        uint32_t change = way->burst ? spec->burst_ends : spec->burst_begins;
        way->burst ^= prng_chance(&way->special_stream[WIRE_STREAM_BURST], change);
    }
    uint32_t loss = way->burst ? spec->burst_loss : way->loss_now;
    bool draws = spec->loss || spec->burst_loss || spec->profile;
    return draws && prng_chance(&way->loss, loss);
}

/* ---- the header ---- */

static void clear_dscp(struct packet *p)
{
    enum { ECN = 3 };
    uint16_t before = get16(p->data);
    p->data[1] &= ECN;
    put16(p->data + 10, ip_checksum_fix16(get16(p->data + 10), before, get16(p->data)));
}

/* False: there was not so much left. */
static bool change_ttl(struct packet *p, int ttl)
{
    enum { TTL = 8 };
    if (ttl < 0 && p->data[TTL] <= -ttl)
        return false;
    ip_set_ttl(p->data, (uint8_t)(ttl < 0 ? p->data[TTL] + ttl : ttl));
    return true;
}

enum wire_fate wire_special_fate(struct wire_way *way, lab_time now, struct packet *p)
{
    const struct wire_spec *spec = &way->spec;
    bool ip = is_ipv4(p);
    way->marks = 0;
    if (spec->profile)
        follow_profile(way, now);
    if (is_lost(way))
        return WIRE_LOST;
    if (spec->path_mtu && p->n > spec->path_mtu)
        return WIRE_TOO_BIG;
    if (!ip)
        return WIRE_TAKEN;
    if (spec->icmp_off && p->data[9] == IP_ICMP)
        return WIRE_ICMP_OFF;
    if (spec->ttl && !change_ttl(p, spec->ttl))
        return WIRE_TTL;
    if (spec->dscp_clear)
        clear_dscp(p);
    return WIRE_TAKEN;
}

/* ---- what was taken ---- */

uint8_t wire_special_marks(struct wire_way *way)
{
    const struct wire_spec *spec = &way->spec;
    unsigned marks = 0;
    if (spec->duplicate && prng_chance(&way->special_stream[WIRE_STREAM_DUPLICATE], spec->duplicate))
        marks |= WIRE_DUPLICATED;
    if (spec->corrupt && prng_chance(&way->special_stream[WIRE_STREAM_CORRUPT], spec->corrupt))
        marks |= WIRE_CORRUPTED;
    return (uint8_t)marks;
}

static size_t payload_at(const struct packet *p)
{
    size_t header = (p->data[0] & 15u) * 4;
    bool first = (get16(p->data + 6) & IP_OFFSET) == 0;
    size_t at = header;
    if (first && p->data[9] == IP_UDP)
        at += UDP_HEADER;
    else if (first && p->data[9] == IP_ICMP)
        at += ICMP_HEADER;
    else if (first && p->data[9] == IP_TCP && p->n > header + 12)
        at += (p->data[header + 12] >> 4) * 4u;
    return at < p->n ? at : header;
}

void wire_corrupt(struct packet *p, struct prng *stream)
{
    if (!is_ipv4(p))
        return;
    size_t at = payload_at(p);
    if (at >= p->n)
        return;
    at += prng_below(stream, p->n - at);
    p->data[at] ^= (uint8_t)(1 + prng_below(stream, 255));
}
