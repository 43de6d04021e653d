/* The proxy core: RFC 3261 §16. The node under test is a proxy at 192.0.2.1; Bob, the caller, is 192.0.2.9. */
#include "nodes/sip/sip_proxy.h"
#include "tests/sip/sip_rig.h"

#define URI   "sip:102@lab.example"
#define VIA   "192.0.2.9:5060;branch=z9hG4bKbob1"
#define TO    "<sip:102@lab.example>"
#define OWN   "<sip:192.0.2.1;lr>"
#define FIRST "sip:102@198.51.100.1"

struct proxy {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_proxy *core;
    struct sip_target targets[SIP_TARGETS_MAX];
    unsigned n_targets;
    struct sip_context *context;
    struct sip_routing routing; /* only its numbers are looked at later */
    char own_route[64], next[64];
    unsigned accepted, refused, answered, ended;
    unsigned statuses[16];
    unsigned sessions;      /* times that the session hook was called */
    lab_time expires;       /* what it was told last */
    unsigned refuse_branch; /* status of the request hook */
    const char *new_body;
};

static void keep_routing(struct proxy *p, const struct sip_routing *r)
{
    p->routing = *r;
    assert_true(span_copy(r->own_route[0], p->own_route, sizeof p->own_route));
    assert_true(span_copy(r->next, p->next, sizeof p->next));
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct proxy *p = arg;
    struct sip_routing r;
    if (!sip_proxy_accept(p->core, txn, in, &r)) {
        p->refused++;
        return;
    }
    p->accepted++;
    keep_routing(p, &r);
    p->context = sip_proxy_forward(p->core, txn, p->targets, p->n_targets, p);
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    struct proxy *p = arg;
    struct sip_routing r;
    if (sip_proxy_accept_ack(p->core, in, &r))
        sip_proxy_forward_ack(p->core, in, &r, &p->targets[0], NULL);
}

static unsigned on_forward(void *arg, struct sip_context *c, unsigned target, const struct sip_msg *msg,
                           struct sip_rewrite *out)
{
    struct proxy *p = arg;
    (void)c;
    (void)target;
    (void)msg;
    if (p->new_body) {
        out->replace_body = true;
        out->body = span_of(p->new_body);
        out->headers = SPAN("X-Edited: yes\r\n");
    }
    return p->refuse_branch;
}

static void on_response(void *arg, struct sip_context *c, unsigned target, const struct sip_incoming *in,
                        struct sip_rewrite *out)
{
    struct proxy *p = arg;
    (void)c;
    (void)target;
    (void)in;
    if (p->new_body)
        out->headers = SPAN("X-Edited: back\r\n");
}

static void on_answered(void *arg, struct sip_context *c, unsigned status)
{
    struct proxy *p = arg;
    assert_ptr_equal(sip_context_owner(c), p);
    p->statuses[p->answered++] = status;
}

static void on_session(void *arg, struct sip_context *c, const struct sip_incoming *in, lab_time expires)
{
    struct proxy *p = arg;
    assert_ptr_equal(sip_context_owner(c), p);
    assert_int_equal(in->msg->status, p->statuses[p->answered - 1]);
    p->sessions++;
    p->expires = expires;
}

static void on_ended(void *arg, struct sip_context *c)
{
    struct proxy *p = arg;
    assert_ptr_equal(sip_context_owner(c), p);
    p->ended++;
}

static const struct sip_txns_events node_events = {on_request, on_ack};
static const struct sip_proxy_hooks hooks = {
    .request = on_forward, .response = on_response, .answered = on_answered, .session = on_session, .ended = on_ended};

static void start_with(struct proxy *p, const struct sip_proxy_config *config)
{
    unsigned socket;
    *p = (struct proxy){.host = rig_new()};
    assert_int_equal(sip_transport_new(&p->transport, p->host, &(struct sip_transport_config){0}), 0);
    assert_int_equal(
        sip_transport_listen(p->transport, (struct endpoint){RIG_ADDR, 5060}, (struct endpoint){0}, &socket), 0);
    assert_int_equal(sip_txns_new(&p->txns, p->transport, &(struct sip_timing){0}, &node_events, p), 0);
    assert_int_equal(sip_proxy_new(&p->core, p->txns, config, &hooks, p), 0);
}

static void add_target(struct proxy *p, const char *uri, uint16_t q)
{
    p->targets[p->n_targets++] = (struct sip_target){.uri = span_of(uri), .q = q};
}

static void start(struct proxy *p)
{
    start_with(p, &(struct sip_proxy_config){0});
    add_target(p, FIRST, 0);
}

static void finish(struct proxy *p)
{
    sip_proxy_free(p->core);
    sip_txns_free(p->txns);
    sip_transport_free(p->transport);
    assert_int_equal(timers_next(&p->host->timers), NEVER);
    rig_free(p->host);
}

static void receive(struct proxy *p, const char *method, const char *more)
{
    rig_receive(p->host, RIG_PEER, rig_request(method, URI, VIA, TO, 1, more));
}

/* What the proxy sent to target number n (from 1: 198.51.100.n). */
static const struct rig_datagram *forwarded(const struct proxy *p, const char *method, unsigned n)
{
    char line[64];
    snprintf(line, sizeof line, "%s sip:102@198.51.100.%u", method, n);
    return rig_sent(p->host, line, 0);
}

static void answer(struct proxy *p, const char *method, unsigned n, unsigned status, const char *more)
{
    const struct rig_datagram *request = forwarded(p, method, n);
    rig_receive(p->host, request->to, rig_response(request, status, "t", more));
}

static unsigned sent_to_caller(const struct proxy *p, unsigned status)
{
    char line[16];
    snprintf(line, sizeof line, "SIP/2.0 %u ", status);
    return rig_count(p->host, line);
}

/* ---- §16.3 ---- */

static void max_forwards_0_gets_483_16_3(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    rig_receive(p.host, RIG_PEER,
                "INVITE " URI " SIP/2.0\r\nVia: SIP/2.0/UDP " VIA
                "\r\nMax-Forwards: 0\r\nFrom: <sip:b@c>;tag=1\r\nTo: " TO
                "\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.9>\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(sent_to_caller(&p, 483), 1);
    assert_int_equal(p.refused, 1);
    finish(&p);
}

static void proxy_require_gets_420_with_unsupported_16_3(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    receive(&p, "OPTIONS", "Proxy-Require: foo\r\n");
    assert_string_equal(rig_value(rig_sent(p.host, "SIP/2.0 420", 0), SIP_H_UNSUPPORTED), "foo");
    finish(&p);
}

static void unknown_scheme_gets_416_16_3(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    rig_receive(p.host, RIG_PEER, rig_request("OPTIONS", "nobody:knows", VIA, TO, 1, ""));
    assert_int_equal(sent_to_caller(&p, 416), 1);
    finish(&p);
}

/* The request comes back as it left: only the Via on top of it is another element's. */
static void same_request_again_gets_482_16_3(void **state)
{
    struct proxy p;
    char more[RIG_DATA + 16];
    (void)state;
    start_with(&p, &(struct sip_proxy_config){.detect_loops = true});
    p.targets[p.n_targets++] = (struct sip_target){.flow = sip_flow_to(0, RIG_PEER)};
    receive(&p, "OPTIONS", "");
    snprintf(more, sizeof more, "Via: %s\r\n", rig_value(rig_sent(p.host, "OPTIONS", 0), SIP_H_VIA));
    rig_receive(p.host, RIG_PEER, rig_request("OPTIONS", URI, "192.0.2.7;branch=z9hG4bKother", TO, 1, more));
    assert_int_equal(sent_to_caller(&p, 482), 1);
    rig_receive(p.host, RIG_PEER, rig_request("OPTIONS", FIRST, "192.0.2.7;branch=z9hG4bKspiral", TO, 1, more));
    assert_int_equal(p.accepted, 2);
    finish(&p);
}

/* ---- §16.4 ---- */

static void own_route_comes_off_16_4(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0] = (struct sip_target){0};
    receive(&p, "BYE", "Route: <sip:token@192.0.2.1;lr>, <sip:198.51.100.7:5070;lr>\r\n");
    assert_int_equal(p.routing.own, 1);
    assert_string_equal(p.own_route, "sip:token@192.0.2.1;lr");
    assert_string_equal(p.next, "sip:198.51.100.7:5070;lr");
    const struct rig_datagram *d = rig_sent(p.host, "BYE " URI, 0);
    assert_string_equal(rig_value(d, SIP_H_ROUTE), "<sip:198.51.100.7:5070;lr>");
    assert_int_equal(d->to.port, 5070);
    finish(&p);
}

static void two_own_routes_come_off_with_double_record_route_16_4(void **state)
{
    struct proxy p;
    (void)state;
    start_with(&p, &(struct sip_proxy_config){.double_record_route = true});
    add_target(&p, "", 0);
    receive(&p, "BYE", "Route: " OWN ", " OWN ", " OWN "\r\nRoute: <sip:198.51.100.7;lr>\r\n");
    assert_int_equal(p.routing.own, 2);
    assert_string_equal(p.next, "sip:192.0.2.1;lr");
    finish(&p);
}

static void strict_routers_work_is_undone_16_4(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0] = (struct sip_target){0};
    rig_receive(p.host, RIG_PEER,
                rig_request("BYE", "sip:192.0.2.1;lr", VIA, TO, 1, "Route: <sip:198.51.100.7;lr>, <" FIRST ">\r\n"));
    assert_true(p.routing.strict);
    const struct rig_datagram *d = rig_sent(p.host, "BYE " FIRST " SIP/2.0", 0);
    assert_string_equal(rig_value(d, SIP_H_ROUTE), "<sip:198.51.100.7;lr>");
    finish(&p);
}

/* ---- §16.6 ---- */

static void copy_is_the_request_with_the_rules_edits_16_6(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0].record_route = SPAN("<sip:a@10.0.1.2;lr>, <sip:a@192.0.2.1;lr>");
    p.targets[0].headers = SPAN("Path: <sip:p@192.0.2.1;lr>\r\n");
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\nx-unknown  :  kept \r\n");
    const struct rig_datagram *d = forwarded(&p, "INVITE", 1);
    assert_true(rig_has(d, "Max-Forwards: 69\r\n"));
    assert_true(rig_has(d, "Record-Route: <sip:a@10.0.1.2;lr>, <sip:a@192.0.2.1;lr>\r\n"));
    assert_true(rig_has(d, "Path: <sip:p@192.0.2.1;lr>\r\n"));
    assert_true(rig_has(d, "x-unknown  :  kept \r\n"));
    assert_true(rig_has(d, "Via: SIP/2.0/UDP " VIA "\r\n"));
    assert_memory_equal(rig_value(d, SIP_H_VIA), "SIP/2.0/UDP 192.0.2.1", 21);
    assert_int_equal(d->to.addr, IPV4(198, 51, 100, 1));
    finish(&p);
}

static void path_of_the_registration_becomes_the_route_rfc3327_5_3(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0].route = SPAN("<sip:flow@192.0.2.44;lr>, <sip:192.0.2.45;lr>");
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\nRoute: " OWN "\r\n");
    const struct rig_datagram *d = forwarded(&p, "INVITE", 1);
    assert_string_equal(rig_value(d, SIP_H_ROUTE), "<sip:flow@192.0.2.44;lr>, <sip:192.0.2.45;lr>");
    assert_int_equal(d->to.addr, IPV4(192, 0, 2, 44));
    finish(&p);
}

static void strict_next_hop_gets_itself_as_request_uri_16_6(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\nRoute: " OWN ", <sip:192.0.2.44>, <sip:192.0.2.45;lr>\r\n");
    const struct rig_datagram *d = rig_sent(p.host, "INVITE sip:192.0.2.44 SIP/2.0", 0);
    assert_string_equal(rig_value(d, SIP_H_ROUTE), "<sip:192.0.2.45;lr>, <" FIRST ">");
    assert_int_equal(d->to.addr, IPV4(192, 0, 2, 44));
    finish(&p);
}

static void target_with_a_flow_goes_there_whatever_its_uri_says(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0].flow = sip_flow_to(0, (struct endpoint){IPV4(203, 0, 113, 7), 40000});
    receive(&p, "OPTIONS", "");
    assert_int_equal(forwarded(&p, "OPTIONS", 1)->to.port, 40000);
    finish(&p);
}

static void next_hop_that_is_a_name_fails_with_500_16_6(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.targets[0].uri = SPAN("sip:102@nowhere.example");
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\n");
    assert_int_equal(sent_to_caller(&p, 500), 1);
    assert_int_equal(p.ended, 0);
    finish(&p);
}

static void owner_edits_body_and_headers(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.new_body = "v=0\r\ns=-\r\n";
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\nContent-Type: application/sdp\r\n");
    const struct rig_datagram *d = forwarded(&p, "INVITE", 1);
    assert_true(rig_has(d, "X-Edited: yes\r\n"));
    assert_true(rig_has(d, "Content-Length: 10\r\n"));
    assert_true(rig_has(d, "\r\n\r\nv=0\r\ns=-\r\n"));
    answer(&p, "INVITE", 1, 180, "");
    assert_true(rig_has(rig_sent(p.host, "SIP/2.0 180", 0), "X-Edited: back\r\n"));
    finish(&p);
}

static void owner_refuses_a_branch(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.refuse_branch = 488;
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\n");
    assert_int_equal(rig_count(p.host, "INVITE"), 0);
    assert_int_equal(sent_to_caller(&p, 488), 1);
    finish(&p);
}

static void no_targets_get_480_16_5(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    p.n_targets = 0;
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\n");
    assert_int_equal(sent_to_caller(&p, 480), 1);
    assert_null(p.context);
    finish(&p);
}

/* ---- §16.7 ---- */

static void invite(struct proxy *p)
{
    receive(p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\n");
}

static void invite_gets_100_at_once_and_no_other_request_does_16_2(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    assert_true(rig_has(&p.host->sent[0], "SIP/2.0 100 Trying"));
    receive(&p, "OPTIONS", "");
    assert_int_equal(sent_to_caller(&p, 100), 1);
    finish(&p);
}

static void responses_lose_our_via_and_100_stays_here_16_7(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 100, "");
    answer(&p, "INVITE", 1, 180, "X-Kept: yes\r\n");
    answer(&p, "INVITE", 1, 200, "");
    assert_int_equal(sent_to_caller(&p, 100), 1);
    const struct rig_datagram *ringing = rig_sent(p.host, "SIP/2.0 180 Test", 0);
    assert_string_equal(rig_value(ringing, SIP_H_VIA), "SIP/2.0/UDP " VIA);
    assert_true(rig_has(ringing, "X-Kept: yes\r\n"));
    assert_int_equal(ringing->to.addr, RIG_PEER.addr);
    assert_int_equal(sent_to_caller(&p, 200), 1);
    assert_int_equal(p.answered, 2);
    assert_int_equal(p.statuses[0], 180);
    assert_int_equal(p.statuses[1], 200);
    assert_int_equal(p.ended, 0);
    rig_run(p.host, 33 * SEC);
    assert_int_equal(p.ended, 1);
    assert_int_equal(sip_txns_live(p.txns), 0);
    finish(&p);
}

static void every_2xx_is_forwarded_rfc6026_7_3(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 200, "");
    rig_run(p.host, 1 * SEC);
    answer(&p, "INVITE", 1, 200, "");
    assert_int_equal(sent_to_caller(&p, 200), 2);
    finish(&p);
}

static void every_2xx_says_when_the_session_expires_rfc4028_8_2(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\nSupported: timer\r\nSession-Expires: 300\r\n");
    answer(&p, "INVITE", 1, 180, "Session-Expires: 90\r\n");
    assert_int_equal(p.sessions, 0);
    rig_run(p.host, 1 * SEC);
    answer(&p, "INVITE", 1, 200, "Session-Expires: 200;refresher=uac\r\n");
    assert_int_equal(p.sessions, 1);
    assert_int_equal(p.expires, 201 * SEC);
    rig_run(p.host, 2 * SEC);
    answer(&p, "INVITE", 1, 200, "Session-Expires: 200;refresher=uac\r\n"); /* the first may have been lost behind us */
    assert_int_equal(p.sessions, 2);
    assert_int_equal(p.expires, 202 * SEC);
    finish(&p);
}

static void update_moves_it_or_ends_the_session_timer_rfc4028_8_2(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    rig_run(p.host, 1 * SEC);
    receive(&p, "UPDATE", "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n");
    answer(&p, "UPDATE", 1, 200, ""); /* its UAS knows nothing: the proxy puts it in */
    assert_true(rig_has(rig_sent(p.host, "SIP/2.0 200", 0), "Session-Expires: 300;refresher=uac\r\n"));
    assert_int_equal(p.expires, 301 * SEC);
    finish(&p);
    start(&p);
    receive(&p, "UPDATE", "");
    answer(&p, "UPDATE", 1, 200, "");
    assert_int_equal(p.sessions, 1);
    assert_int_equal(p.expires, NEVER);
    finish(&p);
}

static void other_answers_say_nothing_of_the_session_rfc4028_8_2(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    receive(&p, "INVITE", "Contact: <sip:bob@192.0.2.9>\r\n");
    answer(&p, "INVITE", 1, 491, "Session-Expires: 90\r\n");
    finish(&p);
    assert_int_equal(p.sessions, 0);
    start(&p);
    receive(&p, "BYE", "");
    answer(&p, "BYE", 1, 200, "Session-Expires: 90\r\n");
    finish(&p);
    assert_int_equal(p.sessions, 0);
}

static void fork(struct proxy *p)
{
    start(p);
    add_target(p, "sip:102@198.51.100.2", 0);
    add_target(p, "sip:102@198.51.100.3", 0);
    invite(p);
    assert_int_equal(rig_count(p->host, "INVITE"), 3);
}

static void first_2xx_cancels_the_other_branches_16_7(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 180, "");
    answer(&p, "INVITE", 2, 180, "");
    answer(&p, "INVITE", 3, 486, "");
    answer(&p, "INVITE", 2, 200, "");
    assert_int_equal(rig_count(p.host, "CANCEL"), 1);
    answer(&p, "CANCEL", 1, 200, "");
    answer(&p, "INVITE", 1, 487, "");
    assert_int_equal(sent_to_caller(&p, 180), 2);
    assert_int_equal(sent_to_caller(&p, 200), 1);
    assert_int_equal(sent_to_caller(&p, 486) + sent_to_caller(&p, 487), 0);
    finish(&p);
}

static void best_response_waits_for_all_branches_16_7(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 500, "");
    answer(&p, "INVITE", 2, 404, "");
    assert_int_equal(p.answered, 0);
    answer(&p, "INVITE", 3, 302, "");
    assert_int_equal(sent_to_caller(&p, 302), 1);
    assert_int_equal(p.answered, 1);
    assert_int_equal(rig_count(p.host, "ACK"), 3);
    finish(&p);
}

static void challenges_of_all_branches_are_gathered_16_7(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 404, "");
    answer(&p, "INVITE", 2, 401, "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\"\r\n");
    answer(&p, "INVITE", 3, 407, "Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\"\r\n");
    const struct rig_datagram *d = rig_sent(p.host, "SIP/2.0 401", 0);
    assert_true(rig_has(d, "WWW-Authenticate: Digest realm=\"a\""));
    assert_true(rig_has(d, "Proxy-Authenticate: Digest realm=\"b\""));
    finish(&p);
}

static void refusal_6xx_cancels_and_decides_16_7(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 180, "");
    answer(&p, "INVITE", 2, 302, "");
    answer(&p, "INVITE", 3, 603, "");
    assert_int_equal(rig_count(p.host, "CANCEL"), 1);
    answer(&p, "INVITE", 1, 487, "");
    assert_int_equal(sent_to_caller(&p, 603), 1);
    finish(&p);
}

static void lone_503_becomes_500_16_7(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 503, "");
    assert_int_equal(sent_to_caller(&p, 500), 1);
    assert_int_equal(p.statuses[0], 500);
    finish(&p);
}

static void answer_of_a_phone_beats_the_silence_of_another_16_7(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    add_target(&p, "sip:102@198.51.100.2", 0);
    invite(&p);
    answer(&p, "INVITE", 2, 486, "");
    rig_run(p.host, 32 * SEC);
    assert_int_equal(sent_to_caller(&p, 486), 1);
    finish(&p);
}

static void groups_have_their_turn_by_falling_q_16_6(void **state)
{
    struct proxy p;
    (void)state;
    start_with(&p, &(struct sip_proxy_config){0});
    add_target(&p, "sip:102@198.51.100.1", 100);
    add_target(&p, "sip:102@198.51.100.2", 900);
    invite(&p);
    assert_int_equal(rig_count(p.host, "INVITE"), 1);
    answer(&p, "INVITE", 2, 486, "");
    assert_int_equal(p.answered, 0);
    answer(&p, "INVITE", 1, 200, "");
    assert_int_equal(sent_to_caller(&p, 200), 1);
    finish(&p);
}

static void silent_invite_is_408_silent_others_are_nothing_rfc4320_4_2(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    receive(&p, "OPTIONS", "");
    rig_run(p.host, 2 * MINUTE);
    assert_int_equal(rig_count(p.host, "INVITE"), 7);
    assert_int_equal(rig_count(p.host, "OPTIONS"), 11);
    assert_true(sent_to_caller(&p, 408) > 1); /* repeated by timer G: the caller of this test never acknowledges */
    assert_int_equal(p.answered, 1);
    assert_int_equal(p.ended, 2);
    finish(&p);
}

/* ---- CANCEL and timer C ---- */

static void callers_cancel_goes_to_all_pending_branches_16_10(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 180, "");
    answer(&p, "INVITE", 2, 486, "");
    receive(&p, "CANCEL", "");
    assert_int_equal(sent_to_caller(&p, 200), 1);
    assert_true(sip_context_cancelled(p.context));
    assert_int_equal(rig_count(p.host, "CANCEL"), 1); /* the third has not answered at all yet (§9.1) */
    answer(&p, "INVITE", 3, 180, "");
    assert_int_equal(rig_count(p.host, "CANCEL"), 2);
    answer(&p, "INVITE", 1, 487, "");
    assert_int_equal(p.statuses[p.answered - 1], 180);
    answer(&p, "INVITE", 3, 487, "");
    assert_int_equal(p.statuses[p.answered - 1], 487);
    finish(&p);
}

static void no_further_group_after_a_cancel_16_10(void **state)
{
    struct proxy p;
    (void)state;
    start_with(&p, &(struct sip_proxy_config){0});
    add_target(&p, "sip:102@198.51.100.1", 100);
    add_target(&p, "sip:102@198.51.100.2", 900);
    invite(&p);
    answer(&p, "INVITE", 2, 180, "");
    receive(&p, "CANCEL", "");
    answer(&p, "INVITE", 2, 487, "");
    assert_int_equal(rig_count(p.host, "INVITE"), 1);
    assert_int_equal(sent_to_caller(&p, 487), 1);
    finish(&p);
}

static void timer_c_cancels_what_rings_too_long_16_8(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 180, "");
    rig_run(p.host, 100 * SEC);
    answer(&p, "INVITE", 1, 180, ""); /* starts it anew (§16.7 item 2) */
    rig_run(p.host, 281 * SEC - 1);
    assert_int_equal(rig_count(p.host, "CANCEL"), 0);
    rig_run(p.host, 281 * SEC);
    assert_int_equal(rig_count(p.host, "CANCEL"), 1);
    assert_int_equal(rig_traced(p.host, "{\"t\":281000000000,\"ev\":\"timeout\",\"timer\":\"C\",\"msg\":\"INVITE\"}"),
                     1);
    rig_run(p.host, 281 * SEC + 32 * SEC);
    assert_int_equal(sent_to_caller(&p, 408), 1);
    finish(&p);
}

static void owner_cancels_with_a_reason(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 180, "");
    sip_context_cancel(p.context, SPAN("Q.850;cause=19"));
    assert_string_equal(rig_value(rig_sent(p.host, "CANCEL", 0), SIP_H_REASON), "Q.850;cause=19");
    finish(&p);
}

/* ---- ACK, and the end ---- */

static void ack_of_a_2xx_is_forwarded_statelessly_16_11(void **state)
{
    struct proxy p;
    char via[RIG_DATA];
    const char *ack = "192.0.2.9:5060;branch=z9hG4bKack";
    (void)state;
    start(&p);
    invite(&p);
    answer(&p, "INVITE", 1, 200, "");
    rig_receive(p.host, RIG_PEER, rig_request("ACK", FIRST, ack, TO ";tag=t", 1, "Route: " OWN "\r\n"));
    rig_receive(p.host, RIG_PEER, rig_request("ACK", FIRST, ack, TO ";tag=t", 1, "Route: " OWN "\r\n"));
    assert_int_equal(rig_count(p.host, "ACK " FIRST " SIP/2.0"), 2);
    snprintf(via, sizeof via, "%s", rig_value(rig_sent(p.host, "ACK", 0), SIP_H_VIA));
    assert_string_equal(rig_value(rig_sent(p.host, "ACK", 1), SIP_H_VIA), via);
    assert_false(rig_has(rig_sent(p.host, "ACK", 0), "Route:"));
    finish(&p);
}

static void freed_proxy_ends_its_contexts(void **state)
{
    struct proxy p;
    (void)state;
    fork(&p);
    answer(&p, "INVITE", 1, 180, "");
    sip_proxy_free(p.core);
    p.core = NULL;
    assert_int_equal(p.ended, 1);
    finish(&p);
}

/* ---- RFC 5626 §7: the flows of one phone ---- */

/* Flows 1 and 2 of one phone, and another phone at 3. */
static void two_flows_and_a_phone(struct proxy *p)
{
    start(p);
    add_target(p, "sip:102@198.51.100.2", 0);
    add_target(p, "sip:102@198.51.100.3", 0);
    p->targets[0].phone = 1;
    p->targets[1].phone = 1;
    p->targets[2].phone = 2;
    invite(p);
    assert_int_equal(rig_count(p->host, "INVITE"), 2);
    assert_non_null(forwarded(p, "INVITE", 1));
    assert_non_null(forwarded(p, "INVITE", 3));
}

static void one_flow_of_a_phone_at_a_time_rfc5626_7(void **state)
{
    static const unsigned failures[] = {430, 408};
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct proxy p;
        two_flows_and_a_phone(&p);
        answer(&p, "INVITE", 1, failures[i], "");
        assert_int_equal(rig_count(p.host, "INVITE"), 3);
        assert_int_equal(p.answered, 0);
        answer(&p, "INVITE", 2, 486, "");
        answer(&p, "INVITE", 3, 404, "");
        assert_int_equal(sent_to_caller(&p, 486), 1); /* the failure that was replaced does not count */
        assert_int_equal(p.answered, 1);
        finish(&p);
    }
}

static void a_silent_flow_is_replaced_rfc5626_7(void **state)
{
    struct proxy p;
    (void)state;
    two_flows_and_a_phone(&p);
    answer(&p, "INVITE", 3, 486, "");
    rig_run(p.host, 32 * SEC);
    assert_int_equal(rig_count(p.host, "INVITE sip:102@198.51.100.2"), 1);
    answer(&p, "INVITE", 2, 480, "");
    assert_int_equal(p.answered, 1);
    assert_int_equal(sent_to_caller(&p, 480), 1);
    finish(&p);
}

static void a_phone_that_has_answered_is_not_asked_again_rfc5626_7(void **state)
{
    struct proxy p;
    (void)state;
    two_flows_and_a_phone(&p);
    answer(&p, "INVITE", 1, 486, "");
    answer(&p, "INVITE", 3, 404, "");
    assert_int_equal(rig_count(p.host, "INVITE"), 2);
    assert_int_equal(p.answered, 1);
    finish(&p);
}

static void callers_never_see_430_rfc5626_11_5(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    add_target(&p, "sip:102@198.51.100.2", 0);
    p.targets[0].phone = 1;
    p.targets[1].phone = 1;
    invite(&p);
    answer(&p, "INVITE", 1, 430, "");
    answer(&p, "INVITE", 2, 430, "");
    assert_int_equal(sent_to_caller(&p, 480), 1);
    assert_int_equal(p.answered, 1);
    finish(&p);
}

static void no_other_flow_after_a_cancel_rfc5626_7(void **state)
{
    struct proxy p;
    (void)state;
    two_flows_and_a_phone(&p);
    sip_context_cancel(p.context, (struct span){0});
    answer(&p, "INVITE", 1, 430, "");
    assert_int_equal(rig_count(p.host, "INVITE"), 2);
    finish(&p);
}

static void a_flow_that_cannot_be_sent_to_is_replaced_at_once_rfc5626_7(void **state)
{
    struct proxy p;
    (void)state;
    start(&p);
    add_target(&p, "sip:102@198.51.100.2", 0);
    p.targets[0].uri = SPAN("sip:102@nowhere.example");
    p.targets[0].phone = 1;
    p.targets[1].phone = 1;
    invite(&p);
    assert_int_equal(rig_count(p.host, "INVITE"), 1);
    assert_non_null(forwarded(&p, "INVITE", 2));
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_forwards_0_gets_483_16_3),
        cmocka_unit_test(proxy_require_gets_420_with_unsupported_16_3),
        cmocka_unit_test(unknown_scheme_gets_416_16_3),
        cmocka_unit_test(same_request_again_gets_482_16_3),
        cmocka_unit_test(own_route_comes_off_16_4),
        cmocka_unit_test(two_own_routes_come_off_with_double_record_route_16_4),
        cmocka_unit_test(strict_routers_work_is_undone_16_4),
        cmocka_unit_test(copy_is_the_request_with_the_rules_edits_16_6),
        cmocka_unit_test(path_of_the_registration_becomes_the_route_rfc3327_5_3),
        cmocka_unit_test(strict_next_hop_gets_itself_as_request_uri_16_6),
        cmocka_unit_test(target_with_a_flow_goes_there_whatever_its_uri_says),
        cmocka_unit_test(next_hop_that_is_a_name_fails_with_500_16_6),
        cmocka_unit_test(owner_edits_body_and_headers),
        cmocka_unit_test(owner_refuses_a_branch),
        cmocka_unit_test(no_targets_get_480_16_5),
        cmocka_unit_test(invite_gets_100_at_once_and_no_other_request_does_16_2),
        cmocka_unit_test(responses_lose_our_via_and_100_stays_here_16_7),
        cmocka_unit_test(every_2xx_is_forwarded_rfc6026_7_3),
        cmocka_unit_test(every_2xx_says_when_the_session_expires_rfc4028_8_2),
        cmocka_unit_test(update_moves_it_or_ends_the_session_timer_rfc4028_8_2),
        cmocka_unit_test(other_answers_say_nothing_of_the_session_rfc4028_8_2),
        cmocka_unit_test(first_2xx_cancels_the_other_branches_16_7),
        cmocka_unit_test(best_response_waits_for_all_branches_16_7),
        cmocka_unit_test(challenges_of_all_branches_are_gathered_16_7),
        cmocka_unit_test(refusal_6xx_cancels_and_decides_16_7),
        cmocka_unit_test(lone_503_becomes_500_16_7),
        cmocka_unit_test(answer_of_a_phone_beats_the_silence_of_another_16_7),
        cmocka_unit_test(groups_have_their_turn_by_falling_q_16_6),
        cmocka_unit_test(silent_invite_is_408_silent_others_are_nothing_rfc4320_4_2),
        cmocka_unit_test(callers_cancel_goes_to_all_pending_branches_16_10),
        cmocka_unit_test(no_further_group_after_a_cancel_16_10),
        cmocka_unit_test(timer_c_cancels_what_rings_too_long_16_8),
        cmocka_unit_test(owner_cancels_with_a_reason),
        cmocka_unit_test(ack_of_a_2xx_is_forwarded_statelessly_16_11),
        cmocka_unit_test(freed_proxy_ends_its_contexts),
        cmocka_unit_test(one_flow_of_a_phone_at_a_time_rfc5626_7),
        cmocka_unit_test(a_silent_flow_is_replaced_rfc5626_7),
        cmocka_unit_test(a_phone_that_has_answered_is_not_asked_again_rfc5626_7),
        cmocka_unit_test(callers_never_see_430_rfc5626_11_5),
        cmocka_unit_test(no_other_flow_after_a_cancel_rfc5626_7),
        cmocka_unit_test(a_flow_that_cannot_be_sent_to_is_replaced_at_once_rfc5626_7),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
