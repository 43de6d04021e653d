/* The state machine: RFC 9293 §3.10.7 in its order, as Linux follows it (tcp_rcv_state_process(), RFC 5961). */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

/* ---- ends ---- */

static void reset(struct sim_tcp *t)
{
    sim_tcp_done(t, t->state == SIM_TCP_SYN_SENT ? FE_EREFUSED : FE_ERESET);
}

void sim_tcp_shut(struct sim_tcp *t)
{
    if (t->state == SIM_TCP_ESTABLISHED || t->state == SIM_TCP_SYN_RECEIVED)
        t->state = SIM_TCP_FIN_WAIT_1;
    else if (t->state == SIM_TCP_CLOSE_WAIT)
        t->state = SIM_TCP_LAST_ACK;
    else
        return;
    sim_tcp_queue_fin(t);
    sim_tcp_push(t);
    sim_tcp_timer_set(t);
}

/* RFC 1122 §4.2.2.13, RFC 2525 §2.17: who leaves what he has received unread, has not received it. */
void sim_tcp_close(struct sim_tcp *t)
{
    t->owner = NULL;
    t->orphan = true;
    t->corked = false;
    t->idle = 0;
    t->alive_at = NEVER;
    if (t->state == SIM_TCP_CLOSED) {
        sim_tcp_bury(t);
        return;
    }
    if (t->state == SIM_TCP_SYN_SENT) {
        sim_tcp_done(t, 0);
        return;
    }
    if (t->unread) {
        sim_tcp_active_reset(t);
        sim_tcp_done(t, 0);
        return;
    }
    sim_tcp_shut(t);
    sim_tcp_timer_set(t);
}

/* ---- SYN-SENT (§3.10.7.3) ---- */

static void learn_peer(struct sim_tcp *t, const struct tcp_view *s)
{
    t->rcv_nxt = t->acked = s->seq + 1;
    t->rcv_wnd = SIM_TCP_WINDOW;
    t->wl1 = s->seq;
    t->wnd = t->most_wnd = s->window;
    t->peer_mss = s->mss ? s->mss : TCP_DEFAULT_MSS;
    sim_tcp_measure(t);
}

static void syn_sent(struct sim_tcp *t, const struct tcp_view *s)
{
    if (s->flags & TCP_ACK && s->ack != t->nxt) {
        sim_tcp_refuse(t->host, s);
        return;
    }
    if (s->flags & TCP_RST) {
        if (s->flags & TCP_ACK)
            reset(t);
        return;
    }
    if (!(s->flags & TCP_SYN))
        return;
    learn_peer(t, s);
    if (s->flags & TCP_ACK) {
        t->una = s->ack;
        t->state = SIM_TCP_ESTABLISHED;
        sim_tcp_timer_opened(t);
        sim_tcp_ack(t);
    } else { /* both have opened (§3.5, figure 8) */
        t->state = SIM_TCP_SYN_RECEIVED;
        sim_tcp_syn(t);
        sim_tcp_timer_opening(t);
    }
    sim_tcp_timer_set(t);
    sim_tcp_tell(t);
}

/* ---- the sequence number, RST, SYN (§3.10.7.4, first to fourth; RFC 5961) ---- */

/* A reset after the peer's FIN may have the FIN's own number. */
static bool resets_all_the_same(const struct sim_tcp *t, const struct tcp_view *s)
{
    return s->seq == t->rcv_nxt - 1 &&
           (t->state == SIM_TCP_CLOSE_WAIT || t->state == SIM_TCP_LAST_ACK || t->state == SIM_TCP_CLOSING);
}

static bool is_in_window(const struct sim_tcp *t, const struct tcp_view *s)
{
    return !tcp_before(s->seq + tcp_length(s), t->acked) && tcp_at_most(s->seq, t->rcv_nxt + sim_tcp_room(t));
}

/* The other half of a simultaneous open. */
static bool opens_too(const struct sim_tcp *t, const struct tcp_view *s)
{
    return t->state == SIM_TCP_SYN_RECEIVED && s->flags & TCP_ACK && s->seq + 1 == t->rcv_nxt && tcp_length(s) == 1 &&
           s->ack == t->nxt;
}

/* False: it has been dealt with. */
static bool is_acceptable(struct sim_tcp *t, const struct tcp_view *s)
{
    bool inside = is_in_window(t, s);
    if (s->flags & TCP_RST) {
        if (resets_all_the_same(t, s) || (inside && s->seq == t->rcv_nxt))
            reset(t);
        else if (inside)
            sim_tcp_ack(t); /* a challenge */
        return false;
    }
    if (!inside || (s->flags & TCP_SYN && !opens_too(t, s))) {
        sim_tcp_ack(t);
        return false;
    }
    return s->flags & TCP_ACK;
}

/* ---- the ACK field (fifth) ---- */

static void established(struct sim_tcp *t, const struct tcp_view *s)
{
    t->una = s->ack;
    t->wl1 = s->seq;
    t->wnd = s->window;
    if (t->wnd > t->most_wnd)
        t->most_wnd = t->wnd;
    sim_tcp_measure(t);
    t->state = SIM_TCP_ESTABLISHED;
    sim_tcp_timer_opened(t);
    if (t->listener)
        sim_tcp_complete(t);
}

/* Our FIN may be acknowledged. False: the connection is over, or the segment is. */
static bool our_fin(struct sim_tcp *t)
{
    bool acked = t->fin_sent && t->una == t->end;
    if (!acked)
        return true;
    if (t->state == SIM_TCP_FIN_WAIT_1)
        t->state = SIM_TCP_FIN_WAIT_2;
    if (t->state == SIM_TCP_CLOSING || t->state == SIM_TCP_LAST_ACK) {
        sim_tcp_done(t, 0);
        return false;
    }
    return true;
}

static bool check_ack(struct sim_tcp *t, const struct tcp_view *s)
{
    bool quiet = t->state == SIM_TCP_ESTABLISHED;
    if (t->state == SIM_TCP_SYN_RECEIVED) {
        if (s->ack != t->nxt) {
            sim_tcp_refuse(t->host, s);
            return false;
        }
        established(t, s);
        return true;
    }
    switch (sim_tcp_acknowledged(t, s)) {
    case SIM_TCP_ACK_GOOD:
    case SIM_TCP_ACK_OLD: return our_fin(t);
    case SIM_TCP_ACK_ANCIENT: sim_tcp_ack(t); return false; /* RFC 5961 §5.2 */
    case SIM_TCP_ACK_UNSENT:
        if (!quiet)
            sim_tcp_ack(t);
        return false;
    }
    return false;
}

/* ---- the text (seventh, eighth) ---- */

/* Linux: once nobody reads any more, or the peer has finished, news is answered with a reset; also a FIN that tells of
 * bytes still missing. */
static bool is_unwelcome(const struct sim_tcp *t, const struct tcp_view *s)
{
    uint32_t end = s->seq + (uint32_t)s->payload.n;
    return (t->orphan || t->fin_received) && tcp_length(s) && tcp_before(t->rcv_nxt, end);
}

static void text(struct sim_tcp *t, struct packet *p, const struct tcp_view *s)
{
    bool finished = t->state == SIM_TCP_CLOSE_WAIT || t->state == SIM_TCP_CLOSING || t->state == SIM_TCP_LAST_ACK;
    if (tcp_length(s) == 0 || (finished && !tcp_before(s->seq, t->rcv_nxt))) {
        packet_release(p);
        return;
    }
    if (is_unwelcome(t, s)) {
        sim_tcp_refuse(t->host, s);
        packet_release(p);
        reset(t);
        return;
    }
    sim_tcp_data(t, p, s);
}

static void synchronized(struct sim_tcp *t, struct packet *p, const struct tcp_view *s)
{
    if (!is_acceptable(t, s) || !check_ack(t, s)) {
        packet_release(p);
    } else {
        text(t, p, s);
        sim_tcp_push(t);
        if (t->ack_due && t->state != SIM_TCP_CLOSED)
            sim_tcp_ack(t);
    }
    sim_tcp_timer_settle(t);
    sim_tcp_tell(t);
}

/* ---- SYN-RECEIVED from LISTEN: Linux keeps less of it (tcp_check_req()) ---- */

static bool fits(const struct sim_tcp *t, const struct tcp_view *s)
{
    uint32_t edge = t->rcv_nxt + SIM_TCP_WINDOW;
    uint32_t end = s->seq + tcp_length(s);
    return s->seq == t->rcv_nxt || (tcp_before(t->rcv_nxt, end) && tcp_before(s->seq, edge)) ||
           (s->seq == edge && end == edge);
}

static void requested(struct sim_tcp *t, struct packet *p, const struct tcp_view *s)
{
    const unsigned kinds = TCP_SYN | TCP_ACK | TCP_RST;
    bool first_again = s->seq + 1 == t->rcv_nxt;
    unsigned flags = s->flags & kinds;
    if (first_again && flags == TCP_SYN) {
        sim_tcp_syn(t);
    } else if (s->flags & TCP_ACK && s->ack != t->nxt) {
        sim_tcp_refuse(t->host, s);
    } else if (!fits(t, s)) {
        if (!(s->flags & TCP_RST))
            sim_tcp_ack(t);
    } else if (s->flags & TCP_RST || (s->flags & TCP_SYN && !first_again)) {
        sim_tcp_refuse(t->host, s);
        sim_tcp_done(t, 0);
    } else if (s->flags & TCP_ACK) {
        synchronized(t, p, s);
        return;
    }
    packet_release(p);
}

/* ---- LISTEN (§3.10.7.2) ---- */

static void listening(struct host_listener *l, const struct tcp_view *s)
{
    struct host *h = l->end.input.host;
    if (s->flags & TCP_ACK) {
        sim_tcp_refuse(h, s);
        return;
    }
    if (s->flags & (TCP_RST | TCP_FIN) || !(s->flags & TCP_SYN))
        return;
    struct sim_tcp *t = sim_tcp_new(h, s->dst, s->src);
    if (!t)
        return;
    t->state = SIM_TCP_SYN_RECEIVED;
    t->listener = l;
    learn_peer(t, s);
    sim_tcp_syn(t);
    sim_tcp_timer_opening(t);
    sim_tcp_timer_set(t);
}

/* ---- any segment ---- */

static void arrives(struct host *h, struct packet *p, const struct tcp_view *s)
{
    struct sim_tcp *t = sim_tcp_find(h, s->dst, s->src);
    struct host_listener *l = t ? NULL : sim_tcp_listener(h, s->dst);
    if (t && t->state == SIM_TCP_SYN_RECEIVED && t->listener) {
        requested(t, p, s);
        return;
    }
    if (t && t->state != SIM_TCP_SYN_SENT) {
        synchronized(t, p, s);
        return;
    }
    if (t)
        syn_sent(t, s);
    else if (l)
        listening(l, s);
    else
        sim_tcp_refuse(h, s);
    packet_release(p);
}

void sim_tcp_input(struct host *h, struct packet *p, const struct ip_view *v)
{
    struct tcp_view s;
    bool outermost = sim_tcp_enter(h);
    if (tcp_parse(p->data, v, &s) == 0 && ip_transport_sum_ok(p->data, p->n))
        arrives(h, p, &s);
    else
        packet_release(p);
    sim_tcp_leave(h, outermost);
}

/* ---- ICMP errors (RFC 1122 §4.2.3.9; Linux: tcp_v4_err()) ---- */

/* An error ends an attempt; what is connected outlasts it. */
static int error_of(const struct host_icmp *icmp)
{
    return icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_PORT_UNREACHABLE ? FE_EREFUSED : FE_EUNREACH;
}

/* A half-open connection of a listener ends by these alone (tcp_req_err()). */
static bool ends_request(const struct host_icmp *icmp)
{
    return icmp->type == ICMP_TIME_EXCEEDED ||
           (icmp->type == ICMP_UNREACHABLE &&
            (icmp->code == ICMP_NET_UNREACHABLE || icmp->code == ICMP_HOST_UNREACHABLE));
}

static void told(struct sim_tcp *t, const struct host_icmp *icmp)
{
    if (icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_FRAG_NEEDED) {
        if (icmp->mtu > SIM_TCP_PAYLOAD)
            sim_tcp_path_mtu(t, (uint16_t)icmp->mtu);
        sim_tcp_timer_set(t);
    } else if (t->state == SIM_TCP_SYN_RECEIVED && t->listener) {
        if (ends_request(icmp))
            sim_tcp_done(t, 0);
    } else if (t->state == SIM_TCP_SYN_SENT || t->state == SIM_TCP_SYN_RECEIVED) {
        sim_tcp_done(t, error_of(icmp));
    }
}

void sim_tcp_error(struct host *h, const struct tcp_view *quoted, const struct host_icmp *icmp)
{
    bool outermost = sim_tcp_enter(h);
    struct sim_tcp *t = sim_tcp_find(h, quoted->src, quoted->dst);
    if (t && tcp_at_most(t->una, quoted->seq) && tcp_at_most(quoted->seq, t->nxt))
        told(t, icmp);
    sim_tcp_leave(h, outermost);
}
