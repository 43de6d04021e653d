/* RFC 5382: TCP through the NAT. */
#include "tests/nat/rig.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static void tcp(struct rig *r, enum nat_side from, struct endpoint src, struct endpoint dst, uint8_t flags)
{
    static const uint8_t empty[12];
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64};
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, src.port, dst.port, span_make(empty, sizeof empty));
    memset(r->sent + 24, 0, 16); /* what was UDP's length and checksum is TCP's sequence number */
    r->sent[9] = IP_TCP;
    r->sent[32] = 0x50;
    r->sent[33] = flags;
    ip_header_sum(r->sent);
    ip_transport_sum(r->sent, n);
    rig_send(r, from, n);
}

static void out(struct rig *r, uint8_t flags)
{
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(S, 5061), flags);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5061), EP(S, 5061));
}

static void in(struct rig *r, uint8_t flags)
{
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), flags);
    assert_forwarded(r, NAT_INSIDE, EP(S, 5061), EP(A, 5061));
}

static void establish(struct rig *r)
{
    out(r, SYN);
    in(r, SYN | ACK);
    out(r, ACK);
}

static void req1_endpoint_independent_mapping(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(T, 443), SYN);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5061), EP(T, 443));
    assert_int_equal(r->created, 1);
    assert_int_equal(r->mapping.protocol, IP_TCP);
}

static void req2_simultaneous_open(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    in(r, SYN);
    out(r, SYN | ACK);
    in(r, ACK);
    assert_int_equal(nat_deadline(r->nat), 4 * MINUTE); /* queued at the first packet */
    nat_expire(r->nat, 4 * MINUTE);
    assert_int_equal(nat_deadline(r->nat), 124 * MINUTE);
}

static void req3_strangers_are_filtered(void **state)
{
    struct rig *r = *state;
    establish(r);
    tcp(r, NAT_OUTSIDE, EP(T, 5061), EP(PUBLIC, 5061), SYN);
    assert_dropped(r, NAT_FILTERED);
}

static void req5_half_open_ends_after_4_minutes(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    in(r, SYN | ACK);
    nat_expire(r->nat, 4 * MINUTE - 1);
    assert_int_equal(nat_count(r->nat), 1);
    nat_expire(r->nat, 4 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req5_established_ends_after_124_minutes_idle(void **state)
{
    struct rig *r = *state;
    establish(r);
    r->now = 100 * MINUTE;
    in(r, ACK); /* either side keeps it */
    nat_expire(r->nat, 224 * MINUTE - 1);
    assert_int_equal(nat_count(r->nat), 1);
    nat_expire(r->nat, 224 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req5_closed_by_both_ends_after_4_minutes(void **state)
{
    struct rig *r = *state;
    establish(r);
    r->now = MINUTE;
    out(r, FIN | ACK);
    nat_expire(r->nat, 6 * MINUTE);
    assert_int_equal(nat_count(r->nat), 1); /* half closed is open */
    r->now = 6 * MINUTE;
    in(r, FIN | ACK);
    out(r, ACK);
    assert_int_equal(nat_deadline(r->nat), 10 * MINUTE);
    nat_expire(r->nat, 10 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void a_reset_leaves_4_minutes(void **state)
{
    struct rig *r = *state;
    establish(r);
    in(r, RST);
    assert_int_equal(nat_deadline(r->nat), 4 * MINUTE);
}

static void a_new_syn_starts_again(void **state)
{
    struct rig *r = *state;
    establish(r);
    in(r, RST);
    r->now = MINUTE;
    establish(r);
    nat_expire(r->nat, 5 * MINUTE);
    assert_int_equal(nat_deadline(r->nat), 125 * MINUTE);
}

/* After a reboot the phone goes on sending; like Linux, the NAT takes it as it comes. The other side then resets. */
static void picked_up_in_the_middle(void **state)
{
    struct rig *r = *state;
    establish(r);
    nat_reboot(r->nat);
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), ACK);
    assert_dropped(r, NAT_NO_MAPPING);
    out(r, ACK);
    in(r, RST);
    assert_int_equal(nat_count(r->nat), 1);
}

static void rfc9293_a_cut_header_is_bad(void **state)
{
    struct rig *r = *state;
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(S, 5061), SYN);
    put16(r->sent + 2, 39);
    ip_header_sum(r->sent);
    rig_send(r, NAT_INSIDE, 39);
    assert_dropped(r, NAT_BAD_PACKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req1_endpoint_independent_mapping),
        RIG_TEST(req2_simultaneous_open),
        RIG_TEST(req3_strangers_are_filtered),
        RIG_TEST(req5_half_open_ends_after_4_minutes),
        RIG_TEST(req5_established_ends_after_124_minutes_idle),
        RIG_TEST(req5_closed_by_both_ends_after_4_minutes),
        RIG_TEST(a_reset_leaves_4_minutes),
        RIG_TEST(a_new_syn_starts_again),
        RIG_TEST(picked_up_in_the_middle),
        RIG_TEST(rfc9293_a_cut_header_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
