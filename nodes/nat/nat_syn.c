#include "nodes/nat/nat_syn.h"

#include "nodes/nat/nat_engine.h"
#include "nodes/proto/tcp.h"

#include <stdlib.h>
#include <string.h>

#define HELD_FOR (6 * SEC) /* RFC 5382 REQ-4 */

/* In the order of their coming, which is that of their time. */
struct syn {
    struct endpoint src, dst;
    enum nat_cause cause;
    lab_time until;
    uint8_t *bytes;
    size_t n;
};

struct nat_syns {
    struct syn held[NAT_SYNS];
    unsigned n;
    unsigned due;   /* the first so many */
    uint8_t *taken; /* lent to the last nat_syns_take */
};

struct nat_syns *nat_syns_new(void)
{
    return calloc(1, sizeof(struct nat_syns));
}

void nat_syns_clear(struct nat_syns *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++)
        free(s->held[i].bytes);
    free(s->taken);
    s->taken = NULL;
    s->n = s->due = 0;
}

void nat_syns_free(struct nat_syns *s)
{
    nat_syns_clear(s);
    free(s);
}

static bool is_held(const struct nat_syns *s, struct endpoint src, struct endpoint dst)
{
    for (unsigned i = 0; i < s->n; i++)
        if (endpoint_equal(s->held[i].src, src) && endpoint_equal(s->held[i].dst, dst))
            return true;
    return false;
}

bool nat_syns_hold(struct nat_syns *s, const struct ip_view *v, const uint8_t *packet, enum nat_cause cause,
                   lab_time now)
{
    struct syn syn = {{v->src, v->sport}, {v->dst, v->dport}, cause, now + HELD_FOR, NULL, v->total};
    if (s->n == NAT_SYNS || is_held(s, syn.src, syn.dst))
        return false;
    syn.bytes = malloc(syn.n);
    if (!syn.bytes)
        return false;
    memcpy(syn.bytes, packet, syn.n);
    s->held[s->n++] = syn;
    return true;
}

void nat_syns_expire(struct nat_syns *s, lab_time now)
{
    while (s && s->due < s->n && s->held[s->due].until <= now)
        s->due++;
}

lab_time nat_syns_deadline(const struct nat_syns *s)
{
    return s && s->due < s->n ? s->held[s->due].until : NEVER;
}

bool nat_syns_take(struct nat_syns *s, uint8_t **packet, size_t *n, enum nat_cause *cause)
{
    if (!s || s->due == 0)
        return false;
    free(s->taken);
    s->taken = *packet = s->held[0].bytes;
    *n = s->held[0].n;
    *cause = s->held[0].cause;
    s->due--;
    s->n--;
    memmove(s->held, s->held + 1, s->n * sizeof s->held[0]);
    return true;
}

/* ---- of the engine ---- */

static bool is_opening(const struct nat_parcel *p)
{
    const unsigned flags = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
    return p->v.protocol == IP_TCP && !ip_is_fragment(&p->v) &&
           (p->packet[p->v.header + TCP_FLAGS_AT] & flags) == TCP_SYN;
}

bool nat_syn_hold(struct nat_parcel *p, enum nat_cause cause)
{
    struct nat *nat = p->nat;
    if (!nat->table.config.hold_syn || !is_opening(p) || !nat_is_public(nat, p->v.dst))
        return false;
    if (!nat->syns)
        nat->syns = nat_syns_new();
    if (!nat->syns || !nat_syns_hold(nat->syns, &p->v, p->packet, cause, p->now))
        return false;
    p->out->action = NAT_HOLD;
    return true;
}
