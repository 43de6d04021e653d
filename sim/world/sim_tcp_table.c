/* The connections of a node by their ends, and their coming and going.
 *
 * Whatever TCP does happens between sim_tcp_enter() and sim_tcp_leave(). A segment to ourselves is not received inside
 * what sent it: it waits until that is over, as the kernel's loopback interface lets it. What has died is freed then
 * too, so that nobody up the stack holds it. */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

#include <stdlib.h>

enum { FIRST_HEADS = 1, MOST_HEADS = 20 }; /* bits of the table */

struct sim_tcp_stack *sim_tcp_stack(struct host *h)
{
    if (h->tcp)
        return h->tcp;
    struct sim_tcp_stack *stack = calloc(1, sizeof *stack);
    struct sim_tcp **heads = calloc((size_t)1 << FIRST_HEADS, sizeof(struct sim_tcp *));
    if (!stack || !heads) {
        free(stack);
        free(heads);
        engine_fail(h->world->engine, "out of memory for a node's TCP");
        return NULL;
    }
    stack->heads = heads;
    stack->bits = FIRST_HEADS;
    timers_init(&stack->timers);
    host_stream(h, "tcp", &stack->isn);
    h->tcp = stack;
    return stack;
}

/* ---- the table ---- */

static uint32_t hash_of(struct endpoint local, struct endpoint remote)
{
    uint32_t mixed = remote.addr * 0x9e3779b1u ^ ((uint32_t)remote.port << 16 | local.port) * 0x85ebca6bu;
    return mixed ^ mixed >> 15;
}

static struct sim_tcp **head_of(struct sim_tcp **heads, unsigned bits, struct endpoint local, struct endpoint remote)
{
    return &heads[hash_of(local, remote) & ((1u << bits) - 1)];
}

/* Without memory the table stays as it is: longer chains are still right. */
static void table_grow(struct sim_tcp_stack *stack)
{
    unsigned bits = stack->bits + 1;
    struct sim_tcp **heads = bits <= MOST_HEADS ? calloc((size_t)1 << bits, sizeof(struct sim_tcp *)) : NULL;
    if (!heads)
        return;
    for (size_t i = 0; i < (size_t)1 << stack->bits; i++)
        for (struct sim_tcp *t = stack->heads[i], *next; t; t = next) {
            struct sim_tcp **head = head_of(heads, bits, t->local, t->remote);
            next = t->sibling;
            t->sibling = *head;
            *head = t;
        }
    free(stack->heads);
    stack->heads = heads;
    stack->bits = bits;
}

static void table_add(struct sim_tcp_stack *stack, struct sim_tcp *t)
{
    if (stack->n >= (size_t)1 << stack->bits)
        table_grow(stack);
    struct sim_tcp **head = head_of(stack->heads, stack->bits, t->local, t->remote);
    t->sibling = *head;
    *head = t;
    stack->n++;
}

static void table_remove(struct sim_tcp_stack *stack, struct sim_tcp *t)
{
    struct sim_tcp **link = head_of(stack->heads, stack->bits, t->local, t->remote);
    while (*link != t)
        link = &(*link)->sibling;
    *link = t->sibling;
    t->sibling = NULL;
    stack->n--;
}

struct sim_tcp *sim_tcp_find(const struct host *h, struct endpoint local, struct endpoint remote)
{
    if (!h->tcp)
        return NULL;
    struct sim_tcp *t = *head_of(h->tcp->heads, h->tcp->bits, local, remote);
    while (t && !(endpoint_equal(t->local, local) && endpoint_equal(t->remote, remote)))
        t = t->sibling;
    return t;
}

struct host_listener *sim_tcp_listener(const struct host *h, struct endpoint local)
{
    struct host_listener *l = h->tcp ? h->tcp->listeners : NULL;
    while (l && !(l->local.port == local.port && (l->local.addr == local.addr || l->local.addr == 0)))
        l = l->sibling;
    return l;
}

bool sim_tcp_port_used(const struct host *h, uint16_t port)
{
    if (!h->tcp)
        return false;
    for (const struct host_listener *l = h->tcp->listeners; l; l = l->sibling)
        if (l->local.port == port)
            return true;
    for (size_t i = 0; i < (size_t)1 << h->tcp->bits; i++)
        for (const struct sim_tcp *t = h->tcp->heads[i]; t; t = t->sibling)
            if (t->local.port == port)
                return true;
    return false;
}

/* ---- coming and going ---- */

struct sim_tcp *sim_tcp_new(struct host *h, struct endpoint local, struct endpoint remote)
{
    struct sim_tcp_stack *stack = sim_tcp_stack(h);
    struct sim_tcp *t = stack ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->host = h;
    t->local = local;
    t->remote = remote;
    t->iss = t->una = t->nxt = (uint32_t)prng_u64(&stack->isn);
    t->nxt++; /* the SYN */
    t->end = t->pushed = t->nxt;
    t->peer_mss = TCP_DEFAULT_MSS;
    sim_reno_init(&t->reno);
    sim_tcp_timer_init(t);
    table_add(stack, t);
    return t;
}

static void forget_queues(struct sim_tcp *t)
{
    sim_packets_clear(&t->sent);
    sim_packets_clear(&t->unsent);
    sim_packets_clear(&t->early);
    t->unsent_bytes = t->early_bytes = 0;
}

/* What was received stays for the program to be read: Linux tells the data first, and then the end. */
void sim_tcp_done(struct sim_tcp *t, int error)
{
    if (t->state == SIM_TCP_CLOSED)
        return;
    struct host_listener *never = t->state == SIM_TCP_SYN_RECEIVED ? t->listener : NULL;
    t->state = SIM_TCP_CLOSED;
    t->error = error;
    timers_stop(&t->host->tcp->timers, &t->timer);
    table_remove(t->host->tcp, t);
    forget_queues(t);
    if (never)
        t->listener = NULL;
    if (t->owner)
        sim_tcp_tell(t);
    else if (!t->listener)
        sim_tcp_bury(t);
}

void sim_tcp_bury(struct sim_tcp *t)
{
    sim_packets_clear(&t->received);
    t->sibling = t->host->tcp->dead;
    t->host->tcp->dead = t;
}

/* ---- around it ---- */

bool sim_tcp_enter(struct host *h)
{
    bool outermost = h->tcp && !h->tcp->busy;
    if (outermost)
        h->tcp->busy = true;
    return outermost;
}

static void receive_looped(struct host *h)
{
    for (struct packet *p; (p = sim_packets_take(&h->tcp->looped));) {
        struct ip_view v;
        if (ip_parse(p->data, p->n, &v) == 0)
            sim_tcp_input(h, p, &v);
        else
            packet_release(p);
    }
}

void sim_tcp_leave(struct host *h, bool outermost)
{
    struct sim_tcp_stack *stack = h->tcp;
    if (!outermost)
        return;
    receive_looped(h);
    while (stack->dead) {
        struct sim_tcp *t = stack->dead;
        stack->dead = t->sibling;
        free(t);
    }
    stack->busy = false;
}

/* ---- all of them ---- */

uint64_t sim_tcp_held(const struct host *h)
{
    uint64_t n = 0;
    if (!h->tcp)
        return 0;
    for (size_t i = 0; i < (size_t)1 << h->tcp->bits; i++)
        for (const struct sim_tcp *t = h->tcp->heads[i]; t; t = t->sibling)
            n += t->sent.n + t->unsent.n + t->received.n + t->early.n;
    for (const struct sim_tcp_end *end = h->tcp->newest; end; end = end->older)
        n += sim_tcp_end_held(end);
    return n + h->tcp->looped.n;
}

lab_time sim_tcp_next(const struct host *h)
{
    return h->tcp ? timers_next(&h->tcp->timers) : NEVER;
}

void sim_tcp_expire(struct host *h)
{
    bool outermost = sim_tcp_enter(h);
    if (h->tcp)
        while (timers_fire(&h->tcp->timers, h->world->now))
            ;
    sim_tcp_leave(h, outermost);
}

/* Ends that nobody owns any more go, with all that the stack knows; nothing is sent. */
void sim_tcp_forget_all(struct host *h)
{
    bool outermost = sim_tcp_enter(h);
    if (!h->tcp)
        return;
    while (h->tcp->newest)
        sim_tcp_end_forget(h->tcp->newest);
    for (size_t i = 0; i < (size_t)1 << h->tcp->bits; i++)
        while (h->tcp->heads[i])
            sim_tcp_done(h->tcp->heads[i], 0);
    sim_packets_clear(&h->tcp->looped);
    sim_tcp_leave(h, outermost);
}

void sim_tcp_fini(struct host *h)
{
    if (!h->tcp)
        return;
    sim_tcp_forget_all(h);
    timers_fini(&h->tcp->timers);
    free(h->tcp->heads);
    free(h->tcp);
    h->tcp = NULL;
}
