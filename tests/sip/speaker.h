/* A kind of node for tests in both worlds: an element that speaks SIP over UDP, TCP (port 5060) and TLS (5061), does
 * what it is told, and tells what it hears. Each has a certificate for its address and for its name, "alice.lab", from
 * an authority that all of them make alike. It answers every request with 200.
 *
 *     request udp|tcp|tls ENDPOINT METHOD [BYTES]    by whichever connection; with a body of so many bytes
 *     request-on N METHOD                            by connection N
 *     connect tcp|tls ENDPOINT [NAME]                whom TLS verifies
 *     connect-fixed ENDPOINT                         TCP, from local port 5062
 *     ping N     close N
 *
 * It traces "heard" with `what`: up, down, ping, pong, a status, failed; and `connection`. */
#ifndef FAREND_TESTS_SIP_SPEAKER_H
#define FAREND_TESTS_SIP_SPEAKER_H

#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "nodes/sip/sip_txn.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPEAKER_PEM = 4096, SPEAKER_FLOWS = 16, SPEAKER_BODY = 8192 };

struct speaker {
    struct host *host;
    ipv4 addr;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct tls_context *server, *client;
    unsigned sockets[SIP_TLS + 1];        /* by enum sip_transport */
    unsigned fixed;                       /* the socket that opens connections from 5062 */
    struct sip_flow flows[SPEAKER_FLOWS]; /* by serial number, as far as known */
    unsigned requests;
};

/* ---- certificates ---- */

static inline struct pki_entity *speaker_issue(const char *subject, const struct span *names, size_t names_n,
                                               struct pki_entity *by)
{
    struct pki_request want = {.subject = span_of(subject), .names = names, .names_n = names_n, .depth = -1};
    struct prng random;
    struct pki_entity *e;
    want.ca = by == NULL;
    want.uses = by ? PKI_SERVER | PKI_CLIENT : 0;
    want.not_before = LAB_BEGINS - 3600;
    want.not_after = LAB_BEGINS + 86400;
    prng_init(&random, 7, span_of(subject), SPAN("certificate"));
    assert_int_equal(pki_issue(&want, by, &random, &e, NULL), 0);
    return e;
}

static inline struct span speaker_pem(char buf[SPEAKER_PEM], const char *label, struct span der)
{
    struct text t = text_on(buf, SPEAKER_PEM);
    pki_text_pem(&t, label, der);
    assert_true(text_ok(&t));
    return text_span(&t);
}

static inline void speaker_secure(struct speaker *s)
{
    char texts[3][SPEAKER_PEM];
    char addr[ENDPOINT_TEXT];
    char name[64];
    struct prng random;
    snprintf(name, sizeof name, "%s.lab", host_name(s->host));
    struct span names[] = {span_of(name), span_of(addr_text(s->addr, addr))};
    struct pki_entity *root = speaker_issue("lab root", NULL, 0, NULL);
    struct pki_entity *own = speaker_issue(name, names, 2, root);
    for (enum tls_role role = TLS_CLIENT; role <= TLS_SERVER; role++) {
        struct tls_config config = tls_config_of(role);
        config.certificate = speaker_pem(texts[0], "CERTIFICATE", pki_certificate(own));
        config.key = speaker_pem(texts[1], pki_key_label(own), pki_private_key(own));
        config.trust = speaker_pem(texts[2], "CERTIFICATE", pki_certificate(root));
        config.ask = TLS_REQUIRE_CERTIFICATE;
        host_stream(s->host, role == TLS_CLIENT ? "tls client" : "tls server", &random);
        assert_int_equal(
            tls_context_new(&config, &random, host_clock(s->host), role == TLS_CLIENT ? &s->client : &s->server, NULL),
            0);
    }
    pki_free(own);
    pki_free(root);
}

/* ---- what it hears ---- */

static inline void speaker_tell(struct speaker *s, const char *what, const struct sip_flow *flow)
{
    struct record *r = host_trace(s->host, "heard");
    record_str(r, "what", what);
    record_u64(r, "connection", flow->connection);
    host_trace_end(s->host);
    if (flow->connection < SPEAKER_FLOWS)
        s->flows[flow->connection] = *flow;
}

static inline void speaker_up(void *arg, const struct sip_flow *flow, const struct sip_flow_up *how)
{
    (void)how;
    speaker_tell(arg, "up", flow);
}

static inline void speaker_down(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why)
{
    (void)why;
    speaker_tell(arg, "down", flow);
}

static inline void speaker_ping(void *arg, const struct sip_flow *flow)
{
    speaker_tell(arg, "ping", flow);
}

static inline void speaker_pong(void *arg, const struct sip_flow *flow)
{
    speaker_tell(arg, "pong", flow);
}

static const struct sip_flow_events speaker_watch = {
    .up = speaker_up, .down = speaker_down, .ping = speaker_ping, .pong = speaker_pong};

static inline void speaker_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
    sip_txn_reply_status(txn, 200);
}

static inline void speaker_ack(void *arg, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
}

static inline void speaker_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    char status[8];
    struct sip_flow flow = sip_txn_flow(txn);
    snprintf(status, sizeof status, "%u", in->msg->status);
    speaker_tell(arg, status, &flow);
}

static inline void speaker_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct sip_flow flow = sip_txn_flow(txn);
    (void)status;
    speaker_tell(arg, "failed", &flow);
}

static const struct sip_txns_events speaker_events = {speaker_request, speaker_ack};
static const struct sip_client_events speaker_client = {speaker_response, speaker_failed, NULL};

/* ---- life ---- */

static inline int speaker_start(struct host *h, const void *settings, void **node, struct text *why)
{
    const struct sip_transport_config config = {.connect_timeout = 30 * SEC};
    struct speaker *s = calloc(1, sizeof *s);
    (void)settings;
    (void)why;
    assert_non_null(s);
    s->host = h;
    s->addr = host_port_at(h, 0)->addr;
    speaker_secure(s);
    assert_int_equal(sip_transport_new(&s->transport, h, &config), 0);
    for (enum sip_transport t = SIP_UDP; t <= SIP_TLS; t++) {
        const struct sip_local local = {
            .transport = t, .at = {s->addr, sip_transport_port(t)}, .server = s->server, .client = s->client};
        assert_int_equal(sip_transport_open(s->transport, &local, &s->sockets[t]), 0);
    }
    const struct sip_local fixed = {.transport = SIP_TCP, .at = {s->addr, 5062}, .deaf = true, .connect_port = 5062};
    assert_int_equal(sip_transport_open(s->transport, &fixed, &s->fixed), 0);
    sip_transport_watch(s->transport, &speaker_watch, s);
    assert_int_equal(sip_txns_new(&s->txns, s->transport, &(struct sip_timing){0}, &speaker_events, s), 0);
    *node = s;
    return 0;
}

static inline void speaker_stop(void *node)
{
    struct speaker *s = node;
    sip_txns_free(s->txns);
    sip_transport_free(s->transport);
    tls_context_free(s->client);
    tls_context_free(s->server);
    free(s);
}

/* ---- commands ---- */

static inline struct sip_flow speaker_flow(const struct speaker *s, struct span *words)
{
    struct endpoint to;
    enum sip_transport transport = sip_transport_id(span_cut(*words, ' ', words));
    assert_in_range(transport, SIP_UDP, SIP_TLS);
    assert_int_equal(endpoint_parse(span_cut(*words, ' ', words), sip_transport_port(transport), &to), 0);
    return sip_transport_flow(s->transport, s->sockets[transport], to);
}

static inline const struct sip_flow *speaker_known(const struct speaker *s, struct span *words)
{
    uint64_t number;
    assert_int_equal(span_u64(span_cut(*words, ' ', words), SPEAKER_FLOWS - 1, &number), 0);
    return &s->flows[number];
}

static inline int speaker_send(struct speaker *s, struct sip_flow to, struct span words)
{
    char body[SPEAKER_BODY];
    char text[SPEAKER_BODY + 1024];
    uint64_t bytes = 0;
    struct sip_txn *txn;
    struct span method = span_cut(words, ' ', &words);
    if (words.n)
        assert_int_equal(span_u64(words, sizeof body - 1, &bytes), 0);
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    snprintf(
        text, sizeof text,
        "%.*s sip:somebody@lab.example SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:me@lab.example>;tag=mine\r\n"
        "To: <sip:somebody@lab.example>\r\nCall-ID: call-%u@%s\r\nCSeq: 1 %.*s\r\nContact: <sip:me@lab.example>\r\n"
        "Content-Type: text/plain\r\nContent-Length: %u\r\n\r\n%s",
        SPAN_ARG(method), ++s->requests, host_name(s->host), SPAN_ARG(method), (unsigned)bytes, body);
    return sip_txn_request(s->txns, &to, span_of(text), (struct span){0}, &speaker_client, s, &txn);
}

static inline int speaker_connect_fixed(struct speaker *s, struct span words)
{
    struct endpoint to;
    assert_int_equal(endpoint_parse(words, SIP_DEFAULT_PORT, &to), 0);
    struct sip_flow flow = sip_transport_flow(s->transport, s->fixed, to);
    return sip_transport_connect(s->transport, &flow, (struct span){0});
}

static inline int speaker_do(struct speaker *s, struct span verb, struct span words)
{
    if (span_is(verb, "request")) {
        struct sip_flow to = speaker_flow(s, &words);
        return speaker_send(s, to, words);
    }
    if (span_is(verb, "request-on")) {
        const struct sip_flow *flow = speaker_known(s, &words);
        return speaker_send(s, *flow, words);
    }
    if (span_is(verb, "connect")) {
        struct sip_flow to = speaker_flow(s, &words);
        return sip_transport_connect(s->transport, &to, words);
    }
    if (span_is(verb, "connect-fixed"))
        return speaker_connect_fixed(s, words);
    if (span_is(verb, "ping"))
        return sip_transport_keep_alive(s->transport, speaker_known(s, &words));
    assert_true(span_is(verb, "close"));
    sip_transport_close(s->transport, speaker_known(s, &words));
    return 0;
}

static inline void speaker_command(void *node, struct span line)
{
    struct speaker *s = node;
    struct span words;
    struct span verb = span_cut(line, ' ', &words);
    int error = speaker_do(s, verb, words);
    struct record *r = host_trace(s->host, "did");
    record_text(r, "what", line);
    record_i64(r, "result", error);
    host_trace_end(s->host);
}

static const char *const speaker_ports[] = {"on", NULL};
static const struct option speaker_options[] = {{0}};
static const struct node_kind speaker_kind = {.name = "speaker",
                                              .help = "speaks SIP over UDP, TCP and TLS",
                                              .ports = speaker_ports,
                                              .options = speaker_options,
                                              .settings_size = 1,
                                              .start = speaker_start,
                                              .command = speaker_command,
                                              .stop = speaker_stop};

#endif
