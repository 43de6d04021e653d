/* The IPv4 codec on arbitrary bytes: it never reads or writes outside them, and what it makes itself it can read. */
#include "nodes/base/bytes.h"
#include "nodes/proto/ip_forward.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whole packets that were cut must come together as they were, but for DF. */
static void check_fragments(const uint8_t *packet, const struct ip_view *v, uint16_t mtu)
{
    static uint8_t piece[UINT16_MAX];
    struct ip_reassembly *r = ip_reassembly_new(2);
    const uint8_t *whole = NULL;
    size_t whole_n = 0;
    size_t n;
    if (!r)
        return;
    for (unsigned i = 0; (n = ip_fragment(piece, sizeof piece, packet, v->total, mtu, i)) > 0; i++) {
        must(n <= mtu || v->total <= mtu);
        whole_n = ip_reassembly_add(r, piece, n, 0, &whole);
    }
    if (whole_n > 0 && !ip_is_fragment(v)) {
        must(whole_n == v->total);
        must(memcmp(whole + v->header, packet + v->header, v->total - v->header) == 0);
    }
    ip_reassembly_free(r);
}

static void check_packet(uint8_t *packet, const struct ip_view *v)
{
    uint8_t error[600];
    struct ip_view about;
    struct ip_forward f;
    struct ip_build from = {.src = IPV4(192, 0, 2, 1), .ttl = 64};
    must(v->header >= IP_HEADER && v->header <= v->total);
    size_t n = ip_build_icmp_error(error, sizeof error, &from, ICMP_TIME_EXCEEDED, 0, 0, packet, v->total);
    if (n > 0) {
        must(n <= 576 && ip_parse(error, n, &about) == 0 && ip_transport_sum_ok(error, n));
        must(about.dst == v->src && !span_empty(icmp_quoted(error, &about)));
    }
    check_fragments(packet, v, (uint16_t)(28 + v->id % 1500));
    if (!ip_is_fragment(v)) {
        ip_transport_sum(packet, v->total);
        must(ip_parse(packet, v->total, &about) == 0);
    }
    ip_answer_echo(packet, v, 64);
    must(ip_parse(packet, v->total, &about) == 0);
    ip_forward(packet, &about, 576, &f);
    must(ip_parse(packet, v->total, &about) == 0);
}

static void check_reassembly(const uint8_t *data, size_t size)
{
    struct ip_reassembly *r = ip_reassembly_new(2);
    const uint8_t *out;
    struct ip_view v;
    size_t n;
    while (r && size > 2 && (n = data[0]) <= size - 1) {
        size_t whole = ip_reassembly_add(r, data + 1, n, data[0] * SEC, &out);
        must(whole == 0 || (ip_parse(out, whole, &v) == 0 && !ip_is_fragment(&v)));
        data += n + 1;
        size -= n + 1;
    }
    ip_reassembly_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char buf[300];
    struct text text = text_on(buf, sizeof buf);
    struct ip_view v;
    uint8_t *packet = calloc(1, size + 1);
    if (!packet)
        return 0;
    if (size > 0)
        memcpy(packet, data, size);
    ip_describe(&text, packet, size);
    must(text.n > 0);
    ip_parse_quoted(packet, size, &v);
    if (size >= IP_HEADER && size >= (packet[0] & 15u) * 4 && (packet[0] & 15) >= 5)
        ip_header_sum(packet); /* a fuzzer seldom finds the right one */
    if (ip_parse(packet, size, &v) == 0)
        check_packet(packet, &v);
    check_reassembly(data, size);
    free(packet);
    return 0;
}
