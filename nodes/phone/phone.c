#include "nodes/phone/phone.h"

#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/phone/phone_call.h"
#include "nodes/phone/phone_config.h"
#include "nodes/proto/sip_msg.h"

#include <stdlib.h>

/* ---- what arrives ---- */

static void reply_with(struct sip_txn *txn, unsigned status, struct span headers)
{
    struct sip_reply reply = {.status = status, .headers = headers};
    (void)sip_txn_reply(txn, &reply);
}

static void reply_allowed(const struct phone *p, struct sip_txn *txn, unsigned status, const char *more)
{
    char room[128];
    struct text headers = text_on(room, sizeof room);
    phone_allow_write(p, &headers);
    text_str(&headers, more);
    reply_with(txn, status, text_span(&headers));
}

/* §12.2.2: only a request newer than the last one is looked at. */
static bool in_order(struct phone_call *c, struct sip_txn *txn, const struct sip_msg *request)
{
    if (sip_dialog_received(&c->dialog, request) == 0)
        return true;
    sip_txn_reply_status(txn, 500);
    return false;
}

static void request_in_call(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in)
{
    if (!in_order(c, txn, in->msg))
        return;
    if (in->msg->method == SIP_BYE)
        phone_call_bye(c, txn);
    else if (in->msg->method == SIP_UPDATE)
        phone_call_updated(c, txn, in);
    else
        phone_call_changed(c, txn, in);
}

static bool has_to_tag(const struct sip_msg *request)
{
    struct sip_addr to;
    return sip_addr_parse(sip_value(request, SIP_H_TO), &to) == 0 && to.tag.n > 0;
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    enum sip_method method = in->msg->method;
    struct phone_call *c = phone_call_of(p, in->msg);
    if (method == SIP_OPTIONS)
        reply_allowed(p, txn, 200, "Accept: application/sdp\r\n"); /* §11.2 */
    else if (method == SIP_NOTIFY && p->settings->message_waiting)
        phone_subscribe_notify(p, txn, in);
    else if (method != SIP_INVITE && method != SIP_BYE && method != SIP_UPDATE)
        reply_allowed(p, txn, 405, ""); /* §8.2.1 */
    else if (c)
        request_in_call(c, txn, in);
    else if (method != SIP_INVITE || has_to_tag(in->msg))
        reply_with(txn, 481, (struct span){0});
    else
        phone_call_incoming(p, txn, in);
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    struct phone_call *c = phone_call_of(arg, in->msg);
    if (c)
        phone_call_acked(c, in->msg);
}

static const struct sip_txns_events phone_events = {.request = on_request, .ack = on_ack};

/* ---- life ---- */

static int sip_open(struct phone *p, struct text *why)
{
    const struct phone_settings *s = p->settings;
    struct sip_timing timing = {.t1 = s->t1, .t2 = s->t2, .b = s->transaction, .f = s->transaction, .from_up = true};
    int error = phone_transport_open(p, why);
    if (!error)
        error = sip_txns_new(&p->txns, p->transport, &timing, &phone_events, p);
    return error;
}

static int settings_check(const struct phone_settings *s, const struct host_port *port, struct text *why)
{
    if (!port)
        text_str(why, "a phone needs one network: on");
    else if (!tone_can_say(span_of(s->line)))
        text_str(why, "line: expected 1 to 12 digits, because its voice says them");
    else
        return 0;
    return FE_ESYNTAX;
}

static void phone_free(struct phone *p)
{
    while (p->calls)
        phone_call_free(p->calls);
    phone_register_stop(p);
    phone_outbound_stop(p);
    phone_keep_alive_stop(p);
    phone_keep_stop(p);
    phone_pcp_stop(p);
    phone_failover_stop(p);
    phone_locate_stop(p);
    phone_subscribe_stop(p);
    stun_client_stop(&p->stun);
    sip_txns_free(p->txns);
    sip_transport_free(p->transport);
    phone_transport_fini(p);
    free(p);
}

static void stop(void *node)
{
    phone_free(node);
}

static int start(struct host *h, const void *settings, void **node, struct text *why)
{
    const struct phone_settings *s = settings;
    const struct host_port *port = host_port(h, "on");
    int error = settings_check(s, port, why);
    if (error)
        return error;
    struct phone *p = calloc(1, sizeof *p);
    if (!p)
        return FE_EMEM;
    p->host = h;
    p->settings = s;
    p->addr = port->addr;
    p->media_ttl = (uint8_t)s->media_ttl;
    host_stream(h, "phone", &p->rng);
    host_stream(h, "spread", &p->spread);
    sip_auth_init(&p->call_auth, h, "calls");
    phone_failover_init(p);
    phone_keep_init(p);
    phone_register_init(p);
    phone_outbound_init(p);
    phone_subscribe_init(p);
    error = sip_open(p, why);
    if (!error)
        error = phone_locate_init(p);
    if (!error)
        error = phone_pcp_open(p, why);
    if (error) {
        phone_free(p);
        return error;
    }
    phone_stun_init(p);
    phone_keep_alive_start(p);
    stun_client_ask(&p->stun);
    if (s->registers && !stun_client_asks(&p->stun))
        phone_register_start(p);
    *node = p;
    return 0;
}

/* "101@backup.example" */
static bool aor_is_good(const char *aor)
{
    struct span domain;
    struct span user = span_cut(span_of(aor), '@', &domain);
    return user.n && domain.n && !memchr(domain.p, '@', domain.n) && !memchr(user.p, ':', user.n);
}

static const char *conflict(const void *settings, struct text *why)
{
    const struct phone_settings *s = settings;
    if (s->backup_aor[0] && !aor_is_good(s->backup_aor)) {
        text_str(why, "expected an address of record, as 101@backup.example");
        return "backup AOR";
    }
    const char *setting = phone_transport_conflict(s, why);
    if (!setting)
        setting = phone_pcp_conflict(s, why);
    return setting ? setting : phone_locate_conflict(s, why);
}

static const char *const ports[] = {"on", NULL};

extern const struct node_kind phone_kind;
const struct node_kind phone_kind = {.name = "phone",
                                     .help = "a SIP phone: registers, calls, and judges what it hears",
                                     .ports = ports,
                                     .dates = true,
                                     .options = phone_options,
                                     .settings_size = sizeof(struct phone_settings),
                                     .conflict = conflict,
                                     .read_config = phone_config_read,
                                     .start = start,
                                     .command = phone_command,
                                     .stop = stop,
                                     .commands = phone_commands_help};
