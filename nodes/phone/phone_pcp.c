#include "nodes/phone/phone_pcp.h"

#include "nodes/base/error.h"
#include "nodes/phone/phone.h"
#include "nodes/proto/ip.h"

static const char *news_text(enum pcp_client_news news)
{
    switch (news) {
    case PCP_CLIENT_GRANTED: return "granted";
    case PCP_CLIENT_RENEWED: return "renewed";
    case PCP_CLIENT_REFUSED: return "refused";
    case PCP_CLIENT_SILENT: return "silent";
    case PCP_CLIENT_LOST: return "lost";
    case PCP_CLIENT_EXPIRED: return "expired";
    }
    return "";
}

static void trace(struct phone *p, enum pcp_client_news news)
{
    const struct pcp_client *c = &p->pcp.client;
    struct record *r = host_trace(p->host, "pcp");
    record_str(r, "state", news_text(news));
    record_str(r, "op", pcp_opcode_text(c->wish.op));
    record_endpoint(r, "server", p->settings->pcp_server);
    record_endpoint(r, "inside", c->wish.inside);
    if (news == PCP_CLIENT_GRANTED || news == PCP_CLIENT_RENEWED)
        record_endpoint(r, "outside", c->outside);
    if (news == PCP_CLIENT_REFUSED)
        record_str(r, "result", pcp_result_text(c->result));
    if (news <= PCP_CLIENT_REFUSED)
        record_u64(r, "lifetime", c->lifetime);
    host_trace_end(p->host);
}

/* ---- the client's ---- */

static void send(void *arg, struct span bytes)
{
    struct phone *p = arg;
    (void)host_udp_send(p->pcp.socket, p->settings->pcp_server, 0, bytes); /* what is lost is sent again */
}

/* With another face than before it is not where the registrar believes. */
static void told(void *arg, enum pcp_client_news news, struct endpoint before)
{
    struct phone *p = arg;
    bool moved = news == PCP_CLIENT_GRANTED && before.port && !endpoint_equal(before, p->pcp.client.outside);
    trace(p, news);
    if (moved && p->registration.state == PHONE_REGISTERED)
        phone_register_start(p);
}

static const struct pcp_client_events client_events = {send, told};

/* ---- the host's ---- */

static void settle(struct phone *p)
{
    host_timer_start(p->host, &p->pcp.timer, pcp_client_deadline(&p->pcp.client));
}

static void time_came(void *arg)
{
    struct phone *p = arg;
    pcp_client_expire(&p->pcp.client, host_now(p->host));
    settle(p);
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct phone *p = arg;
    (void)ttl;
    if (!endpoint_equal(from, p->settings->pcp_server)) /* §8.3 */
        return;
    (void)pcp_client_heard(&p->pcp.client, data, host_now(p->host));
    settle(p);
}

/* ---- the phone's ---- */

static void ask(struct phone *p, enum pcp_opcode op, struct endpoint peer)
{
    const struct pcp_client_wish wish = {
        .op = op,
        .protocol = IP_UDP,
        .inside = phone_socket(p, SIP_UDP)->local,
        .peer = peer,
        .lifetime = (uint32_t)(p->settings->pcp_lifetime / SEC),
    };
    pcp_client_ask(&p->pcp.client, &wish, host_now(p->host));
    settle(p);
}

int phone_pcp_open(struct phone *p, struct text *why)
{
    static const struct host_udp_events events = {.received = received};
    struct prng rng;
    if (p->settings->pcp == PHONE_PCP_NO)
        return 0;
    timer_init(&p->pcp.timer, time_came, p);
    host_stream(p->host, "pcp", &rng);
    pcp_client_init(&p->pcp.client, &rng, p->settings->pcp_check, &client_events, p);
    int error = host_udp_open(p->host, (struct endpoint){p->addr, 0}, &events, p, &p->pcp.socket);
    if (error)
        text_str(why, "pcp: there is no socket for it");
    else if (p->settings->pcp == PHONE_PCP_MAP)
        ask(p, PCP_MAP, (struct endpoint){0});
    return error;
}

/* The mapping to keep is the one by which the server will call. */
void phone_pcp_registered(struct phone *p)
{
    const struct phone_servers *s = &p->servers;
    const struct phone_server *server = phone_servers_hop(s, PHONE_REGISTRAR, phone_servers_active(s, PHONE_REGISTRAR));
    struct endpoint peer = phone_server_at(p, (unsigned)(server - s->list));
    const struct pcp_client *c = &p->pcp.client;
    bool asked = c->state != PCP_CLIENT_IDLE && endpoint_equal(c->wish.peer, peer);
    if (p->pcp.socket && p->settings->pcp == PHONE_PCP_PEER && !asked)
        ask(p, PCP_PEER, peer);
}

void phone_pcp_stop(struct phone *p)
{
    host_timer_stop(p->host, &p->pcp.timer);
    if (p->pcp.socket)
        host_udp_close(p->pcp.socket);
}

const char *phone_pcp_conflict(const struct phone_settings *s, struct text *why)
{
    if (s->pcp == PHONE_PCP_NO)
        return NULL;
    if (s->pcp_server.port == 0) {
        text_str(why, "whom it asks is missing; add pcp server: ROUTER");
        return "pcp";
    }
    if (s->outbound || (s->transport != PHONE_BY_UDP && s->transport != PHONE_BY_UDP_TCP)) {
        text_str(why,
                 "it is for the mapping of the SIP port over UDP; expected transport: udp without outbound support");
        return "pcp";
    }
    return NULL;
}
