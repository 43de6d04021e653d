#include "sim/lab/script_fault.h"

#include "nodes/base/error.h"
#include "sim/engine/engine.h"

#include <stdlib.h>

struct slot {
    const struct step *step; /* NULL: not reached yet */
    struct engine *e;
    struct fault *fault; /* STEP_FAULT */
    uint64_t hits;       /* of earlier rounds */
    struct timer timer;  /* STEP_FLAP */
    lab_time until;
    bool down;
};

struct script_faults {
    size_t n;
    struct slot **slots; /* each stays where it is: its timer runs */
};

/* ---- flapping ---- */

static void wires_set(const struct slot *slot, bool down)
{
    for (size_t i = 0; i < slot->step->wires_n; i++) {
        const struct step_wire *w = &slot->step->wires[i];
        struct wire_spec spec = *engine_wire(slot->e, w->wire, w->direction);
        spec.down = down;
        engine_wire_set(slot->e, w->wire, w->direction, &spec);
    }
}

/* Down and up in turns; when its time is over the wires are whole. */
static void flap(void *arg)
{
    struct slot *slot = arg;
    lab_time now = engine_now(slot->e);
    bool over = now >= slot->until;
    slot->down = !over && !slot->down;
    wires_set(slot, slot->down);
    if (over)
        return;
    lab_time next = now + (slot->down ? slot->step->down : slot->step->up);
    engine_timer_start(slot->e, &slot->timer, next < slot->until ? next : slot->until);
}

static void flap_begin(struct slot *slot)
{
    slot->until = engine_now(slot->e) + slot->step->duration;
    slot->down = false;
    flap(slot);
}

/* ---- packets ---- */

static int packets_begin(struct slot *slot)
{
    if (slot->fault) {
        slot->hits += engine_fault_hits(slot->fault);
        engine_fault_stop(slot->e, slot->fault);
    }
    slot->fault = engine_fault_start(slot->e, slot->step->fault);
    return slot->fault ? 0 : FE_EMEM;
}

int script_fault_begin(struct script_faults *f, struct engine *e, const struct step *step)
{
    struct slot *slot = f->slots[step->index];
    slot->step = step;
    slot->e = e;
    if (step->type == STEP_FAULT)
        return packets_begin(slot);
    flap_begin(slot);
    return 0;
}

/* ---- partitions ---- */

void script_sides_set(struct engine *e, const struct step *step)
{
    struct record *r = engine_trace(e, "partition");
    bool apart = false;
    for (size_t i = 0; i < step->wires_n; i++) {
        engine_side_set(e, step->wires[i].wire, step->sides[i]);
        apart = apart || step->sides[i];
    }
    record_u64(r, "line", step->at.line);
    record_bool(r, "apart", apart);
    engine_trace_end(e);
}

/* ---- the end ---- */

static uint64_t hits_of(const struct slot *slot)
{
    return slot->hits + engine_fault_hits(slot->fault);
}

static void over_trace(const struct slot *slot)
{
    struct record *r = engine_trace(slot->e, "fault-over");
    record_u64(r, "line", slot->step->at.line);
    record_str(r, "text", slot->step->text);
    record_u64(r, "hits", hits_of(slot));
    engine_trace_end(slot->e);
}

void script_faults_report(struct script_faults *f, void (*missed)(void *arg, const struct step *step), void *arg)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->slots[i]->fault)
            over_trace(f->slots[i]);
    for (size_t i = 0; i < f->n; i++)
        if (f->slots[i]->fault && !f->slots[i]->step->may_miss && hits_of(f->slots[i]) == 0)
            missed(arg, f->slots[i]->step);
}

/* ---- life ---- */

int script_faults_more(struct script_faults *f, const struct lab *lab)
{
    struct slot **slots = realloc(f->slots, (lab->faults_n + 1) * sizeof(struct slot *));
    if (!slots)
        return FE_EMEM;
    f->slots = slots;
    while (f->n < lab->faults_n) {
        struct slot *slot = calloc(1, sizeof *slot);
        if (!slot)
            return FE_EMEM;
        timer_init(&slot->timer, flap, slot);
        f->slots[f->n++] = slot;
    }
    return 0;
}

struct script_faults *script_faults_new(const struct lab *lab)
{
    struct script_faults *f = calloc(1, sizeof *f);
    if (f && script_faults_more(f, lab)) {
        script_faults_free(f);
        return NULL;
    }
    return f;
}

void script_faults_free(struct script_faults *f)
{
    for (size_t i = 0; f && i < f->n; i++)
        free(f->slots[i]);
    if (f)
        free(f->slots);
    free(f);
}
