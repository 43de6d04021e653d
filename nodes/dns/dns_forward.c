/* Questions about other zones, passed on to another server under ids of our own (RFC 5625 §6): nothing is remembered,
 * nothing is asked twice; a client that does not get its answer asks again itself. */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/dns/dns_server.h"
#include "nodes/resolve/dns_trace.h"

static void end(struct dns_forward *f)
{
    host_timer_stop(f->server->host, &f->timer);
    dns_exchange_stop(&f->tcp);
    f->waiting = false;
}

static void timeout(void *arg)
{
    struct dns_forward *f = arg;
    end(f);
    dns_server_refuse(f->server, &f->client, f->client_id, &f->question, f->edns, DNS_SERVFAIL);
}

/* ---- the answer ---- */

static struct dns_forward *waiting_for(struct dns_server *s, const struct dns_msg *answer)
{
    for (unsigned i = 0; i < DNS_FORWARDS; i++)
        if (s->forwards[i].waiting && !s->forwards[i].client.line && s->forwards[i].id == answer->head.id &&
            dns_question_equal(&s->forwards[i].question, &answer->question))
            return &s->forwards[i];
    return NULL;
}

/* Under the client's own id. */
static void pass_back(struct dns_forward *f, struct span answer)
{
    uint8_t room[DNS_STREAM_MAX];
    memcpy(room, answer.p, answer.n);
    put16(room, f->client_id);
    end(f);
    dns_server_send(f->server, &f->client, span_make(room, answer.n));
}

static void received_over_tcp(void *arg, const struct dns_msg *answer)
{
    struct dns_forward *f = arg;
    if (answer)
        pass_back(f, answer->bytes);
    else
        timeout(f);
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct dns_server *s = arg;
    struct dns_msg answer;
    (void)ttl;
    int error = data.n > DNS_MESSAGE_MAX ? FE_ERANGE : dns_parse(data, &answer);
    struct dns_forward *f = error ? NULL : waiting_for(s, &answer);
    if (error || !f || !answer.head.response || !endpoint_equal(from, s->settings->forward)) {
        dns_trace_drop(s->host, error ? "bad-dns" : "not-ours", from);
        return;
    }
    dns_trace(s->host, false, DNS_BY_UDP, from, &answer);
    pass_back(f, data);
}

/* ---- the question ---- */

static struct dns_forward *unused(struct dns_server *s)
{
    for (unsigned i = 0; i < DNS_FORWARDS; i++)
        if (!s->forwards[i].waiting)
            return &s->forwards[i];
    return NULL;
}

static bool id_is_taken(const struct dns_server *s, uint16_t id)
{
    for (unsigned i = 0; i < DNS_FORWARDS; i++)
        if (s->forwards[i].waiting && s->forwards[i].id == id)
            return true;
    return false;
}

static uint16_t id_choose(struct dns_server *s)
{
    uint16_t id;
    do
        id = (uint16_t)prng_below(&s->ids, 65536);
    while (id_is_taken(s, id));
    return id;
}

static void pass_on(struct dns_server *s, struct dns_forward *f, const struct dns_msg *query)
{
    uint8_t room[DNS_MESSAGE_MAX];
    struct dns_msg sent;
    memcpy(room, query->bytes.p, query->bytes.n);
    put16(room, f->id);
    struct span bytes = span_make(room, query->bytes.n);
    if (dns_parse(bytes, &sent))
        return;
    if (f->client.line) { /* what cannot be asked, or is lost, ends with the timer */
        (void)dns_exchange_start(&f->tcp, s->host, s->settings->forward, &sent, received_over_tcp, f);
        return;
    }
    dns_trace(s->host, true, DNS_BY_UDP, s->settings->forward, &sent);
    (void)host_udp_send(s->upstream, s->settings->forward, 0, bytes);
}

void dns_forward_query(struct dns_server *s, const struct dns_client *client, const struct dns_msg *query)
{
    struct dns_forward *f = unused(s);
    if (!f || query->bytes.n > DNS_MESSAGE_MAX) {
        dns_server_refuse(s, client, query->head.id, &query->question, query->udp_room > 0, DNS_SERVFAIL);
        return;
    }
    *f = (struct dns_forward){.server = s, .waiting = true, .client = *client, .client_id = query->head.id};
    f->question = query->question;
    f->edns = query->udp_room > 0;
    f->id = id_choose(s);
    timer_init(&f->timer, timeout, f);
    host_timer_start(s->host, &f->timer, host_now(s->host) + s->settings->forward_timeout);
    pass_on(s, f, query);
}

void dns_forward_leave(struct dns_server *s, const struct dns_line *line)
{
    for (unsigned i = 0; i < DNS_FORWARDS; i++)
        if (s->forwards[i].waiting && s->forwards[i].client.line == line)
            end(&s->forwards[i]);
}

/* ---- life ---- */

int dns_forward_open(struct dns_server *s)
{
    static const struct host_udp_events events = {.received = received};
    struct endpoint local = {host_port(s->host, "on")->addr, 0};
    host_stream(s->host, "dns", &s->ids);
    return s->settings->forward.port ? host_udp_open(s->host, local, &events, s, &s->upstream) : 0;
}

void dns_forward_close(struct dns_server *s)
{
    for (unsigned i = 0; i < DNS_FORWARDS; i++)
        if (s->forwards[i].waiting)
            end(&s->forwards[i]);
    if (s->upstream)
        host_udp_close(s->upstream);
}
