#include "sim/engine/switch.h"

#include "nodes/base/error.h"

#include <stdlib.h>

/* The port at the far end of a switch's wire; NULL when it is another switch, which no address names. */
static const struct plan_port *port_beyond(const struct plan *plan, unsigned wire, unsigned end)
{
    const struct plan_end *beyond = &plan->wires[wire].end[!end];
    return beyond->type == PLAN_END_PORT ? &plan->nodes[beyond->index].ports[beyond->port] : NULL;
}

static int compare(const void *a, const void *b)
{
    const struct switch_host *x = a;
    const struct switch_host *y = b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->wire < y->wire ? -1 : x->wire > y->wire; /* the plan's order decides, not the sort's */
}

/* With hosts NULL only counts. */
static void add_host(struct switch_table *table, struct switch_host host)
{
    if (table->hosts)
        table->hosts[table->n] = host;
    table->n++;
}

static void attach(struct switch_table *tables, const struct plan *plan)
{
    for (unsigned wire = 0; wire < plan->wires_n; wire++)
        for (unsigned end = 0; end < 2; end++) {
            const struct plan_end *here = &plan->wires[wire].end[end];
            if (here->type != PLAN_END_SWITCH)
                continue;
            struct switch_table *table = &tables[here->index];
            const struct plan_port *port = port_beyond(plan, wire, end);
            struct switch_host host = {port ? port->addr : 0, wire, end};
            if (plan->switches[here->index].gateway == (int)wire) {
                table->has_gateway = true;
                table->gateway = host;
            }
            add_host(table, host);
            for (size_t i = 0; port && i < port->more_n; i++)
                add_host(table, (struct switch_host){port->more[i], wire, end});
        }
}

int switch_tables_new(struct switch_table **out, const struct plan *plan)
{
    struct switch_table *tables = calloc(plan->switches_n + 1, sizeof *tables);
    if (!tables)
        return FE_EMEM;
    attach(tables, plan);
    for (size_t i = 0; i < plan->switches_n; i++) {
        tables[i].hosts = calloc(tables[i].n + 1, sizeof *tables[i].hosts);
        if (!tables[i].hosts) {
            switch_tables_free(tables, plan);
            return FE_EMEM;
        }
        tables[i].n = 0;
    }
    attach(tables, plan);
    for (size_t i = 0; i < plan->switches_n; i++)
        qsort(tables[i].hosts, tables[i].n, sizeof *tables[i].hosts, compare);
    *out = tables;
    return 0;
}

void switch_tables_free(struct switch_table *tables, const struct plan *plan)
{
    for (size_t i = 0; tables && i < plan->switches_n; i++)
        free(tables[i].hosts);
    free(tables);
}

static const struct switch_host *host_at(const struct switch_table *table, ipv4 addr)
{
    size_t low = 0;
    size_t high = table->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->hosts[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->n && table->hosts[low].addr == addr ? &table->hosts[low] : NULL;
}

const struct switch_host *switch_find(const struct switch_table *table, ipv4 dst, unsigned from)
{
    const struct switch_host *host = host_at(table, dst);
    if (!host && table->has_gateway)
        host = &table->gateway;
    return host && host->wire != from ? host : NULL;
}
