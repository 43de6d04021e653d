/* SB-11: the SBC asks each PBX by OPTIONS whether it is there, one question at a time, and knows before a call has to
 * find out. A change is traced as `server`, by whichever request it was noticed; where there is but one PBX and nobody
 * asks, there is nothing to tell. */
#include "nodes/base/error.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

enum { CALL_ID = 16, REQUEST = 1024 };

struct question {
    struct sbc_monitor *monitor;
    struct sip_flow to;
    struct timer next;
    struct sip_txn *txn; /* NULL: none under way */
    uint32_t cseq;
    char call_id[CALL_ID + 1];
};

struct sbc_monitor {
    struct sbc *sbc;
    struct prng rng;
    unsigned n;
    struct question questions[SBC_SERVERS_MAX];
};

/* ---- what became of a server ---- */

static void trace(struct sbc *sbc, const char *state, struct endpoint server)
{
    if (sbc->servers.n == 1 && !sbc->settings.monitor_servers)
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
int sbc_monitor_new(struct sbc_monitor **out, struct sbc *sbc)
{
    struct sbc_monitor *m = calloc(1, sizeof *m);
    if (!m)
        return FE_EMEM;
    m->sbc = sbc;
    host_stream(sbc->host, "server monitor", &m->rng);
    *out = m;
    for (; sbc->settings.monitor_servers && m->n < sbc->servers.n; m->n++) {
        struct question *q = &m->questions[m->n];
        *q = (struct question){.monitor = m, .to = sbc_flow_inside(sbc, sbc->servers.items[m->n].at)};
        prng_hex(&m->rng, q->call_id, CALL_ID);
        timer_init(&q->next, ask, q);
        host_timer_start(sbc->host, &q->next, host_now(sbc->host));
    }
    return 0;
}

void sbc_monitor_free(struct sbc_monitor *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n; i++) {
        host_timer_stop(m->sbc->host, &m->questions[i].next);
        if (m->questions[i].txn)
            sip_txn_release(m->questions[i].txn);
    }
    free(m);
}
