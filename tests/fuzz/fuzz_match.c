/* Faults meet whatever is on a wire: the first line of the input is what is meant, the rest is the packet, as it is and
 * with a header checksum that holds. What is truncated or corrupted stays a packet. */
#include "nodes/proto/ip.h"
#include "nodes/proto/packet_match.h"
#include "sim/engine/fault.h"
#include "sim/engine/wire.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_match(struct packet_match *m, const struct packet *p)
{
    bool plain = packet_matches(m, p->data, p->n);
    m->text = SPAN("a");
    m->name = SPAN("sip.example.com");
    m->has_ssrc = true;
    must(plain || !packet_matches(m, p->data, p->n)); /* more conditions, fewer packets */
}

static void check_changes(struct packet *p, size_t keep)
{
    struct prng stream;
    struct ip_view v;
    prng_init(&stream, 1, SPAN("fuzz"), SPAN("fault"));
    bool was_packet = ip_parse(p->data, p->n, &v) == 0;
    uint32_t n = p->n;
    bool cut = fault_truncate(p, keep);
    must(!cut || (was_packet && p->n < n && ip_parse(p->data, p->n, &v) == 0 && v.total == p->n));
    n = p->n;
    wire_corrupt(p, &stream);
    must(p->n == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet_match m = {0};
    struct span rest = span_make(data, size);
    struct span words = span_cut(rest, '\n', &rest);
    if (rest.n == 0 || rest.n > UINT16_MAX || packet_match_parse(words, &m))
        return 0;
    struct pool *pool = pool_new();
    struct packet *p = pool ? packet_copy(pool, (const uint8_t *)rest.p, rest.n) : NULL;
    if (p) {
        if (p->n >= IP_HEADER && (p->data[0] & 15) >= 5 && p->n >= (p->data[0] & 15u) * 4)
            ip_header_sum(p->data);
        check_match(&m, p);
        check_changes(p, words.n);
        packet_release(p);
    }
    pool_free(pool);
    return 0;
}
