/* Opening TCP connections, and waiting for them.
 *
 * A connection may be opened from a listening port, and a port may be listened to while connections use it; two
 * listeners may not have the same port. The kernel calls the first SO_REUSEPORT and the others SO_REUSEADDR: a listener
 * gets SO_REUSEPORT only when it listens, so that it never shares its port with an older one. An ephemeral port is
 * chosen without either, so that it is one that no connection uses. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_socket.h"
#include "nodes/host/host_tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 /* connections that wait to be accepted; the kernel makes it net.core.somaxconn at most */ };

static bool switch_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

int host_tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !switch_on(fd, IPPROTO_TCP, TCP_NODELAY)) {
        close(fd);
        return -1;
    }
    return fd;
}

struct endpoint host_tcp_name(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t n = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &n);
    return host_endpoint(&address);
}

/* ---- active ---- */

static int bind_to(struct host *h, int fd, struct endpoint local)
{
    bool chosen = local.port != 0;
    bool ok = !chosen || (switch_on(fd, SOL_SOCKET, SO_REUSEADDR) && switch_on(fd, SOL_SOCKET, SO_REUSEPORT));
    int error = ok ? host_bind_some(h, fd, &local) : FE_EOS;
    if (!error && !chosen)
        ok = switch_on(fd, SOL_SOCKET, SO_REUSEADDR) && switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
    return ok ? error : FE_EOS;
}

/* 0: it has begun; *refused: and has failed already, being one to this machine itself. */
static int begin(int fd, struct endpoint remote, bool *refused)
{
    struct sockaddr_in address = host_sockaddr(remote);
    *refused = false;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    switch (errno) {
    case EINPROGRESS: return 0;
    case ECONNREFUSED: *refused = true; return 0;
    case EADDRNOTAVAIL:
    case EADDRINUSE: return FE_EUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EINVAL: return FE_EUNREACH; /* EINVAL: from 127.0.0.0/8 to elsewhere */
    default: return FE_EOS;
    }
}

int host_tcp_connect(struct host *h, struct endpoint local, struct endpoint remote,
                     const struct host_tcp_events *events, void *arg, struct host_tcp **out)
{
    bool refused = false;
    int fd = host_tcp_socket();
    int error = fd < 0 ? FE_EOS : bind_to(h, fd, local);
    if (!error)
        error = begin(fd, remote, &refused);
    if (error) {
        if (fd >= 0)
            close(fd);
        return error;
    }
    error = host_tcp_adopt(h, fd, remote, true, out);
    if (error)
        return error;
    host_tcp_own(*out, events, arg);
    if (refused)
        (*out)->error = FE_EREFUSED;
    host_tcp_stirred(*out);
    return 0;
}

/* ---- passive ---- */

struct host_listener {
    struct host_input input; /* first: the two are one block */
    struct endpoint local;
    struct host_listener_events events;
    void *arg;
};

/* Everything that is complete. Their own input is the next round's. */
static void listener_ready(struct host_input *input)
{
    struct host_listener *l = (struct host_listener *)input;
    struct host *h = input->host;
    struct sockaddr_in from;
    socklen_t n = sizeof from;
    for (int fd;
         input->fd >= 0 && (fd = accept4(input->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;
         n = sizeof from) {
        struct host_tcp *c;
        struct endpoint remote = host_endpoint(&from);
        h->received++;
        h->looped = true;
        if (host_tcp_adopt(h, fd, remote, false, &c))
            continue;
        l->events.accepted(l->arg, c, remote);
        if (!c->owned && !c->closing)
            host_tcp_abort(c);
    }
}

static void listener_free(struct host_input *input)
{
    free(input);
}

static int listener_open(struct host *h, struct host_listener *l, struct endpoint local)
{
    int fd = host_tcp_socket();
    if (fd < 0)
        return FE_EOS;
    int error = switch_on(fd, SOL_SOCKET, SO_REUSEADDR) ? host_bind(fd, local) : FE_EOS;
    if (!error && listen(fd, BACKLOG))
        error = errno == EADDRINUSE ? FE_EUSED : FE_EOS;
    if (!error && (!switch_on(fd, SOL_SOCKET, SO_REUSEPORT) || host_input_add(h, &l->input, fd)))
        error = FE_EOS;
    if (error)
        close(fd);
    return error;
}

int host_tcp_listen(struct host *h, struct endpoint local, const struct host_listener_events *events, void *arg,
                    struct host_listener **out)
{
    if (!local.port)
        return FE_ERANGE;
    struct host_listener *l = malloc(sizeof *l);
    if (!l)
        return FE_EMEM;
    *l = (struct host_listener){
        .input = {.ready = listener_ready, .free = listener_free}, .local = local, .events = *events, .arg = arg};
    int error = listener_open(h, l, local);
    if (error)
        free(l);
    else
        *out = l;
    return error;
}

/* Connections that nobody has accepted are reset by the kernel. */
void host_listener_close(struct host_listener *l)
{
    if (l->input.fd < 0)
        return;
    host_tcp_note(l->input.host, &(struct turn_tcp){.local = l->local, .state = TURN_TCP_GONE});
    l->input.host->sent = TURN_SENT_MANY;
    l->input.host->looped = true;
    host_input_close(&l->input);
}
