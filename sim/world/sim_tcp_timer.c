/* TCP's timers, in lab time: retransmission (RFC 6298), openings, keep-alive (RFC 1122 §4.2.3.6), probes of a closed
 * window (RFC 9293 §3.8.6.1), user timeout (RFC 5482). In the netns world netns/netns_tcp_timers.c does the same in
 * place of the kernel, which hears nothing of it: that is why none of this touches the congestion window. */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

static void fired(void *arg);

static lab_time now(const struct sim_tcp *t)
{
    return t->host->world->now;
}

void sim_tcp_timer_init(struct sim_tcp *t)
{
    timer_init(&t->timer, fired, t);
    tcp_rto_init(&t->rto);
    t->retransmit_at = t->alive_at = t->persist_at = NEVER;
    t->heard = now(t);
}

/* ---- which is next ---- */

static lab_time user_timeout_at(const struct sim_tcp *t)
{
    return sim_tcp_is_open(t) && t->user_timeout && t->sent.first ? t->sent.first->at + t->user_timeout : NEVER;
}

static lab_time earlier(lab_time a, lab_time b)
{
    return a < b ? a : b;
}

/* Something waits, nothing is on its way whose acknowledgement could bring a window. */
static bool is_persisting(const struct sim_tcp *t)
{
    return sim_tcp_is_open(t) && t->unsent_bytes && !t->corked && !t->sent.first && !t->fin_sent;
}

void sim_tcp_timer_set(struct sim_tcp *t)
{
    struct timers *set = &t->host->tcp->timers;
    if (t->state == SIM_TCP_CLOSED)
        return;
    if (!is_persisting(t))
        t->persist_at = NEVER;
    else if (t->persist_at == NEVER)
        t->persist_at = now(t) + tcp_rto(&t->rto);
    lab_time at = earlier(earlier(t->retransmit_at, user_timeout_at(t)), earlier(t->alive_at, t->persist_at));
    if (at == NEVER)
        timers_stop(set, &t->timer);
    else if ((!timer_running(&t->timer) || t->timer.at != at) && timers_start(set, &t->timer, at))
        engine_fail(t->host->world->engine, "out of memory for TCP's timers");
}

/* ---- what happens ---- */

void sim_tcp_timer_opening(struct sim_tcp *t)
{
    t->opened = now(t);
    t->again = 0;
    t->retransmit_at = tcp_rto_opening(t->opened, 0);
}

void sim_tcp_timer_opened(struct sim_tcp *t)
{
    if (t->again == 0)
        tcp_rto_sample(&t->rto, now(t) - t->opened);
    t->retransmit_at = NEVER;
    t->heard = now(t);
    t->alive_at = t->idle ? now(t) + t->idle : NEVER;
}

void sim_tcp_timer_sent(struct sim_tcp *t)
{
    t->persist_at = NEVER;
    t->persist_doubled = 0;
    if (t->retransmit_at == NEVER)
        t->retransmit_at = now(t) + tcp_rto(&t->rto);
}

/* The first segment that was covered tells the round trip, unless any was sent twice (RFC 6298 §3). */
void sim_tcp_timer_advanced(struct sim_tcp *t, const struct sim_tcp_covered *covered)
{
    if (covered->segments && !covered->again)
        tcp_rto_sample(&t->rto, now(t) - covered->first_sent);
    tcp_rto_advanced(&t->rto);
    t->retransmit_at = t->sent.first ? now(t) + tcp_rto(&t->rto) : NEVER;
    if (t->recovering && !tcp_before(t->una, t->recover))
        t->recovering = false;
    t->due = t->recovering;
}

void sim_tcp_timer_heard(struct sim_tcp *t)
{
    t->heard = now(t);
    t->alive_probes = t->persist_probes = 0;
}

void sim_tcp_timer_settle(struct sim_tcp *t)
{
    if (t->state == SIM_TCP_CLOSED)
        return;
    if (t->due && t->sent.first)
        sim_tcp_resend_first(t);
    t->due = false;
    sim_tcp_timer_set(t);
}

/* ---- when time is over ---- */

/* Each: false: that was the end of the connection. */
static bool opening_expired(struct sim_tcp *t)
{
    unsigned most = t->state == SIM_TCP_SYN_SENT ? TCP_SYN_RETRIES : TCP_SYNACK_RETRIES;
    if (t->again == most) {
        sim_tcp_done(t, FE_ETIMEDOUT);
        return false;
    }
    t->retransmit_at = tcp_rto_opening(t->opened, ++t->again);
    sim_tcp_syn(t);
    return true;
}

/* RFC 6298 §5.4 to §5.6. */
static bool retransmission_expired(struct sim_tcp *t)
{
    if (!tcp_rto_expired(&t->rto, t->orphan ? TCP_ORPHAN_RETRIES : TCP_RETRIES)) {
        sim_tcp_done(t, FE_ETIMEDOUT);
        return false;
    }
    t->recovering = true;
    t->recover = t->nxt;
    t->retransmit_at = now(t) + tcp_rto(&t->rto);
    sim_tcp_resend_first(t);
    return true;
}

/* Linux: a connection with something to send needs no keep-alive; who set a user timeout is asked by it and not by the
 * number of probes. */
static bool keep_alive_expired(struct sim_tcp *t)
{
    lab_time silent = now(t) - t->heard;
    if (t->sent.first || t->unsent_bytes) {
        t->alive_at = now(t) + t->idle;
        return true;
    }
    if (silent < t->idle) {
        t->alive_at = t->heard + t->idle;
        return true;
    }
    if (t->user_timeout ? silent >= t->user_timeout && t->alive_probes : t->alive_probes >= t->alive_most) {
        sim_tcp_done(t, FE_ETIMEDOUT);
        return false;
    }
    t->alive_probes++;
    t->alive_at = now(t) + t->interval;
    sim_tcp_probe(t);
    return true;
}

static bool persist_expired(struct sim_tcp *t)
{
    struct tcp_rto doubled = t->rto;
    if (t->persist_probes++ == TCP_RETRIES) {
        sim_tcp_done(t, FE_ETIMEDOUT);
        return false;
    }
    doubled.expired = ++t->persist_doubled;
    t->persist_at = now(t) + tcp_rto(&doubled);
    sim_tcp_probe(t);
    return true;
}

static void fired(void *arg)
{
    struct sim_tcp *t = arg;
    if (user_timeout_at(t) <= now(t)) {
        sim_tcp_done(t, FE_ETIMEDOUT);
        return;
    }
    if (t->retransmit_at <= now(t) && !(sim_tcp_is_open(t) ? retransmission_expired(t) : opening_expired(t)))
        return;
    if (t->persist_at <= now(t) && !persist_expired(t))
        return;
    if (t->alive_at <= now(t) && !keep_alive_expired(t))
        return;
    sim_tcp_timer_set(t);
}
