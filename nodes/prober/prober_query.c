/* One question at a time, repeated as RFC 8489 §6.2.1 says: after RTO, then twice as long each time, Rc transmissions
 * in all, and after the last one 16 times the first RTO is waited. */
#include "nodes/prober/prober.h"

enum { LAST_WAIT = 16, REQUEST_MAX = 128 };

static void end(struct prober *p, enum prober_result result, const struct stun_msg *answer)
{
    prober_query_stop(p);
    prober_heard(p, result, answer);
}

static void send_one(struct prober *p, enum prober_socket_name by, struct endpoint to)
{
    const struct prober_question *q = &p->query.question;
    uint8_t room[REQUEST_MAX];
    struct stun_writer w;
    stun_begin(&w, room, sizeof room, STUN_REQUEST, &p->query.id);
    if (q->change)
        stun_put_change(&w, q->change);
    if (q->response_port)
        stun_put_response_port(&w, q->response_port);
    stun_put_software(&w, SPAN("farend-prober"));
    stun_put_fingerprint(&w);
    (void)host_udp_send(p->sockets[by].udp, to, 0, stun_end(&w)); /* what is not sent is not answered */
}

static void transmit(struct prober *p)
{
    struct prober_query *query = &p->query;
    const struct prober_question *q = &query->question;
    lab_time now = host_now(p->host);
    send_one(p, q->crossed ? PROBER_MAIN : q->by, q->to);
    if (q->crossed)
        send_one(p, PROBER_SECOND, q->expected);
    query->sent++;
    query->last_sent = now;
    lab_time wait = query->sent < p->settings->transmissions ? query->rto : LAST_WAIT * p->settings->rto;
    query->rto *= 2;
    host_timer_start(p->host, &query->timer, now + wait);
}

static void timer_fired(void *arg)
{
    struct prober *p = arg;
    if (p->query.sent < p->settings->transmissions)
        transmit(p);
    else
        end(p, PROBER_SILENCE, NULL);
}

void prober_query_init(struct prober *p)
{
    timer_init(&p->query.timer, timer_fired, p);
}

void prober_ask(struct prober *p, const struct prober_question *question)
{
    p->query.question = *question;
    p->query.sent = 0;
    p->query.rto = p->settings->rto;
    p->query.under_way = true;
    prng_bytes(&p->rng, p->query.id.bytes, STUN_ID);
    transmit(p);
}

void prober_query_stop(struct prober *p)
{
    p->query.under_way = false;
    host_timer_stop(p->host, &p->query.timer);
}

static void drop(struct prober *p, const char *cause, struct endpoint from)
{
    char buf[64];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "datagram from ");
    text_endpoint(&what, from);
    host_drop(p->host, cause, text_span(&what));
}

static bool is_answer(const struct prober_query *query, enum prober_socket_name at, const struct stun_msg *msg)
{
    return !query->question.crossed && at == query->question.at &&
           (msg->class == STUN_SUCCESS || msg->class == STUN_ERROR);
}

/* An error tells that the server cannot; so does an answer from another source than asked for, as of a server that
 * passes CHANGE-REQUEST over. RFC 8489 §6.3.3: so does an answer that holds what must be understood and is not. */
static bool is_good(const struct prober_query *query, struct endpoint from, const struct stun_msg *msg)
{
    return msg->class == STUN_SUCCESS && endpoint_equal(from, query->question.expected) && msg->unknown_n == 0 &&
           stun_public(msg).port != 0;
}

void prober_received(struct prober *p, enum prober_socket_name at, struct endpoint from, struct span data)
{
    struct stun_msg msg;
    const struct prober_query *query = &p->query;
    if (stun_parse(data, &msg)) {
        drop(p, "bad-stun", from);
        return;
    }
    bool ours = query->under_way && msg.method == STUN_BINDING && stun_id_equal(&msg.id, &query->id);
    if (ours && query->question.crossed && msg.class == STUN_REQUEST)
        end(p, PROBER_CAME, NULL);
    else if (ours && is_answer(query, at, &msg))
        end(p, is_good(query, from, &msg) ? PROBER_ANSWERED : PROBER_REFUSED, &msg);
    else
        drop(p, "not-ours", from); /* a repetition's answer, or the second of two crossed questions */
}
