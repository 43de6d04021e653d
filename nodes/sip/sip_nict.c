/* The non-INVITE client transaction: RFC 3261 §17.1.2, over UDP. On streams timer E does not run, and
 * K is zero.
 *
 *                    1xx                      200-699
 *     TRYING ------------------> PROCEEDING ------------> COMPLETED ---- K ----> TERMINATED
 *        |   E: again, F: 408         E: again, F: 408        ^
 *        +------------------------- 200-699 -----------------+
 */
#include "nodes/sip/sip_txn_private.h"

#include <assert.h>

enum event {
    EVENT_PROVISIONAL,
    EVENT_FINAL,
    EVENT_LIMIT, /* timers F, K */
    EVENT_ERROR, /* of the transport */
};

static enum sip_nict_state next_state(enum sip_nict_state state, enum event event)
{
    switch (state) {
    case SIP_NICT_TRYING:
    case SIP_NICT_PROCEEDING:
        switch (event) {
        case EVENT_PROVISIONAL: return SIP_NICT_PROCEEDING;
        case EVENT_FINAL: return SIP_NICT_COMPLETED;
        case EVENT_LIMIT:
        case EVENT_ERROR: return SIP_NICT_TERMINATED;
        }
        break;
    case SIP_NICT_COMPLETED: return event == EVENT_LIMIT ? SIP_NICT_TERMINATED : state;
    case SIP_NICT_TERMINATED: break;
    }
    return state;
}

/* The timers follow from the state; E and F run on from TRYING into PROCEEDING. */
static void set_state(struct sip_txn *txn, enum sip_nict_state state)
{
    if (state == txn->state.nict)
        return;
    txn->state.nict = state;
    switch (state) {
    case SIP_NICT_TRYING:
    case SIP_NICT_PROCEEDING: break;
    case SIP_NICT_COMPLETED:
        sip_txn_stop_timers(txn);
        sip_txn_start_limit(txn, sip_txn_is_reliable(txn) ? 0 : sip_txns_timing(txn->set)->t4); /* timer K */
        break;
    case SIP_NICT_TERMINATED: sip_txn_end(txn); break;
    }
}

void sip_nict_start(struct sip_txn *txn)
{
    txn->state.nict = SIP_NICT_TRYING;
    sip_txn_start_request(txn, sip_txns_timing(txn->set)->f);
}

/* §17.1.2.2: timer E doubles up to T2; in PROCEEDING it is T2. */
void sip_nict_repeat(struct sip_txn *txn)
{
    lab_time t2 = sip_txns_timing(txn->set)->t2;
    assert(txn->state.nict == SIP_NICT_TRYING || txn->state.nict == SIP_NICT_PROCEEDING);
    sip_txn_send_request(txn);
    bool capped = txn->state.nict == SIP_NICT_PROCEEDING || 2 * txn->interval > t2;
    sip_txn_start_repeat(txn, capped ? t2 : 2 * txn->interval);
}

void sip_nict_response(struct sip_txn *txn, const struct sip_incoming *in)
{
    if (txn->state.nict != SIP_NICT_TRYING && txn->state.nict != SIP_NICT_PROCEEDING)
        return;
    txn->status = in->msg->status;
    set_state(txn, next_state(txn->state.nict, txn->status < 200 ? EVENT_PROVISIONAL : EVENT_FINAL));
    sip_txn_tell_response(txn, in);
}

void sip_nict_limit(struct sip_txn *txn)
{
    if (txn->unsent) {
        sip_nict_error(txn);
        return;
    }
    if (txn->state.nict != SIP_NICT_COMPLETED) {
        sip_txn_trace_timeout(txn, "F");
        sip_txn_tell_failed(txn, 408);
    }
    set_state(txn, next_state(txn->state.nict, EVENT_LIMIT));
}

void sip_nict_error(struct sip_txn *txn)
{
    enum sip_nict_state next = next_state(txn->state.nict, EVENT_ERROR);
    if (next == txn->state.nict)
        return;
    sip_txn_tell_failed(txn, 503);
    set_state(txn, next);
}
