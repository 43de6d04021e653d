#include "nodes/pbx/pbx_service.h"

#include "nodes/base/units.h"
#include "nodes/pbx/pbx_node.h"
#include "nodes/proto/sip_build.h"

static const char *state_name(enum pbx_service_state state)
{
    switch (state) {
    case PBX_NORMAL: return "normal";
    case PBX_REFUSING: return "503";
    case PBX_SILENT: return "silent";
    case PBX_STOPPING: return "stopping";
    }
    return NULL;
}

static void set_state(struct pbx *pbx, enum pbx_service_state state)
{
    pbx->service.state = state;
    sip_txns_set_deaf(pbx->txns, state == PBX_SILENT);
    struct record *r = host_trace(pbx->host, "service");
    record_str(r, "state", state_name(state));
    if (state == PBX_REFUSING && pbx->service.retry_after)
        record_u64(r, "retry_after", (uint64_t)(pbx->service.retry_after / SEC));
    host_trace_end(pbx->host);
}

static enum pbx_service_state state_of(int answers)
{
    switch ((enum pbx_answers)answers) {
    case PBX_ANSWERS_NORMALLY: return PBX_NORMAL;
    case PBX_ANSWERS_503: return PBX_REFUSING;
    case PBX_ANSWERS_NOTHING: return PBX_SILENT;
    }
    return PBX_NORMAL;
}

/* ---- the end ---- */

static void leave(void *arg)
{
    struct pbx *pbx = arg;
    host_exit(pbx->host, 0);
}

void pbx_service_leave(struct pbx *pbx)
{
    if (pbx->service.state == PBX_STOPPING)
        return;
    set_state(pbx, PBX_STOPPING);
    pbx_mwi_deactivate(pbx->mwi);
    lab_time patience = pbx_cdrs_running(pbx->cdrs) ? pbx->settings->patience : 0;
    host_timer_start(pbx->host, &pbx->service.timer, host_now(pbx->host) + patience);
}

/* From the loop, after the last answer has gone out. */
void pbx_service_call_ended(struct pbx *pbx)
{
    if (pbx->service.state == PBX_STOPPING && pbx_cdrs_running(pbx->cdrs) == 0)
        host_timer_start(pbx->host, &pbx->service.timer, host_now(pbx->host));
}

/* ---- commands ---- */

static const char *retry_after_read(struct pbx *pbx, struct span rest)
{
    struct span words = SPAN("retry after ");
    lab_time pause = pbx->settings->retry_after;
    rest = span_trim(rest);
    if (rest.n && (!span_starts(rest, words) || units_time((struct span){rest.p + words.n, rest.n - words.n}, &pause) ||
                   pause < SEC || pause > 24 * HOUR))
        return "expected: answers 503, or answers 503 retry after 30s";
    pbx->service.retry_after = pause;
    return NULL;
}

const char *pbx_service_set(struct pbx *pbx, struct span words)
{
    struct span rest;
    struct span first = span_cut(span_trim(words), ' ', &rest);
    const char *why = NULL;
    int answers = 0;
    while (pbx_answers_words[answers] && !span_is(first, pbx_answers_words[answers]))
        answers++;
    if (!pbx_answers_words[answers] || (answers != PBX_ANSWERS_503 && rest.n))
        return "expected: answers normally, answers 503 or answers nothing";
    if (pbx->service.state == PBX_STOPPING)
        return "it is stopping";
    if (answers == PBX_ANSWERS_503)
        why = retry_after_read(pbx, rest);
    if (!why)
        set_state(pbx, state_of(answers));
    return why;
}

/* ---- requests ---- */

static bool overloaded(struct pbx *pbx, const struct sip_incoming *in)
{
    struct pbx_service *s = &pbx->service;
    lab_time second = host_now(pbx->host) / SEC;
    if (pbx->settings->capacity == 0 || in->msg->method == SIP_OPTIONS)
        return false;
    if (s->second != second)
        s->taken = 0;
    s->second = second;
    return s->taken++ >= pbx->settings->capacity;
}

bool pbx_service_refuses(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in)
{
    const struct pbx_service *s = &pbx->service;
    bool new = span_empty(in->core->to.tag);
    char buf[64];
    struct text headers = text_on(buf, sizeof buf);
    if (s->state == PBX_NORMAL ? !new || !overloaded(pbx, in) : s->state == PBX_STOPPING && !new)
        return false;
    if (s->retry_after)
        sip_put_number(&headers, SIP_H_RETRY_AFTER, (uint64_t)(s->retry_after / SEC));
    sip_txn_reply(txn, &(struct sip_reply){.status = 503, .headers = text_span(&headers)});
    return true;
}

/* ---- life ---- */

void pbx_service_init(struct pbx *pbx)
{
    timer_init(&pbx->service.timer, leave, pbx);
    pbx->service.retry_after = pbx->settings->retry_after;
    if (pbx->settings->answers != PBX_ANSWERS_NORMALLY)
        set_state(pbx, state_of(pbx->settings->answers));
}

void pbx_service_apply(struct pbx *pbx)
{
    sip_txns_set_deaf(pbx->txns, pbx->service.state == PBX_SILENT);
}

void pbx_service_stop(struct pbx *pbx)
{
    host_timer_stop(pbx->host, &pbx->service.timer);
}
