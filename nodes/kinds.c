#include "nodes/node.h"

extern const struct node_kind dns_kind, nat_kind, pbx_kind, phone_kind, prober_kind, router_kind, sbc_kind, stun_kind;

const struct node_kind *const node_kinds[] = {&dns_kind,    &nat_kind, &pbx_kind,  &phone_kind, &prober_kind,
                                              &router_kind, &sbc_kind, &stun_kind, NULL};

const struct node_kind *node_kind_find(struct span name)
{
    for (const struct node_kind *const *kind = node_kinds; *kind; kind++)
        if (span_is(name, (*kind)->name))
            return *kind;
    return NULL;
}
