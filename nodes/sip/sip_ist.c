/* The INVITE server transaction: RFC 3261 §17.2.1 as corrected by RFC 6026 §7.1 and §8.5, over UDP. On streams
 * timer G does not run, and I is zero.
 *
 *                       2xx
 *     PROCEEDING ----------------> ACCEPTED ------------------ L ----> TERMINATED
 *        |                                                               ^   ^
 *        | 300-699                             ACK                       |   |
 *        +-------------> COMPLETED ------------------> CONFIRMED --- I --+   |
 *                        G: again  ------------------- H --------------------+
 */
#include "nodes/sip/sip_txn_private.h"

#include "nodes/base/error.h"

#include <assert.h>

/* §17.2.1: a 100 if the user has not answered by then. */
#define TRYING_AFTER (200 * MS)

enum event {
    EVENT_PROVISIONAL, /* sent by the user */
    EVENT_SUCCESS,
    EVENT_REFUSAL,
    EVENT_ACK,
    EVENT_LIMIT, /* timers H, I, L */
};

static enum event event_of(unsigned status)
{
    return status < 200 ? EVENT_PROVISIONAL : status < 300 ? EVENT_SUCCESS : EVENT_REFUSAL;
}

static enum sip_ist_state next_state(enum sip_ist_state state, enum event event)
{
    switch (state) {
    case SIP_IST_PROCEEDING:
        return event == EVENT_SUCCESS ? SIP_IST_ACCEPTED : event == EVENT_REFUSAL ? SIP_IST_COMPLETED : state;
    case SIP_IST_COMPLETED:
        return event == EVENT_ACK ? SIP_IST_CONFIRMED : event == EVENT_LIMIT ? SIP_IST_TERMINATED : state;
    case SIP_IST_ACCEPTED:
    case SIP_IST_CONFIRMED: return event == EVENT_LIMIT ? SIP_IST_TERMINATED : state;
    case SIP_IST_TERMINATED: break;
    }
    return state;
}

/* The timers follow from the state. */
static void set_state(struct sip_txn *txn, enum sip_ist_state state)
{
    const struct sip_timing *timing = sip_txns_timing(txn->set);
    if (state == txn->state.ist)
        return;
    txn->state.ist = state;
    sip_txn_stop_timers(txn);
    switch (state) {
    case SIP_IST_PROCEEDING: break;
    case SIP_IST_ACCEPTED: sip_txn_start_limit(txn, 64 * timing->t1); break; /* timer L */
    case SIP_IST_COMPLETED:
        if (!sip_txn_is_reliable(txn))
            sip_txn_start_repeat(txn, timing->t1); /* timer G */
        sip_txn_start_limit(txn, 64 * timing->t1); /* timer H */
        break;
    case SIP_IST_CONFIRMED: sip_txn_start_limit(txn, sip_txn_is_reliable(txn) ? 0 : timing->t4); break; /* timer I */
    case SIP_IST_TERMINATED: sip_txn_end(txn); break;
    }
}

void sip_ist_start(struct sip_txn *txn)
{
    txn->state.ist = SIP_IST_PROCEEDING;
    sip_txn_start_repeat(txn, TRYING_AFTER);
}

void sip_ist_request(struct sip_txn *txn)
{
    if (txn->state.ist == SIP_IST_PROCEEDING || txn->state.ist == SIP_IST_COMPLETED)
        sip_txn_send_answer(txn);
}

static void tell_unacknowledged(struct sip_txn *txn)
{
    sip_txn_trace_timeout(txn, "H");
    if (txn->server && txn->server->unacknowledged)
        txn->server->unacknowledged(txn->arg, txn);
}

bool sip_ist_ack(struct sip_txn *txn)
{
    if (txn->state.ist == SIP_IST_ACCEPTED)
        return false;
    set_state(txn, next_state(txn->state.ist, EVENT_ACK));
    return true;
}

int sip_ist_respond(struct sip_txn *txn, unsigned status, struct span response)
{
    enum event event = event_of(status);
    bool more_success = txn->state.ist == SIP_IST_ACCEPTED && event == EVENT_SUCCESS;
    if (txn->state.ist != SIP_IST_PROCEEDING && !more_success)
        return FE_EREFUSED;
    int error = sip_txn_keep_answer(txn, response);
    if (error)
        return error;
    txn->status = status;
    if (event == EVENT_PROVISIONAL)
        host_timer_stop(sip_txns_host(txn->set), &txn->repeat);
    sip_txn_send_answer(txn);
    set_state(txn, next_state(txn->state.ist, event));
    return 0;
}

/* Before any response: the 100. After a refusal, timer G: it doubles up to T2. */
void sip_ist_repeat(struct sip_txn *txn)
{
    lab_time t2 = sip_txns_timing(txn->set)->t2;
    if (txn->state.ist == SIP_IST_PROCEEDING) {
        sip_txn_reply_status(txn, 100);
        return;
    }
    assert(txn->state.ist == SIP_IST_COMPLETED);
    sip_txn_send_answer(txn);
    sip_txn_start_repeat(txn, 2 * txn->interval > t2 ? t2 : 2 * txn->interval);
}

void sip_ist_limit(struct sip_txn *txn)
{
    if (txn->state.ist == SIP_IST_COMPLETED)
        tell_unacknowledged(txn);
    set_state(txn, next_state(txn->state.ist, EVENT_LIMIT));
}
