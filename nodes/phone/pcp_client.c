#include "nodes/phone/pcp_client.h"

#include "nodes/base/error.h"

enum { SILENT_AFTER = 3, LEAST_WAIT_S = 4, USUAL_WAIT_S = 30, MOST_S = 86400 };
#define IRT          (3 * SEC)    /* §8.1.1 */
#define MRT          (1024 * SEC) /* the same */
#define RENEWALS_GAP (4 * SEC)    /* §11.2.1 */
#define RECOVERY     (5 * SEC)    /* not all clients of a server that is back come at once */

void pcp_client_init(struct pcp_client *c, const struct prng *rng, lab_time check,
                     const struct pcp_client_events *events, void *arg)
{
    *c = (struct pcp_client){.events = events, .arg = arg, .rng = *rng, .check = check};
    c->at = c->check_at = NEVER;
}

/* ---- requests ---- */

static void send(struct pcp_client *c, const struct pcp_msg *m)
{
    uint8_t bytes[PCP_MAX];
    size_t n = pcp_write_request(bytes, sizeof bytes, m);
    c->events->send(c->arg, span_make(bytes, n));
}

static void send_wish(struct pcp_client *c)
{
    const struct pcp_client_wish *w = &c->wish;
    const struct pcp_msg m = {.opcode = (uint8_t)w->op,
                              .lifetime = w->lifetime,
                              .client = w->inside.addr,
                              .nonce = c->nonce,
                              .protocol = w->protocol,
                              .internal = w->inside.port,
                              .external = c->outside,
                              .peer = w->peer};
    send(c, &m);
}

static void send_announce(struct pcp_client *c)
{
    const struct pcp_msg m = {.opcode = PCP_ANNOUNCE, .client = c->wish.inside.addr};
    send(c, &m);
}

/* (1 + RAND) times it, RAND from -0.1 to 0.1 (§8.1.1). */
static lab_time spread(struct pcp_client *c, lab_time t)
{
    return t - t / 10 + (lab_time)prng_below(&c->rng, (uint64_t)(t / 5) + 1);
}

static void begin(struct pcp_client *c, lab_time now)
{
    c->state = PCP_CLIENT_ASKING;
    c->unanswered = 0;
    c->rt = spread(c, IRT);
    c->at = now + c->rt;
    send_wish(c);
}

static void ask_again(struct pcp_client *c, lab_time now)
{
    c->unanswered++;
    c->rt = spread(c, 2 * c->rt < MRT ? 2 * c->rt : MRT);
    c->at = now + c->rt;
    if (c->unanswered == SILENT_AFTER)
        c->events->told(c->arg, PCP_CLIENT_SILENT, c->outside);
    send_wish(c);
}

void pcp_client_ask(struct pcp_client *c, const struct pcp_client_wish *wish, lab_time now)
{
    c->wish = *wish;
    prng_bytes(&c->rng, c->nonce.bytes, sizeof c->nonce.bytes);
    if (c->check && c->check_at == NEVER)
        c->check_at = now + c->check;
    begin(c, now);
}

/* ---- renewals (§11.2.1) ---- */

/* The first between 1/2 and 5/8 of the lifetime, the next between 3/4 and 13/16, and so on; no two of them within four
 * seconds. After the last one: the end. */
static lab_time next_renewal(struct pcp_client *c, lab_time now)
{
    lab_time whole = c->until - c->granted;
    unsigned k = c->renewals + 1;
    lab_time at = c->until - (whole >> k) + (lab_time)prng_below(&c->rng, (uint64_t)(whole >> (k + 2)) + 1);
    return at < now + RENEWALS_GAP || at > c->until ? c->until : at;
}

static void renew(struct pcp_client *c, lab_time now)
{
    if (now >= c->until) {
        c->events->told(c->arg, PCP_CLIENT_EXPIRED, c->outside);
        begin(c, now);
        return;
    }
    c->renewals++;
    c->at = next_renewal(c, now);
    send_wish(c);
}

/* ---- the epoch (§8.5) ---- */

static bool epoch_fits(const struct pcp_client *c, uint32_t epoch, lab_time now)
{
    int64_t of_server = (int64_t)epoch - c->epoch;
    int64_t of_client = (now - c->epoch_at) / SEC;
    return of_server >= -1 && of_client + 2 >= of_server - of_server / 16 &&
           of_server + 2 >= of_client - of_client / 16;
}

/* True: the server has lost its state since its last answer. */
static bool epoch_take(struct pcp_client *c, uint32_t epoch, lab_time now)
{
    bool lost = c->epoch_known && !epoch_fits(c, epoch, now);
    c->epoch_known = true;
    c->epoch = epoch;
    c->epoch_at = now;
    return lost;
}

/* ---- answers ---- */

static bool is_for(const struct pcp_client *c, const struct pcp_msg *m)
{
    if (c->state == PCP_CLIENT_IDLE)
        return false;
    if (m->opcode == PCP_ANNOUNCE)
        return true;
    return m->opcode == c->wish.op && pcp_nonce_equal(&m->nonce, &c->nonce) && m->protocol == c->wish.protocol &&
           m->internal == c->wish.inside.port && endpoint_equal(m->peer, c->wish.peer);
}

static uint32_t at_most(uint32_t seconds, uint32_t most)
{
    return seconds < most ? seconds : most;
}

static void granted(struct pcp_client *c, const struct pcp_msg *m, bool lost, lab_time now)
{
    struct endpoint before = c->outside;
    bool same = c->state == PCP_CLIENT_HELD && !lost && endpoint_equal(before, m->external);
    c->state = PCP_CLIENT_HELD;
    c->granted = now;
    c->until = now + (lab_time)c->lifetime * SEC;
    c->renewals = 0;
    c->outside = m->external;
    c->at = next_renewal(c, now);
    c->events->told(c->arg, same ? PCP_CLIENT_RENEWED : PCP_CLIENT_GRANTED, before);
}

/* §8.3: the same is not asked again before the error's lifetime is over. */
static void refused(struct pcp_client *c, const struct pcp_msg *m, lab_time now)
{
    uint32_t wait = m->lifetime ? c->lifetime : USUAL_WAIT_S;
    c->state = PCP_CLIENT_WAITING;
    c->result = m->result;
    c->at = now + (lab_time)(wait > LEAST_WAIT_S ? wait : LEAST_WAIT_S) * SEC;
    c->events->told(c->arg, PCP_CLIENT_REFUSED, c->outside);
}

static void recover(struct pcp_client *c, lab_time now)
{
    c->state = PCP_CLIENT_WAITING;
    c->at = now + (lab_time)prng_below(&c->rng, RECOVERY + 1);
}

bool pcp_client_heard(struct pcp_client *c, struct span bytes, lab_time now)
{
    struct pcp_msg m;
    if (pcp_read_response(bytes, &m) || !is_for(c, &m))
        return false;
    bool lost = epoch_take(c, m.epoch, now) && c->state == PCP_CLIENT_HELD;
    if (lost)
        c->events->told(c->arg, PCP_CLIENT_LOST, c->outside);
    if (m.opcode == PCP_ANNOUNCE) {
        if (lost)
            recover(c, now);
        return true;
    }
    c->lifetime = at_most(m.lifetime, MOST_S); /* §15: no longer, whatever is said */
    if (m.result == PCP_SUCCESS && m.lifetime)
        granted(c, &m, lost, now);
    else
        refused(c, &m, now);
    return true;
}

/* ---- time ---- */

lab_time pcp_client_deadline(const struct pcp_client *c)
{
    return c->at < c->check_at ? c->at : c->check_at;
}

void pcp_client_expire(struct pcp_client *c, lab_time now)
{
    if (c->check_at <= now) {
        c->check_at = now + c->check;
        if (c->state == PCP_CLIENT_HELD)
            send_announce(c);
    }
    if (c->at > now)
        return;
    switch (c->state) {
    case PCP_CLIENT_IDLE: break;
    case PCP_CLIENT_ASKING: ask_again(c, now); break;
    case PCP_CLIENT_HELD: renew(c, now); break;
    case PCP_CLIENT_WAITING: begin(c, now); break;
    }
}
