/* The exit statuses of the command, by running it. */
#define _GNU_SOURCE
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a shell line with $farend and $source; standard error and output go into `said`. Returns the exit status. */
static int shell(const char *line, char *said, size_t cap)
{
    FILE *f = popen(line, "r");
    assert_non_null(f);
    size_t n = fread(said, 1, cap - 1, f);
    said[n] = '\0';
    int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_status(const char *line, int expected, const char *says)
{
    char said[16384];
    int status = shell(line, said, sizeof said);
    if (status != expected || !strstr(said, says))
        fail_msg("%s\nstatus %d, expected %d; said:\n%s\nexpected in it: %s", line, status, expected, said, says);
}

static int enter_folder(void **state)
{
    static char folder[] = "/tmp/farend-cli-XXXXXX";
    const char *bin = getenv("FAREND_BIN");
    char farend[4096];
    if (!bin || !mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    snprintf(farend, sizeof farend, "%s/farend", bin);
    setenv("farend", farend, 1);
    *state = folder;
    return 0;
}

static int leave_folder(void **state)
{
    char line[4096];
    snprintf(line, sizeof line, "rm -rf '%s'", (const char *)*state);
    return chdir("/") == 0 ? system(line) : -1;
}

static const char lab_file[] = "cat > lab.yaml <<'EOF'\n"
                               "# A lab.\n"
                               "lab: small\n"
                               "networks: {office: 10.0.1.0/24}\n"
                               "nodes:\n"
                               "  pbx: {kind: pbx, on: office.10, lines: {101: {password: a1}}}\n"
                               "  alice: {kind: phone, on: office.31, line: 101}\n"
                               "steps: [{wait: alice registered}]\n"
                               "EOF\n";

#define RUN(options) "$farend run lab.yaml --world sim " options " 2>&1"

static void held_is_0(void **state)
{
    (void)state;
    char said[256];
    assert_int_equal(shell(lab_file, said, sizeof said), 0);
    assert_status(RUN(""), 0, "small: all 1 held");
    assert_status("ls runs/small-sim", 0, "capture.pcapng\nlogs\nreport.html\ntrace.jsonl\nverdict.json\n");
}

static void a_report_is_made_of_a_run_and_of_nothing_else(void **state)
{
    (void)state;
    assert_status("rm runs/small-sim/report.html; $farend report runs/small-sim", 0, "runs/small-sim/report.html\n");
    assert_status("grep -c 'all 1 held' runs/small-sim/report.html", 0, "1\n");
    assert_status("$farend report . 2>&1", 2, "farend: . is not the folder of a run");
    assert_status("$farend report . runs/small-sim 2>&1", 2, "runs/small-sim/report.html\n");
    assert_status("mkdir wrong; echo '{}' >wrong/verdict.json; printf '{}\\nno\\n' >wrong/trace.jsonl; "
                  "$farend report wrong 2>&1",
                  2, "farend: wrong/trace.jsonl:2: ");
    assert_status("rm runs/small-sim/report.html; mkdir runs/small-sim/report.html; $farend report runs/small-sim 2>&1",
                  4, "report.html: ");
    assert_status("rmdir runs/small-sim/report.html; ls runs/small-sim", 0, "logs\ntrace.jsonl\nverdict.json\n");
}

static void not_held_is_1(void **state)
{
    (void)state;
    assert_status(RUN("--set nodes.alice.password=wrong"), 1, "small: 1 of 1 did not hold");
}

static void wrong_lab_or_command_line_is_2(void **state)
{
    (void)state;
    assert_status("$farend 2>&1", 2, "farend run");
    assert_status("$farend rum 2>&1", 2, "did you mean \"run\"?");
    assert_status("$farend run 2>&1", 2, "usage: farend run LAB…");
    assert_status("$farend run nowhere.yaml --world sim 2>&1", 2, "nowhere.yaml: No such file or directory");
    assert_status(RUN("--wrold sim"), 2, "did you mean \"--world\"?");
    assert_status(RUN("--repeat 0"), 2, "--repeat: \"0\" is wrong; expected N");
    assert_status(RUN("--set nodes.alice.lin=3"), 2, "did you mean \"line\"?");
    assert_status("$farend check lab.yaml --set seed=x 2>&1", 2, "seed: \"x\" is not a whole number");
}

static void repeated_runs_are_compared(void **state)
{
    (void)state;
    assert_status(RUN("--repeat 3"), 0, "3 runs, the same trace each time");
    assert_status("ls runs/small-sim", 0, "capture.pcapng\nlogs\nreport.html\ntrace.jsonl\nverdict.json\n");
}

static void diff_tells_where_two_runs_part(void **state)
{
    (void)state;
    assert_status(RUN("--out a") " && " RUN("--out b --seed 2"), 0, "");
    assert_status("$farend diff a a", 0, "the same");
    assert_status("$farend diff a b", 1, "they part in \"");
    assert_status("$farend diff a c 2>&1", 2, "no trace to be read");
}

static void verdicts_are_written_where_asked(void **state)
{
    (void)state;
    assert_status(RUN("--junit j.xml --json v.json"), 0, "");
    assert_status("cat j.xml", 0, "<testsuite name=\"small (sim)\" tests=\"1\" failures=\"0\"");
    assert_status("cat v.json", 0, "\"held\": true");
}

static void several_labs_run_side_by_side(void **state)
{
    (void)state;
    assert_status("sed 's/lab: small/lab: other/' lab.yaml > other.yaml;"
                  "$farend run lab.yaml other.yaml --world sim --jobs 2 2>&1",
                  0, "2 labs: all 2 held\n");
    assert_status("$farend run lab.yaml lab.yaml --world sim 2>&1", 2, "two labs are named \"small\"");
    assert_status(
        "sed 's/lab: small/lab: other/; s/password: a1/password: b2/; s/line: 101/&, password: a1/' lab.yaml >"
        " other.yaml; $farend run lab.yaml other.yaml --world sim 2>&1",
        1, "2 labs: 1 held\ndid not hold: other\n");
}

static void a_folder_is_all_labs_in_it(void **state)
{
    (void)state;
    assert_status(
        "mkdir -p all/deeper && cp lab.yaml all/b.yaml && sed 's/lab: small/lab: first/' lab.yaml >"
        " all/a.yaml && sed 's/lab: small/lab: last/' lab.yaml > all/deeper/c.yaml && echo no lab > all/notes;"
        "$farend check all/ 2>&1 | cut -d: -f1",
        0, "all/a.yaml\nall/b.yaml\nall/deeper/c.yaml\n");
    assert_status("$farend run all --world sim 2>&1", 0, "3 labs: all 3 held\n");
    assert_status("FAREND_LABS=all $farend check deeper deeper/c", 0, "all/deeper/c.yaml: a correct lab");
    assert_status("$farend list all/", 0, "deeper/c  ");
    assert_status("mkdir -p none && $farend run none 2>&1", 2, "none: there is no lab in this folder");
}

static void check_and_list_and_help(void **state)
{
    (void)state;
    assert_status("$farend check lab.yaml", 0, "a correct lab");
    assert_status("mkdir -p labs/calls && cp lab.yaml labs/calls/ && $farend list labs", 0, "calls/lab");
    assert_status("FAREND_LABS=labs $farend check calls/lab", 0, "a correct lab");
    assert_status("$farend help", 0, "exit status");
    assert_status("$farend --help", 0, "exit status");
    assert_status("$farend run --help", 0, "exit status");
}

/* Not in the foreground timeout(1) sends SIGCONT too, which takes back the SIGSTOP by which a sanitizer's search for
 * leaks attaches to the program on its way out: it then waits for ever. */
static void nat_probe_is_the_prober(void **state)
{
    (void)state;
    assert_status("$farend nat-probe --help 2>&1", 0, "farend-prober on=WHERE");
    assert_status("$farend nat-probe on=lo 2>&1", 2, "server");
    assert_status("timeout --foreground 1 $farend nat-probe on=lo server=127.0.0.1:9 RTO=10ms transmissions=1"
                  " lifetime=no </dev/null 2>&1",
                  124, "nat-probe state=failed");
}

#define MARGIN(options)                                                                                                \
    "FAREND_LABS=$FAREND_SOURCE/topologies $farend margin mappings/udp-expiry-cured --world sim " options " 2>&1"
#define KEEP_ALIVE " --over 'nodes.alice.keep-alive interval' --between 10s..5min "

/* The keep-alive of udp-expiry-cured has to come before the router's 60 s are over. */
static void margin_of_a_keep_alive_is_the_nats_timeout(void **state)
{
    (void)state;
    assert_status(MARGIN(KEEP_ALIVE), 0, "it holds up to 59.999s and fails from 60s on");
    assert_status("ls runs/udp-expiry-cured-sim-margin", 0, "59.999s\n60s\n");
    assert_status(MARGIN(KEEP_ALIVE "--set 'nodes.router.udp timeout=2min' --to 1s --jobs 3"), 0,
                  "it holds up to 119s and fails from 2min on");
    assert_status(MARGIN("--over 'nodes.router.udp timeout' --between 5s..2min"), 0,
                  "it fails up to 20s and holds from 20.001s on");
}

static void margin_is_the_same_on_the_kernel(void **state)
{
    (void)state;
    char said[16384];
    int status = shell("FAREND_LABS=$FAREND_SOURCE/topologies $farend margin mappings/udp-expiry-cured" KEEP_ALIVE
                       "--to 1s --world netns 2>&1",
                       said, sizeof said);
    if (status == 3)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
    assert_non_null(strstr(said, "it holds up to 59s and fails from 60s on"));
    assert_status(MARGIN(KEEP_ALIVE "--to 1s"), 0, "it holds up to 59s");
    assert_status("$farend diff runs/udp-expiry-cured-sim-margin/60s runs/udp-expiry-cured-netns-margin/60s", 0,
                  "the same");
}

/* Some longer intervals happen to open the NAT just before the calls come. */
static void margin_that_is_none_is_said(void **state)
{
    (void)state;
    assert_status(MARGIN(KEEP_ALIVE "--until 'media bob' --to 1s --json m.json"), 1,
                  "there is not one margin but several: it holds at 10s to ");
    assert_status("cat m.json", 0, "\"answer\": \"unsteady\"");
    assert_status(MARGIN("--over 'nodes.alice.keep-alive interval' --between 70s..80s --to 5s"), 1,
                  "it fails from 70s to 80s, wherever it was tried");
}

static void margin_without_a_question_is_2(void **state)
{
    (void)state;
    assert_status(MARGIN(""), 2, "usage: farend margin LAB --over PATH --between A..B");
    assert_status(MARGIN("--over seed --between 5s..1"), 2, "\"5s..1\" is not a range");
    assert_status(MARGIN("--over nodes.alice.keepalive --between 5s..1min"), 2, "did you mean \"keep-alive\"?");
    assert_status(MARGIN(KEEP_ALIVE "--to 1min --until nonsense"), 2, "no step and no expectation");
}

static void schema_beside_the_labs_is_current(void **state)
{
    (void)state;
    assert_status("$farend schema | cmp - $FAREND_SOURCE/topologies/lab.schema.json && echo equal", 0, "equal");
}

static void a_fault_that_never_hits_is_1_unless_it_may_miss(void **state)
{
    (void)state;
#define FAULT(words)                                                                                                   \
    "sed 's/registered}]/registered}, {fault: {drop: BYE, from: alice" words "}}]/' lab.yaml > fault.yaml; "           \
    "$farend run fault.yaml --world sim 2>&1"
    assert_status(FAULT(""), 1, "the fault never hit anything");
    assert_status(FAULT(", may miss: yes"), 0, "small: all");
#undef FAULT
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_is_0),
        cmocka_unit_test(a_report_is_made_of_a_run_and_of_nothing_else),
        cmocka_unit_test(not_held_is_1),
        cmocka_unit_test(a_fault_that_never_hits_is_1_unless_it_may_miss),
        cmocka_unit_test(wrong_lab_or_command_line_is_2),
        cmocka_unit_test(repeated_runs_are_compared),
        cmocka_unit_test(diff_tells_where_two_runs_part),
        cmocka_unit_test(verdicts_are_written_where_asked),
        cmocka_unit_test(several_labs_run_side_by_side),
        cmocka_unit_test(a_folder_is_all_labs_in_it),
        cmocka_unit_test(check_and_list_and_help),
        cmocka_unit_test(nat_probe_is_the_prober),
        cmocka_unit_test(margin_of_a_keep_alive_is_the_nats_timeout),
        cmocka_unit_test(margin_is_the_same_on_the_kernel),
        cmocka_unit_test(margin_that_is_none_is_said),
        cmocka_unit_test(margin_without_a_question_is_2),
        cmocka_unit_test(schema_beside_the_labs_is_current),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
