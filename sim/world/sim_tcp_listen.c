/* Passive opens, and all that a program has open, in the order of opening. */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

#include <stdlib.h>

/* ---- what the program has open ---- */

void sim_tcp_end_add(struct host *h, struct sim_tcp_end *end)
{
    struct sim_tcp_stack *stack = h->tcp;
    sim_input_init(&end->input, h);
    end->older = stack->newest;
    if (stack->newest)
        stack->newest->newer = end;
    stack->newest = end;
}

void sim_tcp_end_close(struct sim_tcp_end *end)
{
    struct sim_tcp_stack *stack = end->input.host->tcp;
    if (end->newer)
        end->newer->older = end->older;
    else
        stack->newest = end->older;
    if (end->older)
        end->older->newer = end->newer;
    sim_input_close(&end->input);
}

/* ---- listeners ---- */

static struct host_listener *of(const struct sim_input *input)
{
    return (struct host_listener *)(uintptr_t)input;
}

static struct sim_tcp *next_complete(struct host_listener *l)
{
    struct sim_tcp *t = l->first;
    if (!t)
        return NULL;
    l->first = t->next_accepted;
    if (!l->first)
        l->last = &l->first;
    t->next_accepted = NULL;
    t->listener = NULL;
    return t;
}

static unsigned poll(const struct sim_input *input)
{
    return of(input)->first != NULL;
}

/* Everything that is complete. Their own input is the next round's. */
static void tell(struct sim_input *input, unsigned what)
{
    struct host_listener *l = of(input);
    (void)what;
    for (struct sim_tcp *t; !input->closed && (t = next_complete(l));) {
        struct host_tcp *c = sim_tcp_adopt(t, false);
        if (!c)
            return;
        l->events.accepted(l->arg, c, c->remote);
        if (!c->owned)
            host_tcp_abort(c);
        else if (!c->end.input.closed)
            sim_tcp_tell(t);
    }
}

void sim_tcp_complete(struct sim_tcp *t)
{
    struct host_listener *l = t->listener;
    *l->last = t;
    l->last = &t->next_accepted;
    sim_input_news(&l->end.input);
}

static bool is_taken(const struct host *h, struct endpoint local)
{
    for (const struct host_listener *l = h->tcp->listeners; l; l = l->sibling)
        if (l->local.port == local.port && (l->local.addr == local.addr || !l->local.addr || !local.addr))
            return true;
    return false;
}

int host_tcp_listen(struct host *h, struct endpoint local, const struct host_listener_events *events, void *arg,
                    struct host_listener **out)
{
    if (!local.port)
        return FE_ERANGE;
    if (local.addr && sim_stack_route(h, local.addr) != ROUTE_LOCAL)
        return FE_EUNREACH;
    if (!sim_tcp_stack(h))
        return FE_EMEM;
    if (is_taken(h, local))
        return FE_EUSED;
    struct host_listener *l = calloc(1, sizeof *l);
    if (!l)
        return FE_EMEM;
    l->local = local;
    l->events = *events;
    l->arg = arg;
    l->last = &l->first;
    l->end.listens = true;
    l->end.input.poll = poll;
    l->end.input.tell = tell;
    sim_tcp_end_add(h, &l->end);
    l->sibling = h->tcp->listeners;
    h->tcp->listeners = l;
    *out = l;
    return 0;
}

/* Half-open ones vanish: what comes for them is then refused. */
static void drop_requests(struct host *h, const struct host_listener *l)
{
    for (size_t i = 0; i < (size_t)1 << h->tcp->bits; i++)
        for (struct sim_tcp *t = h->tcp->heads[i], *next; t; t = next) {
            next = t->sibling;
            if (t->listener == l && t->state == SIM_TCP_SYN_RECEIVED)
                sim_tcp_done(t, 0);
        }
}

static void drop_complete(struct sim_tcp *t, bool silent)
{
    if (t->state == SIM_TCP_CLOSED) {
        sim_tcp_bury(t);
        return;
    }
    if (!silent)
        sim_tcp_active_reset(t);
    sim_tcp_done(t, 0);
}

static void listener_end(struct host_listener *l, bool silent)
{
    struct host *h = l->end.input.host;
    struct host_listener **link = &h->tcp->listeners;
    bool outermost = sim_tcp_enter(h);
    while (*link != l)
        link = &(*link)->sibling;
    *link = l->sibling;
    for (struct sim_tcp *t; (t = next_complete(l));)
        drop_complete(t, silent);
    drop_requests(h, l);
    sim_tcp_end_close(&l->end);
    sim_tcp_leave(h, outermost);
}

void host_listener_close(struct host_listener *l)
{
    if (!l->end.input.closed)
        listener_end(l, false);
}

/* ---- all of them ---- */

/* The newest first, as Linux ends the files of a killed process. */
void sim_tcp_close_all(struct host *h)
{
    bool outermost = sim_tcp_enter(h);
    while (h->tcp && h->tcp->newest) {
        struct sim_tcp_end *end = h->tcp->newest;
        if (end->listens) {
            listener_end((struct host_listener *)end, false);
        } else {
            struct host_tcp *c = (struct host_tcp *)end;
            c->owned = false;
            sim_tcp_close(c->tcp);
            c->tcp = NULL;
            sim_tcp_end_close(end);
        }
    }
    sim_tcp_leave(h, outermost);
}

void sim_tcp_end_forget(struct sim_tcp_end *end)
{
    struct host_tcp *c = (struct host_tcp *)end;
    if (end->listens) {
        listener_end((struct host_listener *)end, true);
        return;
    }
    c->owned = false;
    c->tcp->owner = NULL;
    if (c->tcp->state == SIM_TCP_CLOSED)
        sim_tcp_bury(c->tcp);
    else
        sim_tcp_done(c->tcp, 0);
    c->tcp = NULL;
    sim_tcp_end_close(end);
}

uint64_t sim_tcp_end_held(const struct sim_tcp_end *end)
{
    uint64_t n = 0;
    if (end->listens) {
        for (const struct sim_tcp *t = ((const struct host_listener *)end)->first; t; t = t->next_accepted)
            n += t->state == SIM_TCP_CLOSED ? t->received.n : 0;
        return n;
    }
    const struct sim_tcp *t = ((const struct host_tcp *)end)->tcp;
    return t->state == SIM_TCP_CLOSED ? t->received.n : 0;
}
