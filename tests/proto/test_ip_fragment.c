/* Fragments: cutting (RFC 791 §3.2), putting together, and what must not be put together. */
#include "nodes/base/bytes.h"
#include "nodes/base/prng.h"
#include "nodes/proto/ip.h"
#include "tests/cmocka.h"

static const struct ip_build a_to_b = {.src = IPV4(192, 0, 2, 1), .dst = IPV4(192, 0, 2, 2), .id = 99, .ttl = 64};

struct fixture {
    uint8_t packet[4000];
    size_t n;
    uint8_t piece[16][1500];
    size_t piece_n[16];
    unsigned pieces;
    struct ip_reassembly *r;
};

static void cut(struct fixture *f, size_t payload, uint16_t mtu)
{
    static uint8_t bytes[4000];
    struct prng rng;
    prng_init(&rng, payload, SPAN("test"), SPAN("payload"));
    prng_bytes(&rng, bytes, sizeof bytes);
    f->n = ip_build_udp(f->packet, sizeof f->packet, &a_to_b, 1000, 2000, span_make(bytes, payload));
    f->pieces = 0;
    for (size_t n; (n = ip_fragment(f->piece[f->pieces], 1500, f->packet, f->n, mtu, f->pieces)) > 0;)
        f->piece_n[f->pieces++] = n;
}

static int setup(void **state)
{
    static struct fixture f;
    f.r = ip_reassembly_new(4);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ip_reassembly_free(f->r);
    return 0;
}

static size_t add(struct fixture *f, unsigned i, lab_time now, const uint8_t **out)
{
    return ip_reassembly_add(f->r, f->piece[i], f->piece_n[i], now, out);
}

static void assert_whole(const struct fixture *f, const uint8_t *out, size_t n)
{
    assert_int_equal(n, f->n);
    assert_memory_equal(out, f->packet, n);
}

static void rfc791_every_size_and_mtu_comes_together_again(void **state)
{
    struct fixture *f = *state;
    for (size_t payload = 0; payload < 700; payload++) {
        uint16_t mtu = (uint16_t)(68 + payload * 7 % 500);
        cut(f, payload, mtu);
        const uint8_t *out = f->packet;
        size_t n = f->n;
        for (unsigned i = 0; i < f->pieces; i++) {
            struct ip_view v;
            assert_true(f->piece_n[i] <= mtu);
            assert_int_equal(ip_parse(f->piece[i], f->piece_n[i], &v), 0);
            if (f->pieces > 1)
                n = add(f, i, 0, &out);
        }
        assert_whole(f, out, n);
    }
    assert_true(ip_reassembly_next(f->r) == NEVER);
}

static void rfc791_a_packet_that_fits_is_its_own_fragment(void **state)
{
    struct fixture *f = *state;
    cut(f, 1472, 1500);
    assert_int_equal(f->pieces, 1);
    assert_memory_equal(f->piece[0], f->packet, f->n);
}

/* The rest need not be eights of bytes: 20 + 24 + 24 + 27 on a link of 47. */
static void rfc791_last_fragment_takes_what_fits(void **state)
{
    struct fixture *f = *state;
    cut(f, 67, 47);
    assert_int_equal(f->pieces, 3);
    assert_int_equal(f->piece_n[2], 47);
}

static void rfc791_fragments_of_a_fragment_keep_their_place(void **state)
{
    struct fixture *f = *state;
    static uint8_t small[500];
    const uint8_t *out = NULL;
    size_t whole = 0;
    cut(f, 3000, 1500);
    for (unsigned i = 0; i < f->pieces; i++) {
        size_t n;
        for (unsigned k = 0; (n = ip_fragment(small, sizeof small, f->piece[i], f->piece_n[i], 500, k)) > 0; k++)
            whole = ip_reassembly_add(f->r, small, n, 0, &out);
    }
    assert_whole(f, out, whole);
}

/* Linux fills options that are not to be copied with no-operations (1) after the first fragment. */
static void rfc791_options_without_copied_flag_stay_in_front(void **state)
{
    (void)state;
    uint8_t packet[128] = {0};
    uint8_t piece[64];
    const uint8_t options[8] = {7, 3, 4, 0x94, 4, 0, 0, 0}; /* record route (not copied), router alert (copied), end */
    ip_build_udp(packet, sizeof packet, &a_to_b, 1, 2, SPAN("data"));
    memcpy(packet + IP_HEADER, options, sizeof options);
    packet[0] = 0x47;
    put16(packet + 2, 100);
    ip_header_sum(packet);
    assert_int_equal(ip_fragment(piece, sizeof piece, packet, 100, 60, 0), 60);
    assert_memory_equal(piece + IP_HEADER, options, sizeof options);
    assert_int_equal(ip_fragment(piece, sizeof piece, packet, 100, 60, 1), 60);
    assert_memory_equal(piece + IP_HEADER, ((uint8_t[]){1, 1, 1, 0x94, 4, 0, 0, 0}), 8);
    assert_int_equal(ip_fragment(piece, sizeof piece, packet, 100, 60, 2), 36);
}

static void any_order_and_duplicates(void **state)
{
    struct fixture *f = *state;
    static const unsigned orders[][6] = {
        {4, 3, 2, 1, 0, 0}, {1, 1, 3, 0, 2, 4}, {0, 4, 0, 2, 1, 3}, {2, 3, 4, 0, 0, 1}};
    cut(f, 2300, 500);
    assert_int_equal(f->pieces, 5);
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        size_t n = 0;
        const uint8_t *out = NULL;
        for (unsigned i = 0; i < 6 && n == 0; i++)
            n = add(f, orders[o][i], 0, &out);
        assert_whole(f, out, n);
        while (ip_reassembly_expire(f->r, HOUR, NULL, NULL))
            ; /* a duplicate after the end starts anew */
    }
}

static void rfc5722_overlap_destroys_the_datagram(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    static uint8_t bad[1500];
    cut(f, 1200, 500);
    assert_int_equal(f->pieces, 3);
    memcpy(bad, f->piece[1], f->piece_n[1]);
    put16(bad + 6, (uint16_t)(get16(bad + 6) - 1)); /* eight bytes into the first */
    ip_header_sum(bad);
    assert_int_equal(add(f, 0, 0, &out), 0);
    assert_int_equal(ip_reassembly_add(f->r, bad, f->piece_n[1], 0, &out), 0);
    assert_true(ip_reassembly_next(f->r) == NEVER);
    assert_int_equal(add(f, 1, 0, &out), 0);
    assert_int_equal(add(f, 2, 0, &out), 0);
}

static void two_ends_destroy_the_datagram(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    static uint8_t bad[1500];
    cut(f, 1200, 500);
    memcpy(bad, f->piece[2], f->piece_n[2]);
    put16(bad + 2, (uint16_t)(f->piece_n[2] - 4));
    ip_header_sum(bad);
    assert_int_equal(add(f, 2, 0, &out), 0);
    assert_int_equal(ip_reassembly_add(f->r, bad, f->piece_n[2] - 4, 0, &out), 0);
    assert_true(ip_reassembly_next(f->r) == NEVER);
}

static void datagrams_do_not_mix(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    cut(f, 1200, 800);
    assert_int_equal(f->pieces, 2);
    put16(f->piece[1] + 4, 100); /* another identification */
    ip_header_sum(f->piece[1]);
    assert_int_equal(add(f, 0, 0, &out), 0);
    assert_int_equal(add(f, 1, 0, &out), 0);
}

static void linux_gives_up_after_30_s(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    const uint8_t *first;
    size_t n;
    cut(f, 1200, 800);
    add(f, 0, 5 * SEC, &out);
    assert_true(ip_reassembly_next(f->r) == 35 * SEC);
    assert_false(ip_reassembly_expire(f->r, 35 * SEC - 1, &first, &n));
    assert_true(ip_reassembly_expire(f->r, 35 * SEC, &first, &n));
    assert_int_equal(n, f->piece_n[0]);
    assert_memory_equal(first, f->piece[0], n);
    assert_false(ip_reassembly_expire(f->r, 35 * SEC, &first, &n));
    add(f, 1, 40 * SEC, &out);
    assert_true(ip_reassembly_expire(f->r, 70 * SEC, &first, &n));
    assert_null(first);
}

static void a_late_piece_does_not_complete(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    cut(f, 1200, 800);
    assert_int_equal(add(f, 0, 0, &out), 0);
    assert_int_equal(add(f, 1, 30 * SEC, &out), 0);
}

static void the_oldest_gives_way(void **state)
{
    struct fixture *f = *state;
    const uint8_t *out;
    cut(f, 1200, 800);
    for (uint16_t id = 0; id < 5; id++) {
        put16(f->piece[0] + 4, id);
        ip_header_sum(f->piece[0]);
        assert_int_equal(add(f, 0, id, &out), 0);
    }
    put16(f->piece[1] + 4, 0);
    ip_header_sum(f->piece[1]);
    assert_int_equal(add(f, 1, 9, &out), 0);
    put16(f->piece[1] + 4, 4);
    ip_header_sum(f->piece[1]);
    assert_int_not_equal(add(f, 1, 9, &out), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rfc791_every_size_and_mtu_comes_together_again),
        TEST(rfc791_a_packet_that_fits_is_its_own_fragment),
        TEST(rfc791_last_fragment_takes_what_fits),
        TEST(rfc791_fragments_of_a_fragment_keep_their_place),
        TEST(rfc791_options_without_copied_flag_stay_in_front),
        TEST(any_order_and_duplicates),
        TEST(rfc5722_overlap_destroys_the_datagram),
        TEST(two_ends_destroy_the_datagram),
        TEST(datagrams_do_not_mix),
        TEST(linux_gives_up_after_30_s),
        TEST(a_late_piece_does_not_complete),
        TEST(the_oldest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
