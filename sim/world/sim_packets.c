#include "sim/world/sim_impl.h"

void sim_packets_add(struct sim_packets *q, struct packet *p)
{
    p->next = NULL;
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->n++;
}

struct packet *sim_packets_take(struct sim_packets *q)
{
    struct packet *p = q->first;
    if (!p)
        return NULL;
    q->first = p->next;
    if (!q->first)
        q->last = NULL;
    q->n--;
    return p;
}

void sim_packets_clear(struct sim_packets *q)
{
    for (struct packet *p; (p = sim_packets_take(q));)
        packet_release(p);
}
