/* Handshakes that succeed, what is carried over them, how they are resumed, and that they are the same every time. */
#define _GNU_SOURCE
#include "tests/secure/tls_rig.h"

#include <unistd.h>

static void say(struct rig *r, int from, const char *text)
{
    assert_int_equal(tls_send(r->side[from].tls, span_of(text), r->now + r->ahead[from]), 0);
    rig_settle(r);
}

static void server_proves_itself_to_client(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    const struct side *client = &r->side[CLIENT];
    assert_int_equal(client->version, TLS_1_2);
    assert_string_equal(client->suite, r->side[SERVER].suite);
    assert_non_null(strstr(client->suite, "ECDHE-ECDSA"));
    assert_string_equal(client->subject, "CN=sbc.example.com");
    assert_string_equal(client->names, "sbc.example.com, 203.0.113.10");
    assert_true(client->certificate);
    assert_false(client->resumed);
    assert_false(r->side[SERVER].certificate);
    assert_string_equal(r->side[SERVER].subject, "");
}

/* PH-15: a certificate is sent when there is one and it is asked for. */
static void client_certificate_is_seen_when_asked_for(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_true(r->side[SERVER].certificate);
    assert_string_equal(r->side[SERVER].subject, "CN=08000F123456");
}

static void client_certificate_is_not_sent_unasked(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_ASK_NOTHING);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_false(r->side[SERVER].certificate);
}

static void optional_client_certificate_may_be_absent(void **state)
{
    struct rig *r = *state;
    r->config[SERVER].ask = TLS_ASK_CERTIFICATE;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_false(r->side[SERVER].certificate);
}

/* PB-3: most phones know their server by its address. */
static void server_may_be_known_by_address(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "203.0.113.10");
    assert_established(r);
}

static void bytes_may_come_one_by_one(void **state)
{
    struct rig *r = *state;
    r->piece = 1;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    say(r, CLIENT, "REGISTER");
    assert_int_equal(r->side[SERVER].received.n, 8);
}

static void plaintext_goes_both_ways(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    say(r, CLIENT, "REGISTER sip:");
    say(r, SERVER, "SIP/2.0 200 OK");
    say(r, CLIENT, "example.com");
    assert_memory_equal(r->side[SERVER].received.p, "REGISTER sip:example.com", 24);
    assert_memory_equal(r->side[CLIENT].received.p, "SIP/2.0 200 OK", 14);
    assert_null(strstr(r->side[CLIENT].sent.p, "REGISTER"));
}

static void large_plaintext_becomes_several_records_in_one_piece(void **state)
{
    struct rig *r = *state;
    static char large[100000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 + i / 256);
    rig_connect(r, "sbc.example.com");
    unsigned sends = r->side[CLIENT].sends;
    assert_int_equal(tls_send(r->side[CLIENT].tls, span_make(large, sizeof large), r->now), 0);
    assert_int_equal(r->side[CLIENT].sends, sends + 1);
    rig_settle(r);
    assert_int_equal(r->side[SERVER].received.n, sizeof large);
    assert_memory_equal(r->side[SERVER].received.p, large, sizeof large);
}

static void sending_waits_for_the_handshake(void **state)
{
    struct rig *r = *state;
    struct tls *t;
    rig_contexts(r);
    assert_int_equal(tls_new(r->side[CLIENT].context, SPAN("sbc.example.com"), &rig_events, &r->side[CLIENT], &t), 0);
    assert_int_equal(tls_send(t, SPAN("x"), 0), FE_EAGAIN);
    tls_start(t, 0);
    assert_int_equal(tls_send(t, SPAN("x"), 0), FE_EAGAIN);
    tls_free(t);
}

static void close_notify_ends_both_ways(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    tls_close(r->side[CLIENT].tls, r->now);
    assert_int_equal(tls_send(r->side[CLIENT].tls, SPAN("x"), r->now), FE_ERESET);
    rig_settle(r);
    assert_int_equal(r->side[SERVER].closed_n, 1);
    assert_int_equal(tls_send(r->side[SERVER].tls, SPAN("x"), r->now), FE_ERESET);
    tls_close(r->side[SERVER].tls, r->now);
    rig_settle(r);
    assert_int_equal(r->side[CLIENT].closed_n, 1);
    assert_int_equal(r->side[CLIENT].failed_n + r->side[SERVER].failed_n, 0);
}

static void connection_may_be_freed_inside_its_events(void **state)
{
    struct rig *r = *state;
    rig_contexts(r);
    rig_hang_up(r);
    rig_connect(r, "sbc.example.com");
    r->side[SERVER].free_now = true;
    say(r, CLIENT, "REGISTER");
    assert_null(r->side[SERVER].tls);
    assert_int_equal(r->side[SERVER].received.n, 8);
}

static void context_may_be_freed_before_its_connections(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    for (int i = 0; i < SIDES; i++) {
        tls_context_free(r->side[i].context);
        r->side[i].context = NULL;
    }
    say(r, CLIENT, "REGISTER");
    assert_int_equal(r->side[SERVER].received.n, 8);
}

/* ---- versions (CT-2) ---- */

static void highest_common_version_is_spoken(void **state)
{
    struct rig *r = *state;
    if (!tls_version_known(TLS_1_1))
        skip();
    r->config[CLIENT].least = TLS_1_0;
    r->config[SERVER].least = TLS_1_1;
    r->config[SERVER].most = TLS_1_1;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_int_equal(r->side[CLIENT].version, TLS_1_1);
    say(r, CLIENT, "REGISTER");
    assert_int_equal(r->side[SERVER].received.n, 8);
}

static void oldest_version_is_spoken(void **state)
{
    struct rig *r = *state;
    if (!tls_version_known(TLS_1_0))
        skip();
    r->config[CLIENT].least = r->config[CLIENT].most = TLS_1_0;
    r->config[SERVER].least = TLS_1_0;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_int_equal(r->side[SERVER].version, TLS_1_0);
}

/* RFC 8446: tickets come after the handshake. */
static void newest_version_is_spoken(void **state)
{
    struct rig *r = *state;
    if (!tls_version_known(TLS_1_3))
        skip();
    r->config[CLIENT].most = r->config[SERVER].most = TLS_1_3;
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_int_equal(r->side[CLIENT].version, TLS_1_3);
    say(r, CLIENT, "REGISTER");
    assert_int_equal(r->side[SERVER].received.n, 8);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    say(r, SERVER, "INVITE");
    assert_int_equal(r->side[CLIENT].received.n, 6);
}

static void rsa_keys_are_spoken(void **state)
{
    struct rig *r = *state;
    struct prng random;
    struct pki_entity *rsa;
    const struct span name = SPAN("sbc.example.com");
    const struct pki_request want = {.subject = name,
                                     .names = &name,
                                     .names_n = 1,
                                     .key = PKI_RSA_2048,
                                     .not_before = LAB_BEGINS,
                                     .not_after = LAB_BEGINS + 1000};
    prng_init(&random, 1, SPAN("rsa"), SPAN("certificate"));
    assert_int_equal(pki_issue(&want, r->root, &random, &rsa, NULL), 0);
    rig_server_is(r, rsa);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_non_null(strstr(r->side[CLIENT].suite, "ECDHE-RSA"));
    pki_free(rsa);
}

/* ---- resumption (RFC 5077) ---- */

static void ticket_resumes_the_session(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    rig_connect(r, "sbc.example.com");
    size_t full = r->side[SERVER].sent.n;
    r->now += MINUTE;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_true(r->side[CLIENT].resumed && r->side[SERVER].resumed);
    assert_true(r->side[SERVER].sent.n < full / 2);
    assert_string_equal(r->side[SERVER].subject, "CN=08000F123456"); /* from the ticket */
    assert_string_equal(r->side[CLIENT].subject, "CN=sbc.example.com");
    say(r, CLIENT, "REGISTER");
    assert_int_equal(r->side[SERVER].received.n, 8);
}

static void session_belongs_to_its_peer(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    rig_connect(r, "203.0.113.10");
    assert_established(r);
    assert_false(r->side[CLIENT].resumed);
}

static void ticket_ages_in_lab_time(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    r->now += 2 * DAY;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_false(r->side[CLIENT].resumed);
}

/* The server seals the date of its own clock into a ticket and compares with it: one that is older than a day, and one
 * from the future, is none. What the client's clock shows does not matter to it. */
static void ticket_is_judged_by_the_servers_clock(void **state)
{
    static const lab_time jumps[] = {DAY + SEC, -SEC};
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        r->ahead[SERVER] = r->ahead[CLIENT] = 0;
        rig_connect(r, "sbc.example.com");
        r->ahead[SERVER] = jumps[i];
        rig_connect(r, "sbc.example.com");
        assert_established(r);
        assert_false(r->side[CLIENT].resumed);
    }
    r->ahead[SERVER] = 0;
    rig_contexts(r);
    rig_connect(r, "sbc.example.com");
    r->ahead[CLIENT] = 400 * DAY;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_true(r->side[CLIENT].resumed); /* it shows no certificate, so nobody looks at its dates */
}

/* A step of CLOCK_REALTIME, to which the connection is older than its own certificate, or outlives it. */
static void connection_outlives_a_clock_jump(void **state)
{
    static const lab_time jumps[] = {400 * DAY, -LAB_BEGINS * SEC};
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        r->ahead[CLIENT] = 0;
        rig_contexts(r);
        rig_connect(r, "sbc.example.com");
        r->ahead[CLIENT] = jumps[i];
        say(r, CLIENT, "REGISTER");
        say(r, SERVER, "200 OK");
        assert_int_equal(r->side[SERVER].received.n, 8);
        assert_int_equal(r->side[CLIENT].received.n, 6);
        tls_context_forget(r->side[CLIENT].context, r->now);
        rig_connect(r, "sbc.example.com");
        assert_string_equal(r->side[CLIENT].alert, "certificate_expired");
    }
}

static void rebooted_server_knows_no_ticket(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    tls_context_forget(r->side[SERVER].context, r->now);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    assert_false(r->side[CLIENT].resumed || r->side[SERVER].resumed);
}

/* A server that was started again begins its stream anew, and yet has other keys. */
static void tickets_do_not_outlive_the_server(void **state)
{
    struct rig *r = *state;
    struct prng random;
    rig_connect(r, "sbc.example.com");
    rig_hang_up(r);
    tls_context_free(r->side[SERVER].context);
    prng_init(&random, 1, SPAN("sbc"), SPAN("tls"));
    assert_int_equal(tls_context_new(&r->config[SERVER], &random, 1 * SEC, &r->side[SERVER].context, NULL), 0);
    rig_connect(r, "sbc.example.com");
    assert_false(r->side[CLIENT].resumed || r->side[SERVER].resumed);
}

static void either_side_may_have_no_resumption(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < SIDES; i++) {
        r->config[i].resume = false;
        rig_contexts(r);
        rig_connect(r, "sbc.example.com");
        rig_connect(r, "sbc.example.com");
        assert_established(r);
        assert_false(r->side[CLIENT].resumed || r->side[SERVER].resumed);
        r->config[i].resume = true;
    }
}

/* ---- determinism ---- */

static void assert_same(const struct bytes *a, const struct bytes *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->p, b->p, a->n);
}

static void run(struct rig *r)
{
    rig_contexts(r);
    r->now = 5 * SEC;
    rig_connect(r, "sbc.example.com");
    r->now += 10 * SEC;
    rig_connect(r, "sbc.example.com"); /* resumed */
    say(r, CLIENT, "REGISTER sip:example.com");
    tls_close(r->side[CLIENT].tls, r->now);
    rig_settle(r);
}

static void same_seed_and_times_give_the_same_bytes(void **state)
{
    struct rig *r = *state;
    static struct bytes first[SIDES];
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    run(r);
    for (int i = 0; i < SIDES; i++)
        first[i] = r->side[i].sent;
    r->now = 0;
    run(r);
    for (int i = 0; i < SIDES; i++)
        assert_same(&first[i], &r->side[i].sent);
}

/* What a process of its own says that it sent: main() with "bytes". */
static uint64_t bytes_of_another_process(void)
{
    char path[512] = "";
    char command[600];
    char line[64] = "";
    assert_true(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    snprintf(command, sizeof command, "'%s' bytes", path);
    FILE *other = popen(command, "r");
    assert_non_null(other);
    assert_non_null(fgets(line, sizeof line, other));
    assert_int_equal(pclose(other), 0);
    return strtoull(line, NULL, 16);
}

static int say_bytes(void)
{
    void *state;
    rig_setup(&state);
    struct rig *r = state;
    run(r);
    printf("%llx\n", (unsigned long long)(span_hash(span_make(r->side[CLIENT].sent.p, r->side[CLIENT].sent.n)) ^
                                          span_hash(span_make(r->side[SERVER].sent.p, r->side[SERVER].sent.n))));
    return rig_teardown(&state);
}

static void another_process_sends_the_same_bytes(void **state)
{
    (void)state;
    uint64_t first = bytes_of_another_process();
    assert_int_not_equal(first, 0);
    assert_int_equal(first, bytes_of_another_process());
}

/* RFC 5246 §7.4.1.2: the first four bytes of the hello's random are the time: the lab's. */
static void hello_has_the_date_of_the_lab(void **state)
{
    struct rig *r = *state;
    enum { RECORD = 5, MESSAGE = 4, VERSION = 2 };
    r->now = 3 * DAY;
    rig_connect(r, "sbc.example.com");
    const unsigned char *at = (const unsigned char *)r->side[CLIENT].sent.p + RECORD + MESSAGE + VERSION;
    uint32_t date = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    assert_int_equal(date, LAB_BEGINS + 3 * (DAY / SEC));
}

static void another_stream_gives_other_bytes(void **state)
{
    struct rig *r = *state;
    struct prng random;
    rig_connect(r, "sbc.example.com");
    char hello[60];
    memcpy(hello, r->side[CLIENT].sent.p, sizeof hello);
    prng_init(&random, 2, SPAN("alice"), SPAN("tls"));
    rig_hang_up(r);
    tls_context_free(r->side[CLIENT].context);
    assert_int_equal(tls_context_new(&r->config[CLIENT], &random, 0, &r->side[CLIENT].context, NULL), 0);
    rig_connect(r, "sbc.example.com");
    assert_memory_not_equal(hello, r->side[CLIENT].sent.p, sizeof hello);
}

static void both_ends_export_the_same_secret(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    assert_string_equal(r->side[CLIENT].secret, r->side[SERVER].secret);
    assert_int_equal(strncmp(r->side[CLIENT].secret, "CLIENT_RANDOM ", 14), 0);
    assert_int_equal(strlen(r->side[CLIENT].secret), 14 + 64 + 1 + 96);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "bytes") == 0)
        return say_bytes();
    const struct CMUnitTest tests[] = {
        TEST(server_proves_itself_to_client),
        TEST(client_certificate_is_seen_when_asked_for),
        TEST(client_certificate_is_not_sent_unasked),
        TEST(optional_client_certificate_may_be_absent),
        TEST(server_may_be_known_by_address),
        TEST(bytes_may_come_one_by_one),
        TEST(plaintext_goes_both_ways),
        TEST(large_plaintext_becomes_several_records_in_one_piece),
        TEST(sending_waits_for_the_handshake),
        TEST(close_notify_ends_both_ways),
        TEST(connection_may_be_freed_inside_its_events),
        TEST(context_may_be_freed_before_its_connections),
        TEST(highest_common_version_is_spoken),
        TEST(oldest_version_is_spoken),
        TEST(newest_version_is_spoken),
        TEST(rsa_keys_are_spoken),
        TEST(ticket_resumes_the_session),
        TEST(session_belongs_to_its_peer),
        TEST(ticket_ages_in_lab_time),
        TEST(ticket_is_judged_by_the_servers_clock),
        TEST(connection_outlives_a_clock_jump),
        TEST(rebooted_server_knows_no_ticket),
        TEST(tickets_do_not_outlive_the_server),
        TEST(either_side_may_have_no_resumption),
        TEST(same_seed_and_times_give_the_same_bytes),
        cmocka_unit_test(another_process_sends_the_same_bytes),
        TEST(hello_has_the_date_of_the_lab),
        TEST(another_stream_gives_other_bytes),
        TEST(both_ends_export_the_same_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
