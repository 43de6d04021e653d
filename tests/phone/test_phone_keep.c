/* Keep-alives that the phone offers and its first hop takes (RFC 6223 by section), over UDP and over TCP. */
#include "tests/media/fake_net.h"

#include "nodes/proto/stun.h"

#include "tests/phone/stream_server.h"

#define SERVER IPV4(10, 0, 1, 10)
#define PHONE  IPV4(10, 0, 1, 20)

static struct rig_phone alice;

static struct {
    struct host_udp *udp;
    const char *keep; /* what becomes of ";keep" in the 200 to REGISTER: "=30", or "" */
    unsigned registers, offers, stuns, others;
    bool deaf;            /* to STUN */
    struct endpoint sees; /* the phone, in answers to STUN */
    lab_time times[64];   /* of STUN requests */
} server;

static void answer_stun(struct endpoint from, struct span data)
{
    uint8_t room[128];
    struct stun_msg request;
    struct stun_writer w;
    assert_int_equal(stun_parse(data, &request), 0);
    server.times[server.stuns++ % 64] = net.now;
    if (server.deaf)
        return;
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &request.id);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, server.sees.port ? server.sees : from);
    host_udp_send(server.udp, from, 0, stun_end(&w));
}

/* The 200 that gives `keep` its value, or leaves it. */
static void write_200(const struct sip_msg *m, const char *keep, struct text *t)
{
    struct span via = sip_value(m, SIP_H_VIA);
    text_str(t, "SIP/2.0 200 OK\r\nVia: ");
    text_put(t, via);
    text_str(t, keep);
    text_str(t, "\r\nFrom: ");
    text_put(t, sip_value(m, SIP_H_FROM));
    text_str(t, "\r\nTo: <sip:101@lab.example>;tag=t\r\nCall-ID: ");
    text_put(t, sip_value(m, SIP_H_CALL_ID));
    text_str(t, "\r\nCSeq: ");
    text_put(t, sip_value(m, SIP_H_CSEQ));
    text_str(t, "\r\nExpires: 100\r\nContent-Length: 0\r\n\r\n");
    assert_true(text_ok(t));
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    struct sip_msg m;
    (void)arg;
    (void)ttl;
    if (data.n && (unsigned char)data.p[0] < 4) {
        answer_stun(from, data);
        return;
    }
    if (sip_parse(data, &m, NULL) || !span_is(m.method_text, "REGISTER")) {
        server.others++;
        return;
    }
    server.registers++;
    bool offers = span_contains(sip_value(&m, SIP_H_VIA), SPAN(";keep"));
    server.offers += offers;
    write_200(&m, offers ? server.keep : "", &t);
    host_udp_send(server.udp, from, 0, text_span(&t));
}

static void start_udp(const char *keep, const char *const *settings)
{
    static const struct host_udp_events events = {received, NULL};
    net_begin(MS);
    memset(&server, 0, sizeof server);
    server.keep = keep;
    struct host *h = net_host("server", SERVER);
    assert_int_equal(host_udp_open(h, (struct endpoint){SERVER, 5060}, &events, NULL, &server.udp), 0);
    rig_start(&alice, "alice", PHONE, settings);
    net_run(10 * MS);
    assert_int_equal(server.registers, 1);
}

#define NEGOTIATED "line=101", "proxy=10.0.1.10", "keep-alive=negotiated"
static const char *const negotiated[] = {NEGOTIATED, NULL};

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    net_end();
    return 0;
}

static void assert_intervals(unsigned n, lab_time low, lab_time high)
{
    assert_true(server.stuns >= n);
    for (unsigned i = 1; i < n; i++)
        assert_in_range(server.times[i] - server.times[i - 1], low, high);
}

/* ---- UDP ---- */

static void s4_2_1_only_a_phone_that_is_so_set_offers_and_only_in_register(void **state)
{
    (void)state;
    static const char *const none[] = {"line=101", "proxy=10.0.1.10", NULL};
    start_udp("=30", none);
    assert_int_equal(server.offers, 0);
    teardown(NULL);
    start_udp("=30", negotiated);
    assert_int_equal(server.offers, 1);
    rig_tell(&alice, "call 102");
    net_run(SEC);
    assert_int_equal(net_count("alice", "sip", "msg", "INVITE") > 0, 1);
    assert_int_equal(server.offers, 1);
}

static void s4_2_1_an_offer_without_a_value_is_no_agreement(void **state)
{
    (void)state;
    start_udp("", negotiated);
    net_run(400 * SEC);
    assert_true(server.registers > 2);
    assert_int_equal(server.stuns + server.others, 0);
    assert_true(record_is(net_last("alice", "keep", NULL, NULL), "state", "not-wanted"));
}

static void s5_the_recommended_frequency_is_kept_within_80_to_100_percent(void **state)
{
    (void)state;
    start_udp("=20", negotiated);
    net_run(400 * SEC); /* over several registrations, which do not begin it anew */
    assert_in_range(server.stuns, 20, 25);
    assert_intervals(20, 16 * SEC, 20 * SEC + 2 * MS);
    assert_int_equal(net_count("alice", "keep", "state", "agreed"), 1);
}

static void s5_a_value_of_zero_leaves_it_to_the_phone(void **state)
{
    (void)state;
    start_udp("=0", negotiated);
    net_run(400 * SEC);
    assert_intervals(13, 24 * SEC, 29 * SEC + 2 * MS); /* RFC 5626 §4.4.2 */
}

static void s4_2_1_each_registration_says_it_anew(void **state)
{
    (void)state;
    start_udp("=20", negotiated);
    net_run(70 * SEC);
    unsigned before = server.stuns;
    assert_true(before >= 3);
    server.keep = "";
    net_run(90 * SEC); /* registered again at 85 s */
    before = server.stuns;
    net_run(400 * SEC);
    assert_int_equal(server.stuns, before);
}

static void it_ends_with_the_registration(void **state)
{
    (void)state;
    start_udp("=20", negotiated);
    rig_tell(&alice, "unregister");
    net_run(400 * SEC);
    assert_int_equal(server.stuns, 0);
}

static void rfc5626_4_4_2_without_an_answer_the_phone_registers_again(void **state)
{
    (void)state;
    start_udp("=20", negotiated);
    server.deaf = true;
    net_run(55 * SEC);
    assert_int_equal(server.registers, 1);
    assert_int_equal(server.stuns, 7);
    net_run(60 * SEC); /* 16 to 20 s, and 39.5 s for seven transmissions */
    assert_int_equal(net_count("alice", "keep", "state", "failed"), 1);
    assert_int_equal(net_number(net_last("alice", "keep", "state", "failed"), "t"), server.times[0] - MS + 39500 * MS);
    assert_int_equal(server.registers, 2);
}

static void rfc5626_4_4_2_seen_as_another_the_phone_registers_again(void **state)
{
    (void)state;
    start_udp("=20", negotiated);
    net_run(45 * SEC);
    assert_int_equal(server.registers, 1);
    server.sees = (struct endpoint){IPV4(203, 0, 113, 7), 1234};
    net_run(66 * SEC);
    assert_int_equal(server.registers, 2);
    assert_int_equal(net_count("alice", "keep", "state", "failed"), 1);
}

/* ---- TCP ---- */

static void start_tcp(const char *keep)
{
    static const char *const settings[] = {NEGOTIATED, "transport=tcp", NULL};
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    struct sip_msg m;
    net_begin(MS);
    rig_start(&alice, "alice", PHONE, settings);
    net_run(10 * MS);
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    write_200(&m, keep, &t);
    fake_tcp_receive(stream_connection(0), text_span(&t));
    stream_settle();
}

static void rfc5626_4_4_1_on_a_connection_it_is_line_ends_and_they_are_answered(void **state)
{
    (void)state;
    start_tcp("=20");
    net_run(16 * SEC);
    assert_int_equal(stream_connection(0)->sent_n, 0);
    net_run(20 * SEC + 20 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n");
    fake_tcp_forget(stream_connection(0));
    fake_tcp_receive(stream_connection(0), SPAN("\r\n"));
    net_run(31 * SEC);
    assert_int_equal(net_count("alice", "flow", "state", "closed"), 0);
    net_run(60 * SEC); /* the next is not answered: 10 s later the connection is given up, and the phone comes back */
    assert_int_equal(net_count("alice", "flow", "state", "closed"), 1);
    assert_true(stream_tcp()->n > 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(s4_2_1_only_a_phone_that_is_so_set_offers_and_only_in_register),
        TEST(s4_2_1_an_offer_without_a_value_is_no_agreement),
        TEST(s5_the_recommended_frequency_is_kept_within_80_to_100_percent),
        TEST(s5_a_value_of_zero_leaves_it_to_the_phone),
        TEST(s4_2_1_each_registration_says_it_anew),
        TEST(it_ends_with_the_registration),
        TEST(rfc5626_4_4_2_without_an_answer_the_phone_registers_again),
        TEST(rfc5626_4_4_2_seen_as_another_the_phone_registers_again),
        TEST(rfc5626_4_4_1_on_a_connection_it_is_line_ends_and_they_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
