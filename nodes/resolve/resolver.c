/* An entry is one question: first it is asked, then known until its TTL is over. Everything happens in callbacks of the
 * host's loop: a new question is sent, and a remembered answer delivered, by the entry's timer in the same turn. */
#include "nodes/resolve/resolver.h"

#include "nodes/base/error.h"
#include "nodes/resolve/dns_exchange.h"
#include "nodes/resolve/dns_trace.h"

#include <stdlib.h>

enum { REMEMBERED_MAX = 1024 }; /* entries; with more, answers are used and forgotten */
#define NEGATIVE_MAX (3 * HOUR) /* RFC 2308 §5 */

enum entry_state {
    ENTRY_ASKING, /* the timer is that of the current try; before the first one it is due at once */
    ENTRY_KNOWN,  /* the answer is there; the timer runs when somebody waits for it */
};

struct resolver_entry {
    struct resolver *resolver;
    struct resolver_entry *next;
    enum entry_state state;
    struct dns_question question;
    struct resolver_waiter *waiters; /* in the order of asking */
    struct timer timer;
    struct host_udp *udp;    /* while asking */
    struct dns_exchange tcp; /* what the server of the current try had truncated is being asked again */
    uint16_t id;
    size_t tries; /* number of the next one */
    bool delivering;
    struct resolver_answer answer; /* known */
    struct dns_msg msg;
    char *bytes;
};

struct resolver {
    struct host *host;
    const struct resolver_settings *settings;
    struct prng ids;
    struct resolver_entry *entries;
    size_t n;
};

/* ---- entries ---- */

static void unlink_entry(struct resolver_entry *e)
{
    struct resolver_entry **link = &e->resolver->entries;
    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    e->resolver->n--;
}

static void close_sockets(struct resolver_entry *e)
{
    if (e->udp)
        host_udp_close(e->udp);
    e->udp = NULL;
    dns_exchange_stop(&e->tcp);
}

/* Those who wait for it are told nothing. */
static void entry_end(struct resolver_entry *e)
{
    for (struct resolver_waiter *w = e->waiters; w; w = w->next)
        w->entry = NULL;
    host_timer_stop(e->resolver->host, &e->timer);
    close_sockets(e);
    free(e->bytes);
    free(e);
}

static void entry_free(struct resolver_entry *e)
{
    unlink_entry(e);
    entry_end(e);
}

static bool is_over(const struct resolver_entry *e)
{
    return e->state == ENTRY_KNOWN && host_now(e->resolver->host) >= e->answer.expires;
}

static void forget_if(struct resolver *r, bool all)
{
    for (struct resolver_entry *e = r->entries, *next; e; e = next) {
        next = e->next;
        if (e->state == ENTRY_KNOWN && !e->waiters && !e->delivering && (all || is_over(e)))
            entry_free(e);
    }
}

static struct resolver_entry *find(const struct resolver *r, const struct dns_question *question)
{
    for (struct resolver_entry *e = r->entries; e; e = e->next)
        if (!is_over(e) && dns_question_equal(&e->question, question))
            return e;
    return NULL;
}

/* ---- the end of a question ---- */

static void deliver(struct resolver_entry *e)
{
    e->delivering = true;
    for (struct resolver_waiter *w; (w = e->waiters);) {
        e->waiters = w->next;
        w->entry = NULL;
        w->done(w->arg, &e->answer);
    }
    e->delivering = false;
    if (is_over(e))
        entry_free(e);
}

static void known(struct resolver_entry *e, enum resolver_result result)
{
    host_timer_stop(e->resolver->host, &e->timer);
    close_sockets(e);
    e->state = ENTRY_KNOWN;
    e->answer.result = result;
    e->answer.received = host_now(e->resolver->host);
    if (result == RESOLVER_FAILED)
        e->answer.expires = e->answer.received;
    deliver(e);
}

/* Keeps a copy of the message and says how long it holds. FE_EMEM. */
static int keep(struct resolver_entry *e, const struct dns_msg *msg, const struct dns_answer *found)
{
    lab_time ttl = (lab_time)found->ttl * SEC;
    if (found->n == 0 && ttl > NEGATIVE_MAX)
        ttl = NEGATIVE_MAX;
    e->bytes = malloc(msg->bytes.n);
    if (!e->bytes)
        return FE_EMEM;
    memcpy(e->bytes, msg->bytes.p, msg->bytes.n);
    e->msg = *msg;
    e->msg.bytes.p = e->bytes;
    e->answer.msg = &e->msg;
    e->answer.name = found->name;
    e->answer.expires = host_now(e->resolver->host) + (e->resolver->n > REMEMBERED_MAX ? 0 : ttl);
    return 0;
}

/* ---- asking ---- */

static const struct endpoint *server_of(const struct resolver_entry *e, size_t attempt)
{
    const struct option_items *servers = &e->resolver->settings->servers;
    return &((const struct endpoint *)servers->items)[attempt % servers->n];
}

static size_t tries_max(const struct resolver *r)
{
    return r->settings->servers.n * r->settings->rounds;
}

static int write_query(const struct resolver_entry *e, uint8_t room[DNS_UDP_MAX], struct dns_msg *out)
{
    struct dns_writer w;
    const struct dns_head head = {.id = e->id, .recursion_desired = true};
    dns_begin(&w, room, DNS_UDP_MAX, &head);
    dns_put_question(&w, &e->question);
    return dns_parse(dns_end(&w), out);
}

static bool send_query(struct resolver_entry *e, const struct endpoint *server)
{
    uint8_t room[DNS_UDP_MAX];
    struct dns_msg query;
    if (write_query(e, room, &query) || host_udp_send(e->udp, *server, 0, query.bytes))
        return false;
    dns_trace(e->resolver->host, true, DNS_BY_UDP, *server, &query);
    return true;
}

static void try_ends_in_time(struct resolver_entry *e)
{
    struct resolver *r = e->resolver;
    host_timer_start(r->host, &e->timer, host_now(r->host) + r->settings->timeout);
}

/* The next server, or the end. What the machine refuses to send counts as a try. */
static void ask_next(struct resolver_entry *e)
{
    dns_exchange_stop(&e->tcp);
    while (e->udp && e->tries < tries_max(e->resolver))
        if (send_query(e, server_of(e, e->tries++))) {
            try_ends_in_time(e);
            return;
        }
    known(e, RESOLVER_FAILED);
}

/* By UDP: once the server is asked over TCP, that alone says whether it has failed. */
static bool is_current(const struct resolver_entry *e, struct endpoint server)
{
    return e->tries && endpoint_equal(*server_of(e, e->tries - 1), server) && !dns_exchange_is_under_way(&e->tcp);
}

/* An answer may come late, from a server that was given up. */
static bool was_asked(const struct resolver_entry *e, struct endpoint server)
{
    for (size_t i = 0; i < e->tries && i < e->resolver->settings->servers.n; i++)
        if (endpoint_equal(*server_of(e, i), server))
            return true;
    return false;
}

/* ---- answers ---- */

/* Neither data nor a word about there being none, from somebody who is no authority and asks nobody else: a server that
 * was made responsible by mistake (RFC 1912 §2.8). */
static bool is_lame(const struct dns_msg *msg, const struct dns_answer *found)
{
    return found->n == 0 && !found->may_remember && !msg->head.authoritative && !msg->head.recursion_available;
}

/* False: the answer is of no use. */
static bool answered(struct resolver_entry *e, const struct dns_msg *msg)
{
    struct dns_answer found;
    dns_answer_find(msg, &found);
    bool no_name = msg->head.rcode == DNS_NXDOMAIN;
    bool usable = (no_name || (msg->head.rcode == DNS_NOERROR && !is_lame(msg, &found))) && !msg->head.truncated;
    if (!usable)
        return false;
    if (keep(e, msg, &found))
        known(e, RESOLVER_FAILED);
    else
        known(e, found.n ? RESOLVER_FOUND : no_name ? RESOLVER_NO_NAME : RESOLVER_NO_DATA);
    return true;
}

/* ---- over TCP ---- */

static void answered_over_tcp(void *arg, const struct dns_msg *msg)
{
    struct resolver_entry *e = arg;
    if (!msg || !answered(e, msg))
        ask_next(e);
}

/* RFC 7766 §5. False: it cannot be. */
static bool ask_over_tcp(struct resolver_entry *e, struct endpoint server)
{
    uint8_t room[DNS_UDP_MAX];
    struct dns_msg query;
    if (!e->resolver->settings->tcp || write_query(e, room, &query) ||
        dns_exchange_start(&e->tcp, e->resolver->host, server, &query, answered_over_tcp, e))
        return false;
    try_ends_in_time(e);
    return true;
}

/* ---- over UDP ---- */

static void unusable(struct resolver_entry *e, struct endpoint from, const struct dns_msg *msg)
{
    if (!is_current(e, from))
        return;
    if (!msg->head.truncated || !ask_over_tcp(e, from))
        ask_next(e);
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct resolver_entry *e = arg;
    struct dns_msg msg;
    (void)ttl;
    int error = dns_parse(data, &msg);
    bool ours = !error && msg.head.response && msg.head.id == e->id && was_asked(e, from) &&
                dns_question_equal(&msg.question, &e->question);
    if (!ours) {
        dns_trace_drop(e->resolver->host, error ? "bad-dns" : "not-ours", from);
        return;
    }
    dns_trace(e->resolver->host, false, DNS_BY_UDP, from, &msg);
    if (!answered(e, &msg))
        unusable(e, from, &msg);
}

static void refused(void *arg, const struct host_icmp *error)
{
    struct resolver_entry *e = arg;
    if (is_current(e, error->to))
        ask_next(e);
}

/* ---- questions ---- */

static void due(void *arg)
{
    static const struct host_udp_events events = {received, refused};
    struct resolver_entry *e = arg;
    struct endpoint any = {0};
    switch (e->state) {
    case ENTRY_ASKING:
        if (!e->udp && tries_max(e->resolver) && host_udp_open(e->resolver->host, any, &events, e, &e->udp))
            e->udp = NULL;
        ask_next(e);
        break;
    case ENTRY_KNOWN: deliver(e); break;
    }
}

static struct resolver_entry *entry_new(struct resolver *r, const struct dns_question *question)
{
    struct resolver_entry *e = calloc(1, sizeof *e);
    struct resolver_entry **last = &r->entries;
    if (!e)
        return NULL;
    e->resolver = r;
    e->question = *question;
    e->id = (uint16_t)prng_below(&r->ids, 65536);
    timer_init(&e->timer, due, e);
    while (*last)
        last = &(*last)->next;
    *last = e;
    r->n++;
    return e;
}

static void wait_for(struct resolver_entry *e, struct resolver_waiter *w)
{
    struct resolver_waiter **last = &e->waiters;
    while (*last)
        last = &(*last)->next;
    *last = w;
    w->entry = e;
    w->next = NULL;
    if (!timer_running(&e->timer))
        host_timer_start(e->resolver->host, &e->timer, host_now(e->resolver->host));
}

int resolver_ask(struct resolver *r, const struct dns_name *name, enum dns_type type, struct resolver_waiter *w)
{
    const struct dns_question question = {.name = *name, .type = (uint16_t)type, .class = DNS_IN};
    forget_if(r, false);
    struct resolver_entry *e = find(r, &question);
    if (!e)
        e = entry_new(r, &question);
    if (!e)
        return FE_EMEM;
    wait_for(e, w);
    return 0;
}

/* A question that nobody waits for any more is not asked to its end. */
void resolver_cancel(struct resolver_waiter *w)
{
    struct resolver_entry *e = w->entry;
    if (!e)
        return;
    struct resolver_waiter **link = &e->waiters;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    w->entry = NULL;
    if (!e->waiters && e->state == ENTRY_ASKING)
        entry_free(e);
}

void resolver_forget(struct resolver *r)
{
    forget_if(r, true);
}

/* ---- life ---- */

int resolver_new(struct resolver **out, struct host *h, const struct resolver_settings *settings)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r)
        return FE_EMEM;
    r->host = h;
    r->settings = settings;
    host_stream(h, "dns", &r->ids);
    *out = r;
    return 0;
}

void resolver_free(struct resolver *r)
{
    for (struct resolver_entry *e = r ? r->entries : NULL, *next; e; e = next) {
        next = e->next;
        entry_end(e);
    }
    free(r);
}

const struct option resolver_server_option = {
    .name = "", .type = OPT_ENDPOINT, .size = sizeof(struct endpoint), .port = DNS_PORT, .node = "*"};
