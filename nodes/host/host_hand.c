/* A node program by hand: the machine's clock, commands from standard input, the trace on standard output. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 1024 };

/* ---- the trace ---- */

static char *hand_room(struct host *h)
{
    static char line[RECORD_MAX];
    (void)h;
    return line;
}

/* "12.345678 registration state=registered aor=sip:101@lab.example" */
static void print_human(struct span line, lab_time now)
{
    char digits[32];
    struct text t = text_on(digits, sizeof digits);
    struct span key;
    struct span raw;
    text_fixed(&t, now / US, 6);
    printf("%s", digits);
    for (size_t at = 0; record_next(line, &at, &key, &raw);) {
        if (span_is(key, "t") || span_is(key, "node"))
            continue;
        if (span_is(key, "ev"))
            printf(" %.*s", SPAN_ARG(raw));
        else
            printf(" %.*s=%.*s", SPAN_ARG(key), SPAN_ARG(raw));
    }
    printf("\n");
}

static void hand_line(struct host *h, struct span line)
{
    if (h->json)
        printf("%.*s\n", SPAN_ARG(line));
    else
        print_human(line, h->now);
}

/* Opened for each line, since the user may take the file away; readable by the user alone. */
static void hand_secret(struct host *h, struct span line)
{
    const char *name = getenv("SSLKEYLOGFILE");
    int fd = name && *name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    (void)h;
    if (fd < 0)
        return;
    if (dprintf(fd, "%.*s\n", SPAN_ARG(line)) < 0)
        perror(name);
    close(fd);
}

const struct host_sink host_hand_sink = {hand_room, hand_line, hand_secret};

/* ---- standard input and signals: inputs like the sockets ---- */

struct hand {
    struct host_input input; /* first: the two are one block */
    const struct node_kind *kind;
    void *node;
    size_t n;
    char line[LINE];
};

static void take_lines(struct hand *hand)
{
    struct span rest = {hand->line, hand->n};
    for (;;) {
        struct span more;
        struct span line = span_cut(rest, '\n', &more);
        if (!more.p)
            break;
        hand->kind->command(hand->node, line);
        rest = more;
    }
    hand->n = rest.n == LINE ? 0 : rest.n; /* a line longer than any command is nothing */
    memmove(hand->line, rest.p, hand->n);
}

/* False at the end of standard input. */
static bool read_commands(struct hand *hand)
{
    ssize_t n = read(STDIN_FILENO, hand->line + hand->n, LINE - hand->n);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    hand->n += (size_t)n;
    take_lines(hand);
    return true;
}

static void commands_ready(struct host_input *input)
{
    if (!read_commands((struct hand *)input))
        host_input_close(input);
}

static void signal_ready(struct host_input *input)
{
    host_exit(input->host, 0);
}

static void nothing_to_free(struct host_input *input)
{
    (void)input;
}

static int watch_signals(struct host *h, struct host_input *input)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &ends, NULL))
        return FE_EOS;
    int fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    *input = (struct host_input){.ready = signal_ready, .free = nothing_to_free};
    return fd < 0 ? FE_EOS : host_input_add(h, input, fd);
}

/* epoll refuses plain files: their lines are all there already. */
static void watch_commands(struct host *h, struct hand *hand)
{
    hand->input = (struct host_input){.ready = commands_ready, .free = nothing_to_free};
    if (host_input_add(h, &hand->input, STDIN_FILENO) && errno == EPERM)
        while (read_commands(hand))
            ;
}

/* ---- the clock ---- */

static lab_time machine_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SEC + t.tv_nsec;
}

static void take_time(struct host *h, lab_time start)
{
    struct timespec date;
    clock_gettime(CLOCK_REALTIME, &date);
    h->now = machine_clock() - start;
    h->clock = (date.tv_sec - LAB_BEGINS) * SEC + date.tv_nsec;
}

static void sleep_until(const struct host *h, lab_time start, lab_time deadline)
{
    struct epoll_event event;
    lab_time left = deadline == NEVER ? 0 : deadline - (machine_clock() - start);
    struct timespec wait = {.tv_sec = left > 0 ? left / SEC : 0, .tv_nsec = left > 0 ? left % SEC : 0};
    epoll_pwait2(h->epoll, &event, 1, deadline == NEVER ? NULL : &wait, NULL);
}

int host_hand_run(struct host *h, const struct node_kind *kind, const void *settings)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    struct host_input signals;
    struct hand hand = {.kind = kind};
    lab_time start = machine_clock();

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (watch_signals(h, &signals)) {
        perror("signals");
        return 4;
    }
    take_time(h, start);
    int error = kind->start(h, settings, &hand.node, &why);
    if (error) {
        fprintf(stderr, "farend-%s: %s\n", kind->name, why.n ? buf : fe_error_text(error));
        return error == FE_EOS ? 3 : 2;
    }
    watch_commands(h, &hand);
    while (!h->ended) {
        take_time(h, start);
        host_work(h);
        if (!h->ended)
            sleep_until(h, start, timers_next(&h->timers));
    }
    kind->stop(hand.node);
    return h->status;
}
