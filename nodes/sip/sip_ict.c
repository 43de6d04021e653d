/* The INVITE client transaction: RFC 3261 §17.1.1 as corrected by RFC 6026 §7.2 and §8.4, over UDP. On streams
 * timer A does not run, and D is zero.
 *
 *                     1xx                      2xx
 *     CALLING ------------------> PROCEEDING ------> ACCEPTED ---- M ----> TERMINATED
 *        |    A: again                 |
 *        |    B: 408                   | 300-699: ACK
 *        +-------- 300-699: ACK -------+-----------> COMPLETED --- D ----> TERMINATED
 *
 * A 2xx takes CALLING to ACCEPTED as well. */
#include "nodes/sip/sip_txn_private.h"

#include "nodes/proto/sip_build.h"

#include <assert.h>

enum event {
    EVENT_PROVISIONAL,
    EVENT_SUCCESS,
    EVENT_REFUSAL,
    EVENT_LIMIT, /* timers B, D, M; the wait for a cancelled INVITE's final response */
    EVENT_ERROR, /* of the transport, sending */
    EVENT_LOST,  /* the connection by which a response would come */
};

static enum event event_of(unsigned status)
{
    return status < 200 ? EVENT_PROVISIONAL : status < 300 ? EVENT_SUCCESS : EVENT_REFUSAL;
}

static enum sip_ict_state next_state(enum sip_ict_state state, enum event event)
{
    switch (state) {
    case SIP_ICT_CALLING:
    case SIP_ICT_PROCEEDING:
        switch (event) {
        case EVENT_PROVISIONAL: return SIP_ICT_PROCEEDING;
        case EVENT_SUCCESS: return SIP_ICT_ACCEPTED;
        case EVENT_REFUSAL: return SIP_ICT_COMPLETED;
        case EVENT_LIMIT: return SIP_ICT_TERMINATED;
        case EVENT_ERROR: return state == SIP_ICT_CALLING ? SIP_ICT_TERMINATED : state; /* §17.1.4 */
        case EVENT_LOST: return SIP_ICT_TERMINATED;
        }
        break;
    case SIP_ICT_ACCEPTED:
    case SIP_ICT_COMPLETED: return event == EVENT_LIMIT ? SIP_ICT_TERMINATED : state;
    case SIP_ICT_TERMINATED: break;
    }
    return state;
}

/* The timers follow from the state. */
static void set_state(struct sip_txn *txn, enum sip_ict_state state)
{
    const struct sip_timing *timing = sip_txns_timing(txn->set);
    if (state == txn->state.ict)
        return;
    txn->state.ict = state;
    sip_txn_stop_timers(txn);
    switch (state) {
    case SIP_ICT_CALLING:
    case SIP_ICT_PROCEEDING: break;
    case SIP_ICT_ACCEPTED: sip_txn_start_limit(txn, 64 * timing->t1); break; /* timer M */
    case SIP_ICT_COMPLETED: sip_txn_start_limit(txn, sip_txn_is_reliable(txn) ? 0 : timing->d); break;
    case SIP_ICT_TERMINATED: sip_txn_end(txn); break;
    }
}

void sip_ict_start(struct sip_txn *txn)
{
    txn->state.ict = SIP_ICT_CALLING;
    sip_txn_start_request(txn, sip_txns_timing(txn->set)->b);
}

/* §17.1.1.2: timer A doubles, without a cap. */
void sip_ict_repeat(struct sip_txn *txn)
{
    assert(txn->state.ict == SIP_ICT_CALLING);
    sip_txn_send_request(txn);
    sip_txn_start_repeat(txn, 2 * txn->interval);
}

/* §17.1.1.3. The ACK is kept for the refusal's repetitions, which may carry another To tag only by mistake. */
static void acknowledge(struct sip_txn *txn, const struct sip_msg *response)
{
    char buf[SIP_BYTES_MAX];
    struct text ack = text_on(buf, sizeof buf);
    struct sip_msg invite;
    sip_txn_msg(txn, &invite);
    sip_put_ack(&ack, &invite, response);
    if (text_ok(&ack) && sip_txn_keep_answer(txn, text_span(&ack)) == 0)
        sip_txn_send_answer(txn);
}

/* §9.1: a CANCEL has the branch of its INVITE. */
static void write_cancel(const struct sip_txn *txn, struct text *out)
{
    char buf[SIP_BYTES_MAX];
    struct text plain = text_on(buf, sizeof buf);
    struct sip_msg msg;
    struct sip_edit edit;
    sip_txn_msg(txn, &msg);
    sip_put_cancel(txn->cancel_reason ? &plain : out, &msg);
    if (!txn->cancel_reason || sip_parse(text_span(&plain), &msg, NULL))
        return;
    sip_edit_begin(&edit, &msg);
    sip_edit_append(&edit, SIP_H_REASON, span_of(txn->cancel_reason));
    sip_edit_write(&edit, out);
}

/* §9.1: not before a provisional response; an INVITE that is still unanswered 64·T1 later counts as cancelled. */
void sip_ict_cancel(struct sip_txn *txn)
{
    char buf[SIP_BYTES_MAX];
    struct text cancel = text_on(buf, sizeof buf);
    struct sip_txn *unowned;
    if (txn->state.ict != SIP_ICT_PROCEEDING || txn->cancel_sent)
        return;
    txn->cancel_sent = true;
    write_cancel(txn, &cancel);
    if (text_ok(&cancel) && cancel.n)
        sip_txn_begin(txn->set, &txn->flow, text_span(&cancel), &unowned);
    sip_txn_start_limit(txn, 64 * sip_txns_timing(txn->set)->t1);
}

void sip_ict_response(struct sip_txn *txn, const struct sip_incoming *in)
{
    enum sip_ict_state before = txn->state.ict;
    enum event event = event_of(in->msg->status);
    enum sip_ict_state next = next_state(before, event);
    bool waiting = before == SIP_ICT_CALLING || before == SIP_ICT_PROCEEDING;
    if (before == SIP_ICT_COMPLETED && event == EVENT_REFUSAL)
        sip_txn_send_answer(txn);
    if (!waiting && !(before == SIP_ICT_ACCEPTED && event == EVENT_SUCCESS))
        return;
    txn->status = in->msg->status;
    if (event == EVENT_REFUSAL)
        acknowledge(txn, in->msg);
    set_state(txn, next);
    if (txn->cancel_wanted)
        sip_ict_cancel(txn);
    sip_txn_tell_response(txn, in);
}

void sip_ict_limit(struct sip_txn *txn)
{
    if (txn->unsent) {
        sip_ict_error(txn);
        return;
    }
    if (txn->state.ict == SIP_ICT_CALLING || txn->state.ict == SIP_ICT_PROCEEDING) {
        sip_txn_trace_timeout(txn, txn->state.ict == SIP_ICT_CALLING ? "B" : "cancel");
        sip_txn_tell_failed(txn, 408);
    }
    set_state(txn, next_state(txn->state.ict, EVENT_LIMIT));
}

void sip_ict_error(struct sip_txn *txn)
{
    enum sip_ict_state next = next_state(txn->state.ict, sip_txn_is_reliable(txn) ? EVENT_LOST : EVENT_ERROR);
    if (next == txn->state.ict)
        return;
    sip_txn_tell_failed(txn, 503);
    set_state(txn, next);
}
