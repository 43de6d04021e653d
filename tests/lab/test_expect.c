/* Expectations on lines of a trace, without an engine. */
#include "nodes/base/error.h"
#include "sim/lab/expect.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char head[] = "lab: t\n"
                           "networks: {net: 10.0.0.0/24}\n"
                           "nodes:\n"
                           "  alice: {kind: phone, on: net.1, line: 101}\n"
                           "  bob: {kind: phone, on: net.2, line: 102}\n"
                           "  pbx: {kind: pbx, on: net.10}\n"
                           "  probe: {kind: prober, on: net.20, server: 10.0.0.30}\n"
                           "expect:\n  - ";

/* A lab with one expectation, fed with lines. */
struct court {
    struct lab *lab;
    struct facts facts;
    const struct expectation *e;
    uint32_t count;
    char why[320];
};

static void court_open(struct court *c, const char *statement)
{
    char text[2048];
    *c = (struct court){0};
    assert_true(strlen(head) + strlen(statement) < sizeof text);
    memcpy(text, head, sizeof head);
    memcpy(text + sizeof head - 1, statement, strlen(statement) + 1);
    int error = lab_parse(&c->lab, "t.yaml", span_of(text), NULL, 0);
    if (error)
        problems_write(&c->lab->problems, stderr);
    assert_int_equal(error, 0);
    assert_int_equal(facts_init(&c->facts, c->lab), 0);
    c->e = c->lab->expectations[0];
}

static void court_close(struct court *c)
{
    facts_fini(&c->facts);
    lab_free(c->lab);
}

static void hear(struct court *c, const char *line)
{
    facts_line(&c->facts, span_of(line));
    c->count += expect_matches(c->e, span_of(line));
}

static bool holds(struct court *c)
{
    struct text why = text_on(c->why, sizeof c->why);
    return expect_holds(c->e, &c->facts, c->count, &why);
}

static void registration_is_the_latest_one(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "alice registered");
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice is unregistered");
    hear(&c, "{\"t\":1,\"node\":\"alice\",\"ev\":\"registration\",\"state\":\"registered\",\"status\":200,\"reason\":"
             "\"OK\"}");
    assert_true(holds(&c));
    hear(&c, "{\"t\":2,\"node\":\"alice\",\"ev\":\"registration\",\"state\":\"failed\",\"status\":408,\"reason\":"
             "\"Request Timeout\"}");
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice is failed (408 Request Timeout)");
    court_close(&c);
}

static void not_turns_it_round(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "bob not registered");
    assert_true(holds(&c));
    hear(&c, "{\"t\":1,\"node\":\"bob\",\"ev\":\"registration\",\"state\":\"registered\"}");
    assert_false(holds(&c));
    court_close(&c);
}

static void events_are_counted_by_all_their_conditions(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "drops: {cause: no-such-host, at: pbx, times: 2}");
    hear(&c, "{\"t\":1,\"node\":\"pbx\",\"ev\":\"drop\",\"cause\":\"no-such-host\",\"packet\":\"udp a > b\"}");
    hear(&c, "{\"t\":2,\"node\":\"bob\",\"ev\":\"drop\",\"cause\":\"no-such-host\",\"packet\":\"udp a > b\"}");
    hear(&c, "{\"t\":3,\"node\":\"pbx\",\"ev\":\"drop\",\"cause\":\"lost\",\"packet\":\"udp a > b\"}");
    assert_false(holds(&c));
    assert_string_equal(c.why, "there was 1");
    hear(&c, "{\"t\":4,\"node\":\"pbx\",\"ev\":\"drop\",\"cause\":\"no-such-host\",\"packet\":\"udp a > b\"}");
    assert_true(holds(&c));
    hear(&c, "{\"t\":5,\"node\":\"pbx\",\"ev\":\"drop\",\"cause\":\"no-such-host\",\"packet\":\"udp a > b\"}");
    assert_false(holds(&c));
    court_close(&c);
}

static void none_is_a_count_of_zero(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "drops: none");
    assert_true(holds(&c));
    hear(&c, "{\"t\":1,\"ev\":\"drop\",\"wire\":\"bob.net\",\"cause\":\"lost\"}");
    assert_false(holds(&c));
    court_close(&c);
}

static void messages_have_a_direction(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "message: {sent by: alice, is: INVITE, times: 1}");
    hear(&c, "{\"t\":1,\"node\":\"alice\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"INVITE\"}");
    hear(&c, "{\"t\":2,\"node\":\"alice\",\"ev\":\"sip\",\"dir\":\"in\",\"msg\":\"INVITE\"}");
    hear(&c, "{\"t\":3,\"node\":\"alice\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"200 INVITE\"}");
    assert_true(holds(&c));
    court_close(&c);
}

/* Connections and handshakes count by what they say of themselves; a reason by a part of it. */
static void connections_are_counted(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "flow: {at: alice, state: closed, transport: TLS, remote: \"10.0.0.9:5061\", local: 5061, "
                   "reason: reset, times: 1}");
    hear(&c, "{\"t\":1,\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TLS\","
             "\"remote\":\"10.0.0.9:5061\",\"local\":5061}");
    hear(&c, "{\"t\":2,\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"closed\",\"transport\":\"TLS\","
             "\"remote\":\"10.0.0.9:5061\",\"local\":5061,\"reason\":\"reset\"}");
    assert_true(holds(&c));
    court_close(&c);
    court_open(&c, "tls: {at: alice, state: failed, alert: certificate_expired, by: local, why: expired at, times: 1}");
    hear(&c, "{\"t\":1,\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"failed\",\"peer\":\"10.0.0.9:5061\","
             "\"alert\":\"certificate_expired\",\"by\":\"local\",\"why\":\"the certificate of CN=pbx expired at "
             "2025-12-31\"}");
    hear(&c, "{\"t\":2,\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"failed\",\"peer\":\"10.0.0.9:5061\","
             "\"alert\":\"certificate_expired\",\"by\":\"remote\",\"why\":\"the peer says so\"}");
    assert_true(holds(&c));
    court_close(&c);
}

#define CALL(state)                                                                                                    \
    "{\"t\":5,\"node\":\"alice\",\"ev\":\"call\",\"state\":\"" state "\",\"call\":1,\"peer\":\"102\",\"status\":408,"  \
    "\"reason\":\"Request Timeout\"}"
#define REPORT(heard, ppm, mos)                                                                                        \
    "{\"t\":9,\"node\":\"alice\",\"ev\":\"media\",\"state\":\"report\",\"call\":1,\"peer\":\"102\",\"heard\":\"" heard \
    "\",\"sent\":10,\"expected\":10,\"received\":9,\"lost\":1,\"late\":0,\"heard_ppm\":" ppm ",\"mos\":" mos "}"

static void call_is_judged_by_state_and_status(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "call: {from: alice, to: bob, state: failed, status: 408}");
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice never called 102");
    hear(&c, CALL("failed"));
    assert_true(holds(&c));
    assert_string_equal(c.why, "alice's call to 102 is failed (408 Request Timeout)");
    court_close(&c);
}

static void established_holds_after_the_call_too(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "call: {from: alice, to: bob, state: established}");
    hear(&c, CALL("established"));
    hear(&c, CALL("ended"));
    assert_true(holds(&c));
    court_close(&c);
}

static void media_needs_the_right_voice(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{media: bob -> alice, heard: 99%, mos: 4.3}");
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice never had a call with bob");
    hear(&c, CALL("established"));
    hear(&c, REPORT("103", "1000000", "4.41"));
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice heard 0.00% of bob (but line 103), MOS 4.41, 9 packets received, 1 lost");
    hear(&c, REPORT("102", "990000", "4.30"));
    assert_true(holds(&c));
    hear(&c, REPORT("102", "990000", "4.29"));
    assert_false(holds(&c));
    court_close(&c);
}

static void nothing_heard_holds_without_a_report(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{media: bob -> alice, heard: nothing}");
    assert_true(holds(&c));
    hear(&c, REPORT("102", "1", "1.00"));
    assert_false(holds(&c));
    court_close(&c);
}

/* The phone reports once more when the call ends: what the script asked for while it stood is what counts. */
static void asked_report_is_not_replaced(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{media: bob -> alice, heard: 99%}");
    c.facts.asking = true;
    hear(&c, REPORT("102", "1000000", "4.41"));
    c.facts.asking = false;
    hear(&c, REPORT("102", "500000", "2.00"));
    assert_true(holds(&c));
    court_close(&c);
}

#define FOUND(lifetime)                                                                                                \
    "{\"t\":9,\"node\":\"probe\",\"ev\":\"nat-probe\",\"state\":\"done\",\"mapping\":\"address-dependent\","           \
    "\"hairpin\":\"no\","                                                                                              \
    "\"lifetime\":" lifetime "}"

/* A time is compared with the trace's seconds, however it is written. */
static void nat_is_what_the_prober_found(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{nat: {seen by: probe, mapping: address-dependent, hairpin: no, lifetime: 2min}}");
    hear(&c, "{\"t\":1,\"node\":\"probe\",\"ev\":\"nat-probe\",\"state\":\"started\"}");
    hear(&c, FOUND("119"));
    hear(&c, FOUND("1200"));
    assert_false(holds(&c));
    hear(&c, FOUND("120"));
    assert_true(holds(&c));
    assert_int_equal(c.count, 1);
    court_close(&c);
}

/* ---- outages ---- */

#define STEP(t, text)      "{\"t\":" t ",\"ev\":\"step\",\"text\":\"" text "\",\"state\":\"started\"}"
#define REG(t, who, state) "{\"t\":" t ",\"node\":\"" who "\",\"ev\":\"registration\",\"state\":\"" state "\"}"
#define PBX_OFF(t)         "{\"t\":" t ",\"node\":\"pbx\",\"ev\":\"power\",\"on\":false}"
#define PBX_ON(t)          "{\"t\":" t ",\"node\":\"pbx\",\"ev\":\"power\",\"on\":true}"
#define LOST(t)                                                                                                        \
    "{\"t\":" t ",\"node\":\"bob\",\"ev\":\"call\",\"state\":\"failed\",\"call\":1,\"peer\":\"101\",\"status\":408,"   \
    "\"by\":\"remote\"}"

static const char *const outage_lines[] = {REG("1000000000", "alice", "registered"),
                                           STEP("2000000000", "fault: on pbx, do crash"),
                                           PBX_OFF("2000000000"),
                                           LOST("34000000000"),
                                           REG("42000000000", "alice", "failed"),
                                           STEP("50000000000", "power: on pbx"),
                                           PBX_ON("50000000000"),
                                           REG("62000000000", "alice", "trying"),
                                           REG("62500000000", "alice", "registered"),
                                           NULL};

static void outage_hear(struct court *c, const char *statement, unsigned lines)
{
    court_open(c, statement);
    for (unsigned i = 0; i < lines && outage_lines[i]; i++)
        hear(c, outage_lines[i]);
}

static void an_outage_is_measured_from_the_fault(void **state)
{
    static const struct {
        const char *statement;
        bool holds;
    } rows[] = {
        {"{outage: alice, noticed: 40s, recovered: 60500ms, unreachable: 60500ms, calls lost: 1}", true},
        {"{outage: alice, noticed: 39s}", false},
        {"{outage: alice, noticed: at least 40s}", true},
        {"{outage: alice, noticed: never}", false},
        {"{outage: alice, recovered: 60s}", false},
        {"{outage: alice, unreachable: at least 61s}", false},
        {"{outage: alice, calls lost: none}", false},
        {"{outage: alice, calls lost: at least 2}", false},
        {"{outage: bob, noticed: never, recovered: never, unreachable: never, calls lost: none}", true},
        {"{outage: bob, noticed: 1h}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct court c;
        outage_hear(&c, rows[i].statement, 9);
        if (holds(&c) != rows[i].holds)
            fail_msg("%s: %s", rows[i].statement, c.why);
        court_close(&c);
    }
}

/* A clock that jumps is a fault; one that is set right is none. */
static void an_outage_begins_with_a_clock_that_jumps(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{outage: alice, noticed: 20s}");
    hear(&c, STEP("10000000000", "fault: on alice, do clock jump, by 400d"));
    hear(&c, "{\"t\":10000000000,\"node\":\"alice\",\"ev\":\"clock\",\"shows\":\"2027-02-05T00:00:10Z\",\"by\":1,"
             "\"right\":false}");
    hear(&c, REG("30000000000", "alice", "failed"));
    hear(&c, STEP("40000000000", "set: on alice, clock right"));
    hear(&c, "{\"t\":40000000000,\"node\":\"alice\",\"ev\":\"clock\",\"shows\":\"2026-01-01T00:00:40Z\",\"by\":-1,"
             "\"right\":true}");
    assert_true(holds(&c));
    court_close(&c);
}

static void an_outage_says_its_numbers(void **state)
{
    struct court c;
    (void)state;
    outage_hear(&c, "{outage: alice, recovered: 1h}", 9);
    assert_true(holds(&c));
    assert_string_equal(c.why, "alice: noticed after 40.000s, registered again after 60.500s, unreachable for 60.500s, "
                               "1 call lost");
    court_close(&c);
    outage_hear(&c, "{outage: alice, unreachable: 1h}", 5);
    assert_false(holds(&c)); /* it lasts */
    assert_string_equal(c.why, "alice: noticed after 40.000s, not registered again, unreachable for 40.000s and still "
                               "so, 1 call lost");
    court_close(&c);
}

#define OUTBOUND(t, state, reg_id)                                                                                     \
    "{\"t\":" t ",\"node\":\"alice\",\"ev\":\"outbound\",\"state\":\"" state "\",\"reg_id\":" reg_id "}"
#define CLOSED(t) "{\"t\":" t ",\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"closed\",\"reason\":\"reset\"}"

#define ATTEMPT(t) "{\"t\":" t ",\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"failed\",\"reason\":\"timed-out\"}"

/* What holds after so many of the lines. */
struct row {
    unsigned lines;
    const char *statement;
};

static void rows_hold(const char *const *lines, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct court c;
        court_open(&c, rows[i].statement);
        for (unsigned j = 0; j < rows[i].lines; j++)
            hear(&c, lines[j]);
        if (!holds(&c))
            fail_msg("%s: %s", rows[i].statement, c.why);
        court_close(&c);
    }
}

/* The phone is at its backup, and asks every now and then whether the primary is there again. */
static void a_probe_that_fails_is_no_outage(void **state)
{
    static const char *const lines[] = {REG("1000000000", "alice", "registered"),
                                        STEP("2000000000", "fault: on pbx, do crash"),
                                        PBX_OFF("2000000000"),
                                        ATTEMPT("6000000000"),
                                        REG("7000000000", "alice", "registered"),
                                        ATTEMPT("27000000000")};
    static const struct row rows[] = {
        {4, "{outage: alice, noticed: 4s, recovered: never, unreachable: at least 4s}"},
        {6, "{outage: alice, noticed: 4s, recovered: 5s, unreachable: 5s, calls lost: none}"},
    };
    (void)state;
    rows_hold(lines, rows, sizeof rows / sizeof *rows);
}

/* RFC 5626: one of two flows is enough; the server's end is noticed all the same. */
static void with_two_flows_one_is_enough(void **state)
{
    static const char *const lines[] = {OUTBOUND("1000000000", "up", "1"),
                                        OUTBOUND("1000000000", "up", "2"),
                                        STEP("2000000000", "fault: on pbx, do crash"),
                                        PBX_OFF("2000000000"),
                                        CLOSED("7000000000"),
                                        OUTBOUND("7000000000", "failed", "1"),
                                        ATTEMPT("7500000000"),
                                        CLOSED("8000000000"),
                                        OUTBOUND("8000000000", "failed", "2"),
                                        OUTBOUND("10000000000", "up", "2")};
    static const struct row rows[] = {
        {6, "{outage: alice, noticed: 5s, recovered: never, unreachable: never, calls lost: none}"},
        {7, "{outage: alice, noticed: 5s, recovered: never, unreachable: never, calls lost: none}"},
        {9, "{outage: alice, noticed: 5s, recovered: never, unreachable: at least 6s}"},
        {10, "{outage: alice, noticed: 5s, recovered: 8s, unreachable: 8s}"},
    };
    (void)state;
    rows_hold(lines, rows, sizeof rows / sizeof *rows);
}

/* A name has several servers: leaving one for the next is noticed as going to a backup is. */
static void a_target_that_is_left_is_noticed(void **state)
{
    struct court c;
    (void)state;
    court_open(&c, "{outage: alice, noticed: 5s, recovered: 6s, unreachable: 6s}");
    hear(&c, STEP("2000000000", "fault: on pbx, do crash"));
    hear(&c, PBX_OFF("2000000000"));
    hear(&c, "{\"t\":7000000000,\"node\":\"alice\",\"ev\":\"failover\",\"what\":\"target\",\"why\":\"no answer\"}");
    hear(&c, REG("8000000000", "alice", "registered"));
    assert_true(holds(&c));
    court_close(&c);
}

/* A connection that the phone did not close itself is the first sign. */
static void a_broken_connection_is_noticed(void **state)
{
    static const struct {
        const char *flow, *statement;
    } rows[] = {
        {"\"state\":\"closed\",\"reason\":\"reset\"", "{outage: alice, noticed: 5s, recovered: 6s, unreachable: 6s}"},
        {"\"state\":\"failed\",\"reason\":\"refused\"", "{outage: alice, noticed: 5s, recovered: 6s}"},
        {"\"state\":\"closed\",\"reason\":\"local\"", "{outage: alice, noticed: never, unreachable: never}"},
        {"\"state\":\"up\"", "{outage: alice, noticed: never, unreachable: never}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct court c;
        char line[160];
        outage_hear(&c, rows[i].statement, 3);
        snprintf(line, sizeof line, "{\"t\":7000000000,\"node\":\"alice\",\"ev\":\"flow\",%s}", rows[i].flow);
        hear(&c, line);
        hear(&c, REG("8000000000", "alice", "registered"));
        if (!holds(&c))
            fail_msg("%s: %s", rows[i].flow, c.why);
        court_close(&c);
    }
}

static void without_a_fault_there_is_no_outage(void **state)
{
    struct court c;
    (void)state;
    outage_hear(&c, "{outage: alice, noticed: 1h}", 1);
    assert_false(holds(&c));
    assert_string_equal(c.why, "alice: no fault has happened");
    court_close(&c);
}

/* What mends is no new fault, and neither is harm that goes on: the clock is the first one's. */
static void one_fault_until_another_step_does_harm(void **state)
{
    struct court c;
    (void)state;
    court_open(&c, "{outage: alice, noticed: 12s}");
    hear(&c, STEP("1000000000", "fault: wire alice.net, do flap"));
    hear(&c, "{\"t\":1000000000,\"ev\":\"wire\",\"wire\":\"alice.net\",\"down\":true}");
    hear(&c, "{\"t\":3000000000,\"ev\":\"wire\",\"wire\":\"alice.net\",\"down\":false}");
    hear(&c, STEP("4000000000", "wait: for alice registered"));
    hear(&c, "{\"t\":8000000000,\"ev\":\"wire\",\"wire\":\"alice.net\",\"down\":true}");
    hear(&c, REG("13000000000", "alice", "failed"));
    assert_true(holds(&c));
    hear(&c, STEP("14000000000", "fault: on pbx, do crash"));
    hear(&c, PBX_OFF("14000000000"));
    assert_false(holds(&c)); /* nothing was noticed since */
    court_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_is_measured_from_the_fault),
        cmocka_unit_test(an_outage_begins_with_a_clock_that_jumps),
        cmocka_unit_test(an_outage_says_its_numbers),
        cmocka_unit_test(a_probe_that_fails_is_no_outage),
        cmocka_unit_test(with_two_flows_one_is_enough),
        cmocka_unit_test(a_target_that_is_left_is_noticed),
        cmocka_unit_test(a_broken_connection_is_noticed),
        cmocka_unit_test(without_a_fault_there_is_no_outage),
        cmocka_unit_test(one_fault_until_another_step_does_harm),
        cmocka_unit_test(registration_is_the_latest_one),
        cmocka_unit_test(not_turns_it_round),
        cmocka_unit_test(events_are_counted_by_all_their_conditions),
        cmocka_unit_test(none_is_a_count_of_zero),
        cmocka_unit_test(messages_have_a_direction),
        cmocka_unit_test(connections_are_counted),
        cmocka_unit_test(call_is_judged_by_state_and_status),
        cmocka_unit_test(established_holds_after_the_call_too),
        cmocka_unit_test(media_needs_the_right_voice),
        cmocka_unit_test(nothing_heard_holds_without_a_report),
        cmocka_unit_test(asked_report_is_not_replaced),
        cmocka_unit_test(nat_is_what_the_prober_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
