/* The media relay, packet by packet (SB-5, SB-6, RFC 7362).
 *
 *     phone 203.0.113.7 ── 203.0.113.10 [ a  SBC  b ] 10.0.1.2 ── bob 10.0.1.31
 */
#include "nodes/sbc/sbc_relay.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

#define OUTSIDE IPV4(203, 0, 113, 10)
#define INSIDE  IPV4(10, 0, 1, 2)

static const struct endpoint phone = {IPV4(203, 0, 113, 7), 40000}; /* as its NAT shows it */
static const struct endpoint private_phone = {IPV4(192, 168, 1, 20), 10000};
static const struct endpoint stranger = {IPV4(198, 51, 100, 66), 666};
static const struct endpoint bob = {IPV4(10, 0, 1, 31), 10000};
static const enum sbc_side outside_in[2] = {SBC_OUTSIDE, SBC_INSIDE};
static const enum sbc_side inside_out[2] = {SBC_INSIDE, SBC_OUTSIDE};

static struct sbc_relay_config config_of(void)
{
    return (struct sbc_relay_config){
        .ports = {20000, 20007},
        .local = {OUTSIDE, INSIDE},
        .written = {OUTSIDE, INSIDE},
        .timeout = NEVER,
    };
}

struct fixture {
    struct host *host;
    struct sbc_relay *relay;
    struct sbc_stream *stream;
};

static struct endpoint next_port(struct endpoint e)
{
    return (struct endpoint){e.addr, (uint16_t)(e.port + 1)};
}

static void set_peer(struct sbc_stream *stream, enum sbc_end end, struct endpoint at, bool reachable)
{
    sbc_stream_set_peer(stream, end, &(struct sbc_media_peer){at, next_port(at), at.addr, reachable});
}

/* One call from outside: the caller behind a NAT, the callee reachable. */
static struct fixture fixture_of(const struct sbc_relay_config *config)
{
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE)};
    assert_int_equal(sbc_relay_new(&f.relay, f.host, config), 0);
    assert_int_equal(sbc_stream_new(&f.stream, f.relay, SPAN("call"), 0, outside_in), 0);
    set_peer(f.stream, SBC_END_A, private_phone, false);
    set_peer(f.stream, SBC_END_B, bob, true);
    return f;
}

static void fixture_fini(struct fixture *f)
{
    sbc_stream_free(f->stream);
    sbc_relay_free(f->relay);
    assert_int_equal(fake_open_sockets(f->host), 0);
    fake_free(f->host);
}

static void send_to(struct fixture *f, enum sbc_end end, struct endpoint from, uint8_t ttl, const char *bytes)
{
    assert_true(fake_deliver(f->host, from, sbc_stream_written(f->stream, end), ttl, span_of(bytes)));
}

static void packets_pass_byte_for_byte_both_ways(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    send_to(&f, SBC_END_A, phone, 60, "from the phone");
    const struct fake_datagram *d = fake_last(f.host);
    assert_true(endpoint_equal(d->to, bob));
    assert_true(endpoint_equal(d->from, sbc_stream_written(f.stream, SBC_END_B)));
    assert_string_equal(d->data, "from the phone");
    send_to(&f, SBC_END_B, bob, 60, "from bob");
    d = fake_last(f.host);
    assert_true(endpoint_equal(d->to, phone)); /* not the private address of its SDP */
    assert_string_equal(d->data, "from bob");
    assert_int_equal(fake_traced(f.host, "\"latched\"", "\"side\":\"a\""), 1);
    assert_int_equal(fake_traced(f.host, "\"latched\"", "\"side\":\"b\""), 1);
    fixture_fini(&f);
}

static void rtcp_has_its_own_latch(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    struct endpoint rtcp = next_port(sbc_stream_written(f.stream, SBC_END_A));
    struct endpoint from = {phone.addr, 51000};
    assert_true(fake_deliver(f.host, from, rtcp, 60, SPAN("report")));
    assert_true(endpoint_equal(fake_last(f.host)->to, next_port(bob)));
    assert_true(
        fake_deliver(f.host, next_port(bob), next_port(sbc_stream_written(f.stream, SBC_END_B)), 60, SPAN("report")));
    assert_true(endpoint_equal(fake_last(f.host)->to, from));
    fixture_fini(&f);
}

static void nothing_is_sent_to_a_private_address_before_it_latched(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    send_to(&f, SBC_END_B, bob, 60, "early");
    assert_int_equal(f.host->sent_n, 0);
    assert_string_equal(f.host->last_drop, "not-latched");
    fixture_fini(&f);
}

static void sb_5_carry_counts_the_ttl_on(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    send_to(&f, SBC_END_A, phone, 49, "x");
    assert_int_equal(fake_last(f.host)->ttl, 48);
    send_to(&f, SBC_END_A, phone, 2, "x");
    assert_int_equal(fake_last(f.host)->ttl, 1);
    send_to(&f, SBC_END_A, phone, 1, "x");
    assert_int_equal(f.host->sent_n, 2);
    assert_string_equal(f.host->last_drop, "ttl-exceeded");
    fixture_fini(&f);
}

static void sb_5_reset_sends_64(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    config.reset_ttl = true;
    struct fixture f = fixture_of(&config);
    send_to(&f, SBC_END_A, phone, 1, "x");
    assert_int_equal(fake_last(f.host)->ttl, 64);
    fixture_fini(&f);
}

static void sb_6_a_stranger_is_refused_and_told_once(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    send_to(&f, SBC_END_A, phone, 60, "x");
    for (int i = 0; i < 5; i++)
        send_to(&f, SBC_END_A, stranger, 60, "bleed");
    assert_int_equal(f.host->sent_n, 1);
    assert_int_equal(f.host->drops, 5);
    assert_int_equal(fake_traced(f.host, "\"refused\"", "198.51.100.66:666"), 1);
    assert_int_equal(sbc_relay_count(f.relay)->refused, 5);
    fixture_fini(&f);
}

static void a_new_address_in_the_sdp_loosens_the_latch_and_hold_does_not(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    struct endpoint moved = {IPV4(203, 0, 113, 9), 41000};
    send_to(&f, SBC_END_A, phone, 60, "x");
    set_peer(f.stream, SBC_END_A, (struct endpoint){0, private_phone.port}, false);
    set_peer(f.stream, SBC_END_A, private_phone, false);
    send_to(&f, SBC_END_A, moved, 60, "refused");
    assert_int_equal(f.host->sent_n, 1);
    set_peer(f.stream, SBC_END_A, (struct endpoint){IPV4(192, 168, 1, 99), 7000}, false);
    send_to(&f, SBC_END_A, moved, 60, "taken");
    assert_int_equal(f.host->sent_n, 2);
    fixture_fini(&f);
}

static void on_hold_nothing_is_sent(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    set_peer(f.stream, SBC_END_B, (struct endpoint){0, bob.port}, true);
    send_to(&f, SBC_END_A, phone, 60, "x");
    assert_int_equal(f.host->sent_n, 0);
    assert_string_equal(f.host->last_drop, "no-session");
    fixture_fini(&f);
}

/* X2: phone A ── [stream 1] ── PBX's SDP ── [stream 2] ── phone B: one hop of TTL, nothing on the inside network. */
static void x2_two_passages_are_one_hop(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = fixture_of(&config);
    struct sbc_stream *second;
    struct endpoint other = {IPV4(198, 51, 100, 20), 40404};
    assert_int_equal(sbc_stream_new(&second, f.relay, SPAN("call"), 0, inside_out), 0);
    set_peer(second, SBC_END_A, sbc_stream_written(f.stream, SBC_END_B), true);
    set_peer(second, SBC_END_B, (struct endpoint){IPV4(192, 168, 7, 7), 10000}, false);
    set_peer(f.stream, SBC_END_B, sbc_stream_written(second, SBC_END_A), true);
    assert_true(fake_deliver(f.host, other, sbc_stream_written(second, SBC_END_B), 40, SPAN("to A")));
    assert_string_equal(f.host->last_drop, "not-latched");
    send_to(&f, SBC_END_A, phone, 40, "to B");
    assert_int_equal(f.host->sent_n, 1);
    assert_true(endpoint_equal(fake_last(f.host)->to, other));
    assert_true(endpoint_equal(fake_last(f.host)->from, sbc_stream_written(second, SBC_END_B)));
    assert_int_equal(fake_last(f.host)->ttl, 39);
    assert_true(fake_deliver(f.host, other, sbc_stream_written(second, SBC_END_B), 30, SPAN("to A")));
    assert_true(endpoint_equal(fake_last(f.host)->to, phone));
    assert_int_equal(fake_last(f.host)->ttl, 29);
    sbc_stream_free(second);
    send_to(&f, SBC_END_A, phone, 40, "to nobody"); /* the peer's port is an address like any other now */
    assert_true(endpoint_equal(fake_last(f.host)->to, (struct endpoint){INSIDE, 20002}));
    fixture_fini(&f);
}

static void a_ring_of_streams_ends(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE)};
    const enum sbc_side inside[2] = {SBC_INSIDE, SBC_INSIDE};
    struct sbc_stream *other;
    assert_int_equal(sbc_relay_new(&f.relay, f.host, &config), 0);
    assert_int_equal(sbc_stream_new(&f.stream, f.relay, SPAN("ring"), 0, inside), 0);
    assert_int_equal(sbc_stream_new(&other, f.relay, SPAN("ring"), 1, inside), 0);
    for (int end = 0; end < 2; end++) {
        set_peer(f.stream, (enum sbc_end)end, sbc_stream_written(other, (enum sbc_end)(1 - end)), true);
        set_peer(other, (enum sbc_end)end, sbc_stream_written(f.stream, (enum sbc_end)(1 - end)), true);
    }
    send_to(&f, SBC_END_A, bob, 64, "round and round");
    assert_int_equal(f.host->sent_n, 0);
    assert_int_equal(f.host->drops, 1);
    sbc_stream_free(other);
    fixture_fini(&f);
}

static void ports_are_even_taken_in_turn_and_given_back(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of(); /* four pairs */
    struct fixture f = fixture_of(&config);
    struct sbc_stream *more[4];
    f.host->taken_port = 20002;
    assert_int_equal(sbc_stream_written(f.stream, SBC_END_A).port, 20000);
    assert_int_equal(sbc_stream_new(&more[0], f.relay, SPAN("1"), 0, outside_in), 0);
    assert_int_equal(sbc_stream_written(more[0], SBC_END_A).port, 20004);
    assert_int_equal(sbc_stream_new(&more[1], f.relay, SPAN("2"), 0, outside_in), 0);
    assert_int_equal(sbc_stream_new(&more[2], f.relay, SPAN("3"), 0, outside_in), FE_EAGAIN);
    sbc_stream_free(more[0]);
    assert_int_equal(sbc_stream_new(&more[2], f.relay, SPAN("3"), 0, outside_in), 0);
    assert_int_equal(sbc_stream_written(more[2], SBC_END_A).port, 20004);
    sbc_stream_free(more[1]);
    sbc_stream_free(more[2]);
    fixture_fini(&f);
}

static void a_silent_stream_closes_after_the_timeout(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    config.timeout = 60 * SEC;
    struct fixture f = fixture_of(&config);
    fake_advance(f.host, 40 * SEC);
    send_to(&f, SBC_END_A, phone, 60, "x");
    fake_advance(f.host, 99 * SEC);
    assert_true(sbc_stream_is_open(f.stream));
    fake_advance(f.host, 100 * SEC);
    assert_false(sbc_stream_is_open(f.stream));
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"t\":100000000000"), 2);
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"reason\":\"idle\""), 2);
    assert_int_equal(sbc_relay_count(f.relay)->open, 0);
    fixture_fini(&f);
}

static void a_public_address_is_written_instead_of_the_own_one_sb_3(void **state)
{
    (void)state;
    struct sbc_relay_config config = config_of();
    config.written[SBC_OUTSIDE] = IPV4(198, 51, 100, 1);
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE)};
    assert_int_equal(sbc_relay_new(&f.relay, f.host, &config), 0);
    assert_int_equal(sbc_stream_new(&f.stream, f.relay, SPAN("call"), 0, outside_in), 0);
    assert_int_equal(sbc_stream_written(f.stream, SBC_END_A).addr, IPV4(198, 51, 100, 1));
    assert_int_equal(sbc_stream_written(f.stream, SBC_END_B).addr, INSIDE);
    assert_true(fake_deliver(f.host, phone, (struct endpoint){OUTSIDE, 20000}, 64, SPAN("x")));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_pass_byte_for_byte_both_ways),
        cmocka_unit_test(rtcp_has_its_own_latch),
        cmocka_unit_test(nothing_is_sent_to_a_private_address_before_it_latched),
        cmocka_unit_test(sb_5_carry_counts_the_ttl_on),
        cmocka_unit_test(sb_5_reset_sends_64),
        cmocka_unit_test(sb_6_a_stranger_is_refused_and_told_once),
        cmocka_unit_test(a_new_address_in_the_sdp_loosens_the_latch_and_hold_does_not),
        cmocka_unit_test(on_hold_nothing_is_sent),
        cmocka_unit_test(x2_two_passages_are_one_hop),
        cmocka_unit_test(a_ring_of_streams_ends),
        cmocka_unit_test(ports_are_even_taken_in_turn_and_given_back),
        cmocka_unit_test(a_silent_stream_closes_after_the_timeout),
        cmocka_unit_test(a_public_address_is_written_instead_of_the_own_one_sb_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
