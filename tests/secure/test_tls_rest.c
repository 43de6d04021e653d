/* A connection gives its record buffers back whenever nothing is in them, and nobody can tell. */
#include "nodes/secure/tls_private.h"
#include "tests/secure/tls_rig.h"

static void assert_resting(const struct rig *r, int side, bool resting)
{
#if !SECURE_MBEDTLS_3
    const struct tls *t = r->side[side].tls;
    assert_int_equal(t->resting, resting);
    assert_int_equal(t->ssl.in_buf == NULL, resting);
    assert_int_equal(t->ssl.out_buf == NULL, resting);
#else
    (void)r;
    (void)side;
    (void)resting;
#endif
}

static void say(struct rig *r, int from, const char *text)
{
    assert_int_equal(tls_send(r->side[from].tls, span_of(text), r->now), 0);
}

static void it_rests_from_its_beginning(void **state)
{
    struct rig *r = *state;
    rig_contexts(r);
    assert_int_equal(
        tls_new(r->side[CLIENT].context, SPAN("sbc.example.com"), &rig_events, &r->side[CLIENT], &r->side[CLIENT].tls),
        0);
    assert_resting(r, CLIENT, true);
    tls_start(r->side[CLIENT].tls, r->now); /* the hello is out, the answer is not there */
    assert_resting(r, CLIENT, true);
}

static void it_rests_between_flights_and_when_established(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_resting(r, CLIENT, true);
    assert_resting(r, SERVER, true);
}

/* RFC 5246 §6.1: each direction counts its records; 300 are more than a byte can count. */
static void records_are_counted_over_rests(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    for (int i = 0; i < 300; i++)
        for (int side = 0; side < SIDES; side++) {
            say(r, side, "\r\n\r\n");
            rig_settle(r);
            assert_resting(r, side, true);
        }
    assert_established(r);
    assert_int_equal(r->side[CLIENT].received.n, 1200);
    assert_int_equal(r->side[SERVER].received.n, 1200);
}

static void it_is_awake_while_a_record_is_incomplete(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    say(r, CLIENT, "REGISTER");
    assert_resting(r, CLIENT, true);
    r->piece = 6;
    assert_true(rig_carry(r, CLIENT));
    assert_resting(r, SERVER, false);
    say(r, SERVER, "\r\n"); /* the other direction is not hindered */
    assert_resting(r, SERVER, false);
    rig_settle(r);
    assert_resting(r, SERVER, true);
    assert_memory_equal(r->side[SERVER].received.p, "REGISTER", 8);
    assert_memory_equal(r->side[CLIENT].received.p, "\r\n", 2);
}

static void it_says_good_bye_from_its_rest(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    tls_close(r->side[CLIENT].tls, r->now);
    rig_settle(r);
    assert_int_equal(r->side[SERVER].closed_n, 1);
    assert_int_equal(r->side[SERVER].failed_n, 0);
}

#if !SECURE_MBEDTLS_3
/* Block ciphers with an explicit IV place the record elsewhere (RFC 4346 §6.2.3.2), TLS 1.0's do not. */
static void versions_place_their_records_differently(void **state)
{
    struct rig *r = *state;
    for (enum tls_version v = TLS_1_0; v <= TLS_1_2; v++) {
        for (int i = 0; i < SIDES; i++) {
            r->config[i].least = r->config[i].most = v;
            tls_context_free(r->side[i].context);
            r->side[i].context = NULL;
        }
        rig_connect(r, "sbc.example.com");
        assert_established(r);
        say(r, CLIENT, "REGISTER");
        rig_settle(r);
        say(r, SERVER, "200 OK");
        rig_settle(r);
        assert_resting(r, CLIENT, true);
        assert_int_equal(r->side[SERVER].received.n, 8);
        assert_int_equal(r->side[CLIENT].received.n, 6);
    }
}
#endif

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_rests_from_its_beginning),
        TEST(it_rests_between_flights_and_when_established),
        TEST(records_are_counted_over_rests),
        TEST(it_is_awake_while_a_record_is_incomplete),
        TEST(it_says_good_bye_from_its_rest),
#if !SECURE_MBEDTLS_3
        TEST(versions_place_their_records_differently),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
