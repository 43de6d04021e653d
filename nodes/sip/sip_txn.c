/* How it works. Transactions hang in a hash table by their key (sip_key.c). A message finds its transaction there, and
 * the transaction's machine does the rest. One that has ended leaves the table at once, but its memory stays until a
 * timer of zero length fires: whoever is still on the stack, a machine or an owner, may finish in peace. */
#include "nodes/sip/sip_txn_private.h"

#include "nodes/base/error.h"
#include "nodes/base/prng.h"
#include "nodes/proto/sip_build.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_BUCKETS = 4, BRANCH_DIGITS = 16 };

struct sip_txns {
    struct sip_transport_layer *transport;
    struct host *host;
    struct sip_timing timing;
    const struct sip_txns_events *events;
    void *arg;
    struct prng branches, tags;
    struct sip_txn **buckets;
    size_t n_buckets; /* a power of two, or 0 */
    size_t live;
    uint64_t begun;        /* transactions that ever were */
    struct sip_txn *ended; /* to be freed by `sweep` */
    struct timer sweep;
    bool deaf;
};

static const struct sip_transport_events transport_events;

/* ---- the set ---- */

static struct sip_timing with_defaults(const struct sip_timing *given)
{
    struct sip_timing t = *given;
    t.t1 = t.t1 ? t.t1 : 500 * MS;
    t.t2 = t.t2 ? t.t2 : 4 * SEC;
    t.t4 = t.t4 ? t.t4 : 5 * SEC;
    t.b = t.b ? t.b : 64 * t.t1;
    t.f = t.f ? t.f : 64 * t.t1;
    t.d = t.d ? t.d : 32 * SEC;
    return t;
}

static void sweep(void *arg)
{
    struct sip_txns *set = arg;
    while (set->ended) {
        struct sip_txn *txn = set->ended;
        set->ended = txn->next;
        free(txn->answer);
        free(txn->cancel_reason);
        free(txn->rewritten);
        free(txn);
    }
}

int sip_txns_new(struct sip_txns **out, struct sip_transport_layer *t, const struct sip_timing *timing,
                 const struct sip_txns_events *events, void *arg)
{
    struct sip_txns *set = calloc(1, sizeof *set);
    if (!set)
        return FE_EMEM;
    set->transport = t;
    set->host = sip_transport_host(t);
    set->timing = with_defaults(timing);
    set->events = events;
    set->arg = arg;
    host_stream(set->host, "branch", &set->branches);
    host_stream(set->host, "tag", &set->tags);
    timer_init(&set->sweep, sweep, set);
    sip_transport_attach(t, &transport_events, set);
    *out = set;
    return 0;
}

static void retire(struct sip_txn *txn);

void sip_txns_free(struct sip_txns *set)
{
    if (!set)
        return;
    sip_transport_attach(set->transport, NULL, NULL);
    for (size_t i = 0; i < set->n_buckets; i++)
        while (set->buckets[i])
            retire(set->buckets[i]);
    host_timer_stop(set->host, &set->sweep);
    sweep(set);
    free(set->buckets);
    free(set);
}

void sip_txns_set_deaf(struct sip_txns *set, bool deaf)
{
    set->deaf = deaf;
}

struct sip_transport_layer *sip_txns_transport(const struct sip_txns *set)
{
    return set->transport;
}

struct host *sip_txns_host(const struct sip_txns *set)
{
    return set->host;
}

const struct sip_timing *sip_txns_timing(const struct sip_txns *set)
{
    return &set->timing;
}

size_t sip_txns_live(const struct sip_txns *set)
{
    return set->live;
}

/* ---- the table ---- */

static struct sip_txn **bucket(const struct sip_txns *set, uint64_t hash)
{
    return &set->buckets[(hash ^ hash >> 32) & (set->n_buckets - 1)];
}

static struct sip_txn *find(const struct sip_txns *set, const struct text *key)
{
    if (!text_ok(key) || set->n_buckets == 0)
        return NULL;
    uint64_t hash = span_hash(text_span(key));
    for (struct sip_txn *txn = *bucket(set, hash); txn; txn = txn->next)
        if (txn->hash == hash && span_equal(txn->key, text_span(key)))
            return txn;
    return NULL;
}

static struct sip_txn *find_server(const struct sip_txns *set, const struct sip_incoming *in, struct span method)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    sip_key_server(&key, in->msg, in->core, method);
    return find(set, &key);
}

static int grow(struct sip_txns *set)
{
    size_t n_before = set->n_buckets;
    struct sip_txn **before = set->buckets;
    size_t n = n_before ? 2 * n_before : FIRST_BUCKETS;
    struct sip_txn **buckets = calloc(n, sizeof *buckets);
    if (!buckets)
        return FE_EMEM;
    set->buckets = buckets;
    set->n_buckets = n;
    for (size_t i = 0; i < n_before; i++)
        for (struct sip_txn *txn = before[i], *next; txn; txn = next) {
            next = txn->next;
            txn->next = *bucket(set, txn->hash);
            *bucket(set, txn->hash) = txn;
        }
    free(before);
    return 0;
}

static int insert(struct sip_txn *txn)
{
    struct sip_txns *set = txn->set;
    if (set->live == set->n_buckets && grow(set))
        return FE_EMEM;
    txn->next = *bucket(set, txn->hash);
    *bucket(set, txn->hash) = txn;
    set->live++;
    return 0;
}

/* Out of the table, into the list of the ended. */
static void retire(struct sip_txn *txn)
{
    struct sip_txns *set = txn->set;
    struct sip_txn **at = bucket(set, txn->hash);
    while (*at != txn)
        at = &(*at)->next;
    *at = txn->next;
    set->live--;
    sip_txn_stop_timers(txn);
    txn->ended = true;
    txn->next = set->ended;
    set->ended = txn;
}

/* ---- one transaction ---- */

static void repeat(void *arg)
{
    struct sip_txn *txn = arg;
    switch (txn->machine) {
    case SIP_ICT: sip_ict_repeat(txn); break;
    case SIP_NICT: sip_nict_repeat(txn); break;
    case SIP_IST: sip_ist_repeat(txn); break;
    case SIP_NIST: break;
    }
}

static void limit(void *arg)
{
    struct sip_txn *txn = arg;
    switch (txn->machine) {
    case SIP_ICT: sip_ict_limit(txn); break;
    case SIP_NICT: sip_nict_limit(txn); break;
    case SIP_IST: sip_ist_limit(txn); break;
    case SIP_NIST: sip_nist_limit(txn); break;
    }
}

/* In the table, but not started yet. */
static int new_txn(struct sip_txns *set, enum sip_machine machine, const struct text *key, struct span request,
                   struct sip_txn **out)
{
    if (!text_ok(key))
        return FE_ERANGE;
    struct sip_txn *txn = calloc(1, sizeof *txn + key->n + request.n);
    if (!txn)
        return FE_EMEM;
    memcpy(txn->bytes, key->p, key->n);
    memcpy(txn->bytes + key->n, request.p, request.n);
    txn->set = set;
    txn->machine = machine;
    txn->number = set->begun++;
    txn->key = span_make(txn->bytes, key->n);
    txn->request = span_make(txn->bytes + key->n, request.n);
    txn->hash = span_hash(txn->key);
    timer_init(&txn->repeat, repeat, txn);
    timer_init(&txn->limit, limit, txn);
    if (insert(txn)) {
        free(txn);
        return FE_EMEM;
    }
    *out = txn;
    return 0;
}

void sip_txn_end(struct sip_txn *txn)
{
    struct sip_txns *set = txn->set;
    retire(txn);
    host_timer_start(set->host, &set->sweep, host_now(set->host));
    if (txn->client && txn->client->ended)
        txn->client->ended(txn->arg, txn);
    else if (txn->server && txn->server->ended)
        txn->server->ended(txn->arg, txn);
}

void sip_txn_release(struct sip_txn *txn)
{
    txn->client = NULL;
    txn->server = NULL;
}

void sip_txn_abandon(struct sip_txn *txn)
{
    assert(txn->machine == SIP_NIST);
    sip_txn_release(txn);
    if (!txn->ended)
        sip_txn_end(txn);
}

void sip_txn_start_repeat(struct sip_txn *txn, lab_time interval)
{
    struct host *h = txn->set->host;
    txn->interval = interval;
    host_timer_start(h, &txn->repeat, host_now(h) + interval);
}

void sip_txn_start_limit(struct sip_txn *txn, lab_time after)
{
    struct host *h = txn->set->host;
    host_timer_start(h, &txn->limit, host_now(h) + after);
}

/* Timer B or F: from now, or from when the connection is up. */
static void start_patience(struct sip_txn *txn, lab_time after)
{
    const struct sip_txns *set = txn->set;
    txn->held = set->timing.from_up && sip_txn_is_reliable(txn) && !sip_transport_is_up(set->transport, &txn->flow);
    if (!txn->held)
        sip_txn_start_limit(txn, after);
}

void sip_txn_stop_timers(struct sip_txn *txn)
{
    host_timer_stop(txn->set->host, &txn->repeat);
    host_timer_stop(txn->set->host, &txn->limit);
}

int sip_txn_send_request(struct sip_txn *txn)
{
    return sip_transport_send(txn->set->transport, &txn->flow, txn->request);
}

void sip_txn_start_request(struct sip_txn *txn, lab_time patience)
{
    if (sip_txn_send_request(txn)) {
        txn->unsent = true;
        sip_txn_start_limit(txn, 0);
        return;
    }
    if (!sip_txn_is_reliable(txn))
        sip_txn_start_repeat(txn, txn->set->timing.t1);
    start_patience(txn, patience);
}

void sip_txn_send_answer(struct sip_txn *txn)
{
    const struct sip_flow *to = txn->machine == SIP_ICT ? &txn->flow : &txn->reply;
    if (txn->answer)
        sip_transport_send(txn->set->transport, to, span_make(txn->answer, txn->answer_size));
}

int sip_txn_keep_answer(struct sip_txn *txn, struct span bytes)
{
    char *copy = realloc(txn->answer, bytes.n);
    if (!copy)
        return FE_EMEM;
    memcpy(copy, bytes.p, bytes.n);
    txn->answer = copy;
    txn->answer_size = bytes.n;
    return 0;
}

void sip_txn_trace_timeout(struct sip_txn *txn, const char *timer)
{
    char buf[128];
    struct text what = text_on(buf, sizeof buf);
    struct sip_msg msg;
    bool server = txn->machine == SIP_IST || txn->machine == SIP_NIST;
    if (sip_parse(server ? span_make(txn->answer, txn->answer_size) : txn->request, &msg, NULL))
        return;
    sip_transport_describe(&what, &msg);
    struct record *r = host_trace(txn->set->host, "timeout");
    record_str(r, "timer", timer);
    record_text(r, "msg", text_span(&what));
    host_trace_end(txn->set->host);
}

void sip_txn_tell_response(struct sip_txn *txn, const struct sip_incoming *in)
{
    if (txn->client && txn->client->response)
        txn->client->response(txn->arg, txn, in);
}

void sip_txn_tell_failed(struct sip_txn *txn, unsigned status)
{
    if (txn->client && txn->client->failed)
        txn->client->failed(txn->arg, txn, status);
}

/* ---- what owners ask ---- */

void sip_txn_msg(const struct sip_txn *txn, struct sip_msg *out)
{
    int error = sip_parse(txn->request, out, NULL);
    assert(!error); /* it was parsed before */
    (void)error;
}

struct sip_flow sip_txn_flow(const struct sip_txn *txn)
{
    return txn->flow;
}

struct sip_flow sip_txn_reply_flow(const struct sip_txn *txn)
{
    return txn->reply;
}

struct sip_txns *sip_txn_set(const struct sip_txn *txn)
{
    return txn->set;
}

struct span sip_txn_branch(const struct sip_txn *txn)
{
    return txn->branch;
}

bool sip_txn_is_invite(const struct sip_txn *txn)
{
    return txn->machine == SIP_ICT || txn->machine == SIP_IST;
}

unsigned sip_txn_status(const struct sip_txn *txn)
{
    return txn->status;
}

struct span sip_txn_tag(struct sip_txn *txn)
{
    if (!txn->tag[0])
        prng_hex(&txn->set->tags, txn->tag, SIP_TAG_DIGITS);
    return span_of(txn->tag);
}

/* ---- client ---- */

int sip_txn_begin(struct sip_txns *set, const struct sip_flow *to, struct span request, struct sip_txn **out)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    struct sip_msg msg;
    struct sip_via via;
    struct sip_txn *txn;
    if (sip_parse(request, &msg, NULL) || !msg.request || sip_via_parse(sip_value(&msg, SIP_H_VIA), &via))
        return FE_ESYNTAX;
    sip_key_client(&key, via.branch, msg.method_text);
    int error = new_txn(set, msg.method == SIP_INVITE ? SIP_ICT : SIP_NICT, &key, request, &txn);
    if (error)
        return error;
    txn->flow = *to;
    txn->branch = span_make(txn->request.p + (via.branch.p - request.p), via.branch.n);
    *out = txn;
    if (txn->machine == SIP_ICT)
        sip_ict_start(txn);
    else
        sip_nict_start(txn);
    return 0;
}

void sip_txns_draw_branch(struct sip_txns *set, struct span salt, struct text *branch)
{
    char digits[BRANCH_DIGITS + 1];
    prng_hex(&set->branches, digits, BRANCH_DIGITS);
    text_str(branch, SIP_MAGIC_COOKIE);
    text_str(branch, digits);
    text_put(branch, salt);
}

int sip_txn_request(struct sip_txns *set, const struct sip_flow *to, struct span request, struct span salt,
                    const struct sip_client_events *events, void *arg, struct sip_txn **out)
{
    char buf[SIP_BYTES_MAX];
    char branch_buf[SIP_BRANCH_MAX];
    struct text whole = text_on(buf, sizeof buf);
    struct text branch = text_on(branch_buf, sizeof branch_buf);
    struct sip_flow flow = *to;
    struct sip_txn *txn;
    sip_txns_draw_branch(set, salt, &branch);
    int error = text_ok(&branch) ? 0 : FE_ERANGE;
    if (!error)
        error = sip_transport_prepare(set->transport, &flow, request, text_span(&branch), &whole);
    if (!error)
        error = sip_txn_begin(set, &flow, text_span(&whole), &txn);
    if (error)
        return error;
    txn->switched = flow.transport != to->transport;
    txn->udp = *to;
    txn->client = events;
    txn->arg = arg;
    *out = txn;
    return 0;
}

void sip_txn_cancel(struct sip_txn *txn, struct span reason)
{
    assert(txn->machine == SIP_ICT);
    if (txn->cancel_wanted)
        return;
    txn->cancel_wanted = true;
    if (reason.n) {
        txn->cancel_reason = calloc(1, reason.n + 1);
        if (txn->cancel_reason)
            memcpy(txn->cancel_reason, reason.p, reason.n);
    }
    sip_ict_cancel(txn);
}

static void take_response(void *arg, const struct sip_incoming *in)
{
    struct sip_txns *set = arg;
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    sip_key_client(&key, in->core->via.branch, in->core->cseq.method_text);
    struct sip_txn *txn = find(set, &key);
    if (set->deaf)
        return;
    if (!txn)
        sip_transport_discard(set->transport, in);
    else if (txn->machine == SIP_ICT)
        sip_ict_response(txn, in);
    else
        sip_nict_response(txn, in);
}

/* Is its response to come from there? An INVITE with a provisional response sends nothing more, so that only the end of
 * its connection concerns it. */
static bool waits_for(const struct sip_txn *txn, struct sip_flow flow)
{
    bool stream = sip_flow_is_reliable(flow);
    bool waits = (txn->machine == SIP_ICT && txn->state.ict <= (stream ? SIP_ICT_PROCEEDING : SIP_ICT_CALLING)) ||
                 (txn->machine == SIP_NICT && txn->state.nict <= SIP_NICT_PROCEEDING);
    return waits && (stream ? txn->flow.connection == flow.connection : sip_flow_equal(txn->flow, flow));
}

/* The oldest one; `held`: of those whose time has not begun. */
static struct sip_txn *find_waiting(const struct sip_txns *set, struct sip_flow flow, bool held)
{
    struct sip_txn *oldest = NULL;
    for (size_t i = 0; i < set->n_buckets; i++)
        for (struct sip_txn *txn = set->buckets[i]; txn; txn = txn->next)
            if (waits_for(txn, flow) && (txn->held || !held) && (!oldest || txn->number < oldest->number))
                oldest = txn;
    return oldest;
}

void sip_txns_up(struct sip_txns *set, const struct sip_flow *flow)
{
    for (struct sip_txn *txn; (txn = find_waiting(set, *flow, true)) != NULL;) {
        txn->held = false;
        sip_txn_start_limit(txn, txn->machine == SIP_ICT ? set->timing.b : set->timing.f);
    }
}

/* The request with the Via of its UDP socket and the same branch. */
static int write_for_udp(const struct sip_txn *txn, struct text *out)
{
    char buf[SIP_BYTES_MAX];
    struct text plain = text_on(buf, sizeof buf);
    struct sip_msg msg;
    sip_txn_msg(txn, &msg);
    struct span via = msg.headers[0].bytes; /* it was written in front of the others */
    const char *rest = via.p + via.n;
    text_put(&plain, span_make(msg.bytes.p, (size_t)(via.p - msg.bytes.p)));
    text_put(&plain, span_make(rest, (size_t)(msg.bytes.p + msg.bytes.n - rest)));
    return sip_transport_add_via(txn->set->transport, txn->udp.socket, text_span(&plain), txn->branch, out);
}

/* §18.1.1: over TCP for its size alone, and nobody listens there. False: it fails. */
static bool fall_back(struct sip_txn *txn, int error)
{
    char buf[SIP_BYTES_MAX];
    struct text whole = text_on(buf, sizeof buf);
    if (!txn->switched || (error != FE_EREFUSED && error != FE_EUNREACH) || write_for_udp(txn, &whole))
        return false;
    txn->rewritten = malloc(whole.n);
    if (!txn->rewritten)
        return false;
    memcpy(txn->rewritten, whole.p, whole.n);
    txn->request = span_make(txn->rewritten, whole.n);
    txn->flow = txn->udp;
    txn->switched = false;
    if (txn->machine == SIP_ICT)
        sip_ict_start(txn);
    else
        sip_nict_start(txn);
    return true;
}

/* §18.4. Each error ends its transaction or moves it to another flow, so that the search comes to an end. */
static void failed(void *arg, struct sip_flow flow, int error)
{
    struct sip_txns *set = arg;
    for (struct sip_txn *txn; (txn = find_waiting(set, flow, false)) != NULL;)
        if (fall_back(txn, error))
            continue;
        else if (txn->machine == SIP_ICT)
            sip_ict_error(txn);
        else
            sip_nict_error(txn);
}

/* ---- server ---- */

void sip_txn_own(struct sip_txn *txn, const struct sip_server_events *events, void *arg)
{
    txn->server = events;
    txn->arg = arg;
}

int sip_txn_respond(struct sip_txn *txn, struct span response)
{
    struct sip_msg msg;
    assert(txn->machine == SIP_IST || txn->machine == SIP_NIST);
    if (sip_parse(response, &msg, NULL) || msg.request)
        return FE_ESYNTAX;
    return txn->machine == SIP_IST ? sip_ist_respond(txn, msg.status, response)
                                   : sip_nist_respond(txn, msg.status, response);
}

int sip_txn_write_reply(struct sip_txn *txn, const struct sip_reply *reply, struct text *out)
{
    struct sip_msg request;
    struct span tag = reply->status > 100 ? sip_txn_tag(txn) : (struct span){0};
    sip_txn_msg(txn, &request);
    sip_put_response(out, &request, reply->status, span_of(reply->reason), tag, (struct endpoint){0});
    text_put(out, reply->headers);
    if (reply->body.n)
        sip_put_body(out, reply->content_type, reply->body);
    else
        sip_put_end(out);
    return text_ok(out) ? 0 : FE_ERANGE;
}

int sip_txn_reply(struct sip_txn *txn, const struct sip_reply *reply)
{
    char buf[SIP_BYTES_MAX];
    struct text out = text_on(buf, sizeof buf);
    int error = sip_txn_write_reply(txn, reply, &out);
    return error ? error : sip_txn_respond(txn, text_span(&out));
}

int sip_txn_reply_status(struct sip_txn *txn, unsigned status)
{
    return sip_txn_reply(txn, &(struct sip_reply){.status = status});
}

static bool is_copy(const struct sip_core *a, const struct sip_txn *txn)
{
    struct sip_msg msg;
    struct sip_core b;
    sip_txn_msg(txn, &msg);
    return sip_core(&msg, &b, NULL) == 0 && span_equal(a->call_id, b.call_id) && span_equal(a->from.tag, b.from.tag) &&
           a->cseq.number == b.cseq.number && span_equal(a->cseq.method_text, b.cseq.method_text);
}

bool sip_txn_is_merged(const struct sip_txn *txn)
{
    struct sip_msg msg;
    struct sip_core core;
    const struct sip_txns *set = txn->set;
    sip_txn_msg(txn, &msg);
    if (sip_core(&msg, &core, NULL) || core.to.tag.n)
        return false;
    for (size_t i = 0; i < set->n_buckets; i++)
        for (const struct sip_txn *other = set->buckets[i]; other; other = other->next)
            if (other != txn && other->machine == txn->machine && is_copy(&core, other))
                return true;
    return false;
}

static struct sip_txn *new_server(struct sip_txns *set, const struct sip_incoming *in)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    enum sip_machine machine = in->msg->method == SIP_INVITE ? SIP_IST : SIP_NIST;
    struct sip_txn *txn;
    sip_key_server(&key, in->msg, in->core, in->msg->method_text);
    if (new_txn(set, machine, &key, in->msg->bytes, &txn))
        return NULL;
    txn->flow = in->flow;
    txn->reply = in->reply;
    struct span branch = in->core->via.branch;
    if (branch.n)
        txn->branch = span_make(txn->request.p + (branch.p - in->msg->bytes.p), branch.n);
    if (machine == SIP_IST)
        sip_ist_start(txn);
    else
        sip_nist_start(txn);
    return txn;
}

/* §9.2. An element that does not know the INVITE answers 481; a proxy would have to forward the CANCEL blindly
 * (§16.10), with a branch that nobody could match, so it answers too. */
static void take_cancel(struct sip_txns *set, const struct sip_incoming *in)
{
    struct sip_txn *invite = find_server(set, in, sip_method_name(SIP_INVITE));
    struct sip_txn *cancel = new_server(set, in);
    if (!cancel)
        return;
    if (!invite) {
        sip_txn_reply_status(cancel, 481);
        return;
    }
    memcpy(cancel->tag, sip_txn_tag(invite).p, sizeof cancel->tag); /* the same tag in both To (§9.2) */
    sip_txn_reply_status(cancel, 200);
    if (invite->state.ist == SIP_IST_PROCEEDING && invite->server && invite->server->cancelled)
        invite->server->cancelled(invite->arg, invite);
}

static void take_ack(struct sip_txns *set, const struct sip_incoming *in)
{
    struct sip_txn *invite = find_server(set, in, sip_method_name(SIP_INVITE));
    if (!invite || !sip_ist_ack(invite))
        set->events->ack(set->arg, in);
}

static void take_request(void *arg, const struct sip_incoming *in)
{
    struct sip_txns *set = arg;
    if (set->deaf)
        return;
    if (in->msg->method == SIP_ACK) {
        take_ack(set, in);
        return;
    }
    struct sip_txn *txn = find_server(set, in, in->msg->method_text);
    if (txn && txn->machine == SIP_IST)
        sip_ist_request(txn);
    else if (txn)
        sip_nist_request(txn);
    else if (in->msg->method == SIP_CANCEL)
        take_cancel(set, in);
    else if ((txn = new_server(set, in)) != NULL)
        set->events->request(set->arg, txn, in);
}

static const struct sip_transport_events transport_events = {
    .request = take_request,
    .response = take_response,
    .failed = failed,
};
