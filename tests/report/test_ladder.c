/* The ladder's messages: which `in` belongs to which `out`, and what a packet that died was.
 *
 *     alice ── home ── router ── internet ── sbc ── office ── pbx, bob */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/report/ladder.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char network[] =
    "{\"networks\":[{\"name\":\"home\",\"subnet\":\"192.168.1.0/24\",\"hops\":0},{\"name\":\"internet\",\"subnet\":"
    "\"203.0.113.0/24\",\"hops\":8},{\"name\":\"office\",\"subnet\":\"10.0.1.0/24\",\"hops\":0}],\"nodes\":["
    "{\"name\":\"alice\",\"kind\":\"phone\",\"ports\":[{\"name\":\"on\",\"network\":\"home\",\"address\":"
    "\"192.168.1.20\"}]},"
    "{\"name\":\"router\",\"kind\":\"nat\",\"ports\":[{\"name\":\"inside\",\"network\":\"home\",\"address\":"
    "\"192.168.1.1\"},{\"name\":\"outside\",\"network\":\"internet\",\"address\":\"203.0.113.7\"}]},"
    "{\"name\":\"sbc\",\"kind\":\"sbc\",\"ports\":[{\"name\":\"outside\",\"network\":\"internet\",\"address\":"
    "\"203.0.113.10\"},{\"name\":\"inside\",\"network\":\"office\",\"address\":\"10.0.1.2\"}]},"
    "{\"name\":\"pbx\",\"kind\":\"pbx\",\"ports\":[{\"name\":\"on\",\"network\":\"office\",\"address\":\"10.0.1.10\"}]}"
    ","
    "{\"name\":\"bob\",\"kind\":\"phone\",\"ports\":[{\"name\":\"on\",\"network\":\"office\",\"address\":"
    "\"10.0.1.31\"}]}]}";

static json_t *root;
static struct topology topology;
static struct ladder l;

static int set_up(void **state)
{
    (void)state;
    root = json_loads(network, 0, NULL);
    if (!root || topology_read(&topology, root))
        return -1;
    ladder_init(&l, &topology);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ladder_fini(&l);
    topology_fini(&topology);
    json_decref(root);
    return 0;
}

static void line(const char *text)
{
    assert_int_equal(ladder_line(&l, span_of(text)), 0);
}

static void sip(lab_time ms, const char *node, const char *dir, const char *msg, const char *peer)
{
    char buf[300];
    snprintf(
        buf, sizeof buf,
        "{\"t\":%lld,\"node\":\"%s\",\"ev\":\"sip\",\"dir\":\"%s\",\"msg\":\"%s\",\"peer\":\"%s\",\"call_id\":\"c\","
        "\"cseq\":1}",
        (long long)(ms * MS), node, dir, msg, peer);
    line(buf);
}

static void drop(lab_time ms, const char *where, const char *cause, const char *packet)
{
    char buf[300];
    snprintf(buf, sizeof buf, "{\"t\":%lld,%s,\"ev\":\"drop\",\"cause\":\"%s\",\"packet\":\"%s\"}",
             (long long)(ms * MS), where, cause, packet);
    line(buf);
}

static const struct ladder_row *message(size_t n)
{
    for (size_t i = 0; i < l.n; i++)
        if (l.rows[i].type == LADDER_MESSAGE && n-- == 0)
            return &l.rows[i];
    fail_msg("there are fewer messages");
    return NULL;
}

static void assert_message(size_t n, const char *from, const char *to, enum ladder_fate fate)
{
    const struct ladder_row *row = message(n);
    assert_string_equal(words_text(&l.names, row->node), from);
    assert_string_equal(words_text(&l.names, row->other), to);
    assert_int_equal(row->fate, fate);
}

static size_t count(enum ladder_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < l.n; i++)
        n += l.rows[i].type == type;
    return n;
}

#define SBC_OUT    "203.0.113.10:5060"
#define SBC_IN     "10.0.1.2:5060"
#define PBX        "10.0.1.10:5060"
#define BOB        "10.0.1.31:5060"
#define ROUTER_OUT "203.0.113.7:5060"

static void a_message_goes_from_hop_to_hop(void **state)
{
    (void)state;
    sip(0, "alice", "out", "INVITE", SBC_OUT);
    sip(20, "sbc", "in", "INVITE", ROUTER_OUT);
    sip(20, "sbc", "out", "INVITE", PBX);
    sip(20, "pbx", "in", "INVITE", SBC_IN);
    sip(20, "pbx", "out", "INVITE", BOB);
    sip(20, "bob", "in", "INVITE", PBX);
    ladder_end(&l);
    assert_int_equal(l.n, 3);
    assert_message(0, "alice", "sbc", LADDER_ARRIVED);
    assert_message(1, "sbc", "pbx", LADDER_ARRIVED);
    assert_message(2, "pbx", "bob", LADDER_ARRIVED);
    assert_int_equal(message(0)->until, 20 * MS);
    assert_int_equal(message(1)->count, 1);
}

/* The SBC answers 100 to the NAT and to the PBX: what the PBX gets was sent to the PBX's own address. */
static void a_nat_does_not_take_what_was_sent_to_others(void **state)
{
    (void)state;
    sip(0, "sbc", "out", "100 INVITE", ROUTER_OUT);
    sip(0, "sbc", "out", "100 INVITE", PBX);
    sip(0, "pbx", "in", "100 INVITE", SBC_IN);
    sip(20, "alice", "in", "100 INVITE", SBC_OUT);
    assert_message(0, "sbc", "alice", LADDER_ARRIVED);
    assert_message(1, "sbc", "pbx", LADDER_ARRIVED);
}

/* A forking PBX sends to one phone after the other, and the later one answers first. */
static void forks_may_arrive_in_another_order(void **state)
{
    (void)state;
    sip(0, "pbx", "out", "INVITE", SBC_IN);
    sip(0, "pbx", "out", "INVITE", BOB);
    sip(5, "bob", "in", "INVITE", PBX);
    sip(9, "sbc", "in", "INVITE", PBX);
    assert_message(0, "pbx", "sbc", LADDER_ARRIVED);
    assert_message(1, "pbx", "bob", LADDER_ARRIVED);
    assert_int_equal(message(0)->until, 9 * MS);
}

static void what_died_is_retransmitted(void **state)
{
    (void)state;
    sip(0, "sbc", "out", "INVITE", ROUTER_OUT);
    drop(20, "\"node\":\"router\"", "no-mapping", "udp 203.0.113.10:5060 > 203.0.113.7:5060");
    sip(500, "sbc", "out", "INVITE", ROUTER_OUT);
    sip(540, "alice", "in", "INVITE", SBC_OUT);
    ladder_end(&l);
    assert_int_equal(message(0)->fate, LADDER_LOST);
    assert_string_equal(words_text(&l.words, message(0)->where), "router");
    assert_string_equal(words_text(&l.words, message(0)->cause), "no-mapping");
    assert_true(message(0)->bad);
    assert_message(1, "sbc", "alice", LADDER_ARRIVED);
    assert_int_equal(message(1)->count, 2);
    assert_int_equal(l.dialogs[0].lost, 1);
    assert_int_equal(count(LADDER_DROPS), 0);
    assert_int_equal(l.deaths_n, 1);
}

/* Behind the first NAT the packet has another destination; its source is still the sender. */
static void a_packet_that_was_translated_is_known_by_its_other_end(void **state)
{
    (void)state;
    sip(0, "sbc", "out", "BYE", ROUTER_OUT);
    drop(20, "\"wire\":\"alice.home\"", "lost", "udp 203.0.113.10:5060 > 192.168.1.20:5060");
    assert_int_equal(message(0)->fate, LADDER_LOST);
    assert_string_equal(words_text(&l.words, message(0)->where), "alice.home");
}

/* The PBX's 100 to Bob is on its way too, from the same port to one with the same number. */
static void a_packet_to_another_node_is_another_message(void **state)
{
    (void)state;
    sip(0, "pbx", "out", "100 INVITE", BOB);
    sip(0, "pbx", "out", "INVITE", SBC_IN);
    drop(0, "\"node\":\"sbc\"", "powered-off", "udp 10.0.1.10:5060 > 10.0.1.2:5060");
    sip(0, "bob", "in", "100 INVITE", PBX);
    assert_message(0, "pbx", "bob", LADDER_ARRIVED);
    assert_message(1, "pbx", "sbc", LADDER_LOST);
}

static void what_a_node_cannot_read_reached_it(void **state)
{
    (void)state;
    sip(0, "alice", "out", "INVITE", SBC_OUT);
    sip(0, "sbc", "out", "100 INVITE", ROUTER_OUT);
    drop(20, "\"node\":\"sbc\"", "bad-sip", "the headers do not end: INVITE from 203.0.113.7:5060");
    drop(20, "\"node\":\"sbc\"", "not-allowed", "datagram from 203.0.113.7:5060"); /* of nobody's message */
    assert_message(0, "alice", "sbc", LADDER_LOST);
    assert_int_equal(message(1)->fate, LADDER_UNSEEN);
    assert_int_equal(count(LADDER_DROPS), 1);
}

static void media_that_died_are_no_message(void **state)
{
    (void)state;
    sip(0, "sbc", "out", "BYE", ROUTER_OUT);
    drop(20, "\"node\":\"router\"", "no-mapping", "udp 203.0.113.10:20000 > 203.0.113.7:10000");
    drop(40, "\"node\":\"router\"", "no-mapping", "udp 203.0.113.10:20000 > 203.0.113.7:10000");
    assert_int_equal(message(0)->fate, LADDER_UNSEEN);
    assert_int_equal(count(LADDER_DROPS), 1);
    assert_int_equal(l.rows[l.n - 1].count, 2);
    assert_int_equal(l.deaths[0].count, 2);
}

static void a_segment_of_tcp_is_sent_again(void **state)
{
    (void)state;
    sip(0, "alice", "out", "REGISTER", SBC_OUT);
    drop(5, "\"wire\":\"internet.3-4\"", "lost", "tcp 203.0.113.7:5060 > 203.0.113.10:5060");
    sip(220, "sbc", "in", "REGISTER", ROUTER_OUT);
    sip(220, "alice", "out", "OPTIONS", SBC_OUT);
    drop(225, "\"wire\":\"internet.3-4\"", "lost", "tcp 203.0.113.7:5060 > 203.0.113.10:5060");
    ladder_end(&l);
    assert_message(0, "alice", "sbc", LADDER_ARRIVED);
    assert_int_equal(message(1)->fate, LADDER_LOST); /* nobody ever saw it */
    assert_int_equal(count(LADDER_DROPS), 2);        /* segments that died are told all the same */
}

/* A router tells of a drop, and then of its ICMP error about the same packet: that is one death. */
static void a_drop_and_its_icmp_error_are_one(void **state)
{
    (void)state;
    sip(0, "alice", "out", "INVITE", SBC_OUT);
    sip(1, "alice", "out", "INVITE", SBC_OUT);
    drop(5, "\"node\":\"internet.r2\"", "ttl-exceeded", "udp 203.0.113.7:5060 > 203.0.113.10:5060");
    line(
        "{\"t\":5000000,\"node\":\"internet.r2\",\"ev\":\"icmp\",\"from\":\"203.0.113.253\",\"type\":\"time-exceeded\","
        "\"about\":\"udp 203.0.113.7:5060 > 203.0.113.10:5060\"}");
    assert_int_equal(message(0)->fate, LADDER_LOST);
    assert_int_equal(message(1)->fate, LADDER_UNSEEN);
    line("{\"t\":6000000,\"node\":\"sbc\",\"ev\":\"icmp\",\"from\":\"203.0.113.10\",\"type\":\"port-unreachable\","
         "\"about\":\"udp 203.0.113.7:5060 > 203.0.113.10:5060\"}");
    assert_int_equal(message(1)->fate, LADDER_LOST);
    assert_string_equal(words_text(&l.words, message(1)->cause), "port-unreachable");
}

static void a_duplicate_arrives_twice_and_is_one_row(void **state)
{
    (void)state;
    sip(0, "alice", "out", "INVITE", SBC_OUT);
    sip(20, "sbc", "in", "INVITE", ROUTER_OUT);
    sip(21, "sbc", "in", "INVITE", ROUTER_OUT);
    assert_int_equal(l.n, 1);
    assert_int_equal(message(0)->arrivals, 2);
    assert_int_equal(message(0)->until, 20 * MS);
}

static void who_does_not_tell_is_known_by_the_address(void **state)
{
    (void)state;
    sip(0, "pbx", "in", "OPTIONS", BOB);
    assert_message(0, "bob", "pbx", LADDER_ARRIVED);
    sip(0, "pbx", "in", "INFO", "192.0.2.1:5060");
    assert_int_equal(message(1)->node, LADDER_NOBODY);
}

static void a_call_is_heard(void **state)
{
    (void)state;
    line("{\"t\":0,\"node\":\"bob\",\"ev\":\"registration\",\"state\":\"registered\",\"aor\":\"sip:102@lab.example\"}");
    line("{\"t\":1,\"node\":\"alice\",\"ev\":\"media\",\"state\":\"report\",\"peer\":\"102\",\"heard\":\"102\",\"heard_"
         "ppm\":"
         "998700,\"received\":10,\"lost\":1,\"mos\":4.36}");
    line("{\"t\":2,\"node\":\"alice\",\"ev\":\"media\",\"state\":\"stopped\",\"peer\":\"102\"}");
    const struct ladder_row *row = &l.rows[l.n - 1];
    assert_int_equal(row->type, LADDER_MEDIA);
    assert_string_equal(words_text(&l.names, row->other), "bob");
    assert_string_equal(words_text(&l.words, row->text), "heard 99.87%, MOS 4.36, 10 packets, 1 lost");
}

static void steps_and_expectations_are_numbered_as_the_verdict_s(void **state)
{
    (void)state;
    line("{\"t\":0,\"ev\":\"step\",\"n\":1,\"line\":9,\"text\":\"sleep: 1s\",\"state\":\"started\"}");
    line("{\"t\":1,\"ev\":\"expect\",\"n\":1,\"line\":9,\"text\":\"drops none\",\"held\":false,\"why\":\"there was "
         "1\"}");
    line("{\"t\":1,\"ev\":\"step\",\"n\":1,\"line\":9,\"text\":\"sleep: 1s\",\"state\":\"failed\"}");
    assert_int_equal(l.n, 2);
    assert_true(l.rows[0].bad);
    assert_true(l.rows[1].bad);
    assert_int_equal(l.rows[1].item, 1);
}

/* ---- what no trace holds ---- */

static void any_json_is_survived(void **state)
{
    (void)state;
    static const char *const values[] = {
        "null",          "true", "-1",          "9223372036854775807",  "1e300",        "\"\"",
        "\"x\\u0000y\"", "[]",   "{\"a\":[1]}", "\"203.0.113.7:5060\"", "\"udp a > \"", "\" > > >\""};
    static const char *const keys[] = {"t",     "node",   "ev",    "dir",   "msg",  "peer",  "call_id", "cseq",
                                       "cause", "packet", "about", "state", "text", "heard", "mos",     "aor"};
    static const char *const events[] = {"sip",    "drop",    "icmp",  "media", "step",
                                         "expect", "mapping", "power", "fault", "registration"};
    size_t values_n = sizeof values / sizeof values[0];
    for (size_t e = 0; e < sizeof events / sizeof events[0]; e++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            for (size_t v = 0; v < values_n; v++) {
                char buf[400];
                snprintf(buf, sizeof buf,
                         "{\"t\":5,\"node\":\"sbc\",\"ev\":\"%s\",\"dir\":\"out\",\"msg\":\"INVITE\",\"peer\":\"1:2\","
                         "\"call_id\":\"c\",\"cseq\":1,\"state\":\"stopped\",\"%s\":%s}",
                         events[e], keys[k], values[v]);
                line(buf);
            }
    line("{}");
    ladder_end(&l);
    for (size_t i = 0; i < l.n; i++) {
        assert_true(l.rows[i].at >= 0);
        assert_true(l.rows[i].node < (int)l.nodes_n && l.rows[i].other < (int)l.nodes_n);
    }
}

static void what_is_no_object_is_said(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "[]", "7", "{\"t\":", "{\"t\":1}x", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(ladder_line(&l, span_of(wrong[i])), FE_ESYNTAX);
}

static void more_rows_than_are_kept_are_counted(void **state)
{
    (void)state;
    static const char sent[] = "{\"t\":1,\"node\":\"sbc\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"INVITE\",\"peer\":"
                               "\"10.0.1.10:5060\",\"call_id\":\"c\",\"cseq\":1}";
    for (int i = 0; i < LADDER_ROWS + 10; i++)
        line(sent);
    assert_int_equal(l.n, LADDER_ROWS);
    assert_int_equal(l.beyond, 10);
    assert_int_equal(l.rows[l.n - 1].count, LADDER_ROWS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_message_goes_from_hop_to_hop),
        CASE(a_nat_does_not_take_what_was_sent_to_others),
        CASE(forks_may_arrive_in_another_order),
        CASE(what_died_is_retransmitted),
        CASE(a_packet_that_was_translated_is_known_by_its_other_end),
        CASE(a_packet_to_another_node_is_another_message),
        CASE(what_a_node_cannot_read_reached_it),
        CASE(media_that_died_are_no_message),
        CASE(a_segment_of_tcp_is_sent_again),
        CASE(a_drop_and_its_icmp_error_are_one),
        CASE(a_duplicate_arrives_twice_and_is_one_row),
        CASE(who_does_not_tell_is_known_by_the_address),
        CASE(a_call_is_heard),
        CASE(steps_and_expectations_are_numbered_as_the_verdict_s),
        CASE(any_json_is_survived),
        CASE(what_is_no_object_is_said),
        CASE(more_rows_than_are_kept_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
