#include "nodes/pbx/pbx_mwi.h"

#include "nodes/base/error.h"
#include "nodes/pbx/pbx_node.h"
#include "nodes/proto/mwi.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_event.h"
#include "nodes/sip/sip_dialog.h"

#include <stdlib.h>

enum {
    EXPIRES_USUAL = 3600, /* s; RFC 3842 §3.4 */
    EXPIRES_MOST = 7 * 86400,
    SUBSCRIPTIONS_MOST = 16, /* of a line: phones that never unsubscribe are not without end */
};

struct subscription {
    struct subscription *next; /* of all */
    struct pbx_mwi *mwi;
    const struct pbx_line *line;
    struct sip_dialog dialog;
    struct timer expiry;
    lab_time until;
    struct sip_txn *notify; /* NULL: none is under way */
    bool again;             /* something changed meanwhile: another NOTIFY follows */
    bool over;              /* only the answer to the last NOTIFY is awaited */
    const char *reason;     /* over: why */
};

struct mailbox {
    struct mailbox *next;
    const struct pbx_line *line;
    uint32_t new, old;
};

struct pbx_mwi {
    struct pbx *pbx;
    struct subscription *subscriptions; /* newest first */
    struct mailbox *mailboxes;          /* of lines that were given one */
};

static void notify(struct subscription *s);

/* ---- the trace ---- */

static void trace(const struct subscription *s, const char *state, uint32_t expires)
{
    struct pbx *pbx = s->mwi->pbx;
    char room[192];
    struct text aor = text_on(room, sizeof room);
    sip_uri_write(&aor, pbx_line_name(s->line), span_of(pbx->settings->domain), 0);
    struct record *r = host_trace(pbx->host, "subscription");
    record_str(r, "state", state);
    record_str(r, "event", MWI_EVENT);
    record_text(r, "aor", text_span(&aor));
    if (expires)
        record_u64(r, "expires", expires);
    host_trace_end(pbx->host);
}

/* ---- life ---- */

/* It is off the list already. */
static void release(struct subscription *s)
{
    if (s->notify)
        sip_txn_release(s->notify);
    host_timer_stop(s->mwi->pbx->host, &s->expiry);
    sip_dialog_fini(&s->dialog);
    free(s);
}

static void subscription_free(struct subscription *s)
{
    struct subscription **at = &s->mwi->subscriptions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    release(s);
}

/* The last NOTIFY says why; the subscription goes with its answer. */
static void finish(struct subscription *s, const char *state, const char *reason)
{
    if (s->over)
        return;
    host_timer_stop(s->mwi->pbx->host, &s->expiry);
    s->over = true;
    s->reason = reason;
    trace(s, state, 0);
    notify(s);
}

static void expired(void *arg)
{
    finish(arg, "expired", "timeout");
}

static struct subscription *subscription_new(struct pbx_mwi *mwi, const struct pbx_line *line)
{
    struct subscription *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct subscription){.mwi = mwi, .line = line, .next = mwi->subscriptions};
    timer_init(&s->expiry, expired, s);
    mwi->subscriptions = s;
    return s;
}

/* ---- mailboxes ---- */

static struct mailbox *mailbox_of(struct pbx_mwi *mwi, const struct pbx_line *line)
{
    for (struct mailbox *m = mwi->mailboxes; m; m = m->next)
        if (m->line == line)
            return m;
    return NULL;
}

const char *pbx_mwi_set(struct pbx *pbx, struct span words)
{
    struct pbx_mwi *mwi = pbx->mwi;
    struct span counts;
    uint32_t new;
    uint32_t old;
    const struct pbx_line *line = pbx_location_line(pbx->location, span_cut(span_trim(words), ' ', &counts));
    if (!line)
        return "the PBX has no such line; expected: mwi 101 2/8";
    if (mwi_counts_parse(span_trim(counts), &new, &old))
        return "expected new and old messages: mwi 101 2/8";
    struct mailbox *m = mailbox_of(mwi, line);
    if (!m) {
        m = calloc(1, sizeof *m);
        if (!m)
            return fe_error_text(FE_EMEM);
        *m = (struct mailbox){.next = mwi->mailboxes, .line = line};
        mwi->mailboxes = m;
    }
    m->new = new;
    m->old = old;
    for (struct subscription *s = mwi->subscriptions; s; s = s->next)
        if (s->line == line && !s->over)
            notify(s);
    return NULL;
}

/* ---- NOTIFY ---- */

/* §4.2.2: whoever does not answer, or knows of no subscription, is notified no more. */
static void notify_ended(struct subscription *s, bool good)
{
    if (!good && !s->over)
        trace(s, "removed", 0);
    if (!good || (s->over && !s->again))
        subscription_free(s);
    else if (s->again)
        notify(s);
}

static void notify_answered(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct subscription *s = arg;
    if (in->msg->status < 200)
        return;
    sip_txn_release(txn);
    s->notify = NULL;
    notify_ended(s, in->msg->status < 300);
}

static void notify_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct subscription *s = arg;
    (void)status;
    sip_txn_release(txn);
    s->notify = NULL;
    notify_ended(s, false);
}

static const struct sip_client_events notify_events = {.response = notify_answered, .failed = notify_failed};

static void state_write(const struct subscription *s, struct text *out)
{
    lab_time left = s->until - host_now(s->mwi->pbx->host);
    text_str(out, "Event: " MWI_EVENT "\r\nSubscription-State: ");
    if (s->over) {
        text_str(out, "terminated;reason=");
        text_str(out, s->reason);
    } else {
        text_str(out, "active;expires=");
        text_u64(out, (uint64_t)((left + SEC - 1) / SEC));
    }
    text_str(out, "\r\n");
}

static void body_write(const struct subscription *s, struct text *out)
{
    const struct mailbox *m = mailbox_of(s->mwi, s->line);
    char room[192];
    struct text account = text_on(room, sizeof room);
    sip_uri_write(&account, pbx_line_name(s->line), span_of(s->mwi->pbx->settings->domain), 0);
    mwi_write(
        &(struct mwi){
            .waiting = m && m->new, .new = m ? m->new : 0, .old = m ? m->old : 0, .account = text_span(&account)},
        out);
}

/* The next change, or the expiry, tries again. */
static void unsent(struct subscription *s)
{
    s->notify = NULL;
    if (s->over)
        subscription_free(s);
}

/* One at a time, so that they arrive in order. */
static void notify(struct subscription *s)
{
    char headers_room[256];
    char body_room[512];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    s->again = s->notify != NULL;
    if (s->again)
        return;
    state_write(s, &headers);
    body_write(s, &body);
    struct sip_dialog_request request = {
        .method = "NOTIFY", .headers = text_span(&headers), .content_type = SPAN(MWI_TYPE), .body = text_span(&body)};
    if (sip_dialog_send(&s->dialog, &request, &notify_events, s, &s->notify))
        unsent(s);
}

/* ---- SUBSCRIBE ---- */

bool pbx_mwi_concerns(const struct pbx *pbx, const struct sip_incoming *in)
{
    (void)pbx;
    return in->msg->method == SIP_SUBSCRIBE && sip_event_is(in->msg, MWI_EVENT);
}

static struct subscription *subscription_of(struct pbx_mwi *mwi, const struct sip_msg *msg)
{
    for (struct subscription *s = mwi->subscriptions; s; s = s->next)
        if (!s->over && sip_dialog_has(&s->dialog, msg))
            return s;
    return NULL;
}

static uint32_t grant(const struct sip_msg *msg)
{
    uint32_t expires = EXPIRES_USUAL;
    (void)sip_number_parse(sip_value(msg, SIP_H_EXPIRES), UINT32_MAX, &expires);
    return expires < EXPIRES_MOST ? expires : EXPIRES_MOST;
}

/* Where the phone's next SUBSCRIBE goes: to where this one came. */
static void contact_write(const struct pbx *pbx, const struct sip_txn *txn, struct text *out)
{
    pbx_put_address(pbx, out, sip_txn_flow(txn).socket);
    text_char(out, '>');
}

static void accept_with(struct pbx *pbx, struct sip_txn *txn, uint32_t expires)
{
    char room[128];
    struct text headers = text_on(room, sizeof room);
    text_str(&headers, "Contact: ");
    contact_write(pbx, txn, &headers);
    text_str(&headers, "\r\nExpires: ");
    text_u64(&headers, expires);
    text_str(&headers, "\r\n");
    sip_txn_reply(txn, &(struct sip_reply){.status = 200, .headers = text_span(&headers)});
}

/* §4.2.1.1: the answer, then at once a NOTIFY. Expires 0 asks for the state once. */
static void grant_until(struct subscription *s, struct sip_txn *txn, uint32_t expires, const char *state)
{
    struct pbx *pbx = s->mwi->pbx;
    s->until = host_now(pbx->host) + (lab_time)expires * SEC;
    accept_with(pbx, txn, expires);
    if (expires == 0) {
        finish(s, "removed", "timeout");
        return;
    }
    host_timer_start(pbx->host, &s->expiry, s->until);
    trace(s, state, expires);
    notify(s);
}

static bool too_many(const struct pbx_mwi *mwi, const struct pbx_line *line)
{
    unsigned n = 0;
    for (const struct subscription *s = mwi->subscriptions; s; s = s->next)
        n += s->line == line;
    return n >= SUBSCRIPTIONS_MOST;
}

static void begin(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in, const struct pbx_line *line)
{
    char room[64];
    struct text contact = text_on(room, sizeof room);
    struct subscription *s = too_many(pbx->mwi, line) ? NULL : subscription_new(pbx->mwi, line);
    if (!s) {
        sip_txn_reply_status(txn, 500);
        return;
    }
    contact_write(pbx, txn, &contact);
    int error = sip_dialog_init_uas(&s->dialog, pbx->txns, in, sip_txn_tag(txn), text_span(&contact));
    if (!error)
        error = sip_dialog_confirm(&s->dialog, NULL);
    if (error) {
        subscription_free(s);
        sip_txn_reply_status(txn, error == FE_ESYNTAX ? 400 : 500);
        return;
    }
    grant_until(s, txn, grant(in->msg), "added");
}

static void refresh(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct subscription *s = subscription_of(pbx->mwi, in->msg);
    if (!s)
        sip_txn_reply_status(txn, 481);
    else if (sip_dialog_received(&s->dialog, in->msg))
        sip_txn_reply_status(txn, 500);
    else
        grant_until(s, txn, grant(in->msg), "refreshed");
}

/* PB-1: who it is, and whether the mailbox is his: the To names it, the From asks. */
void pbx_mwi_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in)
{
    const struct pbx_line *line = pbx_line_of_text(pbx, in->core->from.uri);
    bool own = line && pbx_line_of_text(pbx, in->core->to.uri) == line;
    if (!own)
        sip_txn_reply_status(txn, line ? 403 : 404);
    else if (pbx->settings->challenge_calls && pbx_authenticate(pbx, txn, in, line) == PBX_ANSWERED)
        return;
    else if (!span_empty(in->core->to.tag))
        refresh(pbx, txn, in);
    else
        begin(pbx, txn, in, line);
}

/* ---- the service ---- */

void pbx_mwi_deactivate(struct pbx_mwi *mwi)
{
    struct subscription *next;
    for (struct subscription *s = mwi->subscriptions; s; s = next) {
        next = s->next;
        finish(s, "removed", "deactivated");
    }
}

void pbx_mwi_forget(struct pbx_mwi *mwi)
{
    while (mwi && mwi->subscriptions) {
        struct subscription *s = mwi->subscriptions;
        mwi->subscriptions = s->next;
        release(s);
    }
}

int pbx_mwi_new(struct pbx_mwi **out, struct pbx *pbx)
{
    struct pbx_mwi *mwi = calloc(1, sizeof *mwi);
    if (!mwi)
        return FE_EMEM;
    mwi->pbx = pbx;
    *out = mwi;
    return 0;
}

void pbx_mwi_free(struct pbx_mwi *mwi)
{
    pbx_mwi_forget(mwi);
    while (mwi && mwi->mailboxes) {
        struct mailbox *m = mwi->mailboxes;
        mwi->mailboxes = m->next;
        free(m);
    }
    free(mwi);
}
