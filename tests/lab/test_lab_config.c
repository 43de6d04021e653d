/* A lab whose phone has its maker's configuration file beside it. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/farend-config-XXXXXX";
static char lab_path[64], config_path[64];

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A lab with alice, to whom `more` is given, and her file. */
static int load(struct lab **lab, const char *more, const char *config)
{
    char text[1024];
    snprintf(text, sizeof text,
             "lab: t\nnetworks: {net: 10.0.0.0/24}\nnodes:\n  alice: {kind: phone, on: net.1%s}\n"
             "  pbx: {kind: pbx, on: net.10, lines: {101: {password: a1}}}\n",
             more);
    write_file(lab_path, text);
    write_file(config_path, config);
    return lab_load(lab, lab_path, NULL, 0);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(lab_path, sizeof lab_path, "%s/t.yaml", folder);
    snprintf(config_path, sizeof config_path, "%s/alice.cfg", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(lab_path);
    unlink(config_path);
    return rmdir(folder);
}

static void the_file_sets_and_the_lab_goes_over_it(void **state)
{
    struct lab *lab;
    (void)state;
    assert_int_equal(load(&lab, ", config: alice.cfg, expires: 60s",
                          "sip user name: 101\nsip password: secret\nsip registration period: 600\n"
                          "sip proxy ip: pbx\nsip T1 timer: 200\n"),
                     0);
    const struct lab_node *alice = &lab->nodes[0];
    assert_string_equal(lab_setting(alice, "line"), "101");
    assert_string_equal(lab_setting(alice, "password"), "secret"); /* not the PBX's */
    assert_string_equal(lab_setting(alice, "expires"), "60s");
    assert_string_equal(lab_setting(alice, "proxy"), "10.0.0.10");
    assert_string_equal(lab_setting(alice, "T1"), "200ms");
    assert_null(lab_setting(alice, "config")); /* the node reads no file */
    assert_int_equal(lab->warnings.n, 0);
    lab_free(lab);
}

static void what_is_not_used_is_a_warning(void **state)
{
    struct lab *lab;
    (void)state;
    assert_int_equal(load(&lab, ", config: alice.cfg", "sip user name: 101\nsip flavour: vanilla\n"), 0);
    assert_int_equal(lab->warnings.n, 1);
    assert_string_equal(lab->warnings.items[0].text, "warning: no setting is known for \"sip flavour\"");
    assert_string_equal(lab->warnings.items[0].at.source->name, config_path);
    assert_int_equal(lab->warnings.items[0].at.line, 2);
    lab_free(lab);
}

static void what_is_wrong_has_its_place_in_the_file(void **state)
{
    static const struct {
        const char *config, *text;
        unsigned line, column;
    } rows[] = {
        {"sip user name: 101\nsip T1 timer: soon\n",
         "sip T1 timer: expected a whole number of milliseconds from 1 to 60000", 2, 15},
        {"sip user name: 101\n\nsip proxy ip: nowhere\n", "proxy: \"nowhere\" is neither a node nor an address", 3, 15},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lab *lab;
        assert_int_equal(load(&lab, ", config: alice.cfg", rows[i].config), FE_ESYNTAX);
        const struct problem *p = &lab->problems.items[0];
        assert_string_equal(p->text, rows[i].text);
        assert_string_equal(p->at.source->name, config_path);
        assert_int_equal(p->at.line, rows[i].line);
        assert_int_equal(p->at.column, rows[i].column);
        lab_free(lab);
    }
}

static void a_file_that_is_none_is_told(void **state)
{
    static const char *const names[] = {", line: 101, config: gone.cfg", ", line: 101, config: ../alice.cfg",
                                        ", line: 101, config: [a]"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct lab *lab;
        assert_int_equal(load(&lab, names[i], ""), FE_ESYNTAX);
        assert_int_equal(strncmp(lab->problems.items[0].text, "config: ", 8), 0);
        lab_free(lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_sets_and_the_lab_goes_over_it),
        cmocka_unit_test(what_is_not_used_is_a_warning),
        cmocka_unit_test(what_is_wrong_has_its_place_in_the_file),
        cmocka_unit_test(a_file_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
