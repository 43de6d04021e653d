/* The doctor's answers are whole: whoever lacks something is told what to do about it, and the examination leaves
 * nothing. */
#define _GNU_SOURCE
#include "netns/doctor.h"
#include "tests/cmocka.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void every_check_is_answered(void **state)
{
    struct doctor_check checks[DOCTOR_MAX];
    size_t n = doctor_examine(checks);
    (void)state;
    assert_in_range(n, 1, DOCTOR_MAX);
    for (size_t i = 0; i < n; i++) {
        assert_true(checks[i].name[0] && checks[i].why[0]);
        assert_int_equal(checks[i].ok, checks[i].remedy[0] == '\0');
    }
}

static void only_what_is_needed_decides(void **state)
{
    struct doctor_check checks[] = {{.name = "a", .need = DOCTOR_NEEDED, .ok = true},
                                    {.name = "b", .need = DOCTOR_BETTER, .ok = false}};
    (void)state;
    assert_true(doctor_netns_runs(checks, 2));
    checks[0].ok = false;
    assert_false(doctor_netns_runs(checks, 2));
}

/* The checks spoil child processes, not this one: it is where it was, and the children are gone. */
static void nothing_is_left(void **state)
{
    char before[64] = "";
    char after[64] = "";
    struct doctor_check checks[DOCTOR_MAX];
    (void)state;
    assert_true(readlink("/proc/self/ns/net", before, sizeof before - 1) > 0);
    doctor_examine(checks);
    assert_true(readlink("/proc/self/ns/net", after, sizeof after - 1) > 0);
    assert_string_equal(before, after);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_is_answered),
        cmocka_unit_test(only_what_is_needed_decides),
        cmocka_unit_test(nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
