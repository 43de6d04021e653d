/* Packets on the wires: entering, arriving, through switches; and the book-keeping of them. */
#include "nodes/base/bytes.h"
#include "sim/engine/engine_impl.h"
#include "sim/engine/profile.h"

#include <assert.h>

/* Only the first packet of a way is in the queue: nothing is to be done there unless another has become the first. */
void engine_put(struct engine *e, unsigned way, struct packet *p, lab_time late)
{
    struct wire_way *wire = &e->ways[way].wire;
    const struct packet *first = wire->first;
    enum wire_fate fate = late ? wire_send_late(wire, e->now, p, late) : wire_send(wire, e->now, p);
    if (fate != WIRE_TAKEN) {
        engine_note_wire_drop(e, way, fate, p);
        packet_release(p);
        return;
    }
    if (wire->first != first)
        queue_set(&e->queue, engine_way_source(way), wire->first->at);
    if (wire->marks)
        engine_note_marks(e, way, p);
}

void engine_send(struct engine *e, unsigned way, struct packet *p)
{
    if (e->ways[way].faulty)
        engine_fault_send(e, way, p);
    else
        engine_put(e, way, p, 0);
}

static void deliver(struct engine *e, const struct plan_end *to, struct packet *p)
{
    const struct engine_node *n = &e->nodes[to->index];
    if (n->dark) {
        engine_note_dark(e, to->index, p);
        packet_release(p);
        return;
    }
    engine_note_push(e, to->index, p);
    n->ops->push(n->world, to->index, to->port, p);
    engine_touch(e, to->index);
}

enum { BOTH_SIDES = 3 };

/* What a switch is given it passes on at once: its wires have the delays. */
static void pass_on(struct engine *e, unsigned way, struct packet *p)
{
    struct engine_way *from = &e->ways[way];
    const struct switch_host *host = NULL;
    if (p->n >= IP_HEADER)
        host = switch_find(&e->switches[from->to.index], get32(p->data + 16), way / 2);
    enum wire_fate fate = host ? WIRE_TAKEN : WIRE_NO_SUCH_HOST;
    if (host && (from->side | e->ways[2 * host->wire + host->end].side) == BOTH_SIDES)
        fate = WIRE_PARTITION;
    if (fate != WIRE_TAKEN) {
        wire_undeliverable(&from->wire, fate);
        engine_note_wire_drop(e, way, fate, p);
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
           a->rate == b->rate && a->queue == b->queue && a->down == b->down && a->icmp_off == b->icmp_off &&
           a->dscp_clear == b->dscp_clear && a->ttl == b->ttl && a->burst_begins == b->burst_begins &&
           a->burst_ends == b->burst_ends && a->burst_loss == b->burst_loss && a->duplicate == b->duplicate &&
           a->corrupt == b->corrupt && a->profile == b->profile;
}

static void changed_i64(struct record *r, const char *key, int64_t was, int64_t is)
{
    if (was != is)
        record_i64(r, key, is);
}

static void changed_bool(struct record *r, const char *key, bool was, bool is)
{
    if (was != is)
        record_bool(r, key, is);
}

static void trace_change(struct engine *e, unsigned wire, unsigned direction, const struct wire_spec *was,
                         const struct wire_spec *is)
{
    struct record *r = engine_trace(e, "wire");
    record_str(r, "wire", e->plan->wires[wire].name);
    if (direction != ENGINE_BOTH)
        record_u64(r, "direction", direction);
    changed_i64(r, "delay", was->delay, is->delay);
    changed_i64(r, "jitter", was->jitter, is->jitter);
    changed_bool(r, "reorder", was->reorder, is->reorder);
    changed_i64(r, "loss", was->loss, is->loss);
    if (is->rate != was->rate)
        record_u64(r, "rate", is->rate);
    changed_i64(r, "queue", was->queue, is->queue);
    changed_bool(r, "down", was->down, is->down);
    changed_bool(r, "icmp", !was->icmp_off, !is->icmp_off);
    changed_bool(r, "dscp_clear", was->dscp_clear, is->dscp_clear);
    changed_i64(r, "ttl", was->ttl, is->ttl);
    changed_i64(r, "burst_begins", was->burst_begins, is->burst_begins);
    changed_i64(r, "burst_ends", was->burst_ends, is->burst_ends);
    changed_i64(r, "burst_loss", was->burst_loss, is->burst_loss);
    changed_i64(r, "duplicate", was->duplicate, is->duplicate);
    changed_i64(r, "corrupt", was->corrupt, is->corrupt);
    if (is->profile != was->profile)
        record_str(r, "profile", is->profile ? is->profile->name : "none");
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

void engine_side_set(struct engine *e, unsigned wire, unsigned side)
{
    assert(wire < e->plan->wires_n && side < BOTH_SIDES);
    e->ways[2 * wire].side = e->ways[2 * wire + 1].side = (uint8_t)side;
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
    out->icmp_off += wire->drops[WIRE_ICMP_OFF];
    out->ttl_exceeded += wire->drops[WIRE_TTL];
    out->fault += wire->drops[WIRE_FAULT];
    out->partition += wire->drops[WIRE_PARTITION];
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
        uint64_t drops = c.lost + c.queue_full + c.too_big + c.wire_down + c.no_such_host + c.icmp_off +
                         c.ttl_exceeded + c.fault + c.partition;
        if (c.sent != c.delivered + c.in_flight + drops)
            return false;
        in_flight += c.in_flight;
    }
    return pool_live(e->pool) == in_flight + held(e);
}
