#include "nodes/sip/sip_accept.h"

#include "nodes/base/error.h"
#include "nodes/base/text.h"

#include <stdlib.h>

static struct host *host_of(const struct sip_accept *a)
{
    return sip_txns_host(a->txns);
}

bool sip_accept_waiting(const struct sip_accept *a)
{
    return a->bytes != NULL;
}

void sip_accept_stop(struct sip_accept *a)
{
    if (!a->bytes)
        return;
    host_timer_stop(host_of(a), &a->repeat);
    host_timer_stop(host_of(a), &a->limit);
    free(a->bytes);
    a->bytes = NULL;
}

static void repeat(void *arg)
{
    struct sip_accept *a = arg;
    struct host *h = host_of(a);
    lab_time t2 = sip_txns_timing(a->txns)->t2;
    sip_transport_send(sip_txns_transport(a->txns), &a->flow, span_make(a->bytes, a->size));
    a->interval = 2 * a->interval > t2 ? t2 : 2 * a->interval;
    host_timer_start(h, &a->repeat, host_now(h) + a->interval);
}

static void give_up(void *arg)
{
    struct sip_accept *a = arg;
    struct record *r = host_trace(host_of(a), "timeout");
    record_str(r, "timer", "2xx");
    record_str(r, "msg", "200 INVITE");
    host_trace_end(host_of(a));
    sip_accept_stop(a);
    a->unacknowledged(a->arg);
}

static int keep(struct sip_accept *a, struct span bytes)
{
    char *copy = malloc(bytes.n);
    if (!copy)
        return FE_EMEM;
    memcpy(copy, bytes.p, bytes.n);
    sip_accept_stop(a);
    a->bytes = copy;
    a->size = bytes.n;
    return 0;
}

static void start_timers(struct sip_accept *a)
{
    struct host *h = host_of(a);
    const struct sip_timing *timing = sip_txns_timing(a->txns);
    timer_init(&a->repeat, repeat, a);
    timer_init(&a->limit, give_up, a);
    a->interval = timing->t1;
    host_timer_start(h, &a->repeat, host_now(h) + a->interval);
    host_timer_start(h, &a->limit, host_now(h) + 64 * timing->t1);
}

int sip_accept_start(struct sip_accept *a, struct sip_txn *invite, const struct sip_reply *reply,
                     void (*unacknowledged)(void *arg), void *arg)
{
    char buf[SIP_BYTES_MAX];
    struct text bytes = text_on(buf, sizeof buf);
    struct sip_msg request;
    struct sip_cseq cseq;
    sip_txn_msg(invite, &request);
    if (sip_cseq_parse(sip_value(&request, SIP_H_CSEQ), &cseq))
        return FE_ESYNTAX;
    a->txns = sip_txn_set(invite);
    int error = sip_txn_write_reply(invite, reply, &bytes);
    if (!error)
        error = keep(a, text_span(&bytes));
    if (!error)
        error = sip_txn_respond(invite, text_span(&bytes));
    if (error) {
        sip_accept_stop(a);
        return error;
    }
    a->flow = sip_txn_reply_flow(invite);
    a->cseq = cseq.number;
    a->unacknowledged = unacknowledged;
    a->arg = arg;
    start_timers(a);
    return 0;
}

bool sip_accept_acked(struct sip_accept *a, const struct sip_msg *ack)
{
    struct sip_cseq cseq;
    if (!a->bytes || sip_cseq_parse(sip_value(ack, SIP_H_CSEQ), &cseq) || cseq.number != a->cseq)
        return false;
    sip_accept_stop(a);
    return true;
}
