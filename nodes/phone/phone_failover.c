#include "nodes/phone/phone_failover.h"

#include "nodes/phone/phone.h"
#include "nodes/proto/sip_msg.h"

/* ---- servers ---- */

/* Where no port is written, the usual one of what is tried first; of a name, what DNS says (PH-25). */
static struct phone_place place_of(const struct phone *p, struct endpoint at, const char *name, uint32_t port)
{
    enum sip_transport list[2];
    (void)phone_transport_list(p->settings, list);
    if ((at.addr || name[0]) && port)
        at.port = (uint16_t)port;
    if (at.addr && at.port == 0)
        at.port = sip_transport_port(list[0]);
    return (struct phone_place){list[0], at, span_of(name)};
}

/* By each transport in turn: at the port that is written, or at the usual one of each. Those of a name: DNS tells. */
static void targets_init(struct phone *p)
{
    enum sip_transport list[2];
    unsigned n = phone_transport_list(p->settings, list);
    for (unsigned i = 0; i < p->servers.n; i++) {
        struct phone_server *s = &p->servers.list[i];
        bool usual = s->place.at.port == sip_transport_port(list[0]);
        for (unsigned j = 0; j < n && s->place.name.n == 0; j++) {
            struct endpoint at = {s->place.at.addr, usual ? sip_transport_port(list[j]) : s->place.at.port};
            phone_targets_add(&s->targets, (struct phone_place){list[j], at, {0}});
        }
    }
}

#define PLACE(field) place_of(p, s->field, s->field##_name, s->field##_port)

static void servers_init(struct phone *p)
{
    const struct phone_settings *s = p->settings;
    struct phone_places places = {
        .proxy = {PLACE(proxy), PLACE(backup_proxy)},
        .registrar = {PLACE(registrar), PLACE(backup_registrar)},
        .outbound = {PLACE(outbound_proxy), PLACE(backup_outbound_proxy)},
    };
    phone_servers_init(&p->servers, &places, s->blacklist);
    targets_init(p);
}

/* "101@backup.example"; without one the line has the same address of record everywhere. */
static void aors_init(struct phone *p)
{
    const struct phone_settings *s = p->settings;
    struct phone_aor *backup = &p->aors[PHONE_BACKUP];
    p->aors[PHONE_PRIMARY] = (struct phone_aor){span_of(s->line), span_of(s->domain)};
    if (s->backup_aor[0])
        backup->user = span_cut(span_of(s->backup_aor), '@', &backup->domain);
    else
        *backup = p->aors[PHONE_PRIMARY];
}

bool phone_server_refuses(const struct phone *p, const struct sip_msg *response, lab_time *retry_after)
{
    uint32_t seconds;
    *retry_after = 0;
    if (response->status != 503)
        return false;
    if (p->settings->heed_retry_after && sip_delta_parse(sip_value(response, SIP_H_RETRY_AFTER), &seconds, NULL) == 0)
        *retry_after = (lab_time)seconds * SEC;
    return true;
}

const char *phone_failure_text(unsigned status)
{
    return status == 503 ? "transport error" : "no answer";
}

/* ---- what follows ---- */

static const char *group_name(const struct phone *p, unsigned group)
{
    if (p->servers.groups_n == 1)
        return "all";
    return group == PHONE_REGISTRAR ? "registrar" : "proxy";
}

static void trace(struct phone *p, unsigned group, unsigned from, const char *why)
{
    static const char *const sites[PHONE_SITES] = {"primary", "backup"};
    const struct phone_group *g = &p->servers.groups[group];
    struct record *r = host_trace(p->host, "failover");
    record_str(r, "what", group_name(p, group));
    record_str(r, "from", sites[from]);
    record_str(r, "to", sites[g->active]);
    record_endpoint(r, "server", phone_server_at(p, g->hop[g->active]));
    record_str(r, "why", why);
    host_trace_end(p->host);
}

static void probe_timer_set(struct phone *p)
{
    lab_time interval = p->settings->probe_interval;
    if (!phone_servers_away(&p->servers) || interval == 0 || p->settings->outbound) /* flows are formed anew anyway */
        host_timer_stop(p->host, &p->failover.timer);
    else if (!timer_running(&p->failover.timer))
        host_timer_start(p->host, &p->failover.timer, host_now(p->host) + interval);
}

/* PH-20: the registration follows the registrar, and the address of record, which is the proxy's. */
static void follow(struct phone *p, unsigned moved, const unsigned *from, const char *why)
{
    bool away = false;
    for (unsigned i = 0; i < PHONE_GROUPS; i++) {
        if (!(moved & 1u << i))
            continue;
        trace(p, i, from[i], why);
        away = away || p->servers.groups[i].active > from[i];
    }
    probe_timer_set(p);
    phone_register_moved(p, away);
    if (!phone_register_busy(p) && !p->registration.deciding)
        phone_subscribe_check(p); /* else when the registration has followed */
}

void phone_server_failed(struct phone *p, unsigned server, const char *why, lab_time retry_after)
{
    unsigned from[PHONE_GROUPS] = {p->servers.groups[0].active, p->servers.groups[1].active};
    unsigned moved = phone_servers_failed(&p->servers, server, retry_after, host_now(p->host));
    if (moved)
        follow(p, moved, from, why);
}

static void target_trace(struct phone *p, unsigned server, const char *why)
{
    struct record *r = host_trace(p->host, "failover");
    record_str(r, "what", "target");
    record_endpoint(r, "server", phone_server_at(p, server));
    record_text(r, "transport", sip_transport_name(phone_server_by(p, server)));
    record_str(r, "why", why);
    host_trace_end(p->host);
}

bool phone_server_again(struct phone *p, unsigned server, const struct sip_txn *txn, const char *why, bool machine)
{
    struct sip_flow flow = sip_txn_flow(txn);
    struct phone_place before = phone_server_target(&p->servers.list[server]);
    bool more = phone_targets_failed(&p->servers.list[server].targets,
                                     (struct phone_place){flow.transport, flow.remote, {0}}, machine);
    phone_locate_failed(p, server, (struct phone_place){flow.transport, flow.remote, {0}});
    if (more && !phone_place_equal(before, phone_server_target(&p->servers.list[server])))
        target_trace(p, server, why);
    return more;
}

void phone_server_answered(struct phone *p, unsigned server)
{
    unsigned from[PHONE_GROUPS] = {p->servers.groups[0].active, p->servers.groups[1].active};
    bool searched = p->servers.list[server].targets.tried != 0;
    unsigned moved = phone_servers_answered(&p->servers, server);
    if (searched)
        phone_locate_used(p, server); /* the next request goes through the list from its beginning */
    if (moved)
        follow(p, moved, from, "it answers again");
}

/* ---- probes ---- */

static void probe_drop(struct phone_probe *probe)
{
    if (probe->txn)
        sip_txn_release(probe->txn);
    probe->txn = NULL;
}

static void probe_answered(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_probe *probe = arg;
    struct phone *p = probe->phone;
    unsigned server = (unsigned)(probe - p->failover.probes);
    lab_time retry_after;
    (void)txn;
    if (in->msg->status < 200)
        return;
    probe_drop(probe);
    if (phone_server_refuses(p, in->msg, &retry_after))
        phone_server_failed(p, server, "503", retry_after);
    else
        phone_server_answered(p, server);
}

/* It is as dead as before; its blacklist is not made longer by our asking. */
static void probe_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    (void)status;
    probe_drop(arg);
}

static const struct sip_client_events probe_events = {.response = probe_answered, .failed = probe_failed};

static void probe_send(struct phone *p, unsigned server)
{
    struct phone_probe *probe = &p->failover.probes[server];
    char call_id[PHONE_CALL_ID + 1];
    char tag[PHONE_TAG + 1];
    if (probe->txn)
        return;
    prng_hex(&p->rng, call_id, PHONE_CALL_ID);
    prng_hex(&p->rng, tag, PHONE_TAG);
    struct phone_request request = {.method = "OPTIONS", .server = server, .call_id = call_id, .tag = tag, .cseq = 1};
    if (phone_request_send(p, &request, &probe_events, probe, &probe->txn))
        probe->txn = NULL;
}

static void tick(void *arg)
{
    struct phone *p = arg;
    for (unsigned i = 0; i < p->servers.n; i++)
        if (phone_servers_probed(&p->servers, i, host_now(p->host)))
            probe_send(p, i);
    probe_timer_set(p);
}

/* ---- life ---- */

void phone_failover_init(struct phone *p)
{
    servers_init(p);
    aors_init(p);
    timer_init(&p->failover.timer, tick, p);
    for (unsigned i = 0; i < PHONE_SERVERS_MAX; i++)
        p->failover.probes[i].phone = p;
}

void phone_failover_stop(struct phone *p)
{
    host_timer_stop(p->host, &p->failover.timer);
    for (unsigned i = 0; i < PHONE_SERVERS_MAX; i++)
        probe_drop(&p->failover.probes[i]);
}
