/* Packets on the wires: entering, arriving, through switches; and the book-keeping of them. */
#include "nodes/base/bytes.h"
#include "sim/engine/engine_impl.h"

#include <assert.h>

/* Only the first packet of a way is in the queue: nothing is to be done there unless this one has become the first. */
void engine_send(struct engine *e, unsigned way, struct packet *p)
{
    struct wire_way *wire = &e->ways[way].wire;
    enum wire_fate fate = wire_send(wire, e->now, p);
    if (fate == WIRE_TAKEN) {
        if (wire->first == p)
            queue_set(&e->queue, engine_way_source(way), p->at);
        return;
    }
    engine_note_wire_drop(e, way, fate, p);
    packet_release(p);
}

static void deliver(struct engine *e, const struct plan_end *to, struct packet *p)
{
    const struct engine_node *n = &e->nodes[to->index];
    engine_note_push(e, to->index, p);
    n->ops->push(n->world, to->index, to->port, p);
    engine_touch(e, to->index);
}

/* What a switch is given it passes on at once: its wires have the delays. */
static void pass_on(struct engine *e, unsigned way, struct packet *p)
{
    struct engine_way *from = &e->ways[way];
    const struct switch_host *host = NULL;
    if (p->n >= IP_HEADER)
        host = switch_find(&e->switches[from->to.index], get32(p->data + 16), way / 2);
    if (!host) {
        wire_undeliverable(&from->wire);
        engine_note_wire_drop(e, way, WIRE_NO_SUCH_HOST, p);
        packet_release(p);
        return;
    }
    if (e->capture)
        capture_packet(e->capture, e->now, way / 2, way % 2, p->data, p->n, NULL);
    engine_send(e, 2 * host->wire + host->end, p);
}

void engine_arrive(struct engine *e, unsigned way)
{
    struct engine_way *w = &e->ways[way];
    struct packet *p = wire_take(&w->wire);
    queue_renew(&e->queue, wire_next(&w->wire));
    if (w->to.type == PLAN_END_SWITCH) {
        pass_on(e, way, p);
        return;
    }
    if (e->capture)
        capture_open(e->capture, e->now, way / 2, way % 2, p->data, p->n);
    deliver(e, &w->to, p);
}

/* ---- changing wires ---- */

const struct wire_spec *engine_wire(const struct engine *e, unsigned wire, unsigned direction)
{
    assert(wire < e->plan->wires_n && direction < 2);
    return &e->ways[2 * wire + direction].wire.spec;
}

static bool spec_equal(const struct wire_spec *a, const struct wire_spec *b)
{
    return a->delay == b->delay && a->jitter == b->jitter && a->reorder == b->reorder && a->loss == b->loss &&
           a->rate == b->rate && a->queue == b->queue && a->down == b->down;
}

static void trace_change(struct engine *e, unsigned wire, unsigned direction, const struct wire_spec *was,
                         const struct wire_spec *is)
{
    struct record *r = engine_trace(e, "wire");
    record_str(r, "wire", e->plan->wires[wire].name);
    if (direction != ENGINE_BOTH)
        record_u64(r, "direction", direction);
    if (is->delay != was->delay)
        record_i64(r, "delay", is->delay);
    if (is->jitter != was->jitter)
        record_i64(r, "jitter", is->jitter);
    if (is->reorder != was->reorder)
        record_bool(r, "reorder", is->reorder);
    if (is->loss != was->loss)
        record_u64(r, "loss", is->loss);
    if (is->rate != was->rate)
        record_u64(r, "rate", is->rate);
    if (is->queue != was->queue)
        record_u64(r, "queue", is->queue);
    if (is->down != was->down)
        record_bool(r, "down", is->down);
    engine_trace_end(e);
}

static void way_set(struct engine *e, unsigned way, const struct wire_spec *spec)
{
    struct wire_spec changed = *spec;
    changed.mtu = e->ways[way].wire.spec.mtu;
    wire_set(&e->ways[way].wire, &changed);
}

void engine_wire_set(struct engine *e, unsigned wire, unsigned direction, const struct wire_spec *spec)
{
    assert(wire < e->plan->wires_n && direction <= ENGINE_BOTH);
    const struct wire_spec was[2] = {*engine_wire(e, wire, 0), *engine_wire(e, wire, 1)};
    bool both = direction == ENGINE_BOTH;
    if (both && !spec_equal(&was[0], &was[1])) { /* what changes differs: a line for each */
        engine_wire_set(e, wire, 0, spec);
        engine_wire_set(e, wire, 1, spec);
        return;
    }
    const struct wire_spec *old = &was[both ? 0 : direction];
    if (spec_equal(old, spec))
        return;
    if (both || direction == 0)
        way_set(e, 2 * wire, spec);
    if (both || direction == 1)
        way_set(e, 2 * wire + 1, spec);
    trace_change(e, wire, direction, old, spec);
}

/* ---- conservation ---- */

static void count_way(const struct wire_way *wire, struct engine_count *out)
{
    out->sent += wire->sent;
    out->delivered += wire->delivered;
    out->in_flight += wire_in_flight(wire);
    out->lost += wire->drops[WIRE_LOST];
    out->queue_full += wire->drops[WIRE_QUEUE_FULL];
    out->too_big += wire->drops[WIRE_TOO_BIG];
    out->wire_down += wire->drops[WIRE_DOWN];
    out->no_such_host += wire->drops[WIRE_NO_SUCH_HOST];
}

void engine_count(const struct engine *e, unsigned wire, struct engine_count *out)
{
    *out = (struct engine_count){0};
    count_way(&e->ways[2 * wire].wire, out);
    count_way(&e->ways[2 * wire + 1].wire, out);
}

void engine_count_all(const struct engine *e, struct engine_count *out)
{
    *out = (struct engine_count){0};
    for (size_t i = 0; i < 2 * e->plan->wires_n; i++)
        count_way(&e->ways[i].wire, out);
}

static uint64_t held(const struct engine *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < e->worlds_n; i++)
        if (e->worlds[i].ops->held)
            n += e->worlds[i].ops->held(e->worlds[i].world);
    return n;
}

bool engine_conserved(const struct engine *e)
{
    uint64_t in_flight = 0;
    for (size_t i = 0; i < 2 * e->plan->wires_n; i++) {
        struct engine_count c = {0};
        count_way(&e->ways[i].wire, &c);
        if (c.sent != c.delivered + c.in_flight + c.lost + c.queue_full + c.too_big + c.wire_down + c.no_such_host)
            return false;
        in_flight += c.in_flight;
    }
    return pool_live(e->pool) == in_flight + held(e);
}
