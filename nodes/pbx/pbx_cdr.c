#include "nodes/pbx/pbx_cdr.h"

#include "nodes/base/error.h"
#include "nodes/pbx/pbx_keep.h"

#include <stdlib.h>

enum { BUCKETS = 1024 };

struct call {
    struct pbx_cdrs *set;
    struct call *next; /* in its bucket */
    lab_time start, answer;
    bool rang, answered;
    struct timer expiry; /* RFC 4028; not running: the session does not expire */
    struct span call_id, from, to;
    char text[];
};

struct pbx_cdrs {
    struct host *host;
    void (*expired)(void *arg);
    void *arg;
    struct call *bucket[BUCKETS];
    size_t n;
};

static struct call **place(struct pbx_cdrs *set, struct span call_id)
{
    struct call **at = &set->bucket[span_hash(call_id) % BUCKETS];
    while (*at && !span_equal((*at)->call_id, call_id))
        at = &(*at)->next;
    return at;
}

static void call_expired(void *arg);

int pbx_cdr_start(struct pbx_cdrs *set, struct span call_id, struct span from, struct span to)
{
    struct call **at = place(set, call_id);
    if (*at)
        return 0;
    struct call *call = malloc(sizeof *call + call_id.n + from.n + to.n);
    if (!call)
        return FE_EMEM;
    char *text = call->text;
    *call = (struct call){.set = set, .start = host_now(set->host)};
    timer_init(&call->expiry, call_expired, call);
    call->call_id = pbx_keep(&text, call_id);
    call->from = pbx_keep(&text, from);
    call->to = pbx_keep(&text, to);
    *at = call;
    set->n++;
    return 0;
}

static const char *failure_of(const struct call *call, unsigned status)
{
    switch (status) {
    case 486:
    case 600: return "busy";
    case 487: return "cancelled";
    case 408: return "no-answer";
    case 480: return call->rang ? "no-answer" : "failed";
    default: return "failed";
    }
}

static void forget(struct pbx_cdrs *set, struct call **at)
{
    struct call *call = *at;
    *at = call->next;
    set->n--;
    host_timer_stop(set->host, &call->expiry);
    free(call);
}

static void finish(struct pbx_cdrs *set, struct call **at, const char *result, unsigned status)
{
    const struct call *call = *at;
    struct record *r = host_trace(set->host, "cdr");
    record_text(r, "from", call->from);
    record_text(r, "to", call->to);
    record_str(r, "result", result);
    record_u64(r, "status", status);
    record_i64(r, "start", call->start);
    if (call->answered)
        record_i64(r, "answer", call->answer);
    record_i64(r, "end", host_now(set->host));
    host_trace_end(set->host);
    forget(set, at);
}

/* From the loop. Of the call it is only known that it was up; whether and when it has ended, nobody says any more. */
static void call_expired(void *arg)
{
    struct call *call = arg;
    struct pbx_cdrs *set = call->set;
    finish(set, place(set, call->call_id), "expired", 200);
    if (set->expired)
        set->expired(set->arg);
}

void pbx_cdr_status(struct pbx_cdrs *set, struct span call_id, unsigned status)
{
    struct call **at = place(set, call_id);
    struct call *call = *at;
    if (!call || call->answered)
        return;
    if (status == 422) {
        forget(set, at);
    } else if (status >= 300) {
        finish(set, at, failure_of(call, status), status);
    } else if (status >= 200) {
        call->answered = true;
        call->answer = host_now(set->host);
    } else if (status > 100) {
        call->rang = true;
    }
}

void pbx_cdr_session(struct pbx_cdrs *set, struct span call_id, lab_time expires)
{
    struct call *call = *place(set, call_id);
    if (!call || !call->answered)
        return;
    if (expires == NEVER)
        host_timer_stop(set->host, &call->expiry);
    else
        host_timer_start(set->host, &call->expiry, expires);
}

void pbx_cdr_bye(struct pbx_cdrs *set, struct span call_id)
{
    struct call **at = place(set, call_id);
    if (*at && (*at)->answered)
        finish(set, at, "answered", 200);
}

size_t pbx_cdrs_running(const struct pbx_cdrs *set)
{
    return set->n;
}

int pbx_cdrs_new(struct pbx_cdrs **out, struct host *h, void (*expired)(void *arg), void *arg)
{
    struct pbx_cdrs *set = calloc(1, sizeof *set);
    if (!set)
        return FE_EMEM;
    set->host = h;
    set->expired = expired;
    set->arg = arg;
    *out = set;
    return 0;
}

void pbx_cdrs_free(struct pbx_cdrs *set)
{
    if (!set)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (set->bucket[i])
            forget(set, &set->bucket[i]);
    free(set);
}
