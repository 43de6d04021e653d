/* The stream that goes out: what the program gave, cut into segments, waits in `unsent`; what was sent and is not yet
 * acknowledged, in `sent`. Linux: tcp_sendmsg(), tcp_write_xmit(), tcp_xmit_retransmit_queue(), without Nagle. */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

enum { MIN_PATH = 552 }; /* Linux: min_pmtu */

/* ---- sizes ---- */

static uint16_t path_mtu(struct host *h, ipv4 to)
{
    enum { LOOPBACK_MTU = 65535 }; /* the largest packet that there is */
    int port = sim_stack_route(h, to);
    uint16_t mtu = port >= 0 ? h->ports[port].is.mtu : LOOPBACK_MTU;
    for (unsigned i = 0; i < h->tcp->paths_n; i++)
        if (h->tcp->paths[i].to == to && h->tcp->paths[i].mtu < mtu)
            mtu = h->tcp->paths[i].mtu;
    return mtu;
}

/* Linux never fills more than half of the largest window that it has seen (tcp_bound_to_half_wnd). */
void sim_tcp_measure(struct sim_tcp *t)
{
    unsigned mss = path_mtu(t->host, t->remote.addr) - (unsigned)(IP_HEADER + TCP_HEADER);
    if (mss > t->peer_mss)
        mss = t->peer_mss;
    unsigned bound = t->most_wnd > TCP_DEFAULT_MSS ? t->most_wnd / 2 : t->most_wnd;
    if (bound && mss > bound)
        mss = bound;
    t->mss = (uint16_t)mss;
}

void sim_tcp_learn_mtu(struct host *h, ipv4 to, uint16_t mtu)
{
    struct sim_tcp_stack *stack = h->tcp;
    unsigned i = 0;
    while (i < stack->paths_n && stack->paths[i].to != to)
        i++;
    if (i == SIM_TCP_PATHS) {
        memmove(stack->paths, stack->paths + 1, sizeof stack->paths - sizeof stack->paths[0]);
        i--;
    } else if (i == stack->paths_n) {
        stack->paths_n++;
    }
    stack->paths[i] = (struct sim_tcp_path){to, mtu > MIN_PATH ? mtu : MIN_PATH};
}

/* Linux: fib_sync_mtu() for what was learned of paths, and tcp_current_mss(), which looks at the interface before each
 * segment. */
void sim_tcp_port_mtu(struct host *h, unsigned port, uint16_t before)
{
    struct sim_tcp_stack *stack = h->tcp;
    uint16_t mtu = h->ports[port].is.mtu;
    for (unsigned i = 0; stack && i < stack->paths_n; i++) {
        struct sim_tcp_path *path = &stack->paths[i];
        if (sim_stack_route(h, path->to) == (int)port && (mtu < path->mtu || path->mtu == before))
            path->mtu = mtu;
    }
    for (size_t i = 0; stack && i < (size_t)1 << stack->bits; i++)
        for (struct sim_tcp *t = stack->heads[i]; t; t = t->sibling)
            sim_tcp_measure(t);
}

/* ---- queueing ---- */

static struct packet *segment_new(struct sim_tcp *t, uint32_t seq, size_t payload)
{
    struct packet *p = packet_new(t->host->world->pool, SIM_TCP_PAYLOAD + payload);
    if (!p) {
        engine_fail(t->host->world->engine, "out of memory for what TCP sends");
        return NULL;
    }
    *sim_segment(p) = (struct sim_segment){.seq = seq};
    return p;
}

/* The unsent segment, with room for n bytes more; NULL without memory. */
static struct packet *with_room(struct sim_tcp *t, struct packet *p, size_t n)
{
    if (p->n + n <= packet_room(p))
        return p;
    struct packet *larger = segment_new(t, 0, t->mss);
    if (!larger)
        return NULL;
    memcpy(larger->data, p->data, p->n);
    larger->n = p->n;
    larger->next = p->next;
    struct packet **link = &t->unsent.first;
    while (*link != p)
        link = &(*link)->next;
    *link = larger;
    if (t->unsent.last == p)
        t->unsent.last = larger;
    packet_release(p);
    return larger;
}

/* RFC 9293 §3.9.1.2: at the end of what the program gives at once, and Linux: when half of the largest window has been
 * filled since. */
static void mark_push(struct sim_tcp *t, struct packet *p, bool last)
{
    uint32_t end = sim_segment_end(p);
    bool half = sim_segment_payload(p) == t->mss && tcp_before(t->pushed + t->most_wnd / 2, end);
    if (!last && !half)
        return;
    sim_segment(p)->flags |= TCP_PSH;
    t->pushed = end;
}

/* What has not been sent yet is filled up. */
static int append(struct sim_tcp *t, struct span data)
{
    struct packet *p = t->unsent.last;
    uint32_t there = p ? sim_segment_payload(p) : 0;
    size_t n = p && there < t->mss ? t->mss - (size_t)there : 0;
    n = n < data.n ? n : data.n;
    if (!n)
        return 0;
    p = with_room(t, p, n);
    if (!p)
        return FE_EMEM;
    memcpy(p->data + p->n, data.p, n);
    p->n += (uint32_t)n;
    sim_segment(p)->flags &= (uint8_t)~TCP_PSH;
    mark_push(t, p, n == data.n);
    return (int)n;
}

int sim_tcp_queue(struct sim_tcp *t, struct span data)
{
    int taken = append(t, data);
    if (taken < 0)
        return taken;
    t->end += (uint32_t)data.n;
    t->unsent_bytes += (uint32_t)data.n;
    uint32_t seq = t->end - (uint32_t)data.n + (uint32_t)taken;
    for (size_t at = (size_t)taken; at < data.n;) {
        size_t n = data.n - at < t->mss ? data.n - at : t->mss;
        struct packet *p = segment_new(t, seq, n);
        if (!p)
            return FE_EMEM;
        memcpy(p->data + SIM_TCP_PAYLOAD, data.p + at, n);
        sim_packets_add(&t->unsent, p);
        seq += (uint32_t)n;
        at += n;
        mark_push(t, p, at == data.n);
    }
    return 0;
}

void sim_tcp_uncork(struct sim_tcp *t)
{
    struct sim_packets queued = t->unsent;
    t->corked = false;
    t->unsent = (struct sim_packets){0};
    t->end = t->pushed = t->end - t->unsent_bytes;
    t->unsent_bytes = 0;
    for (struct packet *p; (p = sim_packets_take(&queued)); packet_release(p))
        sim_tcp_queue(t, span_make(p->data + SIM_TCP_PAYLOAD, sim_segment_payload(p)));
}

/* On the last segment when that has not been sent. */
void sim_tcp_queue_fin(struct sim_tcp *t)
{
    struct packet *p = t->unsent.last;
    if (t->fin_queued)
        return;
    if (!p) {
        p = segment_new(t, t->end, 0);
        if (!p)
            return;
        sim_packets_add(&t->unsent, p);
    }
    sim_segment(p)->flags |= TCP_FIN;
    t->end++;
    t->fin_queued = true;
}

/* ---- cutting what has become too large for the path ---- */

static void insert_behind(struct sim_packets *q, struct packet *p, struct packet *added)
{
    added->next = p->next;
    p->next = added;
    if (q->last == p)
        q->last = added;
    q->n++;
}

/* Leaves mss bytes in p; the rest is a segment of its own behind it, with the same history. */
static bool split(struct sim_tcp *t, struct sim_packets *q, struct packet *p)
{
    struct sim_segment *s = sim_segment(p);
    uint32_t rest = sim_segment_payload(p) - t->mss;
    struct packet *behind = segment_new(t, 0, rest);
    if (!behind)
        return false;
    *sim_segment(behind) = *s;
    sim_segment(behind)->seq = s->seq + t->mss;
    memcpy(behind->data + SIM_TCP_PAYLOAD, p->data + SIM_TCP_PAYLOAD + t->mss, rest);
    behind->at = p->at;
    s->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    p->n = SIM_TCP_PAYLOAD + (uint32_t)t->mss;
    insert_behind(q, p, behind);
    return true;
}

/* ---- sending ---- */

/* A short segment is filled up from the next one before it is sent (Linux 6.10: tcp_grow_skb). NULL without memory. */
static struct packet *fill_first(struct sim_tcp *t)
{
    struct packet *p = t->unsent.first;
    struct packet *next = p->next;
    uint32_t there = sim_segment_payload(p);
    uint32_t n = next && there < t->mss ? t->mss - there : 0;
    n = n && n > sim_segment_payload(next) ? sim_segment_payload(next) : n;
    if (!n)
        return p;
    p = with_room(t, p, n);
    if (!p)
        return NULL;
    uint8_t *moved = next->data + SIM_TCP_PAYLOAD;
    memcpy(p->data + p->n, moved, n);
    p->n += n;
    next->n -= n;
    memmove(moved, moved + n, sim_segment_payload(next));
    sim_segment(next)->seq += n;
    if (next->n > SIM_TCP_PAYLOAD)
        return p;
    sim_segment(p)->flags |= sim_segment(next)->flags;
    p->next = next->next;
    if (t->unsent.last == next)
        t->unsent.last = p;
    t->unsent.n--;
    packet_release(next);
    return p;
}

static bool send_first(struct sim_tcp *t)
{
    if (sim_reno_in_flight(&t->reno) >= t->reno.cwnd)
        return false;
    struct packet *p = fill_first(t);
    if (!p)
        return false;
    if (sim_segment_payload(p) > t->mss && !split(t, &t->unsent, p))
        return false;
    if (tcp_before(t->una + t->wnd, sim_segment_end(p)))
        return false;
    sim_packets_take(&t->unsent);
    p->at = t->host->world->now;
    sim_packets_add(&t->sent, p);
    t->unsent_bytes -= sim_segment_payload(p);
    t->nxt = sim_segment_end(p);
    t->fin_sent = t->fin_sent || sim_segment(p)->flags & TCP_FIN;
    t->reno.out++;
    sim_tcp_transmit(t, p);
    sim_tcp_timer_sent(t);
    return true;
}

void sim_tcp_push(struct sim_tcp *t)
{
    uint32_t sent = 0;
    if (!sim_tcp_is_open(t) || t->corked || !t->unsent.first)
        return;
    while (t->unsent.first && send_first(t))
        sent++;
    sim_reno_sent(&t->reno, sent, t->una, t->nxt);
}

/* ---- sending again ---- */

static void resend(struct sim_tcp *t, struct packet *p)
{
    struct sim_segment *s = sim_segment(p);
    s->again = true;
    if (p == t->sent.first)
        t->due = false;
    sim_tcp_transmit(t, p);
}

/* What lies beyond the peer's window stays, but for the first. */
static bool is_permitted(const struct sim_tcp *t, struct packet *p)
{
    uint32_t seq = sim_segment(p)->seq;
    return seq == t->una || tcp_before(seq, t->una + t->wnd);
}

void sim_tcp_resend(struct sim_tcp *t)
{
    struct sim_reno *r = &t->reno;
    for (struct packet *p = t->sent.first; p && sim_reno_in_flight(r) < r->cwnd && r->resent < r->lost; p = p->next) {
        struct sim_segment *s = sim_segment(p);
        if (!s->lost || s->resent)
            continue;
        if (!is_permitted(t, p))
            return;
        if (sim_segment_payload(p) > t->mss) {
            if (!split(t, &t->sent, p))
                return;
            r->out++;
            r->lost++;
        }
        s->resent = true;
        sim_reno_resent(r);
        resend(t, p);
    }
}

void sim_tcp_resend_first(struct sim_tcp *t)
{
    if (!sim_tcp_is_open(t))
        sim_tcp_syn(t);
    else if (t->sent.first)
        resend(t, t->sent.first);
}

void sim_tcp_mark_first(struct sim_tcp *t)
{
    sim_segment(t->sent.first)->lost = true;
}

/* RFC 1191, Linux: tcp_simple_retransmit(). */
void sim_tcp_path_mtu(struct sim_tcp *t, uint16_t mtu)
{
    uint16_t before = t->mss;
    sim_tcp_learn_mtu(t->host, t->remote.addr, mtu);
    sim_tcp_measure(t);
    if (t->mss >= before || !sim_tcp_is_open(t))
        return;
    for (struct packet *p = t->sent.first; p; p = p->next) {
        struct sim_segment *s = sim_segment(p);
        if (sim_segment_payload(p) <= t->mss)
            continue;
        t->reno.lost += !s->lost;
        t->reno.resent -= s->resent;
        s->lost = true;
        s->resent = false;
    }
    if (!t->reno.lost)
        return;
    sim_reno_too_large(&t->reno, t->nxt);
    sim_tcp_resend(t);
}

/* ---- acknowledged ---- */

void sim_tcp_drop_acked(struct sim_tcp *t, struct sim_tcp_covered *covered)
{
    *covered = (struct sim_tcp_covered){0};
    for (struct packet *p; (p = t->sent.first) && tcp_at_most(sim_segment_end(p), t->una); packet_release(p)) {
        const struct sim_segment *s = sim_segment(p);
        if (!covered->segments++)
            covered->first_sent = p->at;
        covered->lost += s->lost;
        covered->resent += s->resent;
        covered->again = covered->again || s->again;
        sim_packets_take(&t->sent);
    }
}
