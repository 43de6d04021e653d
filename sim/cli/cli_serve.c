#define _GNU_SOURCE
#include "sim/cli/cli_serve.h"

#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_serve_impl.h"
#include "sim/cli/cli_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLUSH_EVERY (200 * MS)

enum { EVENTS = 16, PATIENCE_S = 2 };

/* ---- guests ---- */

static bool watch(const struct cli_serve *s, int fd, int operation, uint32_t events, struct guest *g)
{
    struct epoll_event event = {.events = events, .data.ptr = g};
    return epoll_ctl(s->epoll, operation, fd, &event) == 0;
}

/* The peer has gone away, or is sent away. */
static void hang_up(struct guest *g)
{
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
}

static void guest_free(struct guest *g)
{
    hang_up(g);
    if (g->fds[1] >= 0)
        close(g->fds[1]); /* fds[0] is the world's */
    free(g->answer);
    free(g);
}

/* Of those whose peers are gone only one whose step is under way is still of use. */
static void forget_the_gone(struct cli_serve *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->guests_n; i++) {
        struct guest *g = s->guests[i];
        if (g->fd < 0 && g->state != GUEST_RUNS && g->state != GUEST_ENDS)
            guest_free(g);
        else
            s->guests[n++] = g;
    }
    s->guests_n = n;
}

static void welcome(struct cli_serve *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct guest *g = fd >= 0 && s->guests_n < GUESTS_MAX ? calloc(1, sizeof *g) : NULL;
    if (!g || !watch(s, fd, EPOLL_CTL_ADD, EPOLLIN, g)) {
        free(g);
        if (fd >= 0)
            close(fd);
        return;
    }
    g->fd = fd;
    g->fds[0] = g->fds[1] = -1;
    s->guests[s->guests_n++] = g;
}

/* ---- answers ---- */

static ssize_t send_some(const struct guest *g)
{
    const char *rest = g->answer + g->sent;
    size_t n = g->answer_n - g->sent;
    if (g->sent == 0 && g->fds[0] >= 0)
        return cli_socket_send(g->fd, rest, n, g->fds) ? (ssize_t)n : -1;
    return send(g->fd, rest, n, MSG_NOSIGNAL);
}

static void answer_send(const struct cli_serve *s, struct guest *g)
{
    while (g->fd >= 0 && g->sent < g->answer_n) {
        ssize_t n = send_some(g);
        if (n < 0 && errno == EAGAIN && watch(s, g->fd, EPOLL_CTL_MOD, EPOLLOUT, g))
            return;
        if (n < 0)
            break;
        g->sent += (size_t)n;
    }
    hang_up(g);
}

/* ---- requests ---- */

static void end_begin(struct cli_serve *s)
{
    if (s->finishing)
        return;
    s->finishing = true;
    s->told = s->verdict->n;
    script_finish(s->script);
}

/* True when the lab may go on differently. */
static bool request_take(struct cli_serve *s, struct guest *g)
{
    switch (g->request.verb) {
    case CLI_ASK_STATUS:
    case CLI_ASK_BRIEF: cli_serve_status(s, g); return false;
    case CLI_ASK_SPACE: cli_serve_space(s, g); return false;
    case CLI_ASK_INJECT: g->state = GUEST_WAITS; return false;
    case CLI_ASK_DOWN:
        g->state = GUEST_ENDS;
        end_begin(s);
        return true;
    }
    return false;
}

static bool line_take(struct cli_serve *s, struct guest *g)
{
    const char *end = memchr(g->line, '\n', g->n);
    if (!end && g->n < sizeof g->line)
        return false;
    if (end && cli_request_read(&g->request, g->line, (size_t)(end - g->line)))
        return request_take(s, g);
    cli_serve_answer(g, CLI_COMPLAIN, "farend: the lab does not understand that", CLI_WRONG);
    return false;
}

/* What comes after the request is thrown away. */
static bool hear(struct cli_serve *s, struct guest *g)
{
    char rest[256];
    bool asks = g->state == GUEST_ASKS;
    ssize_t n = asks ? read(g->fd, g->line + g->n, sizeof g->line - g->n) : read(g->fd, rest, sizeof rest);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        hang_up(g);
        if (g->state == GUEST_RUNS && !s->finishing)
            script_give_up(s->script);
        return g->state == GUEST_RUNS;
    }
    if (n < 0 || !asks)
        return false;
    g->n += (size_t)n;
    return line_take(s, g);
}

/* ---- steps ---- */

static struct guest *guest_in(const struct cli_serve *s, enum guest_state state)
{
    for (size_t i = 0; i < s->guests_n; i++)
        if (s->guests[i]->state == state)
            return s->guests[i];
    return NULL;
}

/* One at a time. True when a step has begun. */
static bool steps_go_on(struct cli_serve *s)
{
    struct guest *g = guest_in(s, GUEST_RUNS);
    if (!script_is_idle(s->script))
        return false;
    if (g)
        cli_serve_injected(s, g);
    while ((g = guest_in(s, GUEST_WAITS))) {
        cli_serve_inject(s, g);
        if (g->state == GUEST_RUNS)
            return true;
    }
    return false;
}

/* ---- between two instants ---- */

/* The command that started this process goes on without it; from here on its end is not ours. */
static void say_ready(struct cli_serve *s)
{
    s->ready = true;
    prctl(PR_SET_PDEATHSIG, 0);
    const char ready = CLI_SERVE_READY;
    if (write(s->config->ready, &ready, 1) != 1)
        engine_fail(s->engine, "nobody waits for this lab");
    close(s->config->ready);
}

bool cli_serve_attend(struct cli_serve *s)
{
    struct epoll_event events[EVENTS];
    bool did = false;
    if (!s->ready)
        say_ready(s);
    int n = epoll_wait(s->epoll, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        struct guest *g = events[i].data.ptr;
        if (!g)
            welcome(s);
        else if (g->state != GUEST_LISTENS)
            did = hear(s, g) || did;
    }
    did = steps_go_on(s) || did;
    for (size_t i = 0; i < s->guests_n; i++)
        if (s->guests[i]->state == GUEST_LISTENS)
            answer_send(s, s->guests[i]);
    forget_the_gone(s);
    return did;
}

/* ---- life ---- */

static void flush(void *arg)
{
    struct cli_serve *s = arg;
    engine_flush(s->engine);
    engine_timer_start(s->engine, &s->flush, engine_now(s->engine) + FLUSH_EVERY);
}

int cli_serve_new(struct cli_serve **out, const struct cli_serve_config *config)
{
    struct cli_serve *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    *s = (struct cli_serve){.config = config, .since = time(NULL)};
    timer_init(&s->flush, flush, s);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->listener = cli_socket_listen(config->lock);
    if (s->epoll < 0 || s->listener < 0 || !watch(s, s->listener, EPOLL_CTL_ADD, EPOLLIN, NULL)) {
        cli_serve_free(s);
        return FE_EOS;
    }
    *out = s;
    return 0;
}

void cli_serve_free(struct cli_serve *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->guests_n; i++)
        guest_free(s->guests[i]);
    if (s->listener >= 0)
        close(s->listener);
    if (s->epoll >= 0)
        close(s->epoll);
    free(s->last_word);
    free(s);
}

int cli_serve_descriptor(const struct cli_serve *s)
{
    return s->epoll;
}

void cli_serve_wait(const struct cli_serve *s, lab_time at_most)
{
    struct pollfd some = {.fd = s->epoll, .events = POLLIN};
    struct timespec t = {(time_t)(at_most / SEC), (long)(at_most % SEC)};
    ppoll(&some, 1, &t, NULL);
}

void cli_serve_begin(struct cli_serve *s, struct engine *e, struct script *script, const struct verdict *verdict)
{
    s->engine = e;
    s->script = script;
    s->verdict = verdict;
    script_open(script, e);
    engine_timer_start(e, &s->flush, FLUSH_EVERY);
}

void cli_serve_judged(struct cli_serve *s)
{
    cli_serve_write_end(s);
    s->engine = NULL;
    s->script = NULL;
    s->verdict = NULL;
}

/* What is said to one who still waits for an answer when the lab is gone. */
static void answer_at_last(const struct cli_serve *s, struct guest *g, int status, const char *error)
{
    char buf[1024];
    struct text why = text_on(buf, sizeof buf);
    text_str(&why, s->config->lab->name);
    text_str(&why, ": ");
    text_str(&why, error);
    if (*error)
        cli_serve_answer(g, CLI_COMPLAIN, buf, status);
    else if (g->state == GUEST_ENDS)
        cli_serve_answer(g, CLI_SAY, s->last_word ? s->last_word : "", status > CLI_NOT_HELD ? status : CLI_HELD);
    else
        cli_serve_answer(g, CLI_COMPLAIN, "farend: the lab was ended before that was done", CLI_FAILED);
}

/* A guest that does not listen is not waited for. */
static void say_goodbye(const struct cli_serve *s, struct guest *g, int status, const char *error)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (g->fd < 0)
        return;
    if (g->state != GUEST_LISTENS)
        answer_at_last(s, g, status, error);
    fcntl(g->fd, F_SETFL, 0);
    setsockopt(g->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (g->sent < g->answer_n) {
        ssize_t n = send_some(g);
        if (n <= 0)
            break;
        g->sent += (size_t)n;
    }
}

/* Who is answered may begin anew in the same folder at once. The connections end with the process. */
void cli_serve_end(struct cli_serve *s, int status, const char *error)
{
    cli_socket_remove(s->config->lock);
    close(s->config->lock);
    for (size_t i = 0; i < s->guests_n; i++)
        say_goodbye(s, s->guests[i], status, error);
}
