/* Turns between the engine and node programs: what passes through the page, and what becomes of programs that die,
 * hang, end or never start. */
#define _GNU_SOURCE
#include "nodes/host/turn.h"
#include "tests/netns/rig.h"

/* One node of kind trouble; settings are added before it opens. */
static struct lab *one_trouble_captured(const char *path, const char *value, FILE *capture)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    lab->capture = capture;
    unsigned node = build_node(&lab->plan, "troy", &trouble_kind);
    unsigned other = build_node(&lab->plan, "r", NULL);
    struct plan_end a = build_port(&lab->plan, node, "on", IPV4(192, 0, 2, 1), 24);
    struct plan_end b = build_port(&lab->plan, other, "left", IPV4(192, 0, 2, 2), 24);
    build_wire(&lab->plan, "wire", a, b, (struct wire_spec){.delay = 1 * MS});
    if (path)
        build_setting(&lab->plan, node, path, value);
    struct netns_config config = rig_config();
    config.patience = 200 * MS;
    rig_open_or_skip(lab, &config);
    return lab;
}

static struct lab *one_trouble(const char *path, const char *value)
{
    return one_trouble_captured(path, value, NULL);
}

static void done(struct lab *lab)
{
    lab_close(lab);
    free(lab);
}

static void expect_failure(struct lab *lab, const char *what)
{
    assert_int_equal(engine_run(lab->engine), ENGINE_FAILED);
    assert_string_equal(engine_failure(lab->engine), what);
    done(lab);
}

static void settings_reach_the_program(void **state)
{
    struct lab *lab = one_trouble("number", "4711");
    (void)state;
    lab_run(lab);
    assert_int_equal(lab_count(lab, "{\"t\":0,\"node\":\"troy\",\"ev\":\"started\",\"number\":4711}"), 1);
    done(lab);
}

static void trace_larger_than_the_page_is_flushed_in_the_same_turn(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "flood 100000");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "{\"t\":1000000000,\"node\":\"troy\",\"ev\":\"flood\""), 100000);
    assert_int_equal(lab_count(lab, "\"i\":99999}"), 1);
    done(lab);
}

/* All of them, in order, though a page has room for a few. */
static void secrets_reach_the_capture(void **state)
{
    enum { SECRETS = 100, ROOM = 65536 };
    static char file[ROOM];
    char expected[32];
    FILE *capture = tmpfile();
    (void)state;
    assert_non_null(capture);
    struct lab *lab = one_trouble_captured(NULL, NULL, capture);
    lab_command(lab, 1 * SEC, 0, "secret 100");
    lab_run(lab);
    done(lab);
    rewind(capture);
    size_t n = fread(file, 1, ROOM, capture);
    fclose(capture);
    const char *at = file;
    for (unsigned i = 0; i < SECRETS; i++) {
        snprintf(expected, sizeof expected, "%016u\n", i);
        at = memmem(at, n - (size_t)(at - file), expected, 17);
        assert_non_null(at);
    }
}

static void commands_larger_than_the_page_all_arrive_in_order(void **state)
{
    static char line[TURN_COMMANDS / 2];
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    memset(line, ' ', sizeof line - 1);
    memcpy(line, "flood 1", 7);
    for (int i = 0; i < 9; i++)
        lab_command(lab, 1 * SEC, 0, i % 2 ? "flood 1" : line);
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"flood\""), 4); /* "1" and blanks are no number */
    done(lab);
}

static void deadline_comes_at_its_time(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "timer 86400000");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "{\"t\":86401000000000,\"node\":\"troy\",\"ev\":\"timer\"}"), 1);
    done(lab);
}

static void refusal_to_start_is_the_labs_failure(void **state)
{
    (void)state;
    expect_failure(one_trouble("start", "no"), "troy: it was told not to start");
}

static void bad_setting_is_named(void **state)
{
    (void)state;
    expect_failure(one_trouble("nmuber", "1"), "troy: there is no setting \"nmuber\"; did you mean \"number\"?");
}

static void death_in_a_turn_is_noticed(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "die");
    expect_failure(lab, "troy: its program was killed by SIGABRT; its log may say why");
}

static void endless_turn_is_noticed(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "hang");
    expect_failure(lab, "troy: its program does not end its turn");
}

static void node_may_end_by_itself(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "timer 5000");
    lab_command(lab, 2 * SEC, 0, "exit");
    lab_command(lab, 3 * SEC, 0, "flood 1");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"timer\""), 0);
    assert_int_equal(lab_count(lab, "\"flood\""), 0);
    done(lab);
}

/* ---- power ---- */

struct power_switch {
    struct timer timer;
    struct lab *lab;
    bool on;
};

static void power_fire(void *arg)
{
    struct power_switch *s = arg;
    assert_int_equal(engine_power(s->lab->engine, 0, s->on), 0);
}

static void power_at(struct power_switch *s, struct lab *lab, lab_time at, bool on)
{
    *s = (struct power_switch){.lab = lab, .on = on};
    timer_init(&s->timer, power_fire, s);
    engine_timer_start(lab->engine, &s->timer, at);
}

static void power_off_forgets_and_power_on_starts_afresh(void **state)
{
    struct power_switch off;
    struct power_switch on;
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    lab_command(lab, 1 * SEC, 0, "timer 5000");
    power_at(&off, lab, 2 * SEC, false);
    lab_command(lab, 3 * SEC, 0, "flood 1");
    power_at(&on, lab, 10 * SEC, true);
    lab_command(lab, 11 * SEC, 0, "flood 1");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"started\""), 2);
    assert_int_equal(lab_count(lab, "{\"t\":10000000000,\"node\":\"troy\",\"ev\":\"started\""), 1);
    assert_int_equal(lab_count(lab, "\"timer\""), 0);
    assert_int_equal(lab_count(lab, "\"flood\""), 1);
    done(lab);
}

static void power_off_has_no_say_over_routers(void **state)
{
    struct lab *lab = one_trouble(NULL, NULL);
    (void)state;
    assert_int_equal(engine_power(lab->engine, 1, false), FE_EUNKNOWN);
    done(lab);
}

/* ---- a program that is not there ---- */

static void missing_program_is_a_sentence_with_a_remedy(void **state)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    struct netns_config config = rig_config();
    struct lab lab = {0};
    (void)state;
    config.programs = "/nowhere";
    unsigned node = build_node(&lab.plan, "troy", &trouble_kind);
    build_wire(&lab.plan, "wire", build_port(&lab.plan, node, "on", IPV4(192, 0, 2, 1), 24),
               build_switch(&lab.plan, "net"), (struct wire_spec){0});
    assert_int_equal(rig_open(&lab, &config, &why), FE_EOS);
    assert_string_equal(buf,
                        "cannot start /nowhere/farend-trouble: No such file or directory; the programs stand beside "
                        "farend, or in the folder that $FAREND_BIN names");
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_reach_the_program),
        cmocka_unit_test(trace_larger_than_the_page_is_flushed_in_the_same_turn),
        cmocka_unit_test(secrets_reach_the_capture),
        cmocka_unit_test(commands_larger_than_the_page_all_arrive_in_order),
        cmocka_unit_test(deadline_comes_at_its_time),
        cmocka_unit_test(refusal_to_start_is_the_labs_failure),
        cmocka_unit_test(bad_setting_is_named),
        cmocka_unit_test(death_in_a_turn_is_noticed),
        cmocka_unit_test(endless_turn_is_noticed),
        cmocka_unit_test(node_may_end_by_itself),
        cmocka_unit_test(power_off_forgets_and_power_on_starts_afresh),
        cmocka_unit_test(power_off_has_no_say_over_routers),
        cmocka_unit_test(missing_program_is_a_sentence_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
