/* The storm after a fault, on lines of a trace, without an engine. */
#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/expect.h"
#include "sim/lab/expect_storm.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char head[] = "lab: t\n"
                           "networks: {net: 10.0.0.0/24}\n"
                           "nodes:\n"
                           "  alice: {kind: phone, on: net.1, line: 101}\n"
                           "  bob: {kind: phone, on: net.2, line: 102}\n"
                           "  pbx: {kind: pbx, on: net.10}\n"
                           "expect:\n  - ";

struct court {
    struct lab *lab;
    struct facts facts;
    char why[320];
};

static void court_open(struct court *c, const char *statement)
{
    char text[2048];
    struct text t = text_on(text, sizeof text);
    *c = (struct court){0};
    text_str(&t, head);
    text_str(&t, statement);
    int error = lab_parse(&c->lab, "t.yaml", text_span(&t), NULL, 0);
    if (error)
        problems_write(&c->lab->problems, stderr);
    assert_int_equal(error, 0);
    assert_int_equal(facts_init(&c->facts, c->lab), 0);
}

static void court_close(struct court *c)
{
    facts_fini(&c->facts);
    lab_free(c->lab);
}

/* At ms milliseconds. */
static void hear_at(struct court *c, int64_t ms, const char *rest)
{
    char line[256];
    struct text t = text_on(line, sizeof line);
    text_str(&t, "{\"t\":");
    text_i64(&t, ms * MS);
    text_char(&t, ',');
    text_str(&t, rest);
    text_char(&t, '}');
    facts_line(&c->facts, text_span(&t));
}

#define FAULT    "\"ev\":\"step\",\"text\":\"fault: on pbx, do crash\",\"state\":\"started\""
#define OFF      "\"node\":\"pbx\",\"ev\":\"power\",\"on\":false"
#define ACCEPTED "\"node\":\"pbx\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"200 REGISTER\""

static void fault(struct court *c, int64_t ms)
{
    hear_at(c, ms, FAULT);
    hear_at(c, ms, OFF);
}

static void say(struct court *c, int64_t ms, const char *who, const char *state)
{
    char line[128];
    struct text t = text_on(line, sizeof line);
    text_str(&t, "\"node\":\"");
    text_str(&t, who);
    text_str(&t, "\",\"ev\":\"registration\",\"state\":\"");
    text_str(&t, state);
    text_char(&t, '"');
    hear_at(c, ms, line);
}

static bool holds(struct court *c)
{
    struct text why = text_on(c->why, sizeof c->why);
    return expect_holds(c->lab->expectations[0], &c->facts, 0, &why);
}

/* Both phones notice; five registrations come in 1.3 s, four of them in less than one. */
static void storm(struct court *c)
{
    hear_at(c, 500, ACCEPTED); /* before the fault: not counted */
    say(c, 600, "alice", "registered");
    fault(c, 1000);
    say(c, 5000, "alice", "failed");
    say(c, 6000, "bob", "failed");
    hear_at(c, 11000, ACCEPTED);
    hear_at(c, 11700, ACCEPTED);
    hear_at(c, 11900, ACCEPTED);
    say(c, 12000, "alice", "registered");
    hear_at(c, 12000, ACCEPTED); /* a second after the first: that is another second's */
    hear_at(c, 12300, ACCEPTED);
}

static void the_busiest_second_is_counted(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{storm: pbx, peak: 4, registrations: at least 5}");
    storm(&c);
    say(&c, 12400, "bob", "registered");
    assert_true(holds(&c));
    assert_string_equal(c.why, "pbx: 5 registrations, at most 4 in a second, after 11.300s; 2 phones noticed, all back "
                               "after 11.400s");
    court_close(&c);
}

static void every_bound_can_be_missed(void **state)
{
    static const struct {
        const char *statement;
        bool holds;
    } rows[] = {
        {"{storm: pbx}", true},
        {"{storm: pbx, peak: 3}", false},
        {"{storm: pbx, peak: at least 4}", true},
        {"{storm: pbx, peak: at least 5}", false},
        {"{storm: pbx, registrations: 4}", false},
        {"{storm: pbx, phones: 2}", true},
        {"{storm: pbx, phones: none}", false},
        {"{storm: pbx, back: 11400ms}", true},
        {"{storm: pbx, back: 11s}", false},
        {"{storm: pbx, back: never}", false},
        {"{storm: bob, peak: none, registrations: none}", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct court c;
        court_open(&c, rows[i].statement);
        storm(&c);
        say(&c, 12400, "bob", "registered");
        if (holds(&c) != rows[i].holds)
            fail_msg("%s: %s", rows[i].statement, c.why);
        court_close(&c);
    }
}

static void who_is_away_is_told(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{storm: pbx, back: 1h}");
    storm(&c);
    assert_false(holds(&c));
    assert_string_equal(c.why, "pbx: 5 registrations, at most 4 in a second, after 11.300s; 2 phones noticed, 1 still "
                               "away");
    court_close(&c);
}

/* Another fault begins another storm; what only passes by is none of the node's. */
static void each_fault_counts_anew(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{storm: pbx, peak: none}");
    assert_false(holds(&c));
    assert_string_equal(c.why, "pbx: no fault has happened");
    storm(&c);
    fault(&c, 12500);
    hear_at(&c, 13000, "\"node\":\"pbx\",\"ev\":\"sip\",\"dir\":\"in\",\"msg\":\"REGISTER\"");
    hear_at(&c, 13000, "\"node\":\"pbx\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"401 REGISTER\"");
    hear_at(&c, 13000, "\"node\":\"alice\",\"ev\":\"sip\",\"dir\":\"in\",\"msg\":\"200 REGISTER\"");
    assert_true(holds(&c));
    assert_string_equal(c.why, "pbx: 0 registrations; 0 phones noticed");
    court_close(&c);
}

/* More than the ring has room for at first, and then a second later none of them is left. */
static void a_thousand_in_a_second(void **state)
{
    (void)state;
    struct court c;
    court_open(&c, "{storm: pbx, peak: at least 1000}");
    fault(&c, 1000);
    for (int i = 0; i < 1000; i++)
        hear_at(&c, 2000 + i / 2, ACCEPTED);
    hear_at(&c, 10000, ACCEPTED);
    assert_true(holds(&c));
    assert_string_equal(c.why, "pbx: 1001 registrations, at most 1000 in a second, after 1.499s; 0 phones noticed");
    assert_int_equal(c.facts.storms.nodes[2].n, 1);
    court_close(&c);
}

static void the_numbers_are_traced(void **state)
{
    (void)state;
    struct court c;
    char buf[RECORD_MAX];
    struct record r;
    court_open(&c, "{storm: pbx}");
    storm(&c);
    record_begin(&r, buf, sizeof buf);
    expect_storm_record(c.lab->expectations[0], &c.facts, &r);
    struct span line = record_end(&r);
    static const char expected[] = "{\"peak\":4,\"peak_at\":11300000000,\"registrations\":5,\"phones\":2,\"away\":1}";
    assert_int_equal(line.n, sizeof expected - 1);
    assert_memory_equal(line.p, expected, line.n);
    court_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_busiest_second_is_counted), cmocka_unit_test(every_bound_can_be_missed),
        cmocka_unit_test(who_is_away_is_told),           cmocka_unit_test(each_fault_counts_anew),
        cmocka_unit_test(a_thousand_in_a_second),        cmocka_unit_test(the_numbers_are_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
