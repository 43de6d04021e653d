/* UDP sockets of a simulated node, as Linux's with IP_RECVERR, IP_RECVTTL and IP_PMTUDISC_DONT (or PROBE, with df). */
#include "sim/world/sim_impl.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <stdlib.h>

enum {
    DEFAULT_TTL = 64,
    PORT_LOW = 32768, /* as nodes/host/host_udp.c, so that both worlds choose the same */
    PORT_HIGH = 60999,
    PORT_TRIES = 10000,
    DATAGRAM_MAX = 65507,
    FIRST_HEADS = 1, /* bits of the smallest table of sockets */
};

struct host_udp {
    struct sim_input input;   /* first: the two are one block */
    struct host_udp *sibling; /* with the same hash */
    struct endpoint local;
    struct host_udp_events events;
    void *arg;
    bool df;
};

/* ---- the table ---- */

static struct host_udp **head_of(const struct host *h, uint16_t port)
{
    return &h->sockets[port & ((1u << h->sockets_bits) - 1)];
}

static int table_grow(struct host *h)
{
    unsigned bits = h->sockets ? h->sockets_bits + 1 : FIRST_HEADS;
    struct host_udp **heads = calloc((size_t)1 << bits, sizeof(struct host_udp *));
    if (!heads)
        return FE_EMEM;
    for (size_t i = 0; h->sockets && i < (size_t)1 << h->sockets_bits; i++)
        for (struct host_udp *u = h->sockets[i], *next; u; u = next) {
            struct host_udp **head = &heads[u->local.port & ((1u << bits) - 1)];
            next = u->sibling;
            u->sibling = *head;
            *head = u;
        }
    free(h->sockets);
    h->sockets = heads;
    h->sockets_bits = bits;
    return 0;
}

/* Two sockets never share a port at one address, so at most one answers. */
static struct host_udp *find(const struct host *h, struct endpoint local)
{
    if (!h->sockets)
        return NULL;
    for (struct host_udp *u = *head_of(h, local.port); u; u = u->sibling)
        if (u->local.port == local.port && (u->local.addr == local.addr || u->local.addr == 0))
            return u;
    return NULL;
}

static bool is_taken(const struct host *h, struct endpoint local)
{
    if (!h->sockets)
        return false;
    for (struct host_udp *u = *head_of(h, local.port); u; u = u->sibling)
        if (u->local.port == local.port && (u->local.addr == local.addr || u->local.addr == 0 || local.addr == 0))
            return true;
    return false;
}

static int table_add(struct host *h, struct host_udp *u)
{
    if ((!h->sockets || h->sockets_n >= 1u << h->sockets_bits) && table_grow(h))
        return FE_EMEM;
    struct host_udp **head = head_of(h, u->local.port);
    u->sibling = *head;
    *head = u;
    h->sockets_n++;
    return 0;
}

static void table_remove(struct host *h, struct host_udp *u)
{
    struct host_udp **link = head_of(h, u->local.port);
    while (*link != u)
        link = &(*link)->sibling;
    *link = u->sibling;
    h->sockets_n--;
}

/* ---- in ---- */

static void receive(struct sim_input *input, struct packet *p)
{
    struct host_udp *u = (struct host_udp *)input;
    const uint8_t *udp = p->data + (size_t)(p->data[0] & 15) * 4;
    struct endpoint from = {get32(p->data + 12), get16(udp)};
    u->events.received(u->arg, from, p->data[8], span_make(udp + UDP_HEADER, get16(udp + 4) - (size_t)UDP_HEADER));
}

static void refuse(struct sim_input *input, const struct host_icmp *error)
{
    struct host_udp *u = (struct host_udp *)input;
    if (u->events.refused)
        u->events.refused(u->arg, error);
}

static bool is_sound(const struct packet *p, const struct ip_view *v)
{
    size_t n = v->total - (size_t)v->header;
    if (n < UDP_HEADER)
        return false;
    uint16_t length = get16(p->data + v->header + 4);
    return length >= UDP_HEADER && length <= n && ip_transport_sum_ok(p->data, p->n);
}

void sim_udp_input(struct host *h, struct packet *p, const struct ip_view *v)
{
    if (!is_sound(p, v)) {
        packet_release(p);
        return;
    }
    struct host_udp *u = find(h, (struct endpoint){v->dst, v->dport});
    if (u) {
        sim_input_packet(&u->input, p);
        return;
    }
    sim_icmp_error(h, v->dst, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, p);
    packet_release(p);
}

void sim_udp_error(struct host *h, const struct ip_view *quoted, const struct host_icmp *error)
{
    struct host_udp *u = find(h, (struct endpoint){quoted->src, quoted->sport});
    bool about_mtu = error->type == ICMP_UNREACHABLE && error->code == ICMP_FRAG_NEEDED;
    if (u && (!about_mtu || u->df))
        sim_input_error(&u->input, error);
}

/* ---- opening ---- */

static int choose_port(struct host *h, struct endpoint *local)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        local->port = (uint16_t)(PORT_LOW + prng_below(&h->ports_stream, PORT_HIGH - PORT_LOW + 1));
        if (!is_taken(h, *local))
            return 0;
    }
    return FE_EUSED;
}

static int bind_to(struct host *h, struct endpoint *local)
{
    if (local->addr && sim_stack_route(h, local->addr) != ROUTE_LOCAL)
        return FE_EUNREACH;
    if (local->port == 0)
        return choose_port(h, local);
    return is_taken(h, *local) ? FE_EUSED : 0;
}

int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out)
{
    int error = bind_to(h, &local);
    if (error)
        return error;
    struct host_udp *u = calloc(1, sizeof *u);
    if (!u)
        return FE_EMEM;
    u->local = local;
    u->events = *events;
    u->arg = arg;
    u->input.receive = receive;
    u->input.refuse = refuse;
    if (table_add(h, u)) {
        free(u);
        return FE_EMEM;
    }
    sim_input_init(&u->input, h);
    *out = u;
    return 0;
}

struct endpoint host_udp_local(const struct host_udp *u)
{
    return u->local;
}

void host_udp_set_df(struct host_udp *u, bool df)
{
    u->df = df;
}

void host_udp_close(struct host_udp *u)
{
    if (u->input.closed)
        return;
    table_remove(u->input.host, u);
    sim_input_close(&u->input);
}

void sim_udp_close_all(struct host *h)
{
    for (size_t i = 0; h->sockets && i < (size_t)1 << h->sockets_bits; i++)
        while (h->sockets[i])
            host_udp_close(h->sockets[i]);
    free(h->sockets);
    h->sockets = NULL;
    h->sockets_bits = 0;
}

uint64_t sim_udp_held(const struct host *h)
{
    uint64_t n = 0;
    for (size_t i = 0; h->sockets && i < (size_t)1 << h->sockets_bits; i++)
        for (const struct host_udp *u = h->sockets[i]; u; u = u->sibling)
            n += u->input.packets.n;
    return n;
}

/* ---- out ---- */

/* The address a datagram comes from; 0 with a negative error when there is no way to `to`. */
static int source_for(struct host *h, const struct host_udp *u, struct endpoint to, size_t n, ipv4 *source)
{
    int route = sim_stack_route(h, to.addr);
    if (route == ROUTE_NONE)
        return FE_EUNREACH;
    if (route >= 0 && u->df && n > h->ports[route].is.mtu)
        return FE_ERANGE;
    if (u->local.addr)
        *source = u->local.addr;
    else
        *source = route == ROUTE_LOCAL ? to.addr : h->ports[route].is.addr;
    return 0;
}

int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data)
{
    struct host *h = u->input.host;
    struct ip_build ip = {.dst = to.addr, .ttl = ttl ? ttl : DEFAULT_TTL, .fragment = u->df ? IP_DF : 0};
    size_t n = IP_HEADER + UDP_HEADER + data.n;
    if (to.addr == 0 || to.port == 0)
        return FE_EUNREACH;
    if (data.n > DATAGRAM_MAX)
        return FE_ERANGE;
    int error = source_for(h, u, to, n, &ip.src);
    if (error)
        return error;
    struct packet *p = packet_new(h->world->pool, n);
    if (!p)
        return FE_EAGAIN;
    ip.id = h->ip_id++;
    ip_build_udp(p->data, n, &ip, u->local.port, to.port, data);
    error = sim_stack_output(h, p);
    return error == FE_EMEM ? FE_EAGAIN : error;
}
