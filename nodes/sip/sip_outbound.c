#include "nodes/sip/sip_outbound.h"

#include <assert.h>

/* ---- random times, in whole milliseconds, both ends included ---- */

static lab_time between(struct prng *rng, lab_time low, lab_time high)
{
    return low + (lab_time)prng_below(rng, (uint64_t)((high - low) / MS) + 1) * MS;
}

/* §4.4: 80–100 % of the upper bound; without one 95–120 s on a stream (§4.4.1) and 24–29 s over UDP (§4.4.2). */
lab_time sip_outbound_interval(struct prng *rng, enum sip_outbound_carrier carrier, lab_time most)
{
    if (most)
        return between(rng, most * 4 / 5, most);
    return carrier == SIP_OUTBOUND_STREAM ? between(rng, 95 * SEC, 120 * SEC) : between(rng, 24 * SEC, 29 * SEC);
}

/* What the server recommends, or the user agent was told: the shorter one. */
static lab_time draw_interval(struct sip_outbound *o, const struct sip_outbound_flow *f)
{
    lab_time most = f->recommended ? f->recommended : o->config.interval;
    if (o->config.interval && o->config.interval < most)
        most = o->config.interval;
    return sip_outbound_interval(&o->rng, f->carrier, most);
}

static bool another_is_up(const struct sip_outbound *o, const struct sip_outbound_flow *f)
{
    for (unsigned i = 0; i < o->n; i++)
        if (&o->flows[i] != f && sip_outbound_is_up(o, i))
            return true;
    return false;
}

/* §4.5 */
static lab_time draw_wait(struct sip_outbound *o, const struct sip_outbound_flow *f)
{
    lab_time most = another_is_up(o, f) ? o->config.base_otherwise : o->config.base_all_failed;
    for (unsigned i = 0; i < f->failures && most < o->config.longest; i++)
        most *= 2;
    if (most > o->config.longest)
        most = o->config.longest;
    return between(&o->rng, most / 2, most);
}

/* ---- states ---- */

static void set_state(struct sip_outbound_flow *f, enum sip_outbound_state state, lab_time deadline)
{
    f->state = state;
    f->deadline = deadline;
}

static void schedule_ping(struct sip_outbound *o, struct sip_outbound_flow *f, lab_time now)
{
    set_state(f, SIP_OUTBOUND_UP, o->config.no_keep_alive ? NEVER : now + draw_interval(o, f));
}

static void fail(struct sip_outbound *o, struct sip_outbound_flow *f, lab_time now, lab_time retry_after)
{
    lab_time wait = 0;
    if (f->successful) {
        f->failures = 0;
    } else {
        f->failures++;
        wait = draw_wait(o, f);
    }
    f->successful = false;
    f->seen = (struct endpoint){0, 0};
    set_state(f, SIP_OUTBOUND_WAITING, now + (wait > retry_after ? wait : retry_after));
}

/* ---- what the owner tells ---- */

static lab_time or_default(lab_time value, lab_time standard)
{
    return value ? value : standard;
}

void sip_outbound_init(struct sip_outbound *o, const struct sip_outbound_config *config, unsigned n,
                       const struct prng *rng)
{
    assert(n > 0 && n <= SIP_OUTBOUND_FLOWS);
    *o = (struct sip_outbound){.config = *config, .rng = *rng, .n = n};
    o->config.base_all_failed = or_default(config->base_all_failed, 30 * SEC);
    o->config.base_otherwise = or_default(config->base_otherwise, 90 * SEC);
    o->config.longest = or_default(config->longest, 1800 * SEC);
    o->config.pong = or_default(config->pong, 10 * SEC);
    sip_outbound_stop(o);
}

void sip_outbound_start(struct sip_outbound *o, lab_time now)
{
    for (unsigned i = 0; i < o->n; i++)
        if (o->flows[i].state == SIP_OUTBOUND_IDLE)
            set_state(&o->flows[i], SIP_OUTBOUND_WAITING, now);
}

void sip_outbound_stop(struct sip_outbound *o)
{
    for (unsigned i = 0; i < o->n; i++)
        o->flows[i] = (struct sip_outbound_flow){.state = SIP_OUTBOUND_IDLE, .deadline = NEVER};
}

void sip_outbound_registered(struct sip_outbound *o, unsigned which, lab_time now, enum sip_outbound_carrier carrier,
                             lab_time recommended)
{
    struct sip_outbound_flow *f = &o->flows[which];
    bool refreshed = sip_outbound_is_up(o, which) && f->recommended == recommended && f->carrier == carrier;
    if (f->state == SIP_OUTBOUND_IDLE || refreshed)
        return; /* a keep-alive under way or planned goes on */
    f->carrier = carrier;
    f->recommended = recommended;
    if (o->config.no_keep_alive) {
        f->successful = true;
        f->failures = 0;
    }
    schedule_ping(o, f, now);
}

void sip_outbound_failed(struct sip_outbound *o, unsigned which, lab_time now, lab_time retry_after)
{
    struct sip_outbound_flow *f = &o->flows[which];
    switch (f->state) {
    case SIP_OUTBOUND_IDLE:
    case SIP_OUTBOUND_WAITING: break;
    case SIP_OUTBOUND_FORMING:
    case SIP_OUTBOUND_UP:
    case SIP_OUTBOUND_PINGED: fail(o, f, now, retry_after); break;
    }
}

void sip_outbound_pong(struct sip_outbound *o, unsigned which, lab_time now)
{
    struct sip_outbound_flow *f = &o->flows[which];
    if (f->state != SIP_OUTBOUND_PINGED)
        return;
    f->successful = true;
    f->failures = 0;
    schedule_ping(o, f, now);
}

bool sip_outbound_mapped(struct sip_outbound *o, unsigned which, lab_time now, struct endpoint seen)
{
    struct sip_outbound_flow *f = &o->flows[which];
    if (f->state != SIP_OUTBOUND_PINGED)
        return true;
    if (f->seen.port && !endpoint_equal(f->seen, seen)) {
        fail(o, f, now, 0);
        return false;
    }
    f->seen = seen;
    sip_outbound_pong(o, which, now);
    return true;
}

/* ---- deadlines ---- */

lab_time sip_outbound_deadline(const struct sip_outbound *o)
{
    lab_time first = NEVER;
    for (unsigned i = 0; i < o->n; i++)
        if (o->flows[i].deadline < first)
            first = o->flows[i].deadline;
    return first;
}

static enum sip_outbound_action due(struct sip_outbound *o, struct sip_outbound_flow *f, lab_time now)
{
    switch (f->state) {
    case SIP_OUTBOUND_IDLE:
    case SIP_OUTBOUND_FORMING: break;
    case SIP_OUTBOUND_WAITING: set_state(f, SIP_OUTBOUND_FORMING, NEVER); return SIP_OUTBOUND_FORM;
    case SIP_OUTBOUND_UP:
        set_state(f, SIP_OUTBOUND_PINGED,
                  now + (f->carrier == SIP_OUTBOUND_STREAM ? o->config.pong : SIP_OUTBOUND_STUN_LIMIT));
        return SIP_OUTBOUND_PING;
    case SIP_OUTBOUND_PINGED: fail(o, f, now, 0); return SIP_OUTBOUND_LOST;
    }
    return SIP_OUTBOUND_NOTHING;
}

enum sip_outbound_action sip_outbound_next(struct sip_outbound *o, lab_time now, unsigned *which)
{
    for (unsigned i = 0; i < o->n; i++)
        if (o->flows[i].deadline <= now) {
            *which = i;
            return due(o, &o->flows[i], now);
        }
    return SIP_OUTBOUND_NOTHING;
}

/* ---- what the server says ---- */

bool sip_outbound_keep(const struct sip_via *via, lab_time *interval)
{
    struct span value;
    uint32_t seconds;
    *interval = 0;
    if (!sip_param(via->params, "keep", &value) || !value.p || sip_number_parse(value, UINT32_MAX, &seconds))
        return false;
    *interval = seconds * SEC;
    return true;
}

bool sip_outbound_keep_offered(const struct sip_via *via, struct span *where)
{
    struct sip_param param;
    struct span params = via->params;
    while (sip_param_next(&params, &param) == 1)
        if (span_equal_nocase(param.name, SPAN("keep")) && !param.value.p) {
            *where = span_make(param.bytes.p + param.bytes.n, 0);
            return true;
        }
    return false;
}

lab_time sip_outbound_flow_timer(const struct sip_msg *response)
{
    uint32_t seconds = 0;
    struct span value = sip_value(response, SIP_H_FLOW_TIMER);
    return value.p && sip_number_parse(value, UINT32_MAX, &seconds) == 0 ? seconds * SEC : 0;
}
