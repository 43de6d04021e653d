/* TCP connections on the real machine's sockets: what comes in, what goes out, how they end.
 *
 * The kernel takes what host_tcp_send() gives it, in a lab all of it (its send buffer is larger than HOST_TCP_BACKLOG);
 * what it does not take, because the connection is still being made or its buffer is full, waits in a buffer of our
 * own. What waits for the peer's window is what the kernel has not sent yet and what is in that buffer; while there is
 * any, the socket is watched for EPOLLOUT, which TCP_NOTSENT_LOWAT makes mean "all that was taken is sent".
 *
 * In a lab all retransmission is the engine's (ARCHITECTURE.md, "TCP in lab time"); it learns of a connection's
 * options, and tells of a time-out, by the page. */
#define _GNU_SOURCE
#include "nodes/host/host_tcp.h"

#include "nodes/base/error.h"
#include "nodes/host/host_socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTION = 65536 /* bytes that `received` is given at a time */ };

/* What the socket is to tell of. The kernel reports EPOLLHUP for good once both directions are shut, so then it is
 * asked for news only: a reset, or the end of its patience, may still come. */
static void rewatch(struct host_tcp *c)
{
    uint32_t in = c->finished || c->closing ? 0 : EPOLLIN | EPOLLRDHUP;
    host_input_watch(&c->input, c->hung_up ? EPOLLET : c->connecting || c->waiting ? in | EPOLLOUT : in);
}

/* ---- making ---- */

static void tcp_ready(struct host_input *input);

static void tcp_free(struct host_input *input)
{
    struct host_tcp *c = (struct host_tcp *)input;
    free(c->buffer);
    free(c);
}

int host_tcp_adopt(struct host *h, int fd, struct endpoint remote, bool connecting, struct host_tcp **out)
{
    struct host_tcp *c = malloc(sizeof *c);
    if (!c) {
        close(fd);
        return FE_EMEM;
    }
    *c = (struct host_tcp){.input = {.ready = tcp_ready, .free = tcp_free},
                           .local = host_tcp_name(fd),
                           .remote = remote,
                           .connecting = connecting};
    c->options.local = c->local;
    c->options.remote = remote;
    if (host_input_add(h, &c->input, fd)) {
        close(fd);
        free(c);
        return FE_EOS;
    }
    rewatch(c);
    *out = c;
    return 0;
}

void host_tcp_own(struct host_tcp *c, const struct host_tcp_events *events, void *arg)
{
    c->events = *events;
    c->arg = arg;
    c->owned = true;
}

struct endpoint host_tcp_local(const struct host_tcp *c)
{
    return c->local;
}

struct endpoint host_tcp_remote(const struct host_tcp *c)
{
    return c->remote;
}

void host_tcp_stirred(const struct host_tcp *c)
{
    struct host *h = c->input.host;
    h->sent = TURN_SENT_MANY;
    if (host_is_own(h, c->remote.addr))
        h->looped = true;
}

/* ---- the end ---- */

static int error_of(const struct host_tcp *c, int os_error)
{
    if (host_tcp_is_timed_out(c))
        return FE_ETIMEDOUT;
    switch (os_error) {
    case ECONNREFUSED: return FE_EREFUSED;
    case ETIMEDOUT: return FE_ETIMEDOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOPROTOOPT: return FE_EUNREACH;
    default: return FE_ERESET; /* ECONNRESET; EPIPE: a reset after the peer's FIN */
    }
}

static void fail(struct host_tcp *c, int error)
{
    host_input_ignore(&c->input);
    c->dead = true;
    c->waiting = false;
    c->buffer_n = 0;
    if (c->closing)
        host_input_close(&c->input);
    else if (c->owned && c->events.failed)
        c->events.failed(c->arg, error);
}

static bool is_live(const struct host_tcp *c)
{
    return c->input.fd >= 0 && !c->dead;
}

/* The error that the kernel has ready, which asking takes away; 0: none. */
static int take_error(const struct host_tcp *c)
{
    int error = 0;
    socklen_t n = sizeof error;
    getsockopt(c->input.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    return error ? error_of(c, error) : 0;
}

/* The peer's FIN and a reset may both be there: the kernel tells the FIN first, in recv(), and then the error. */
static void take_end(struct host_tcp *c, uint32_t events)
{
    char byte;
    ssize_t n = c->finished || c->error ? 0 : recv(c->input.fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0 || (n < 0 && errno == EAGAIN))
        return; /* there is more by now: the next round's */
    if (n < 0) {
        fail(c, error_of(c, errno));
        return;
    }
    if (!c->finished && !c->error) {
        c->finished = true;
        if (c->owned && c->events.finished)
            c->events.finished(c->arg);
    }
    if (!is_live(c))
        return;
    c->hung_up = events & EPOLLHUP;
    rewatch(c);
    int error = c->error ? c->error : take_error(c);
    if (error)
        fail(c, error);
}

/* ---- what comes in ---- */

static char portion[PORTION]; /* one connection at a time: callbacks do not nest */

/* What is there now: what a callback brings about by sending to this machine itself is the next round's. */
static void take_data(struct host_tcp *c)
{
    int left = 0;
    if (ioctl(c->input.fd, SIOCINQ, &left))
        return;
    while (left > 0 && is_live(c)) {
        ssize_t n = recv(c->input.fd, portion, left < PORTION ? (size_t)left : PORTION, MSG_DONTWAIT);
        if (n <= 0)
            return;
        left -= (int)n;
        c->input.host->received++;
        if (c->owned && c->events.received)
            c->events.received(c->arg, (struct span){portion, (size_t)n});
    }
}

/* ---- what goes out ---- */

static void low_water(const struct host_tcp *c, int bytes)
{
    setsockopt(c->input.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

/* Bytes that the kernel has taken and not sent. */
static size_t unsent(const struct host_tcp *c)
{
    int n = 0;
    return ioctl(c->input.fd, SIOCOUTQNSD, &n) ? 0 : (size_t)n;
}

static void set_waiting(struct host_tcp *c, bool waiting)
{
    if (c->waiting == waiting)
        return;
    c->waiting = waiting;
    low_water(c, waiting ? 1 : 0);
    rewatch(c);
    c->options.waiting = waiting;
    host_tcp_note(c->input.host, &c->options);
}

/* How many of the bytes the kernel takes. An error is kept for the connection's end, of which epoll will tell. */
static size_t give(struct host_tcp *c, const char *p, size_t n)
{
    if (c->waiting)
        low_water(c, 0);
    ssize_t taken = send(c->input.fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    int error = errno;
    if (c->waiting)
        low_water(c, 1);
    host_tcp_stirred(c);
    if (taken < 0 && error != EAGAIN && !c->error)
        c->error = error_of(c, error);
    return taken < 0 ? 0 : (size_t)taken;
}

/* Room for n bytes more at the buffer's end. */
static bool make_room(struct host_tcp *c, size_t n)
{
    if (c->buffer_at && c->buffer_n)
        memmove(c->buffer, c->buffer + c->buffer_at, c->buffer_n);
    c->buffer_at = 0;
    if (c->buffer_n + n <= c->buffer_cap)
        return true;
    size_t cap = 2 * c->buffer_cap + n;
    char *buffer = realloc(c->buffer, cap);
    if (!buffer)
        return false;
    c->buffer = buffer;
    c->buffer_cap = cap;
    return true;
}

/* Gives the kernel of the buffer what it takes; afterwards the FIN, or the end, that waited for that. */
static void flush(struct host_tcp *c)
{
    while (c->buffer_n && !c->error) {
        size_t taken = give(c, c->buffer + c->buffer_at, c->buffer_n);
        if (taken == 0)
            break;
        c->buffer_at += taken;
        c->buffer_n -= taken;
    }
    if (c->buffer_n && !c->error)
        return;
    if (c->closing) {
        host_input_close(&c->input);
        host_tcp_stirred(c);
    } else if (c->finishing) {
        shutdown(c->input.fd, SHUT_WR);
        host_tcp_stirred(c);
        c->waiting = false; /* from now on the kernel always reports EPOLLOUT */
        rewatch(c);
    }
}

static void take_room(struct host_tcp *c)
{
    if (!c->waiting)
        return;
    flush(c);
    if (!is_live(c) || c->error || c->finishing || c->buffer_n || unsent(c))
        return;
    set_waiting(c, false);
    if (c->owned && c->events.drained)
        c->events.drained(c->arg);
}

int host_tcp_send(struct host_tcp *c, struct span data)
{
    size_t kept = c->waiting && is_live(c) ? c->buffer_n + unsent(c) : c->buffer_n;
    if (!is_live(c) || c->error || c->finishing)
        return FE_ERESET;
    if (kept + data.n > HOST_TCP_BACKLOG)
        return FE_EAGAIN;
    size_t taken = c->connecting || c->buffer_n || data.n == 0 ? 0 : give(c, data.p, data.n);
    if (c->error)
        return FE_ERESET;
    if (taken < data.n) {
        if (!make_room(c, data.n - taken)) {
            host_tcp_abort(c); /* half a message is worse than none */
            return FE_ERESET;
        }
        memcpy(c->buffer + c->buffer_n, data.p + taken, data.n - taken);
        c->buffer_n += data.n - taken;
    }
    if (!c->connecting)
        set_waiting(c, c->buffer_n || unsent(c));
    return 0;
}

/* ---- the machine tells ---- */

/* A connection that was made and reset at once was made: the kernel says ECONNREFUSED of one that was not. */
static void take_connected(struct host_tcp *c)
{
    int error = c->error ? c->error : take_error(c);
    c->connecting = false;
    if (error && error != FE_ERESET) {
        fail(c, error);
        return;
    }
    c->error = error;
    rewatch(c);
    if (!error && (c->buffer_n || c->finishing || c->closing)) {
        flush(c);
        if (is_live(c))
            set_waiting(c, c->buffer_n || (!c->finishing && unsent(c)));
    }
    if (is_live(c) && c->owned && c->events.connected)
        c->events.connected(c->arg);
}

static void tcp_ready(struct host_input *input)
{
    struct host_tcp *c = (struct host_tcp *)input;
    uint32_t events = input->events;
    host_tcp_stirred(c);
    if (c->connecting && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        take_connected(c);
    if (is_live(c) && events & EPOLLIN && !c->closing)
        take_data(c);
    if (is_live(c) && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) || c->error))
        take_end(c, events);
    if (is_live(c) && events & EPOLLOUT)
        take_room(c);
}

/* ---- ending it ---- */

void host_tcp_finish(struct host_tcp *c)
{
    if (!is_live(c) || c->finishing)
        return;
    c->finishing = true;
    if (!c->connecting)
        flush(c);
}

/* The kernel drops an unanswered SYN without a word; of what it still sends for nobody it soon has enough. */
static void tell_engine(struct host_tcp *c, bool gone)
{
    if (!is_live(c))
        return;
    c->options.state = gone ? TURN_TCP_GONE : TURN_TCP_ORPHAN;
    c->options.idle = c->options.user_timeout = 0;
    host_tcp_note(c->input.host, &c->options);
}

void host_tcp_close(struct host_tcp *c)
{
    c->owned = false;
    if (c->input.fd < 0)
        return;
    tell_engine(c, c->connecting && !c->buffer_n);
    if (is_live(c) && c->buffer_n && !c->error) {
        c->closing = true; /* what comes in stays unread, so that the kernel answers with RST */
        rewatch(c);
        return;
    }
    host_input_close(&c->input);
    host_tcp_stirred(c);
}

void host_tcp_abort(struct host_tcp *c)
{
    const struct linger now = {.l_onoff = 1};
    c->owned = false;
    if (c->input.fd < 0)
        return;
    tell_engine(c, c->connecting);
    setsockopt(c->input.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    host_input_close(&c->input);
    host_tcp_stirred(c);
}

/* ---- options ---- */

static void option_set(const struct host_tcp *c, int level, int option, lab_time value)
{
    int n = (int)(value < INT32_MAX ? value : INT32_MAX);
    setsockopt(c->input.fd, level, option, &n, sizeof n);
}

void host_tcp_keep_alive(struct host_tcp *c, lab_time idle, lab_time interval, unsigned probes)
{
    c->options.idle = idle;
    c->options.interval = interval;
    c->options.probes = probes;
    if (!is_live(c))
        return;
    if (c->input.host->page) {
        host_tcp_note(c->input.host, &c->options);
        return;
    }
    option_set(c, SOL_SOCKET, SO_KEEPALIVE, idle != 0);
    if (idle == 0)
        return;
    option_set(c, IPPROTO_TCP, TCP_KEEPIDLE, (idle + SEC - 1) / SEC);
    option_set(c, IPPROTO_TCP, TCP_KEEPINTVL, (interval + SEC - 1) / SEC);
    option_set(c, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

void host_tcp_user_timeout(struct host_tcp *c, lab_time timeout)
{
    c->options.user_timeout = timeout;
    if (!is_live(c))
        return;
    if (c->input.host->page)
        host_tcp_note(c->input.host, &c->options);
    else
        option_set(c, IPPROTO_TCP, TCP_USER_TIMEOUT, (timeout + MS - 1) / MS);
}
