/* Clients on TCP (RFC 7766): any number of questions on a connection, each answered when its answer is there; closed by
 * the client, or when nothing has come for a while (§6.2.3). */
#include "nodes/base/error.h"
#include "nodes/dns/dns_server.h"
#include "nodes/resolve/dns_trace.h"

static void end(struct dns_line *line)
{
    dns_forward_leave(line->server, line);
    host_timer_stop(line->server->host, &line->idle);
    host_tcp_close(line->tcp);
    line->tcp = NULL;
    dns_stream_fini(&line->in);
}

static void idle(void *arg)
{
    end(arg);
}

static void wait_again(struct dns_line *line)
{
    struct dns_server *s = line->server;
    host_timer_start(s->host, &line->idle, host_now(s->host) + s->settings->tcp_idle);
}

/* ---- what happens to a connection ---- */

static void received(void *arg, struct span data)
{
    struct dns_line *line = arg;
    const struct dns_client client = {host_tcp_remote(line->tcp), line};
    wait_again(line);
    for (struct span message; dns_stream_next(&line->in, &data, &message);)
        dns_server_take(line->server, &client, message);
}

static void finished(void *arg)
{
    end(arg);
}

static void failed(void *arg, int error)
{
    (void)error;
    end(arg);
}

static void accepted(void *arg, struct host_tcp *connection, struct endpoint remote)
{
    static const struct host_tcp_events events = {.received = received, .finished = finished, .failed = failed};
    struct dns_server *s = arg;
    (void)remote;
    for (unsigned i = 0; i < DNS_LINES; i++) {
        struct dns_line *line = &s->lines[i];
        if (line->tcp)
            continue;
        *line = (struct dns_line){.server = s, .tcp = connection};
        timer_init(&line->idle, idle, line);
        host_tcp_own(connection, &events, line);
        wait_again(line);
        return;
    }
}

void dns_line_send(struct dns_line *line, struct span message)
{
    uint8_t room[DNS_STREAM_LENGTH + DNS_STREAM_MAX];
    memcpy(room + DNS_STREAM_LENGTH, message.p, message.n);
    (void)host_tcp_send(line->tcp, dns_stream_frame(room, message.n)); /* a dead connection is told of by its event */
}

/* ---- life ---- */

int dns_line_open(struct dns_server *s, struct endpoint local)
{
    static const struct host_listener_events events = {.accepted = accepted};
    return s->settings->tcp ? host_tcp_listen(s->host, local, &events, s, &s->listener) : 0;
}

void dns_line_close(struct dns_server *s)
{
    for (unsigned i = 0; i < DNS_LINES; i++)
        if (s->lines[i].tcp)
            end(&s->lines[i]);
    if (s->listener)
        host_listener_close(s->listener);
}
