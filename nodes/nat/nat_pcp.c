#include "nodes/nat/nat_pcp.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/nat/nat_engine.h"
#include "nodes/nat/nat_explicit.h"
#include "nodes/nat/nat_lifetime.h"

#include <stdlib.h>

enum { OWN_TTL = 64, UDP_LENGTH_AT = 4 };

struct nat_pcp {
    struct nat_pcp_config config;
    nat_pcp_noted *noted;
    void *arg;
    lab_time since; /* the epoch */
    uint8_t packet[IP_HEADER + UDP_HEADER + PCP_MAX];
};

int nat_pcp_start(struct nat *nat, const struct nat_pcp_config *config, lab_time now, nat_pcp_noted *noted, void *arg)
{
    if (!nat->pcp) {
        nat->pcp = malloc(sizeof *nat->pcp);
        if (!nat->pcp)
            return FE_EMEM;
        nat->pcp->since = now;
    }
    nat->pcp->config = *config;
    nat->pcp->noted = noted;
    nat->pcp->arg = arg;
    return 0;
}

void nat_pcp_stop(struct nat *nat)
{
    free(nat->pcp);
    nat->pcp = NULL;
}

void nat_pcp_restart(struct nat *nat, lab_time now)
{
    if (nat->pcp)
        nat->pcp->since = now;
}

/* ---- one request ---- */

struct ask {
    struct nat *nat;
    struct nat_table *table;
    lab_time now;
    struct pcp_msg request;
    struct endpoint inside;
    struct endpoint remote;  /* of the session that it is about: the peer, or nobody */
    struct endpoint outside; /* to be answered */
    uint32_t lifetime;       /* the same */
};

static bool has_port(const struct pcp_msg *r)
{
    return (r->protocol == IP_UDP || r->protocol == IP_TCP) && r->internal;
}

/* RFC 6887 §15: what is asked for, within bounds. */
static uint32_t granted(const struct ask *a)
{
    const struct nat_pcp_config *c = &a->nat->pcp->config;
    lab_time wanted = (lab_time)a->request.lifetime * SEC;
    lab_time most = wanted < c->most ? wanted : c->most;
    return (uint32_t)((most > c->least ? most : c->least) / SEC);
}

/* What the operator has mapped for good: a forward, or a host that has an address for itself (§11.3). */
static bool find_static(struct ask *a)
{
    const struct nat_config *c = &a->table->config;
    if (a->inside.addr == c->one_to_one.inside) {
        a->outside = (struct endpoint){c->one_to_one.outside, a->inside.port};
        return true;
    }
    uint32_t slot = nat_mapping_out(a->table, a->request.protocol, a->inside, a->remote);
    if (slot == NAT_NONE || a->table->mappings[slot].state != NAT_FORWARDING)
        return false;
    a->outside = a->table->mappings[slot].outside;
    return true;
}

/* §11.3, §18.1: whoever asked first has the nonce, and nobody else changes it, as long as it was promised. */
static bool is_anothers(const struct ask *a, const struct nat_explicit *e)
{
    return e && e->until > a->now && !pcp_nonce_equal(&e->nonce, &a->request.nonce);
}

/* Why no mapping was made. */
static enum pcp_result refusal(const struct ask *a, bool only)
{
    const struct nat_config *c = &a->table->config;
    bool full = nat_subscriber_is_full(a->table, a->inside.addr);
    if (full && (c->quota || !only))
        return PCP_USER_EX_QUOTA;
    return only ? PCP_CANNOT_PROVIDE_EXTERNAL : PCP_NO_RESOURCES;
}

static bool is_suggested(const struct ask *a, uint32_t mapping)
{
    struct endpoint suggested = a->request.external;
    struct endpoint is = a->table->mappings[mapping].outside;
    return (suggested.addr == 0 || suggested.addr == is.addr) && (suggested.port == 0 || suggested.port == is.port);
}

/* The session, old or new. An endpoint that has a mapping keeps it, whatever was suggested, unless it would rather have
 * none (§13.2). PEER makes a mapping as it was, or none (§12.3): it is what restores one that the NAT has lost. */
static enum pcp_result find_session(const struct ask *a, uint32_t *session)
{
    const struct pcp_msg *r = &a->request;
    bool peer = r->opcode == PCP_PEER;
    const struct nat_suggestion suggestion = {r->external, r->external.port && (peer || r->prefer_failure)};
    uint32_t mapping = nat_mapping_out(a->table, r->protocol, a->inside, a->remote);
    *session = nat_session_out(a->table, r->protocol, a->inside, a->remote);
    if (*session != NAT_NONE)
        mapping = a->table->sessions[*session].mapping;
    if (mapping != NAT_NONE && r->prefer_failure && !is_suggested(a, mapping))
        return PCP_CANNOT_PROVIDE_EXTERNAL;
    if (*session != NAT_NONE)
        return PCP_SUCCESS;
    int error =
        nat_session_ask(a->table, r->protocol, a->inside, a->remote, &suggestion, a->now + a->lifetime * SEC, session);
    return error ? refusal(a, suggestion.only) : PCP_SUCCESS;
}

/* The session becomes the client's for the time that is granted. */
static enum pcp_result own_session(struct ask *a, uint32_t session, const struct nat_explicit *filtered)
{
    struct nat_explicit *e = nat_explicit_find(a->table, a->request.protocol, a->inside, a->remote);
    lab_time until = a->now + a->lifetime * SEC;
    if (!e && nat_explicit_add(a->table, session, &a->request.nonce, &e))
        return PCP_NO_RESOURCES;
    e->nonce = a->request.nonce;
    e->until = until;
    e->filters_n = filtered->filters_n;
    memcpy(e->filters, filtered->filters, sizeof e->filters);
    const struct nat_session *s = &a->table->sessions[session];
    if (nat_explicit_is_map(a->remote) || until > s->expires)
        nat_session_keep(a->table, session, until);
    a->outside = s->outside;
    return PCP_SUCCESS;
}

/* §13.3: filters add to those that there are. */
static bool add_filters(const struct pcp_msg *r, struct nat_explicit *to)
{
    for (unsigned i = 0; i < r->filters_n; i++) {
        if (r->filters[i].clears)
            to->filters_n = 0;
        else if (to->filters_n == NAT_EXPLICIT_FILTERS)
            return false;
        else
            to->filters[to->filters_n++] = r->filters[i];
    }
    return true;
}

static enum pcp_result create(struct ask *a)
{
    uint32_t session;
    struct nat_explicit filtered = {0};
    a->lifetime = granted(a);
    if (find_static(a))
        return PCP_SUCCESS;
    if (a->table->config.pool_n == 0)
        return PCP_NO_RESOURCES;
    const struct nat_explicit *e = nat_explicit_find(a->table, a->request.protocol, a->inside, a->remote);
    if (is_anothers(a, e))
        return PCP_NOT_AUTHORIZED;
    if (e)
        filtered = *e;
    if (!add_filters(&a->request, &filtered))
        return PCP_EXCESSIVE_REMOTE_PEERS;
    enum pcp_result result = find_session(a, &session);
    return result ? result : own_session(a, session, &filtered);
}

/* ---- the end of a mapping (§15.1) ---- */

static bool is_meant(const struct ask *a, const struct nat_explicit *e)
{
    const struct pcp_msg *r = &a->request;
    return e->inside.addr == a->inside.addr && nat_explicit_is_map(e->remote) &&
           (r->protocol == 0 || r->protocol == e->protocol) && (r->internal == 0 || r->internal == e->inside.port);
}

/* One, or all of a protocol, or all: those of the same nonce. Traffic of its own keeps a mapping after that. */
static enum pcp_result delete_maps(struct ask *a)
{
    const struct nat_explicit *e;
    enum pcp_result result = PCP_SUCCESS;
    if (a->request.internal && find_static(a))
        return PCP_NOT_AUTHORIZED;
    for (uint32_t at = 0; (e = nat_explicit_next(a->table, &at)) != NULL;) {
        if (!is_meant(a, e))
            continue;
        if (is_anothers(a, e))
            result = a->request.internal ? PCP_NOT_AUTHORIZED : result;
        else
            nat_session_end(a->table, nat_session_out(a->table, e->protocol, e->inside, e->remote), a->now);
    }
    a->outside = a->request.external;
    return result;
}

/* What PEER was promised: the session goes on as one that packets made. */
static enum pcp_result delete_peer(struct ask *a)
{
    struct nat_table *t = a->table;
    uint8_t protocol = a->request.protocol;
    const struct nat_explicit *e = nat_explicit_find(t, protocol, a->inside, a->remote);
    a->outside = a->request.external;
    if (!e)
        return PCP_SUCCESS;
    if (is_anothers(a, e))
        return PCP_NOT_AUTHORIZED;
    uint32_t session = nat_session_out(t, protocol, a->inside, a->remote);
    struct nat_session *s = &t->sessions[session];
    nat_explicit_forget(t, s);
    s->seen &= (uint8_t)~NAT_SEEN_EXPLICIT;
    nat_session_keep(t, session, nat_lifetime_after(a->now, nat_lifetime(&t->config, protocol, s->seen)));
    return PCP_SUCCESS;
}

/* ---- opcodes ---- */

static enum pcp_result map(struct ask *a)
{
    const struct pcp_msg *r = &a->request;
    bool all = r->protocol == 0 || r->internal == 0;
    if (r->protocol == 0 && r->internal)
        return PCP_MALFORMED_REQUEST;
    if (!has_port(r) && !(all && r->lifetime == 0))
        return PCP_UNSUPP_PROTOCOL;
    return r->lifetime ? create(a) : delete_maps(a);
}

static enum pcp_result peer(struct ask *a)
{
    const struct pcp_msg *r = &a->request;
    if (r->protocol == 0 || r->internal == 0 || r->peer.addr == 0 || r->peer.port == 0)
        return PCP_MALFORMED_REQUEST;
    if (!has_port(r))
        return PCP_UNSUPP_PROTOCOL;
    return r->lifetime ? create(a) : delete_peer(a);
}

static enum pcp_result serve(struct ask *a)
{
    if (a->request.third_party)
        return PCP_UNSUPP_OPTION;
    switch ((enum pcp_opcode)a->request.opcode) {
    case PCP_ANNOUNCE: return PCP_SUCCESS;
    case PCP_MAP: return map(a);
    case PCP_PEER: return peer(a);
    }
    return PCP_UNSUPP_OPCODE;
}

/* ---- packets ---- */

bool nat_pcp_takes(const struct nat_parcel *p)
{
    const struct nat *nat = p->nat;
    return nat->pcp && p->from == NAT_INSIDE && p->v.dst == nat->table.config.own[NAT_INSIDE] &&
           p->v.protocol == IP_UDP && p->v.has_ports && p->v.dport == PCP_PORT && !ip_is_fragment(&p->v) &&
           p->now >= nat->leaks_until;
}

/* Its UDP payload; false: not all of it is here, or not as it was sent. */
static bool payload_of(const struct nat_parcel *p, struct span *out)
{
    size_t room = p->v.total - (size_t)p->v.header;
    size_t length = get16(p->packet + p->v.header + UDP_LENGTH_AT);
    if (length < UDP_HEADER || length > room || !ip_transport_sum_ok(p->packet, p->v.total))
        return false;
    *out = span_make(p->packet + p->v.header + UDP_HEADER, length - UDP_HEADER);
    return true;
}

static void note(const struct ask *a, enum pcp_result result)
{
    const struct nat_pcp *pcp = a->nat->pcp;
    bool done = result == PCP_SUCCESS && a->request.opcode != PCP_ANNOUNCE;
    struct nat_pcp_note n = {.client = a->inside.addr, .opcode = a->request.opcode, .result = result};
    if (done) {
        n.protocol = a->request.protocol;
        n.inside = a->inside;
        n.outside = a->outside;
        n.peer = a->remote;
        n.lifetime = a->lifetime;
    }
    pcp->noted(pcp->arg, &n);
}

static void answer(struct nat_parcel *p, struct span request, const struct ask *a, enum pcp_result result)
{
    struct nat_pcp *pcp = p->nat->pcp;
    const struct nat_config *c = &p->nat->table.config;
    const struct ip_build ip = {.src = c->own[NAT_INSIDE], .dst = p->v.src, .ttl = OWN_TTL};
    uint8_t bytes[PCP_MAX];
    struct pcp_msg response = {.result = (uint8_t)result,
                               .lifetime = result ? pcp_error_lifetime(result) : a->lifetime,
                               .epoch = (uint32_t)((p->now - pcp->since) / SEC),
                               .external = a->outside};
    size_t n = pcp_write_response(bytes, sizeof bytes, request, &response);
    p->out->action = NAT_ANSWER;
    p->out->side = p->from;
    p->out->packet = pcp->packet;
    p->out->n = ip_build_udp(pcp->packet, sizeof pcp->packet, &ip, PCP_PORT, p->v.sport, span_make(bytes, n));
    p->out->fragment = p->out->n > c->mtu[p->from];
}

/* §8.2: who does not speak of the address that he has is behind a NAT that he does not know of; that is told before
 * what his options are about. */
void nat_pcp_answer(struct nat_parcel *p)
{
    struct span bytes;
    struct ask a = {.nat = p->nat, .table = &p->nat->table, .now = p->now};
    if (!payload_of(p, &bytes)) {
        nat_drop(p, NAT_BAD_PACKET);
        return;
    }
    int result = pcp_read_request(bytes, &a.request);
    if (result < 0) {
        nat_drop(p, NAT_BAD_PACKET);
        return;
    }
    a.inside = (struct endpoint){p->v.src, a.request.internal};
    a.remote = a.request.peer;
    if (result != PCP_UNSUPP_VERSION && result != PCP_MALFORMED_REQUEST && a.request.client != p->v.src)
        result = PCP_ADDRESS_MISMATCH;
    if (result == PCP_SUCCESS)
        result = (int)serve(&a);
    answer(p, bytes, &a, (enum pcp_result)result);
    note(&a, (enum pcp_result)result);
}
