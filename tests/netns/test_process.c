/* Labs as processes: killed at any moment nothing of them is left; two run beside each other undisturbed; an ordinary
 * user has the same answer as root. */
#define _GNU_SOURCE
#include "tests/netns/rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { KILLS = 40, LONGEST_US = 40000, GONE_S = 10, TRACE_MAX = 1 << 20, NOBODY = 65534 };

#define MARK "FAREND_TEST_PROCESS=1" /* in the environment of all that we start */

/* ---- a lab in a child ---- */

/*     alice ── router ── mirror */
static void draw(struct lab *lab)
{
    unsigned alice = build_node(&lab->plan, "alice", &talker_kind);
    unsigned mirror = build_node(&lab->plan, "mirror", &mirror_kind);
    unsigned router = build_node(&lab->plan, "router", NULL);
    struct plan_end a = build_port(&lab->plan, alice, "on", IPV4(192, 0, 2, 1), 24);
    struct plan_end m = build_port(&lab->plan, mirror, "on", IPV4(203, 0, 113, 1), 24);
    struct plan_end left = build_port(&lab->plan, router, "left", IPV4(192, 0, 2, 254), 24);
    struct plan_end right = build_port(&lab->plan, router, "right", IPV4(203, 0, 113, 254), 24);
    lab->plan.seed = 3;
    build_route(&lab->plan, alice, 0, 0, 0);
    build_wire(&lab->plan, "a", a, left, (struct wire_spec){.delay = 4 * MS, .jitter = 3 * MS, .loss = 100000});
    build_wire(&lab->plan, "m", right, m, (struct wire_spec){.delay = 5 * MS});
}

static void instruct(struct lab *lab)
{
    for (unsigned i = 0; i < LAB_SCRIPT; i++)
        lab_command(lab, (i + 1) * 20 * MS, 0, "send 203.0.113.1:7000 172");
}

/* Runs the lab and returns its trace; NULL: this machine cannot. */
static char *run(const struct netns_config *config)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    struct lab *lab = calloc(1, sizeof *lab);
    char *trace = NULL;
    assert_non_null(lab);
    draw(lab);
    if (rig_open(lab, config, &why) == 0) {
        instruct(lab);
        lab_run(lab);
        trace = lab->trace;
        lab->trace = NULL;
    } else {
        print_message("%s\n", buf);
    }
    lab_close(lab);
    free(lab);
    return trace;
}

static void send_trace(int to, const struct netns_config *config)
{
    char *trace = run(config);
    for (size_t n = trace ? strlen(trace) : 0, at = 0; at < n;) {
        ssize_t sent = write(to, trace + at, n - at);
        if (sent <= 0)
            _exit(1);
        at += (size_t)sent;
    }
    _exit(0);
}

struct child {
    pid_t pid;
    int from;
};

static struct child start_lab(const struct netns_config *config, void (*before)(void))
{
    int pipes[2];
    struct child child;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    child.pid = fork();
    if (child.pid == 0) {
        before();
        send_trace(pipes[1], config);
    }
    assert_true(child.pid > 0);
    close(pipes[1]);
    child.from = pipes[0];
    return child;
}

static char *finish_lab(const struct child *child)
{
    char *trace = calloc(1, TRACE_MAX);
    size_t n = 0;
    int status;
    assert_non_null(trace);
    for (ssize_t got; (got = read(child->from, trace + n, TRACE_MAX - 1 - n)) > 0;)
        n += (size_t)got;
    close(child->from);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_int_equal(status, 0);
    return trace;
}

static void as_we_are(void)
{
}

/* ---- what is left ---- */

static bool file_has(const char *path, const char *text)
{
    static char data[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, data, sizeof data);
    if (fd >= 0)
        close(fd);
    return n > 0 && memmem(data, (size_t)n, text, strlen(text)) != NULL;
}

/* Processes that carry our mark, this one apart. */
static unsigned count_ours(void)
{
    unsigned count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300];
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || atoi(entry->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        count += file_has(path, MARK);
    }
    closedir(proc);
    return count;
}

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count++;
    if (dir)
        closedir(dir);
    return count;
}

struct residue {
    unsigned processes, interfaces, names;
};

static struct residue look_around(void)
{
    return (struct residue){count_ours(), count_entries("/sys/class/net"), count_entries("/run/netns")};
}

static void wait_until_gone(unsigned processes)
{
    time_t deadline = time(NULL) + GONE_S;
    while (count_ours() > processes && time(NULL) < deadline)
        sched_yield();
}

/* ---- the tests ---- */

static void kill_at_any_moment_leaves_nothing(void **state)
{
    const struct netns_config config = rig_config();
    struct residue before = look_around();
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("kill"));
    for (int i = 0; i < KILLS; i++) {
        struct child child = start_lab(&config, as_we_are);
        const struct timespec delay = {.tv_nsec = (long)prng_below(&rng, LONGEST_US) * 1000};
        nanosleep(&delay, NULL); /* the moment of the kill is the stimulus */
        kill(child.pid, SIGKILL);
        waitpid(child.pid, NULL, 0);
        close(child.from);
    }
    wait_until_gone(before.processes);
    struct residue after = look_around();
    assert_memory_equal(&after, &before, sizeof after);
}

static void two_labs_at_once_do_not_disturb_each_other(void **state)
{
    const struct netns_config config = rig_config();
    char *alone = run(NULL);
    (void)state;
    struct child first = start_lab(&config, as_we_are);
    struct child second = start_lab(&config, as_we_are);
    char *one = finish_lab(&first);
    char *two = finish_lab(&second);
    if (*one == '\0')
        skip();
    assert_string_equal(one, alone);
    assert_string_equal(two, alone);
    free(alone);
    free(one);
    free(two);
}

/* Without /dev/net/tun the wires are veth pairs. */
static void become_nobody(void)
{
    if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
        _exit(1);
    prctl(PR_SET_DUMPABLE, 1); /* so that /proc/self is ours, as after an exec */
}

static void ordinary_user_has_the_same_trace(void **state)
{
    struct netns_config config = rig_config();
    char *expected = run(NULL);
    (void)state;
    config.veth = true;
    struct child child = start_lab(&config, become_nobody);
    char *trace = finish_lab(&child);
    if (*trace == '\0')
        skip();
    assert_string_equal(trace, expected);
    free(expected);
    free(trace);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_any_moment_leaves_nothing),
        cmocka_unit_test(two_labs_at_once_do_not_disturb_each_other),
        cmocka_unit_test(ordinary_user_has_the_same_trace),
    };
    (void)argc;
    if (!getenv("FAREND_TEST_PROCESS")) { /* a process shows the environment it was started with */
        putenv((char[]){MARK});
        execv("/proc/self/exe", argv);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
