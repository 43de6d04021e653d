/* Messages that arrive are judged here, once. A request whose top Via needs `received` or `rport` is written anew with
 * them and parsed again, so that everybody above reads, keeps and copies the finished Via and no further rule about
 * addresses is needed when the response is built. */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"

enum { VIA_MAX = 256 };

/* §18.2.2 and RFC 3581 §4, from the Via as it is after the policy was applied. A sent-by that is a name and was not
 * overruled by `received` cannot be looked up here: the source has to do. On a stream the connection comes first, and
 * the port is that of sent-by: nobody listens at the source's. */
static struct sip_flow reply_flow(struct sip_flow from, const struct sip_via *via, enum sip_rport policy)
{
    struct sip_flow to = from;
    struct sip_via top = *via;
    if (policy == SIP_RPORT_IGNORE) {
        top.received = (struct span){0};
        top.has_rport = false;
    }
    if (sip_flow_is_reliable(from))
        top.rport = 0;
    if (sip_response_target(&top, &to.remote))
        to.remote = from.remote;
    return to;
}

/* Writes the request with the finished Via; false: nothing is to be changed. `params` is memory for the edit. */
static bool finish_via(const struct sip_transport_layer *t, const struct sip_incoming *in, struct text *params,
                       struct text *out)
{
    const struct sip_via *via = &in->core->via;
    struct sip_edit edit;
    if (t->config.rport == SIP_RPORT_IGNORE)
        return false;
    sip_edit_begin(&edit, in->msg);
    if (t->config.rport == SIP_RPORT_FORCE && !via->has_rport) {
        text_str(params, ";received=");
        text_addr(params, in->flow.remote.addr);
        text_str(params, ";rport=");
        text_u64(params, in->flow.remote.port);
        sip_edit_replace(&edit, span_make(via->bytes.p + via->bytes.n, 0), text_span(params));
    } else {
        sip_edit_received(&edit, via, in->flow.remote);
    }
    return edit.splices.n > 0 && sip_edit_write(&edit, out) == 0;
}

/* RFC 5923 §5: requests for the sent-by of this one may come back by its connection. */
static void heed_alias(const struct sip_transport_layer *t, const struct sip_flow *from, const struct sip_via *via)
{
    struct sip_connection *c = sip_connections_find(t, from->connection);
    if (!t->config.alias || !via->alias || !c)
        return;
    c->alias = (struct endpoint){from->remote.addr, via->port ? via->port : sip_transport_port(from->transport)};
}

static void take_request(struct sip_transport_layer *t, struct sip_incoming *in)
{
    char buf[SIP_BYTES_MAX];
    char params[VIA_MAX];
    struct text finished = text_on(buf, sizeof buf);
    struct text room = text_on(params, sizeof params);
    struct sip_msg msg;
    struct sip_core core;
    heed_alias(t, &in->flow, &in->core->via);
    if (finish_via(t, in, &room, &finished) && sip_parse(text_span(&finished), &msg, NULL) == 0 &&
        sip_core(&msg, &core, NULL) == 0) {
        in->msg = &msg;
        in->core = &core;
    }
    in->reply = reply_flow(in->flow, &in->core->via, t->config.rport);
    t->events->request(t->arg, in);
}

/* §18.1.2: a response must come back to the sent-by that we wrote. */
static bool via_is_own(const struct sip_transport_layer *t, const struct sip_via *via)
{
    struct endpoint sent_by = {0, via->port ? via->port : sip_transport_port(via->transport)};
    return addr_parse(via->host, &sent_by.addr) == 0 && sip_transport_is_own(t, sent_by);
}

void sip_arrival_refuse(struct sip_transport_layer *t, const struct sip_msg *msg, const struct sip_problem *why,
                        const struct sip_flow *from)
{
    struct sip_via via;
    t->count.bad++;
    sip_transport_drop(t, "bad-sip", sip_fault_text(why->fault), msg, from);
    if (why->status == 0)
        return;
    struct sip_flow to = *from;
    if (t->config.rport != SIP_RPORT_FORCE && sip_via_parse(sip_value(msg, SIP_H_VIA), &via) == 0 && !via.has_rport)
        to.remote.port = via.port ? via.port : sip_transport_port(from->transport);
    sip_transport_answer(t, msg, &to, why->status, span_of(sip_fault_text(why->fault)), from->remote);
}

void sip_arrival_take(struct sip_transport_layer *t, const struct sip_msg *msg, const struct sip_problem *why,
                      struct sip_flow from, uint8_t ttl)
{
    struct sip_core core;
    struct sip_problem more = {0};
    struct sip_incoming in = {.msg = msg, .core = &core, .flow = from, .ttl = ttl};
    if (why->fault) {
        sip_arrival_refuse(t, msg, why, &from);
        return;
    }
    sip_transport_trace(t, "in", msg, from.remote);
    t->count.received++;
    if (sip_check(msg, &core, &more))
        sip_arrival_refuse(t, msg, &more, &from);
    else if (!t->events)
        sip_transport_discard(t, &in);
    else if (msg->request)
        take_request(t, &in);
    else if (via_is_own(t, &core.via))
        t->events->response(t->arg, &in);
    else
        sip_transport_discard(t, &in);
}
