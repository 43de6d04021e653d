/* The non-INVITE server transaction: RFC 3261 §17.2.2, over UDP. On streams J is zero.
 *
 *                1xx                   200-699
 *     TRYING ----------> PROCEEDING ------------> COMPLETED ---- J ----> TERMINATED
 *        |                                            ^
 *        +------------------ 200-699 -----------------+
 */
#include "nodes/sip/sip_txn_private.h"

#include "nodes/base/error.h"

enum event {
    EVENT_PROVISIONAL, /* sent by the user */
    EVENT_FINAL,
    EVENT_LIMIT, /* timer J */
};

static enum sip_nist_state next_state(enum sip_nist_state state, enum event event)
{
    switch (state) {
    case SIP_NIST_TRYING:
    case SIP_NIST_PROCEEDING:
        return event == EVENT_PROVISIONAL ? SIP_NIST_PROCEEDING : event == EVENT_FINAL ? SIP_NIST_COMPLETED : state;
    case SIP_NIST_COMPLETED: return event == EVENT_LIMIT ? SIP_NIST_TERMINATED : state;
    case SIP_NIST_TERMINATED: break;
    }
    return state;
}

static void set_state(struct sip_txn *txn, enum sip_nist_state state)
{
    lab_time j = sip_txn_is_reliable(txn) ? 0 : 64 * sip_txns_timing(txn->set)->t1;
    if (state == txn->state.nist)
        return;
    txn->state.nist = state;
    switch (state) {
    case SIP_NIST_TRYING:
    case SIP_NIST_PROCEEDING: break;
    case SIP_NIST_COMPLETED: sip_txn_start_limit(txn, j); break;
    case SIP_NIST_TERMINATED: sip_txn_end(txn); break;
    }
}

void sip_nist_start(struct sip_txn *txn)
{
    txn->state.nist = SIP_NIST_TRYING;
}

void sip_nist_request(struct sip_txn *txn)
{
    if (txn->state.nist == SIP_NIST_PROCEEDING || txn->state.nist == SIP_NIST_COMPLETED)
        sip_txn_send_answer(txn);
}

int sip_nist_respond(struct sip_txn *txn, unsigned status, struct span response)
{
    if (txn->state.nist != SIP_NIST_TRYING && txn->state.nist != SIP_NIST_PROCEEDING)
        return FE_EREFUSED;
    int error = sip_txn_keep_answer(txn, response);
    if (error)
        return error;
    txn->status = status;
    sip_txn_send_answer(txn);
    set_state(txn, next_state(txn->state.nist, status < 200 ? EVENT_PROVISIONAL : EVENT_FINAL));
    return 0;
}

void sip_nist_limit(struct sip_txn *txn)
{
    set_state(txn, next_state(txn->state.nist, EVENT_LIMIT));
}
