#include "sim/world/sim_tcp_reno.h"

#include "nodes/proto/tcp.h"

enum {
    FIRST_CWND = 10, /* RFC 6928 */
    REORDERING = 3,
    INFINITE = 0x7fffffff,
};

void sim_reno_init(struct sim_reno *r)
{
    *r = (struct sim_reno){.cwnd = FIRST_CWND, .ssthresh = INFINITE, .reordering = REORDERING};
}

/* ---- counting duplicate ACKs ---- */

/* As many segments cannot have been delivered that nothing is missing. False: nothing had to be cut. */
static bool limit_sacked(struct sim_reno *r)
{
    uint32_t holes = r->lost ? r->lost : 1;
    if (holes > r->out)
        holes = r->out;
    if (r->sacked + holes <= r->out)
        return false;
    r->sacked = r->out - holes;
    return true;
}

static void check_reordering(struct sim_reno *r, uint32_t more)
{
    if (limit_sacked(r))
        r->reordering = r->out + more < REORDERING ? r->out + more : REORDERING;
}

/* Both return how many segments are newly known to have been delivered. */
static uint32_t add_sacked(struct sim_reno *r, uint32_t duplicates)
{
    uint32_t before = r->sacked;
    if (!duplicates)
        return 0;
    r->sacked += duplicates;
    check_reordering(r, 0);
    return r->sacked > before ? r->sacked - before : 0;
}

/* One of the segments that the ACK covers filled the hole; the others were counted as duplicates before. */
static uint32_t remove_sacked(struct sim_reno *r, uint32_t acked)
{
    uint32_t delivered = acked > r->sacked + 1 ? acked - r->sacked : 1;
    r->sacked = acked - 1 >= r->sacked ? 0 : r->sacked - (acked - 1);
    check_reordering(r, acked);
    return delivered;
}

/* ---- states ---- */

static bool is_resent(const struct sim_reno *r, const struct sim_reno_ack *ack)
{
    return r->resent || (ack->any && ack->first_resent);
}

static void keep_open(struct sim_reno *r, const struct sim_reno_ack *ack)
{
    enum sim_reno_state state = r->sacked || r->lost || is_resent(r, ack) ? SIM_RENO_DISORDER : SIM_RENO_OPEN;
    if (r->state != state) {
        r->state = state;
        r->high_seq = ack->nxt;
    }
}

static void enter_recovery(struct sim_reno *r, uint32_t nxt)
{
    r->high_seq = nxt;
    r->cwnd_count = 0;
    r->prior_cwnd = r->cwnd;
    r->prr_delivered = r->prr_out = 0;
    r->ssthresh = r->cwnd / 2 > 2 ? r->cwnd / 2 : 2;
    r->reduced = true;
    r->state = SIM_RENO_RECOVERY;
}

/* False: the old state holds until something above high_seq is acknowledged, lest duplicates of before start a second
 * recovery (RFC 6582 §4). */
static bool leave(struct sim_reno *r, const struct sim_reno_ack *ack)
{
    if (ack->una == r->high_seq)
        return false;
    r->state = SIM_RENO_OPEN;
    return true;
}

static void mark_first(struct sim_reno *r, const struct sim_reno_ack *ack, struct sim_reno_verdict *v)
{
    bool proved =
        r->state < SIM_RENO_RECOVERY ? r->sacked >= r->reordering : r->state == SIM_RENO_RECOVERY && ack->advanced;
    if (!proved || !ack->any || ack->first_lost)
        return;
    v->mark_first = true;
    r->lost++;
}

static uint32_t in_order(struct sim_reno *r, const struct sim_reno_ack *ack, uint32_t duplicates,
                         struct sim_reno_verdict *v)
{
    if (ack->advanced)
        r->sacked = 0;
    uint32_t delivered = add_sacked(r, duplicates);
    mark_first(r, ack, v);
    if (r->lost) {
        enter_recovery(r, ack->nxt);
        v->resend = true;
    } else {
        keep_open(r, ack);
    }
    return delivered;
}

static uint32_t in_loss(struct sim_reno *r, const struct sim_reno_ack *ack, uint32_t duplicates,
                        struct sim_reno_verdict *v)
{
    uint32_t delivered = 0;
    if (!tcp_before(ack->una, r->high_seq))
        return leave(r, ack) ? in_order(r, ack, duplicates, v) : 0;
    if (tcp_before(r->high_seq, ack->nxt) && duplicates)
        delivered = add_sacked(r, duplicates);
    else if (ack->advanced)
        r->sacked = 0;
    v->resend = true;
    return delivered;
}

/* tcp_fastretrans_alert(): an ACK that is a duplicate, or comes while not all is well. */
static uint32_t alert(struct sim_reno *r, const struct sim_reno_ack *ack, struct sim_reno_verdict *v)
{
    uint32_t duplicates = !ack->advanced && !ack->changed;
    uint32_t delivered = 0;
    if (!r->out)
        r->sacked = 0;
    if (r->state == SIM_RENO_RECOVERY && !tcp_before(ack->una, r->high_seq)) {
        r->sacked = 0;
        if (!leave(r, ack))
            return 0;
        if (r->reduced)
            r->cwnd = r->ssthresh;
    }
    switch (r->state) {
    case SIM_RENO_OPEN:
    case SIM_RENO_DISORDER: return in_order(r, ack, duplicates, v);
    case SIM_RENO_LOSS: return in_loss(r, ack, duplicates, v);
    case SIM_RENO_RECOVERY: break;
    }
    if (!ack->advanced)
        delivered = add_sacked(r, duplicates);
    mark_first(r, ack, v); /* a partial ACK: the next hole (RFC 6582 §3.2) */
    v->resend = true;
    return delivered;
}

/* ---- the window ---- */

/* RFC 6937, as tcp_cwnd_reduction(): what may be sent now, in flight included. */
static void reduce(struct sim_reno *r, uint32_t delivered, bool advanced, bool newly_lost)
{
    int64_t in_flight = sim_reno_in_flight(r);
    int64_t delta = (int64_t)r->ssthresh - in_flight;
    int64_t more;
    if (!delivered)
        return;
    r->prr_delivered += delivered;
    if (delta < 0) {
        more = (int64_t)(((uint64_t)r->ssthresh * r->prr_delivered + r->prior_cwnd - 1) / r->prior_cwnd) -
               (int64_t)r->prr_out;
    } else {
        more = (int64_t)r->prr_delivered - (int64_t)r->prr_out;
        if (more < (int64_t)delivered)
            more = delivered;
        if (advanced && !newly_lost)
            more++;
        if (more > delta)
            more = delta;
    }
    int64_t least = r->prr_out ? 0 : 1; /* the fast retransmit itself */
    r->cwnd = (uint32_t)(in_flight + (more > least ? more : least));
}

static bool is_limited(const struct sim_reno *r)
{
    return r->limited || (r->cwnd < r->ssthresh && r->cwnd < 2 * r->most_out);
}

/* RFC 5681 §3.1: slow start, then a segment a round trip. */
static void grow(struct sim_reno *r, uint32_t acked)
{
    if (!is_limited(r))
        return;
    if (r->cwnd < r->ssthresh) {
        uint32_t cwnd = r->cwnd + acked < r->ssthresh ? r->cwnd + acked : r->ssthresh;
        acked -= cwnd - r->cwnd;
        r->cwnd = cwnd;
        if (!acked)
            return;
    }
    uint32_t width = r->cwnd;
    if (r->cwnd_count >= width) {
        r->cwnd_count = 0;
        r->cwnd++;
    }
    r->cwnd_count += acked;
    if (r->cwnd_count >= width) {
        r->cwnd += r->cwnd_count / width;
        r->cwnd_count %= width;
    }
}

struct sim_reno_verdict sim_reno_acked(struct sim_reno *r, const struct sim_reno_ack *ack)
{
    struct sim_reno_verdict v = {0};
    uint32_t delivered = 0;
    r->out -= ack->segments;
    r->lost -= ack->lost;
    r->resent -= ack->resent;
    if (ack->segments)
        delivered += remove_sacked(r, ack->segments);
    if (!ack->changed || r->state != SIM_RENO_OPEN)
        delivered += alert(r, ack, &v);
    if (r->state == SIM_RENO_RECOVERY)
        reduce(r, delivered, ack->advanced, v.mark_first);
    else if (ack->segments)
        grow(r, delivered);
    return v;
}

void sim_reno_sent(struct sim_reno *r, uint32_t sent, uint32_t una, uint32_t nxt)
{
    bool limited = sim_reno_in_flight(r) >= r->cwnd;
    if (!sent && !limited)
        return;
    if (!tcp_before(una, r->usage_seq) || limited || (!r->limited && r->out > r->most_out)) {
        r->limited = limited;
        r->most_out = r->out;
        r->usage_seq = nxt;
    }
    if (r->state == SIM_RENO_RECOVERY)
        r->prr_out += sent;
}

void sim_reno_resent(struct sim_reno *r)
{
    r->resent++;
    if (r->state == SIM_RENO_RECOVERY)
        r->prr_out++;
}

void sim_reno_too_large(struct sim_reno *r, uint32_t nxt)
{
    uint32_t most = r->cwnd / 2 + r->cwnd / 4;
    limit_sacked(r);
    if (r->state == SIM_RENO_LOSS)
        return;
    if (r->state != SIM_RENO_RECOVERY && r->ssthresh < most)
        r->ssthresh = most;
    r->high_seq = nxt;
    r->reduced = false;
    r->state = SIM_RENO_LOSS;
}
