/* Segments, one at a time, as they leave: RFC 9293 §3.10.7.1 (resets), §3.8.6 (windows); Linux: tcp_output.c. */
#include "nodes/base/bytes.h"
#include "sim/world/sim_tcp.h"

enum { OWN_TTL = 64, LOOPBACK_MTU = 65536 };

/* ---- on their way ---- */

/* One to ourselves waits until what sends it is over. */
static void send(struct host *h, struct packet *p)
{
    if (h->tcp && sim_stack_route(h, get32(p->data + 16)) == ROUTE_LOCAL)
        sim_packets_add(&h->tcp->looped, p);
    else
        sim_stack_output(h, p);
}

static struct packet *new_packet(struct host *h, size_t n)
{
    struct packet *p = packet_new(h->world->pool, n);
    if (!p)
        engine_fail(h->world->engine, "out of memory for a TCP segment");
    return p;
}

/* payload stands in its place already, behind a header without options. */
static void finish(struct host *h, struct packet *p, struct endpoint src, struct endpoint dst,
                   const struct tcp_build *tcp, size_t payload)
{
    const struct ip_build ip = {.src = src.addr, .dst = dst.addr, .id = h->ip_id++, .fragment = IP_DF, .ttl = OWN_TTL};
    struct tcp_build build = *tcp;
    build.sport = src.port;
    build.dport = dst.port;
    p->n = (uint32_t)tcp_build(p->data, packet_room(p), &ip, &build, span_make(p->data + SIM_TCP_PAYLOAD, payload));
    send(h, p);
}

/* A segment without payload. */
static void bare(struct host *h, struct endpoint src, struct endpoint dst, const struct tcp_build *tcp)
{
    struct packet *p = new_packet(h, SIM_TCP_PAYLOAD + TCP_MSS_OPTION);
    if (p)
        finish(h, p, src, dst, tcp, 0);
}

/* ---- of a connection ---- */

/* A window that has shrunk must not make our own segments look as if they were outside it (tcp_acceptable_seq). */
static uint32_t bare_seq(const struct sim_tcp *t)
{
    uint32_t edge = t->una + t->wnd;
    return tcp_before(edge, t->nxt) ? edge : t->nxt;
}

/* Without what has been acknowledged of it, and no more than fits the path. */
void sim_tcp_transmit(struct sim_tcp *t, struct packet *p)
{
    const struct sim_segment *s = sim_segment(p);
    uint32_t n = sim_segment_payload(p);
    uint32_t skip = tcp_before(s->seq, t->una) ? t->una - s->seq : 0;
    skip = skip < n ? skip : n;
    n -= skip;
    bool whole = n <= t->mss;
    n = whole ? n : t->mss;
    struct packet *copy = new_packet(t->host, SIM_TCP_PAYLOAD + n);
    if (!copy)
        return;
    memcpy(copy->data + SIM_TCP_PAYLOAD, p->data + SIM_TCP_PAYLOAD + skip, n);
    t->ack_due = false;
    finish(t->host, copy, t->local, t->remote,
           &(struct tcp_build){.seq = s->seq + skip,
                               .ack = t->rcv_nxt,
                               .flags = (uint8_t)(TCP_ACK | (whole ? s->flags : 0)),
                               .window = sim_tcp_window(t)},
           n);
}

/* A SYN that is sent again never announces more than before, a SYN-ACK does (Linux: tcp_advertise_mss(),
 * tcp_make_synack()). */
static uint16_t announced_mss(struct sim_tcp *t)
{
    int port = sim_stack_route(t->host, t->remote.addr);
    unsigned mtu = port >= 0 ? t->host->ports[port].is.mtu : LOOPBACK_MTU;
    uint16_t mss = (uint16_t)(mtu - IP_HEADER - TCP_HEADER);
    if (t->state == SIM_TCP_SYN_SENT && t->syn_mss && t->syn_mss < mss)
        mss = t->syn_mss;
    t->syn_mss = mss;
    return mss;
}

void sim_tcp_syn(struct sim_tcp *t)
{
    bool answer = t->state == SIM_TCP_SYN_RECEIVED;
    bare(t->host, t->local, t->remote,
         &(struct tcp_build){.seq = t->iss,
                             .ack = answer ? t->rcv_nxt : 0,
                             .flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN,
                             .window = SIM_TCP_WINDOW,
                             .mss = announced_mss(t)});
}

void sim_tcp_ack(struct sim_tcp *t)
{
    t->ack_due = false;
    bare(t->host, t->local, t->remote,
         &(struct tcp_build){.seq = bare_seq(t), .ack = t->rcv_nxt, .flags = TCP_ACK, .window = sim_tcp_window(t)});
}

void sim_tcp_probe(struct sim_tcp *t)
{
    bare(t->host, t->local, t->remote,
         &(struct tcp_build){.seq = t->una - 1, .ack = t->rcv_nxt, .flags = TCP_ACK, .window = sim_tcp_window(t)});
}

void sim_tcp_active_reset(struct sim_tcp *t)
{
    bare(t->host, t->local, t->remote,
         &(struct tcp_build){.seq = bare_seq(t), .ack = t->rcv_nxt, .flags = TCP_RST | TCP_ACK});
}

/* ---- of nobody ---- */

void sim_tcp_refuse(struct host *h, const struct tcp_view *s)
{
    struct tcp_build reset = {.flags = TCP_RST};
    if (s->flags & TCP_RST)
        return;
    if (s->flags & TCP_ACK) {
        reset.seq = s->ack;
    } else {
        reset.flags |= TCP_ACK;
        reset.ack = s->seq + tcp_length(s);
    }
    bare(h, s->dst, s->src, &reset);
}
