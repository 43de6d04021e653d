#include "sim/engine/wire.h"

#include "sim/engine/wire_special.h"

#include <assert.h>

static_assert(WIRE_FATES == 10, "wire_cause() has a word for each fate");

const char *wire_cause(enum wire_fate fate)
{
    switch (fate) {
    case WIRE_TAKEN: break;
    case WIRE_LOST: return "lost";
    case WIRE_QUEUE_FULL: return "queue-full";
    case WIRE_TOO_BIG: return "too-big";
    case WIRE_DOWN: return "down";
    case WIRE_NO_SUCH_HOST: return "no-such-host";
    case WIRE_ICMP_OFF: return "icmp-off";
    case WIRE_TTL: return "ttl-exceeded";
    case WIRE_FAULT: return "fault";
    case WIRE_PARTITION: return "partition";
    }
    return NULL;
}

static void stream_init(struct prng *rng, uint64_t seed, const char *name, const char *const purpose[2],
                        unsigned direction)
{
    prng_init(rng, seed, span_of(name), span_of(purpose[direction]));
}

void wire_init(struct wire_way *way, const struct wire_spec *spec, uint64_t seed, const char *name, unsigned direction)
{
    static const char *const loss[2] = {"loss.0", "loss.1"};
    static const char *const jitter[2] = {"jitter.0", "jitter.1"};
    *way = (struct wire_way){0};
    stream_init(&way->loss, seed, name, loss, direction);
    stream_init(&way->jitter, seed, name, jitter, direction);
    wire_special_init(way, seed, name, direction);
    wire_set(way, spec);
}

void wire_fini(struct wire_way *way)
{
    for (struct packet *p = way->first, *next; p; p = next) {
        next = p->next;
        packet_release(p);
    }
    way->first = way->last = NULL;
}

/* How long `bytes` take at `rate` bits a second, rounded up. Below 2^31 bytes nothing overflows. */
static lab_time transmission(uint64_t bytes, uint64_t rate)
{
    uint64_t bit_seconds = bytes * 8 * (uint64_t)SEC;
    return (lab_time)(bit_seconds / rate + (bit_seconds % rate != 0));
}

void wire_set(struct wire_way *way, const struct wire_spec *spec)
{
    uint32_t queue = spec->queue ? spec->queue : WIRE_QUEUE;
    if (queue > INT32_MAX)
        queue = INT32_MAX;
    way->spec = *spec;
    way->delay = spec->delay;
    wire_special_set(way);
    way->backlog = spec->rate ? transmission(queue, spec->rate) : NEVER;
}

/* Keeps the list in the order of arrival; packets that arrive together stay in the order of sending. */
static void enqueue(struct wire_way *way, struct packet *p)
{
    struct packet **link = &way->first;
    if (way->last && way->last->at <= p->at)
        link = &way->last->next;
    else
        while (*link && (*link)->at <= p->at)
            link = &(*link)->next;
    p->next = *link;
    *link = p;
    if (!p->next)
        way->last = p;
}

/* An idle wire takes any packet; a busy one those whose last bit can wait its turn in the queue. */
static bool rate_takes(struct wire_way *way, lab_time now, size_t bytes)
{
    lab_time takes = transmission(bytes, way->spec.rate);
    lab_time start = way->busy_until > now ? way->busy_until : now;
    if (start > now && start - now + takes > way->backlog)
        return false;
    way->busy_until = start + takes;
    return true;
}

static enum wire_fate fate_at_entry(struct wire_way *way, lab_time now, struct packet *p)
{
    const struct wire_spec *spec = &way->spec;
    if (spec->down)
        return WIRE_DOWN;
    if (p->n > spec->mtu)
        return WIRE_TOO_BIG;
    if (way->special) {
        enum wire_fate fate = wire_special_fate(way, now, p);
        if (fate != WIRE_TAKEN)
            return fate;
    } else if (spec->loss && prng_chance(&way->loss, spec->loss)) {
        return WIRE_LOST;
    }
    if (spec->rate && !rate_takes(way, now, p->n))
        return WIRE_QUEUE_FULL;
    return WIRE_TAKEN;
}

static lab_time arrival(struct wire_way *way, lab_time now)
{
    const struct wire_spec *spec = &way->spec;
    lab_time at = (spec->rate ? way->busy_until : now) + way->delay;
    if (spec->jitter)
        at += (lab_time)prng_below(&way->jitter, (uint64_t)spec->jitter + 1);
    if (!spec->reorder && at < way->last_arrival)
        at = way->last_arrival;
    way->last_arrival = at;
    return at;
}

/* Behind the packet itself, which its own corruption does not touch. */
static void send_twin(struct wire_way *way, lab_time now, const struct packet *p)
{
    struct packet *twin = packet_twin(p);
    if (!twin)
        return;
    way->sent++;
    twin->at = arrival(way, now);
    enqueue(way, twin);
}

static enum wire_fate dropped(struct wire_way *way, enum wire_fate fate)
{
    way->drops[fate]++;
    return fate;
}

static void take(struct wire_way *way, lab_time now, struct packet *p)
{
    enqueue(way, p);
    if (!way->special)
        return;
    way->marks = wire_special_marks(way);
    if (way->marks & WIRE_DUPLICATED)
        send_twin(way, now, p);
    if (way->marks & WIRE_CORRUPTED)
        wire_corrupt(p, &way->special_stream[WIRE_STREAM_CORRUPT]);
}

enum wire_fate wire_send(struct wire_way *way, lab_time now, struct packet *p)
{
    enum wire_fate fate = fate_at_entry(way, now, p);
    way->sent++;
    if (fate != WIRE_TAKEN)
        return dropped(way, fate);
    p->at = arrival(way, now);
    take(way, now, p);
    return WIRE_TAKEN;
}

enum wire_fate wire_send_late(struct wire_way *way, lab_time now, struct packet *p, lab_time late)
{
    enum wire_fate fate = fate_at_entry(way, now, p);
    lab_time before = way->last_arrival;
    way->sent++;
    if (fate != WIRE_TAKEN)
        return dropped(way, fate);
    p->at = arrival(way, now) + late;
    way->last_arrival = before;
    take(way, now, p);
    return WIRE_TAKEN;
}

struct packet *wire_take(struct wire_way *way)
{
    struct packet *p = way->first;
    way->first = p->next;
    if (!way->first)
        way->last = NULL;
    way->delivered++;
    return p;
}

void wire_undeliverable(struct wire_way *way, enum wire_fate fate)
{
    way->delivered--;
    way->drops[fate]++;
}

void wire_refuse(struct wire_way *way, enum wire_fate fate)
{
    way->sent++;
    way->drops[fate]++;
}

uint64_t wire_in_flight(const struct wire_way *way)
{
    uint64_t n = 0;
    for (const struct packet *p = way->first; p; p = p->next)
        n++;
    return n;
}
