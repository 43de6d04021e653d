/* How it works. Transactions hang in a hash table by their key (sip_key.c). A message finds its transaction there, and
 * the transaction's machine does the rest. One that has ended leaves the table at once, but its memory stays until a
 * timer of zero length fires: whoever is still on the stack, a machine or an owner, may finish in peace. */
#include "nodes/sip/sip_txn_private.h"

#include "nodes/base/error.h"
#include "nodes/base/prng.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_BUCKETS = 4 };

static const struct sip_transport_events transport_events = {
    .request = sip_txns_take_request,
    .response = sip_txns_take_response,
    .failed = sip_txns_take_failure,
};

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

struct sip_txn *sip_txns_find(const struct sip_txns *set, const struct text *key)
{
    if (!text_ok(key) || set->n_buckets == 0)
        return NULL;
    uint64_t hash = span_hash(text_span(key));
    for (struct sip_txn *txn = *bucket(set, hash); txn; txn = txn->next)
        if (txn->hash == hash && span_equal(txn->key, text_span(key)))
            return txn;
    return NULL;
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

int sip_txn_new(struct sip_txns *set, enum sip_machine machine, const struct text *key, struct span request,
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
