/* One process of another's program: what it is given, what is seen of it, and that nothing of it is left. */
#define _GNU_SOURCE
#include "netns/netns_foreign.h"
#include "tests/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
    char text[4096];
    size_t n;
};

static void line(void *arg, struct span text)
{
    struct seen *seen = arg;
    seen->n += (size_t)snprintf(seen->text + seen->n, sizeof seen->text - seen->n, "%.*s|", SPAN_ARG(text));
}

/* Where process namespaces are not permitted there is nothing to test. */
static void begin(struct netns_foreign *f, const char *script)
{
    const char *words[] = {"sh", "-c", script, NULL};
    const struct foreign_command command = {words};
    const struct foreign_text environment[] = {{"WHERE", "in {{dir}}"}};
    const struct netns_foreign_how how = {&command, environment, 1, "/tmp", "/usr/bin:/bin"};
    char buf[200];
    struct text why = text_on(buf, sizeof buf);
    if (netns_foreign_start(f, &how, &why)) {
        print_message("%s\n", buf);
        skip();
    }
}

static int await_end(const struct netns_foreign *f)
{
    int status = -1;
    struct pollfd end = {.fd = f->process, .events = POLLIN};
    assert_int_equal(poll(&end, 1, 10000), 1);
    assert_true(netns_foreign_ended(f, &status));
    return status;
}

static void output_comes_in_lines_and_the_status_is_the_commands(void **state)
{
    (void)state;
    struct netns_foreign f;
    struct seen seen = {0};
    begin(&f, "echo one; echo $WHERE >&2; pwd; printf half; exit 7");
    assert_int_equal(await_end(&f), 7);
    netns_foreign_read(&f, -1, true, line, &seen);
    assert_string_equal(seen.text, "one|in /tmp|/tmp|half|");
    netns_foreign_kill(&f);
}

static void a_signal_reaches_the_command_and_shows_in_its_status(void **state)
{
    (void)state;
    struct netns_foreign f;
    struct seen seen = {0};
    begin(&f, "trap 'echo asked; exit 3' INT; echo up; while :; do sleep 0.01; done");
    while (!seen.n) {
        struct pollfd in = {.fd = f.output, .events = POLLIN};
        assert_int_equal(poll(&in, 1, 10000), 1);
        netns_foreign_read(&f, -1, false, line, &seen);
    }
    netns_foreign_signal(&f, FOREIGN_INT);
    assert_int_equal(await_end(&f), 3);
    netns_foreign_read(&f, -1, true, line, &seen);
    assert_string_equal(seen.text, "up|asked|");
    netns_foreign_kill(&f);
    begin(&f, "kill -SEGV $$");
    assert_int_equal(await_end(&f), 128 + SIGSEGV);
    netns_foreign_kill(&f);
}

static void what_cannot_be_run_says_so_and_ends_with_127(void **state)
{
    (void)state;
    struct netns_foreign f;
    struct seen seen = {0};
    begin(&f, "exec /nonexistent/program");
    assert_int_equal(await_end(&f), 127);
    netns_foreign_read(&f, -1, true, line, &seen);
    assert_non_null(strstr(seen.text, "/nonexistent/program"));
    netns_foreign_kill(&f);
}

/* Whoever holds the write end of this pipe is alive. */
static bool all_gone(int pipe_read)
{
    struct pollfd end = {.fd = pipe_read};
    return poll(&end, 1, 10000) == 1 && (end.revents & POLLHUP);
}

/* The pipe is handed down by its file in /proc: the command gets no descriptor of ours. */
static void holder_script(char *out, size_t cap, int pipe_write)
{
    snprintf(out, cap, "(setsid sh -c 'exec 9>/proc/%d/fd/%d; echo up; sleep 100' &) ; sleep 100", (int)getpid(),
             pipe_write);
}

static void await_line(struct netns_foreign *f)
{
    struct seen seen = {0};
    while (!seen.n) {
        struct pollfd in = {.fd = f->output, .events = POLLIN};
        assert_int_equal(poll(&in, 1, 10000), 1);
        netns_foreign_read(f, -1, false, line, &seen);
    }
    assert_string_equal(seen.text, "up|");
}

static void grandchildren_die_with_it(void **state)
{
    (void)state;
    struct netns_foreign f;
    int pipes[2];
    char script[200];
    assert_int_equal(pipe(pipes), 0);
    holder_script(script, sizeof script, pipes[1]);
    begin(&f, script);
    await_line(&f);
    close(pipes[1]);
    netns_foreign_kill(&f);
    assert_true(all_gone(pipes[0]));
    close(pipes[0]);
}

static void everything_dies_with_an_engine_that_is_killed(void **state)
{
    (void)state;
    int pipes[2];
    int status;
    assert_int_equal(pipe(pipes), 0);
    pid_t engine = fork();
    if (engine == 0) {
        struct netns_foreign f;
        char script[200];
        holder_script(script, sizeof script, pipes[1]);
        begin(&f, script);
        await_line(&f);
        kill(getpid(), SIGKILL);
    }
    close(pipes[1]);
    assert_int_equal(waitpid(engine, &status, 0), engine);
    assert_true(WIFSIGNALED(status));
    assert_true(all_gone(pipes[0]));
    close(pipes[0]);
}

static void long_lines_come_in_pieces(void **state)
{
    (void)state;
    struct netns_foreign f;
    struct seen seen = {0};
    begin(&f, "printf '%01000d\\n' 0");
    assert_int_equal(await_end(&f), 0);
    netns_foreign_read(&f, -1, true, line, &seen);
    assert_int_equal(seen.n, 1000 + 2);
    assert_int_equal(seen.text[FOREIGN_LINE], '|');
    netns_foreign_kill(&f);
}

static void the_folder_replaces_its_place_in_texts(void **state)
{
    (void)state;
    char *text = netns_foreign_text("{{dir}}/a {{dir}}", "/x");
    assert_string_equal(text, "/x/a /x");
    free(text);
    text = netns_foreign_text("{{di", "/x");
    assert_string_equal(text, "{{di");
    free(text);
}

static void a_port_is_seen_once_somebody_listens(void **state)
{
    (void)state;
    struct netns_foreign f;
    begin(&f, "sleep 100"); /* in the namespace of this test: what the test opens, it sees */
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof local;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &n), 0);
    assert_false(netns_foreign_listens(&f, ntohs(local.sin_port)));
    assert_int_equal(listen(fd, 1), 0);
    assert_true(netns_foreign_listens(&f, ntohs(local.sin_port)));
    close(fd);
    assert_false(netns_foreign_listens(&f, ntohs(local.sin_port)));
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&local, sizeof local), 0);
    assert_true(netns_foreign_listens(&f, ntohs(local.sin_port)));
    close(fd);
    netns_foreign_kill(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_comes_in_lines_and_the_status_is_the_commands),
        cmocka_unit_test(a_signal_reaches_the_command_and_shows_in_its_status),
        cmocka_unit_test(what_cannot_be_run_says_so_and_ends_with_127),
        cmocka_unit_test(grandchildren_die_with_it),
        cmocka_unit_test(everything_dies_with_an_engine_that_is_killed),
        cmocka_unit_test(a_port_is_seen_once_somebody_listens),
        cmocka_unit_test(long_lines_come_in_pieces),
        cmocka_unit_test(the_folder_replaces_its_place_in_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
