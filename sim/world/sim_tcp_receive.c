/* The stream that comes in: what is in order waits for the program in `received`, what is behind a gap in `early`.
 * Linux: tcp_data_queue(), __tcp_select_window(). Data is never copied before the program takes it: a packet is kept
 * whole, with `at` where what is new in it begins, and its end in `n`. */
#include "sim/world/sim_tcp.h"

/* ---- the window ---- */

uint32_t sim_tcp_room(const struct sim_tcp *t)
{
    uint32_t edge = t->acked + t->rcv_wnd;
    return tcp_before(edge, t->rcv_nxt) ? 0 : edge - t->rcv_nxt;
}

/* RFC 9293 §3.8.6.2.2: no silly windows. Near its end the space is offered in whole segments. */
static uint32_t window_for(const struct sim_tcp *t)
{
    uint32_t used = t->unread + t->early_bytes;
    uint32_t left = used < SIM_TCP_SPACE ? SIM_TCP_SPACE - used : 0;
    uint32_t mss = t->mss ? t->mss : TCP_DEFAULT_MSS;
    if (left < SIM_TCP_SPACE / 16 || left < mss)
        return 0;
    if (left >= SIM_TCP_WINDOW)
        return SIM_TCP_WINDOW;
    if (t->rcv_wnd + mss <= left || t->rcv_wnd > left)
        return left - left % mss;
    return t->rcv_wnd;
}

/* What was offered is never taken back (RFC 9293 §3.8.6). */
uint16_t sim_tcp_window(struct sim_tcp *t)
{
    uint32_t offered = sim_tcp_room(t);
    uint32_t window = window_for(t);
    t->rcv_wnd = window > offered ? window : offered;
    t->acked = t->rcv_nxt;
    return (uint16_t)t->rcv_wnd;
}

/* The peer is told when what it may send has doubled (tcp_cleanup_rbuf). */
void sim_tcp_window_opened(struct sim_tcp *t)
{
    uint32_t room = sim_tcp_room(t);
    if (!sim_tcp_is_open(t) || t->fin_received || 2 * room > SIM_TCP_WINDOW)
        return;
    uint32_t window = window_for(t);
    if (window && window >= 2 * room)
        sim_tcp_ack(t);
}

/* ---- in order ---- */

/* In the packet's own bytes, where the headers were: seq, FIN. */
static void note_segment(struct packet *p, const struct tcp_view *s)
{
    size_t start = (size_t)((const uint8_t *)s->payload.p - p->data);
    p->at = (lab_time)start;
    p->n = (uint32_t)(start + s->payload.n);
    *sim_segment(p) = (struct sim_segment){.seq = s->seq, .flags = s->flags & TCP_FIN};
}

static uint32_t payload_of(const struct packet *p)
{
    return p->n - (uint32_t)p->at;
}

static uint32_t end_of(struct packet *p)
{
    return sim_segment(p)->seq + payload_of(p) + (sim_segment(p)->flags != 0);
}

static void fin(struct sim_tcp *t)
{
    t->rcv_nxt++;
    t->fin_received = true;
    sim_packets_clear(&t->early);
    t->early_bytes = 0;
    switch (t->state) {
    case SIM_TCP_SYN_RECEIVED:
    case SIM_TCP_ESTABLISHED: t->state = SIM_TCP_CLOSE_WAIT; break;
    case SIM_TCP_FIN_WAIT_1:
        sim_tcp_ack(t);
        t->state = SIM_TCP_CLOSING;
        break;
    case SIM_TCP_FIN_WAIT_2:
        sim_tcp_ack(t);
        sim_tcp_done(t, 0); /* TIME-WAIT */
        break;
    case SIM_TCP_SYN_SENT:
    case SIM_TCP_CLOSE_WAIT:
    case SIM_TCP_CLOSING:
    case SIM_TCP_LAST_ACK:
    case SIM_TCP_CLOSED: break;
    }
}

/* A segment that begins at rcv_nxt or before, and ends behind it. */
static void take_in_order(struct sim_tcp *t, struct packet *p)
{
    struct sim_segment s = *sim_segment(p);
    uint32_t skip = t->rcv_nxt - s.seq;
    uint32_t n = payload_of(p) - skip; /* the FIN alone may be new: then it is 0 */
    if (n) {
        p->at += skip;
        sim_packets_add(&t->received, p);
        t->unread += n;
        t->rcv_nxt += n;
    } else {
        packet_release(p);
    }
    t->ack_due = true;
    if (s.flags)
        fin(t);
}

static void take_early(struct sim_tcp *t)
{
    for (struct packet *p; (p = t->early.first) && tcp_at_most(sim_segment(p)->seq, t->rcv_nxt);) {
        sim_packets_take(&t->early);
        t->early_bytes -= payload_of(p);
        if (tcp_before(t->rcv_nxt, end_of(p)))
            take_in_order(t, p);
        else
            packet_release(p);
    }
}

/* ---- behind a gap ---- */

/* By sequence number; what another segment has wholly is no news. Overlaps are passed over when the gap is filled. */
static void keep_early(struct sim_tcp *t, struct packet *p)
{
    struct packet *before = NULL;
    for (struct packet *q = t->early.first; q && tcp_at_most(sim_segment(q)->seq, sim_segment(p)->seq); q = q->next) {
        if (tcp_at_most(end_of(p), end_of(q))) {
            packet_release(p);
            return;
        }
        before = q;
    }
    t->early_bytes += payload_of(p);
    if (!before || !before->next) {
        if (before || !t->early.first) {
            sim_packets_add(&t->early, p);
            return;
        }
    }
    p->next = before ? before->next : t->early.first;
    *(before ? &before->next : &t->early.first) = p;
    t->early.n++;
}

void sim_tcp_data(struct sim_tcp *t, struct packet *p, const struct tcp_view *s)
{
    uint32_t room = sim_tcp_room(t);
    uint32_t end = s->seq + tcp_length(s);
    bool news = tcp_before(t->rcv_nxt, end) && tcp_before(s->seq, t->rcv_nxt + room);
    t->ack_due = true;
    if (!news) {
        packet_release(p);
        return;
    }
    note_segment(p, s);
    if (tcp_before(t->rcv_nxt, s->seq)) {
        keep_early(t, p);
        return;
    }
    take_in_order(t, p);
    take_early(t);
}

/* ---- to the program ---- */

size_t sim_tcp_take(struct sim_tcp *t, uint8_t *dst, size_t n)
{
    size_t taken = 0;
    for (struct packet *p; taken < n && (p = t->received.first);) {
        size_t part = payload_of(p) < n - taken ? payload_of(p) : n - taken;
        memcpy(dst + taken, p->data + p->at, part);
        taken += part;
        p->at += (lab_time)part;
        if (payload_of(p) == 0)
            packet_release(sim_packets_take(&t->received));
    }
    t->unread -= (uint32_t)taken;
    return taken;
}
