/* The switch of a network without hops: which wire an address is at. */
#ifndef FAREND_ENGINE_SWITCH_H
#define FAREND_ENGINE_SWITCH_H

#include "nodes/base/addr.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stddef.h>

struct switch_host {
    ipv4 addr;
    unsigned wire, end; /* the switch is plan_wire.end[end] */
};

struct switch_table {
    struct switch_host *hosts; /* by address */
    size_t n;
    bool has_gateway;
    struct switch_host gateway;
};

/* The tables of all switches of a plan, plan->switches_n of them. FE_EMEM. */
int switch_tables_new(struct switch_table **out, const struct plan *plan);
void switch_tables_free(struct switch_table *tables, const struct plan *plan);

/* Where a packet for `dst` goes that came by wire `from`: its host, else the gateway, but never back where it came
 * from. NULL: nowhere. */
const struct switch_host *switch_find(const struct switch_table *table, ipv4 dst, unsigned from);

#endif
