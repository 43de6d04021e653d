/* What the wires show of TCP: connections, what is unacknowledged, round trips.
 *
 * The kernel is right: nothing is judged here that it would judge again. A segment counts as the kernel counts it (a
 * reset only with the very number that is expected, RFC 5961 §3.2; no ACK of a segment that is out of the window), and
 * whatever it sends by itself in answer to a packet passes. What it sends while nothing has happened comes from its
 * real clock. That can be a SYN or SYN-ACK of which one is outstanding, after a second; and on a machine that stood
 * still for seconds during an opening a retransmission, since the kernel then has no round trip and waits 3 s. */
#include "netns/netns_tcp_impl.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <stdlib.h>
#include <string.h>

bool netns_tcp_concerns(const struct plan_node *node)
{
    return node->role == PLAN_PROGRAM && !node->kind->raw && !node->forwards;
}

/* ---- the table ---- */

static unsigned bucket_of(struct endpoint local, struct endpoint remote)
{
    uint32_t mixed = (remote.addr ^ (uint32_t)remote.port << 16 ^ local.port ^ local.addr << 7) * 0x9e3779b1u;
    return mixed >> 24;
}

static struct conn *conn_find(struct netns_tcp *t, struct endpoint local, struct endpoint remote)
{
    struct conn *c = t->buckets[bucket_of(local, remote)];
    while (c && !(endpoint_equal(c->local, local) && endpoint_equal(c->remote, remote)))
        c = c->next;
    return c;
}

static void segments_clear(struct conn *c)
{
    for (struct segment *s = c->first, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    c->first = NULL;
    c->last = &c->first;
}

static void conn_reset(struct conn *c)
{
    segments_clear(c);
    tcp_rto_init(&c->rto);
    c->retransmit_at = c->alive_at = c->persist_at = NEVER;
    c->orphan = c->fin_sent = c->fin_seen = c->fin_acked = c->recovering = c->due = false;
    c->peer_window = 0;
    c->largest = 0;
    c->again = c->syns = c->most = c->fits = c->alive_probes = c->persist_doubled = c->persist_probes = 0;
}

static struct conn *conn_new(struct netns_tcp *t, struct endpoint local, struct endpoint remote)
{
    struct conn **bucket = &t->buckets[bucket_of(local, remote)];
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        t->failed = true;
        return NULL;
    }
    c->tracker = t;
    c->local = local;
    c->remote = remote;
    c->last = &c->first;
    timer_init(&c->timer, conn_timer_fired, c);
    conn_reset(c);
    c->next = *bucket;
    *bucket = c;
    c->earlier = t->newest;
    *(t->newest ? &t->newest->later : &t->oldest) = c;
    t->newest = c;
    return c;
}

void conn_forget(struct conn *c)
{
    struct netns_tcp *t = c->tracker;
    struct conn **link = &t->buckets[bucket_of(c->local, c->remote)];
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    *(c->earlier ? &c->earlier->later : &t->oldest) = c->later;
    *(c->later ? &c->later->earlier : &t->newest) = c->earlier;
    if (t->stirred == c)
        t->stirred = NULL;
    timers_stop(&t->timers, &c->timer);
    segments_clear(c);
    free(c);
}

struct netns_tcp *netns_tcp_new(void)
{
    struct netns_tcp *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    timers_init(&t->timers);
    t->out.last = &t->out.first;
    t->resets.last = &t->resets.first;
    return t;
}

void netns_tcp_free(struct netns_tcp *t)
{
    if (!t)
        return;
    while (t->oldest)
        conn_forget(t->oldest);
    made_clear(&t->out);
    made_clear(&t->resets);
    timers_fini(&t->timers);
    free(t);
}

bool netns_tcp_failed(const struct netns_tcp *t)
{
    return t->failed;
}

/* ---- what is unacknowledged ---- */

static void segment_keep(struct conn *c, const struct tcp_view *v, unsigned port, const uint8_t *packet, size_t n)
{
    struct segment *s = malloc(sizeof *s + n);
    if (!s) {
        c->tracker->failed = true;
        return;
    }
    *s = (struct segment){
        .seq = v->seq, .length = tcp_length(v), .sent = c->tracker->now, .port = port, .n = (uint32_t)n};
    memcpy(s->packet, packet, n);
    *c->last = s;
    c->last = &s->next;
    c->nxt = v->seq + s->length;
}

/* Takes away what `ack` covers. The first of it tells the round trip, unless any of it was sent twice. */
static void segments_acked(struct conn *c, uint32_t ack)
{
    lab_time sent = c->first ? c->first->sent : NEVER;
    bool again = false;
    bool any = false;
    for (struct segment *s; (s = c->first) && tcp_at_most(s->seq + s->length, ack); free(s)) {
        any = true;
        again = again || s->again;
        c->first = s->next;
    }
    if (!c->first)
        c->last = &c->first;
    if (any && !again)
        tcp_rto_sample(&c->rto, c->tracker->now - sent);
}

static void mark_again(const struct conn *c, uint32_t from, uint32_t to)
{
    for (struct segment *s = c->first; s; s = s->next)
        if (tcp_before(s->seq, to) && tcp_before(from, s->seq + s->length))
            s->again = true;
}

/* ---- in ---- */

void netns_tcp_unpredict(uint8_t *packet, size_t n)
{
    enum { CWR = 0x80 };
    struct ip_view v;
    struct tcp_view s;
    if (ip_parse(packet, n, &v) || v.protocol != IP_TCP || ip_is_fragment(&v) || tcp_parse(packet, &v, &s) ||
        s.flags & (TCP_SYN | TCP_RST | CWR))
        return;
    uint8_t *tcp = packet + v.header;
    uint16_t before = get16(tcp + TCP_OFFSET_AT); /* the flags are its second byte */
    tcp[TCP_FLAGS_AT] |= CWR;
    put16(tcp + TCP_SUM_AT, ip_checksum_fix16(get16(tcp + TCP_SUM_AT), before, get16(tcp + TCP_OFFSET_AT)));
}

static void advance(struct conn *c, uint32_t ack)
{
    lab_time now = c->tracker->now;
    segments_acked(c, ack);
    tcp_rto_advanced(&c->rto);
    c->una = ack;
    c->retransmit_at = c->first ? now + tcp_rto(&c->rto) : NEVER;
    if (c->recovering && !tcp_before(ack, c->recover))
        c->recovering = false;
    c->due = c->recovering;
}

static void opened(struct conn *c)
{
    struct netns_tcp *t = c->tracker;
    if (c->again == 0 && c->first && !c->first->again)
        tcp_rto_sample(&c->rto, t->now - c->opened);
    segments_clear(c);
    c->una = c->nxt;
    c->state = CONN_OPEN;
    c->retransmit_at = NEVER;
    c->heard = t->now;
    c->alive_at = c->options.idle ? t->now + c->options.idle : NEVER;
}

/* Both directions are over (RFC 9293 §3.10.7.4); there is no TIME-WAIT. */
static bool is_over(const struct conn *c)
{
    return c->fin_sent && c->fin_acked && c->una == c->nxt;
}

/* SYN-SENT (RFC 9293 §3.10.7.3). */
static void heard_opening(struct conn *c, const struct tcp_view *v)
{
    if (!(v->flags & TCP_ACK) || v->ack != c->nxt)
        return;
    if (v->flags & TCP_RST) {
        conn_forget(c);
        return;
    }
    if (!(v->flags & TCP_SYN))
        return;
    c->acked = v->seq + 1;
    c->peer_window = v->window;
    opened(c);
    conn_timer_set(c);
}

/* What is out of the window is answered by the kernel and does not count; what is expected has the number `acked`. */
static void heard_open(struct conn *c, const struct tcp_view *v)
{
    uint32_t end = v->seq + tcp_length(v);
    if (v->flags & TCP_RST) {
        if (v->seq == c->acked)
            conn_forget(c);
        return;
    }
    if (v->flags & TCP_SYN || !(v->flags & TCP_ACK) || tcp_before(end, c->acked) || tcp_before(c->nxt, v->ack))
        return;
    c->heard = c->tracker->now;
    c->alive_probes = c->persist_probes = 0;
    if (!tcp_before(v->ack, c->una))
        c->peer_window = v->window;
    if (v->flags & TCP_FIN) {
        c->fin_seen = true;
        c->fin_end = end;
    }
    if (tcp_before(c->una, v->ack))
        advance(c, v->ack);
    if (is_over(c))
        conn_forget(c);
    else
        conn_timer_set(c);
}

static void heard(struct conn *c, const struct tcp_view *v)
{
    c->tracker->stirred = c;
    switch (c->state) {
    case CONN_NOTED: return;
    case CONN_OPENING: heard_opening(c, v); return;
    case CONN_ANSWERING:
        if (v->flags & TCP_SYN && !(v->flags & TCP_ACK)) {
            c->syns++;
            return;
        }
        if (v->flags & TCP_ACK && !(v->flags & TCP_RST) && v->ack == c->nxt)
            opened(c);
        heard_open(c, v);
        return;
    case CONN_OPEN: heard_open(c, v); return;
    }
}

/* RFC 1122 §4.2.3.9: an attempt fails by it, Linux: by each; a connection only learns of the path's MTU. */
static void heard_icmp(struct netns_tcp *t, const uint8_t *packet, const struct ip_view *v)
{
    struct span quoted = icmp_quoted(packet, v);
    const uint8_t *inner = (const uint8_t *)quoted.p;
    struct ip_view about;
    struct tcp_view s;
    if (!quoted.n || ip_parse_quoted(inner, quoted.n, &about) || about.protocol != IP_TCP ||
        tcp_parse_quoted(inner, quoted.n, &about, &s))
        return;
    struct conn *c = conn_find(t, s.src, s.dst);
    if (!c || tcp_before(s.seq, c->una) || tcp_before(c->nxt, s.seq))
        return;
    t->stirred = c;
    if (v->icmp_type == ICMP_UNREACHABLE && v->icmp_code == ICMP_FRAG_NEEDED) {
        uint16_t mtu = get16(packet + v->header + 6);
        if (mtu > IP_HEADER + TCP_HEADER)
            c->most = mtu - IP_HEADER - TCP_HEADER;
    } else if (c->state == CONN_OPENING) {
        conn_forget(c);
    }
}

void netns_tcp_mtu(struct netns_tcp *t, unsigned port, unsigned before, unsigned mtu)
{
    unsigned fits = mtu - IP_HEADER - TCP_HEADER;
    for (struct conn *c = t->oldest; c; c = c->later) {
        if (c->port != port)
            continue;
        if (c->most && (fits < c->most || c->most == before - IP_HEADER - TCP_HEADER))
            c->most = fits;
        c->fits = fits;
    }
}

void netns_tcp_pushed(struct netns_tcp *t, lab_time now, const uint8_t *packet, size_t n)
{
    struct ip_view v;
    struct tcp_view s;
    if (ip_parse(packet, n, &v) || ip_is_fragment(&v))
        return;
    t->now = now;
    if (v.protocol == IP_ICMP && icmp_is_error(v.icmp_type))
        heard_icmp(t, packet, &v);
    if (v.protocol != IP_TCP || tcp_parse(packet, &v, &s) || !ip_transport_sum_ok(packet, v.total))
        return;
    struct conn *c = conn_find(t, s.dst, s.src);
    if (c)
        heard(c, &s);
}

/* ---- out ---- */

static void begin(struct netns_tcp *t, struct conn *c, enum conn_state state, const struct tcp_view *v, unsigned port,
                  const uint8_t *packet, size_t n)
{
    if (c)
        conn_reset(c);
    else if (!(c = conn_new(t, v->src, v->dst)))
        return;
    c->state = state;
    c->una = v->seq;
    c->acked = v->ack;
    c->window = v->window;
    c->port = port;
    c->opened = t->now;
    segment_keep(c, v, port, packet, n);
    c->retransmit_at = tcp_rto_opening(t->now, 0);
    conn_timer_set(c);
}

/* False: the kernel's clock sends it again. */
static bool sent_opening(struct netns_tcp *t, struct conn *c, const struct tcp_view *v, unsigned port,
                         const uint8_t *packet, size_t n)
{
    enum conn_state state = v->flags & TCP_ACK ? CONN_ANSWERING : CONN_OPENING;
    if (!c || c->state != state || c->una != v->seq) {
        begin(t, c, state, v, port, packet, n);
        return true;
    }
    if (c->syns == 0)
        return false;
    c->syns--;
    return true;
}

static void sent_new(struct conn *c, const struct tcp_view *v, unsigned port, const uint8_t *packet, size_t n)
{
    segment_keep(c, v, port, packet, n);
    if (c->largest < v->payload.n)
        c->largest = (uint32_t)v->payload.n;
    c->fin_sent = c->fin_sent || v->flags & TCP_FIN;
    c->persist_at = NEVER;
    c->persist_doubled = 0;
    if (c->retransmit_at == NEVER)
        c->retransmit_at = c->tracker->now + tcp_rto(&c->rto);
}

/* Nothing has come, and the segment says nothing new: it is sent again by the kernel's clock, or, having been read
 * from, the kernel offers a window that a segment without scaling cannot tell. */
static bool is_uncalled(const struct conn *c, const struct tcp_view *v)
{
    if (c->tracker->stirred == c)
        return false;
    return tcp_before(v->seq, c->nxt) || (!tcp_length(v) && v->ack == c->acked && v->window == c->window);
}

static bool sent_open(struct conn *c, const struct tcp_view *v, unsigned port, const uint8_t *packet, size_t n)
{
    uint32_t length = tcp_length(v);
    if (is_uncalled(c, v))
        return false;
    c->port = port;
    c->window = v->window;
    c->acked = v->ack;
    c->fin_acked = c->fin_seen && !tcp_before(v->ack, c->fin_end);
    if (length && v->seq == c->nxt) {
        sent_new(c, v, port, packet, n);
    } else if (length) {
        mark_again(c, v->seq, v->seq + length);
        c->due = c->due && v->seq != c->una;
    }
    if (is_over(c))
        conn_forget(c);
    else
        conn_timer_set(c);
    return true;
}

bool netns_tcp_sent(struct netns_tcp *t, lab_time now, unsigned port, const uint8_t *packet, size_t n)
{
    struct ip_view v;
    struct tcp_view s;
    if (ip_parse(packet, n, &v) || v.protocol != IP_TCP || ip_is_fragment(&v) || tcp_parse(packet, &v, &s))
        return true;
    struct conn *c = conn_find(t, s.src, s.dst);
    t->now = now;
    if (s.flags & TCP_RST) {
        if (c && s.seq == c->nxt)
            conn_forget(c);
        return true;
    }
    if (s.flags & TCP_SYN)
        return sent_opening(t, c, &s, port, packet, v.total);
    return !c || c->state != CONN_OPEN || sent_open(c, &s, port, packet, v.total);
}

void netns_tcp_drained(struct netns_tcp *t, lab_time now)
{
    struct conn *c = t->stirred;
    t->stirred = NULL;
    t->now = now;
    if (!c)
        return;
    c->syns = 0;
    if (c->due && c->first)
        conn_resend(c);
    c->due = false;
}

/* ---- what the program says ---- */

/* A listener has been closed: what was being made of its SYNs is gone. */
static void forget_incoming(struct netns_tcp *t, struct endpoint at)
{
    for (struct conn *c = t->oldest, *later; c; c = later) {
        later = c->later;
        if (c->state == CONN_ANSWERING && c->local.port == at.port && (!at.addr || at.addr == c->local.addr))
            conn_forget(c);
    }
}

static void take_options(struct conn *c, const struct turn_tcp *note)
{
    const struct netns_tcp *t = c->tracker;
    bool other = c->options.idle != note->idle;
    c->options = *note;
    if (c->state == CONN_OPEN && other)
        c->alive_at = !note->idle ? NEVER : c->heard + note->idle > t->now ? c->heard + note->idle : t->now;
    conn_timer_set(c);
}

void netns_tcp_note(struct netns_tcp *t, lab_time now, const struct turn_tcp *note)
{
    struct conn *c = conn_find(t, note->local, note->remote);
    t->now = now;
    switch ((enum turn_tcp_state)note->state) {
    case TURN_TCP_OWNED:
        if (!c)
            c = conn_new(t, note->local, note->remote);
        if (c)
            take_options(c, note);
        return;
    case TURN_TCP_ORPHAN:
        if (c) {
            c->orphan = true;
            take_options(c, note);
        }
        return;
    case TURN_TCP_GONE:
        if (c)
            conn_forget(c);
        else if (!note->remote.port)
            forget_incoming(t, note->local);
        return;
    }
}

void netns_tcp_orphan_all(struct netns_tcp *t, lab_time now)
{
    t->now = now;
    for (struct conn *c = t->oldest, *later; c; c = later) {
        later = c->later;
        c->orphan = true;
        c->options = (struct turn_tcp){0};
        c->alive_at = NEVER;
        if (c->state != CONN_OPEN)
            conn_forget(c);
        else
            conn_timer_set(c);
    }
}

void netns_tcp_forget_all(struct netns_tcp *t)
{
    made_clear(&t->out);
    while (t->oldest)
        conn_give_up(t->oldest, false);
}
