/* SB-11: the SBC asks each PBX by OPTIONS whether it is there, one question at a time, and knows before a call has to
 * find out. A change is traced as `server`, by whichever request it was noticed; where there is but one PBX and nobody
 * asks, there is nothing to tell. */
#include "nodes/base/error.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

enum { CALL_ID = 16, REQUEST = 1024 };

struct question {
    struct sbc_monitor *monitor; /* NULL: this place is free */
    struct sip_flow to;
    struct timer next;
    struct sip_txn *txn; /* NULL: none under way */
    uint32_t cseq;
    char call_id[CALL_ID + 1];
};

struct sbc_monitor {
    struct sbc *sbc;
    struct prng rng;
    struct question questions[SBC_SERVERS_MAX];
};

/* ---- what became of a server ---- */

static void trace(struct sbc *sbc, const char *state, struct endpoint server)
{
    if (sbc->settings.pbx.n == 1 && sbc->servers.n == 1 && !sbc->settings.monitor_servers)
        return;
    struct record *r = host_trace(sbc->host, "server");
    record_str(r, "state", state);
    record_endpoint(r, "server", server);
    host_trace_end(sbc->host);
}

/* RFC 3261 §21.5.4: so long nothing should be sent there. */
static lab_time retry_after(const struct sip_msg *response)
{
    uint32_t seconds = 0;
    struct span value = response ? sip_value(response, SIP_H_RETRY_AFTER) : (struct span){0};
    return value.p && sip_delta_parse(value, &seconds, NULL) == 0 ? seconds * SEC : 0;
}

void sbc_server_failed(struct sbc *sbc, struct endpoint server, const struct sip_msg *response)
{
    if (sbc_servers_failed(&sbc->servers, server, host_now(sbc->host), retry_after(response)))
        trace(sbc, "lost", server);
}

void sbc_server_answered(struct sbc *sbc, struct endpoint server)
{
    if (sbc_servers_answered(&sbc->servers, server))
        trace(sbc, "back", server);
}

/* ---- questions ---- */

static void over(struct question *q)
{
    struct sbc *sbc = q->monitor->sbc;
    q->txn = NULL;
    host_timer_start(sbc->host, &q->next, host_now(sbc->host) + sbc->settings.monitor_servers);
}

static void response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct question *q = arg;
    if (in->msg->status < 200)
        return;
    if (in->msg->status == 503)
        sbc_server_failed(q->monitor->sbc, q->to.remote, in->msg);
    else
        sbc_server_answered(q->monitor->sbc, q->to.remote);
    sip_txn_release(txn);
    over(q);
}

static void failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct question *q = arg;
    (void)status;
    sbc_server_failed(q->monitor->sbc, q->to.remote, NULL);
    sip_txn_release(txn);
    over(q);
}

static void ask(void *arg)
{
    static const struct sip_client_events events = {.response = response, .failed = failed};
    struct question *q = arg;
    struct sbc *sbc = q->monitor->sbc;
    char buf[REQUEST];
    struct text request = text_on(buf, sizeof buf);
    sbc_write_options(sbc, &q->monitor->rng, &q->to, q->call_id, ++q->cseq, &request);
    if (sip_txn_request(sbc->txns, &q->to, text_span(&request), (struct span){0}, &events, q, &q->txn))
        over(q);
}

/* ---- life ---- */

/* The first question goes out at once, before the first phone can want to register. */
static void begin(struct sbc_monitor *m, struct question *q, struct endpoint server)
{
    *q = (struct question){.monitor = m, .to = sbc_flow_inside(m->sbc, server)};
    prng_hex(&m->rng, q->call_id, CALL_ID);
    timer_init(&q->next, ask, q);
    host_timer_start(m->sbc->host, &q->next, host_now(m->sbc->host));
}

static void end(struct question *q)
{
    if (!q->monitor)
        return;
    host_timer_stop(q->monitor->sbc->host, &q->next);
    if (q->txn)
        sip_txn_release(q->txn);
    q->monitor = NULL;
}

static struct question *place_for(struct sbc_monitor *m, struct endpoint server)
{
    struct question *free_place = NULL;
    for (unsigned i = 0; i < SBC_SERVERS_MAX; i++) {
        struct question *q = &m->questions[i];
        if (q->monitor && endpoint_equal(q->to.remote, server))
            return q;
        if (!q->monitor && !free_place)
            free_place = q;
    }
    return free_place;
}

void sbc_monitor_follow(struct sbc *sbc)
{
    struct sbc_monitor *m = sbc->monitor;
    if (!sbc->settings.monitor_servers)
        return;
    for (unsigned i = 0; i < SBC_SERVERS_MAX; i++)
        if (m->questions[i].monitor && !sbc_servers_have(&sbc->servers, m->questions[i].to.remote))
            end(&m->questions[i]);
    for (unsigned i = 0; i < sbc->servers.n; i++) {
        struct question *q = place_for(m, sbc->servers.items[i].at);
        if (!q->monitor)
            begin(m, q, sbc->servers.items[i].at);
    }
}

int sbc_monitor_new(struct sbc *sbc)
{
    struct sbc_monitor *m = calloc(1, sizeof *m);
    if (!m)
        return FE_EMEM;
    m->sbc = sbc;
    host_stream(sbc->host, "server monitor", &m->rng);
    sbc->monitor = m;
    sbc_monitor_follow(sbc);
    return 0;
}

void sbc_monitor_free(struct sbc_monitor *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < SBC_SERVERS_MAX; i++)
        end(&m->questions[i]);
    free(m);
}
