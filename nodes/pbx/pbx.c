/* The PBX: registrar, location service and proxy of the lines in its settings (PB-1 … PB-9).
 *
 * `restart` is what a reboot does to a PBX: transactions, nonces and the records of running calls are gone; the
 * registrations too, unless they are remembered (PB-2). Calls that are up go on, since their media does not pass here.
 * A power cut (the step that stops the node) forgets them whatever the setting says: a node has no disk. */
#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/pbx/pbx_node.h"

#include <stdlib.h>

extern const struct node_kind pbx_kind;

static void request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct pbx *pbx = arg;
    if (pbx_service_refuses(pbx, txn, in))
        return;
    if (in->msg->method == SIP_REGISTER)
        pbx_registrar_request(pbx, txn, in);
    else if (pbx_mwi_concerns(pbx, in))
        pbx_mwi_request(pbx, txn, in);
    else
        pbx_call_request(pbx, txn, in);
}

static void ack(void *arg, const struct sip_incoming *in)
{
    pbx_call_ack(arg, in);
}

/* ---- up and down ---- */

static void call_expired(void *arg)
{
    pbx_service_call_ended(arg);
}

static void down(struct pbx *pbx)
{
    pbx_mwi_forget(pbx->mwi);
    sip_proxy_free(pbx->proxy);
    sip_txns_free(pbx->txns);
    sip_transport_free(pbx->transport);
    tls_context_free(pbx->tls);
    sip_realm_free(pbx->realm);
    pbx_cdrs_free(pbx->cdrs);
    pbx->proxy = NULL;
    pbx->txns = NULL;
    pbx->transport = NULL;
    pbx->tls = NULL;
    pbx->realm = NULL;
    pbx->cdrs = NULL;
}

static int up(struct pbx *pbx, struct text *why)
{
    static const struct sip_txns_events events = {.request = request, .ack = ack};
    const struct pbx_settings *s = pbx->settings;
    struct sip_proxy_config proxy = {
        .timer_c = s->no_answer,
        .session = {.interval = (uint32_t)(s->session_timer / SEC), .least = (uint32_t)(s->least_session / SEC)}};
    int error = pbx_transport_open(pbx, why);
    proxy.double_record_route = pbx->sockets_n > 1;
    if (!error)
        error = sip_txns_new(&pbx->txns, pbx->transport, &(struct sip_timing){0}, &events, pbx);
    if (!error)
        error = sip_proxy_new(&pbx->proxy, pbx->txns, &proxy, &pbx_call_hooks, pbx);
    if (!error)
        error = sip_realm_new(&pbx->realm, pbx->host, span_of(s->domain), s->nonce_life);
    if (!error)
        error = pbx_cdrs_new(&pbx->cdrs, pbx->host, call_expired, pbx);
    if (!error)
        pbx_service_apply(pbx);
    return error;
}

/* ---- the kind ---- */

static void stop(void *node)
{
    struct pbx *pbx = node;
    down(pbx);
    pbx_service_stop(pbx); /* calls that end with it may have started its timer */
    pbx_mwi_free(pbx->mwi);
    pbx_location_free(pbx->location);
    free(pbx);
}

static int start(struct host *h, const void *settings, void **node, struct text *why)
{
    struct pbx *pbx = calloc(1, sizeof *pbx);
    if (!pbx)
        return FE_EMEM;
    *pbx = (struct pbx){.host = h, .settings = settings};
    int error = host_port(h, "on") ? pbx_location_new(&pbx->location, h, pbx->settings) : FE_EUNREACH;
    if (!error)
        error = pbx_mwi_new(&pbx->mwi, pbx);
    if (!error)
        error = up(pbx, why);
    if (error) {
        if (why && why->n == 0) {
            text_str(why, "the PBX cannot open its SIP port: ");
            text_str(why, fe_error_text(error));
        }
        stop(pbx);
        return error;
    }
    pbx_service_init(pbx);
    *node = pbx;
    return 0;
}

static void bad_command(struct pbx *pbx, struct span line, const char *reason)
{
    struct record *r = host_trace(pbx->host, "bad-command");
    record_text(r, "line", line);
    record_str(r, "reason", reason);
    host_trace_end(pbx->host);
}

static void restart(struct pbx *pbx, struct span line)
{
    if (!pbx->settings->remember)
        pbx_location_forget(pbx->location);
    down(pbx);
    pbx_location_remove_connections(pbx->location); /* a reboot closes them */
    if (up(pbx, NULL)) {
        bad_command(pbx, line, "the PBX did not come up again");
        host_exit(pbx->host, 1);
    }
}

static const char *conflict(const void *settings, struct text *why)
{
    return pbx_transport_conflict(settings, why);
}

static void command(void *node, struct span line)
{
    struct pbx *pbx = node;
    const char *why = NULL;
    line = span_trim(line);
    if (span_is(line, "restart"))
        restart(pbx, line);
    else if (span_is(line, "stop"))
        pbx_service_leave(pbx);
    else if (span_starts(line, SPAN("answers ")))
        why = pbx_service_set(pbx, (struct span){line.p + 8, line.n - 8});
    else if (span_starts(line, SPAN("mwi ")))
        why = pbx_mwi_set(pbx, (struct span){line.p + 4, line.n - 4});
    else
        why = "the PBX does not know this command";
    if (why)
        bad_command(pbx, line, why);
}

static const char *const ports[] = {"on", NULL};

const struct node_kind pbx_kind = {
    .name = "pbx",
    .help = "registers phones, checks their passwords and connects their calls",
    .ports = ports,
    .dates = true,
    .far = true,
    .options = pbx_options,
    .settings_size = sizeof(struct pbx_settings),
    .conflict = conflict,
    .start = start,
    .command = command,
    .stop = stop,
    .commands =
        "mwi LINE 2/8       tells the line of two new and eight old voice messages\n"
        "restart            as a reboot: forgets calls and nonces, and registrations unless they are remembered\n"
        "stop               refuses what is new with 503, waits for the running calls to end, and ends\n"
        "answers normally   serves again\n"
        "answers 503        refuses what is new; answers 503 retry after 30s: and says when to come back\n"
        "answers nothing    reads what comes and says nothing, as a program that hangs\n",
};
