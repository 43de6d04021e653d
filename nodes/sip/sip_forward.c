/* What a proxy does to a request between receiving it and sending the copy: RFC 3261 §16.4 and §16.6. */
#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/sip/sip_proxy_private.h"
#include "nodes/sip/sip_route.h"

enum { ROUTES_MAX = 8192, VALUES_MAX = SIP_MAX_HEADERS };

/* The Route values of the copy. */
struct route_set {
    struct span values[VALUES_MAX];
    size_t n;
};

static void add_route(struct route_set *set, struct span value)
{
    if (set->n < VALUES_MAX)
        set->values[set->n++] = value;
}

static void read_routes(const struct sip_msg *msg, struct route_set *set)
{
    struct sip_list list = sip_list(msg, SIP_H_ROUTE);
    struct span value;
    set->n = 0;
    while (sip_list_next(&list, &value))
        add_route(set, value);
}

static bool is_own(const struct sip_proxy *p, struct span uri)
{
    struct endpoint at;
    if (p->hooks->own)
        return p->hooks->own(p->arg, uri);
    return sip_route_endpoint(uri, &at) && sip_transport_is_own(sip_txns_transport(p->txns), at);
}

/* A Request-URI that is a Record-Route of ours was put there by a strict router, which moved the real one to the end of
 * the Routes. Ours are the only own URIs with `lr`. */
static bool came_by_strict_router(const struct sip_proxy *p, struct span uri)
{
    return sip_route_is_loose(uri) && is_own(p, uri);
}

void sip_forward_route(const struct sip_proxy *p, const struct sip_msg *msg, struct sip_routing *r)
{
    struct route_set set;
    unsigned most = p->config.double_record_route ? 2 : 1;
    read_routes(msg, &set);
    *r = (struct sip_routing){.uri = msg->uri};
    if (set.n && came_by_strict_router(p, msg->uri)) {
        r->strict = true;
        r->uri = sip_route_uri(set.values[--set.n]);
    }
    while (r->own < most && r->own < set.n && is_own(p, sip_route_uri(set.values[r->own]))) {
        r->own_route[r->own] = sip_route_uri(set.values[r->own]);
        r->own++;
    }
    if (r->own < set.n)
        r->next = sip_route_uri(set.values[r->own]);
}

static struct span target_uri(const struct sip_routing *r, const struct sip_target *target)
{
    return target->uri.n ? target->uri : r->uri;
}

bool sip_forward_next_hop(const struct sip_proxy *p, const struct sip_routing *r, const struct sip_target *target,
                          struct sip_flow *flow)
{
    struct span rest = target->route;
    struct span first;
    const struct sip_transport_layer *transport = sip_txns_transport(p->txns);
    *flow = target->flow;
    if (flow->remote.port)
        return true;
    *flow = sip_transport_flow(transport, flow->socket, (struct endpoint){0, 0});
    struct span hop = sip_route_next(&rest, &first) ? sip_route_uri(first) : r->next;
    if (hop.n == 0)
        hop = target_uri(r, target);
    if (p->hooks->next_hop && p->hooks->next_hop(p->arg, hop, flow))
        return true;
    return sip_transport_route(transport, flow->socket, hop, flow);
}

/* The target's own Routes before what is left of the request's. */
static void new_routes(const struct sip_msg *msg, const struct sip_routing *r, const struct sip_target *target,
                       struct route_set *out)
{
    struct route_set set;
    struct span rest = target->route;
    struct span value;
    out->n = 0;
    while (sip_route_next(&rest, &value))
        add_route(out, value);
    read_routes(msg, &set);
    for (size_t i = r->own; i + (r->strict ? 1 : 0) < set.n; i++)
        add_route(out, set.values[i]);
}

/* §16.6 item 6: a strict router wants to see itself in the Request-URI, which then travels as the last Route. `last` is
 * memory for that. True when it was so. */
static bool bend_for_strict_router(struct route_set *set, struct span *uri, struct text *last)
{
    if (set->n == 0 || sip_route_is_loose(sip_route_uri(set->values[0])))
        return false;
    text_char(last, '<');
    text_put(last, *uri);
    text_char(last, '>');
    *uri = sip_route_uri(set->values[0]);
    memmove(set->values, set->values + 1, (set->n - 1) * sizeof set->values[0]);
    set->values[set->n - 1] = text_span(last);
    return true;
}

static void join(const struct route_set *set, struct text *out)
{
    for (size_t i = 0; i < set->n; i++) {
        if (i)
            text_str(out, ", ");
        text_put(out, set->values[i]);
    }
}

static uint32_t hops_left(const struct sip_proxy *p, const struct sip_msg *msg)
{
    uint32_t hops;
    if (sip_number_parse(sip_value(msg, SIP_H_MAX_FORWARDS), 255, &hops) || hops == 0)
        return p->config.max_forwards;
    return hops - 1 < p->config.max_forwards ? hops - 1 : p->config.max_forwards;
}

int sip_forward_write(const struct sip_proxy *p, const struct sip_msg *msg, const struct sip_routing *r,
                      const struct sip_target *target, const struct sip_rewrite *rewrite, struct text *out)
{
    struct sip_edit edit;
    struct sip_session_edit session;
    struct route_set set;
    char routes_buf[ROUTES_MAX];
    char last_buf[ROUTES_MAX];
    struct text routes = text_on(routes_buf, sizeof routes_buf);
    struct text last = text_on(last_buf, sizeof last_buf);
    struct span uri = target_uri(r, target);
    struct span top = {msg->headers[0].bytes.p, 0};
    bool rerouted = r->own || r->strict || target->route.n;

    new_routes(msg, r, target, &set);
    rerouted = bend_for_strict_router(&set, &uri, &last) || rerouted;
    join(&set, &routes);
    sip_edit_begin(&edit, msg);
    if (!span_equal(uri, msg->uri))
        sip_edit_uri(&edit, uri);
    if (rewrite)
        sip_edit_replace(&edit, top, rewrite->headers);
    sip_edit_replace(&edit, top, target->headers);
    if (target->record_route.n)
        sip_edit_prepend(&edit, SIP_H_RECORD_ROUTE, target->record_route);
    if (rerouted && set.n == 0)
        sip_edit_remove(&edit, SIP_H_ROUTE);
    else if (rerouted)
        sip_edit_set(&edit, SIP_H_ROUTE, text_span(&routes));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, hops_left(p, msg));
    sip_session_proxy_request(&p->config.session, msg, &session, &edit);
    if (rewrite && rewrite->replace_body)
        sip_edit_body(&edit, (struct span){0}, rewrite->body);
    if (!text_ok(&routes) || !text_ok(&last))
        return FE_ERANGE;
    return sip_edit_write(&edit, out);
}

static uint64_t mix(uint64_t hash, struct span s)
{
    return (hash ^ span_hash(s)) * 0x9e3779b97f4a7c15u;
}

struct span sip_forward_salt(const struct sip_msg *msg, char dst[SIP_SALT_MAX])
{
    static const enum sip_header_id same[] = {
        SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_ROUTE, SIP_H_PROXY_REQUIRE, SIP_H_PROXY_AUTHORIZATION};
    struct text out = text_on(dst, SIP_SALT_MAX);
    uint64_t hash = mix(0, msg->uri);
    uint8_t bytes[SIP_SALT_DIGITS / 2];
    struct sip_cseq cseq = {0};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        for (const struct sip_header *h = sip_find(msg, same[i]); h; h = sip_find_next(msg, h))
            hash = mix(hash, h->value);
    if (sip_cseq_parse(sip_value(msg, SIP_H_CSEQ), &cseq) == 0)
        hash = mix(hash + cseq.number, (struct span){0});
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(hash >> (8 * i));
    text_char(&out, '.');
    text_hex(&out, bytes, sizeof bytes);
    return text_span(&out);
}
