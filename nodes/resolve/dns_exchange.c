#include "nodes/resolve/dns_exchange.h"

#include "nodes/resolve/dns_trace.h"

#include <assert.h>

/* ---- the end ---- */

void dns_exchange_stop(struct dns_exchange *x)
{
    if (x->tcp)
        host_tcp_close(x->tcp);
    x->tcp = NULL;
    dns_stream_fini(&x->in);
}

bool dns_exchange_is_under_way(const struct dns_exchange *x)
{
    return x->tcp != NULL;
}

/* The message lives in the exchange's stream, and whoever is told may start or free the exchange. */
static void end(struct dns_exchange *x, const struct dns_msg *answer)
{
    struct dns_stream in = x->in;
    x->in = (struct dns_stream){0};
    dns_exchange_stop(x);
    x->done(x->arg, answer);
    dns_stream_fini(&in);
}

/* ---- what happens to the connection ---- */

static void received(void *arg, struct span data)
{
    struct dns_exchange *x = arg;
    struct span message;
    struct dns_msg answer;
    if (!dns_stream_next(&x->in, &data, &message))
        return;
    int error = dns_parse(message, &answer);
    if (error || !answer.head.response || answer.head.id != x->id ||
        !dns_question_equal(&answer.question, &x->question)) {
        dns_trace_drop(x->host, error ? "bad-dns" : "not-ours", x->server);
        end(x, NULL);
        return;
    }
    dns_trace(x->host, false, DNS_BY_TCP, x->server, &answer);
    end(x, &answer);
}

static void finished(void *arg)
{
    end(arg, NULL);
}

static void failed(void *arg, int error)
{
    (void)error;
    end(arg, NULL);
}

/* ---- the beginning ---- */

int dns_exchange_start(struct dns_exchange *x, struct host *h, struct endpoint server, const struct dns_msg *query,
                       void (*done)(void *arg, const struct dns_msg *answer), void *arg)
{
    static const struct host_tcp_events events = {.received = received, .finished = finished, .failed = failed};
    const struct endpoint any = {0};
    uint8_t room[DNS_STREAM_LENGTH + DNS_MESSAGE_MAX];
    assert(!x->tcp && query->bytes.n <= DNS_MESSAGE_MAX);
    x->host = h;
    x->server = server;
    x->done = done;
    x->arg = arg;
    x->id = query->head.id;
    x->question = query->question;
    int error = host_tcp_connect(h, any, server, &events, x, &x->tcp);
    if (error) {
        x->tcp = NULL;
        return error;
    }
    memcpy(room + DNS_STREAM_LENGTH, query->bytes.p, query->bytes.n);
    dns_trace(h, true, DNS_BY_TCP, server, query);
    (void)host_tcp_send(x->tcp, dns_stream_frame(room, query->bytes.n)); /* it waits for the connection */
    return 0;
}
