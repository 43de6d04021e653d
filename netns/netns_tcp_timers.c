/* What TCP does when time has passed: sends again, probes, gives up. */
#include "netns/netns_tcp_impl.h"

#include "nodes/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { HEADERS = IP_HEADER + TCP_HEADER };

/* ---- packets that are made here ---- */

static struct made *made_new(struct netns_tcp *t, struct made_list *list, size_t room)
{
    struct made *m = malloc(sizeof *m + room);
    if (!m) {
        t->failed = true;
        return NULL;
    }
    *m = (struct made){.n = 0};
    *list->last = m;
    list->last = &m->next;
    return m;
}

static size_t made_take(struct made_list *list, uint8_t *buf, struct made *out)
{
    struct made *m = list->first;
    if (!m)
        return 0;
    list->first = m->next;
    if (!list->first)
        list->last = &list->first;
    memcpy(buf, m->packet, m->n);
    *out = *m;
    free(m);
    return out->n;
}

void made_clear(struct made_list *list)
{
    for (struct made *m = list->first, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    list->first = NULL;
    list->last = &list->first;
}

size_t netns_tcp_next(struct netns_tcp *t, uint8_t *buf, unsigned *port)
{
    struct made m;
    size_t n = made_take(&t->out, buf, &m);
    if (n)
        *port = m.port;
    return n;
}

size_t netns_tcp_reset(struct netns_tcp *t, uint8_t *buf, bool *told, struct turn_ends *ends)
{
    struct made m;
    size_t n = made_take(&t->resets, buf, &m);
    if (n) {
        *told = m.told;
        *ends = m.ends;
    }
    return n;
}

static void make_bare(struct made *m, struct endpoint src, struct endpoint dst, const struct tcp_build *tcp)
{
    const struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64, .fragment = IP_DF, .protocol = IP_TCP};
    struct tcp_build build = *tcp;
    build.sport = src.port;
    build.dport = dst.port;
    m->n = tcp_build(m->packet, HEADERS, &ip, &build, (struct span){0});
}

/* ---- sending again ---- */

static size_t most_payload(const struct conn *c)
{
    return c->fits && (!c->most || c->fits < c->most) ? c->fits : c->most;
}

/* The MSS that a SYN or SYN-ACK of ours announces when it is sent again: the interface's, but a SYN announces no more
 * than before (Linux: tcp_advertise_mss(), tcp_make_synack()). */
static void announce_again(const struct conn *c, struct segment *s)
{
    size_t header = (size_t)(s->packet[0] & 15) * 4;
    uint8_t *tcp = s->packet + header;
    size_t at = tcp_find_mss(tcp, (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4);
    if (!at || (c->state == CONN_OPENING && get16(tcp + at) <= c->fits))
        return;
    put16(tcp + at, (uint16_t)c->fits);
    ip_transport_sum(s->packet, s->n);
}

/* The segment as it is now: without what has been acknowledged of it, no more than fits the path, with the present
 * acknowledgement and window. */
static size_t segment_now(const struct conn *c, const struct segment *s, uint8_t *dst)
{
    uint8_t *tcp = dst + (size_t)(s->packet[0] & 15) * 4;
    memcpy(dst, s->packet, s->n);
    size_t header = (size_t)(tcp - dst) + (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4;
    size_t payload = s->n - header;
    size_t skip = tcp_before(s->seq, c->una) ? c->una - s->seq : 0;
    if (c->state != CONN_OPEN)
        return s->n; /* a SYN or SYN-ACK stays what it was */
    skip = skip < payload ? skip : payload;
    memmove(dst + header, dst + header + skip, payload - skip);
    payload -= skip;
    size_t most = most_payload(c);
    if (most && payload > most) {
        payload = most;
        tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    }
    put32(tcp + TCP_SEQ_AT, s->seq + (uint32_t)skip);
    put32(tcp + TCP_ACK_AT, c->acked);
    put16(tcp + TCP_WINDOW_AT, c->window);
    put16(dst + 2, (uint16_t)(header + payload));
    ip_header_sum(dst);
    ip_transport_sum(dst, header + payload);
    return header + payload;
}

void conn_resend(struct conn *c)
{
    struct segment *s = c->first;
    struct made *m = made_new(c->tracker, &c->tracker->out, s->n);
    s->again = true;
    if (!m)
        return;
    if (c->state != CONN_OPEN && c->fits)
        announce_again(c, s);
    m->port = s->port;
    m->n = segment_now(c, s, m->packet);
}

/* A segment with a number that the peer has had: it answers (RFC 1122 §4.2.3.6, as Linux without data). */
static void probe(struct conn *c)
{
    struct made *m = made_new(c->tracker, &c->tracker->out, HEADERS);
    if (!m)
        return;
    m->port = c->port;
    make_bare(m, c->local, c->remote,
              &(struct tcp_build){.seq = c->una - 1, .ack = c->acked, .flags = TCP_ACK, .window = c->window});
}

/* ---- the end ---- */

/* The kernel hears it from the peer, with the numbers that it expects. */
void conn_give_up(struct conn *c, bool told)
{
    struct netns_tcp *t = c->tracker;
    struct made *m = c->state == CONN_NOTED ? NULL : made_new(t, &t->resets, HEADERS);
    if (m) {
        m->told = told && !c->orphan;
        m->ends = (struct turn_ends){c->local, c->remote};
        make_bare(m, c->remote, c->local,
                  &(struct tcp_build){.seq = c->acked, .ack = c->nxt, .flags = TCP_RST | TCP_ACK});
    }
    conn_forget(c);
}

/* ---- timers ---- */

/* When data has been unacknowledged for too long; the default is counted in retransmissions instead. */
static lab_time user_timeout_at(const struct conn *c)
{
    return c->state == CONN_OPEN && c->options.user_timeout && c->first ? c->first->sent + c->options.user_timeout
                                                                        : NEVER;
}

static lab_time earlier(lab_time a, lab_time b)
{
    return a < b ? a : b;
}

/* Something waits and nothing is under way: the next segment does not fit into the peer's window. (If it does, the
 * program only has not been told yet that nothing waits any more.) */
static bool is_shut_out(const struct conn *c)
{
    return c->state == CONN_OPEN && c->options.waiting && !c->first && !c->fin_sent &&
           (c->peer_window == 0 || c->peer_window < c->largest);
}

void conn_timer_set(struct conn *c)
{
    struct timers *set = &c->tracker->timers;
    if (is_shut_out(c)) {
        if (c->persist_at == NEVER)
            c->persist_at = c->tracker->now + tcp_rto(&c->rto);
    } else {
        c->persist_at = NEVER;
    }
    lab_time at = earlier(earlier(c->retransmit_at, user_timeout_at(c)), earlier(c->alive_at, c->persist_at));
    if (at < c->tracker->now)
        at = c->tracker->now; /* a user timeout that is over when it is set */
    if (at == NEVER)
        timers_stop(set, &c->timer);
    else if ((!timer_running(&c->timer) || c->timer.at != at) && timers_start(set, &c->timer, at))
        c->tracker->failed = true;
}

/* False: it has been given up. */
static bool opening_expired(struct conn *c)
{
    unsigned most = c->state == CONN_OPENING ? TCP_SYN_RETRIES : TCP_SYNACK_RETRIES;
    if (c->again == most) {
        conn_give_up(c, c->state == CONN_OPENING);
        return false;
    }
    c->retransmit_at = tcp_rto_opening(c->opened, ++c->again);
    conn_resend(c);
    return true;
}

/* RFC 6298 §5.4 to §5.6. */
static bool retransmission_expired(struct conn *c)
{
    if (!tcp_rto_expired(&c->rto, c->orphan ? TCP_ORPHAN_RETRIES : TCP_RETRIES)) {
        conn_give_up(c, true);
        return false;
    }
    c->recovering = true;
    c->recover = c->nxt;
    c->retransmit_at = c->tracker->now + tcp_rto(&c->rto);
    conn_resend(c);
    return true;
}

/* Linux: a connection with something to send needs no keep-alive; who set a user timeout is asked by it and not by
 * their number. */
static bool keep_alive_expired(struct conn *c)
{
    const struct turn_tcp *o = &c->options;
    lab_time now = c->tracker->now;
    lab_time silent = now - c->heard;
    if (c->first || o->waiting) {
        c->alive_at = now + o->idle;
        return true;
    }
    if (silent < o->idle) {
        c->alive_at = c->heard + o->idle;
        return true;
    }
    if (o->user_timeout ? silent >= o->user_timeout && c->alive_probes : c->alive_probes >= o->probes) {
        conn_give_up(c, true);
        return false;
    }
    c->alive_probes++;
    c->alive_at = now + o->interval;
    probe(c);
    return true;
}

static bool persist_expired(struct conn *c)
{
    struct tcp_rto doubled = c->rto;
    if (c->persist_probes++ == TCP_RETRIES) {
        conn_give_up(c, true);
        return false;
    }
    doubled.expired = ++c->persist_doubled;
    c->persist_at = c->tracker->now + tcp_rto(&doubled);
    probe(c);
    return true;
}

void conn_timer_fired(void *conn)
{
    struct conn *c = conn;
    lab_time now = c->tracker->now;
    if (user_timeout_at(c) <= now) {
        conn_give_up(c, true);
        return;
    }
    if (c->retransmit_at <= now && !(c->state == CONN_OPEN ? retransmission_expired(c) : opening_expired(c)))
        return;
    if (c->persist_at <= now && !persist_expired(c))
        return;
    if (c->alive_at <= now && !keep_alive_expired(c))
        return;
    conn_timer_set(c);
}

lab_time netns_tcp_deadline(const struct netns_tcp *t)
{
    return timers_next(&t->timers);
}

void netns_tcp_expire(struct netns_tcp *t, lab_time now)
{
    t->now = now;
    while (timers_fire(&t->timers, now))
        ;
}
