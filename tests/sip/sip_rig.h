/* A machine for tests of the SIP layer: a virtual clock, and a network that is the test itself. What the node under
 * test sends is kept with its time; what it receives, the test writes. Include it in one file of a test program: it
 * defines all of nodes/host.h that the layer uses. */
#ifndef FAREND_TESTS_SIP_RIG_H
#define FAREND_TESTS_SIP_RIG_H

#include "nodes/base/error.h"
#include "nodes/host.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_txn.h"
#include "tests/cmocka.h"
#include "tests/sip/fake_tcp.h"

#include <stdio.h>
#include <stdlib.h>

enum { RIG_SOCKETS = 4, RIG_SENT = 256, RIG_DATA = 4096, RIG_TRACE = 1 << 18 };

#define RIG_ADDR IPV4(192, 0, 2, 1) /* the node under test, port 5060 */
#define RIG_PEER ((struct endpoint){IPV4(192, 0, 2, 9), 5060})

struct host_udp {
    struct host *host;
    struct endpoint local;
    const struct host_udp_events *events;
    void *arg;
};

struct rig_datagram {
    lab_time at;
    struct endpoint from, to;
    size_t n;
    char data[RIG_DATA];
};

struct host {
    lab_time now;
    struct timers timers;
    struct host_udp sockets[RIG_SOCKETS];
    unsigned sockets_n;
    struct rig_datagram sent[RIG_SENT];
    unsigned sent_n;
    unsigned drops;
    char last_drop[32];
    int send_error; /* what host_udp_send() returns */
    struct fake_tcp tcp;
    struct host_port port;
    unsigned secrets; /* lines given to host_secret() */
    char trace[RIG_TRACE];
    size_t trace_n;
    struct record record;
    char line[RECORD_MAX];
};

/* ---- the host ---- */

const char *host_name(const struct host *h)
{
    (void)h;
    return "rig";
}

lab_time host_now(const struct host *h)
{
    return h->now;
}

lab_time host_clock(const struct host *h)
{
    return h->now;
}

void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    prng_init(out, 1, span_of(host_name(h)), span_of(purpose));
}

void host_timer_start(struct host *h, struct timer *t, lab_time at)
{
    assert_int_equal(timers_start(&h->timers, t, at), 0);
}

void host_timer_stop(struct host *h, struct timer *t)
{
    timers_stop(&h->timers, t);
}

static struct fake_tcp *fake_tcp_of(struct host *h)
{
    return &h->tcp;
}

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    return index == 0 ? &h->port : NULL;
}

int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out)
{
    assert_true(h->sockets_n < RIG_SOCKETS);
    *out = &h->sockets[h->sockets_n++];
    **out = (struct host_udp){h, local, events, arg};
    return 0;
}

struct endpoint host_udp_local(const struct host_udp *u)
{
    return u->local;
}

int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data)
{
    struct host *h = u->host;
    (void)ttl;
    assert_true(h->sent_n < RIG_SENT && data.n < RIG_DATA);
    if (h->send_error)
        return h->send_error;
    struct rig_datagram *d = &h->sent[h->sent_n++];
    *d = (struct rig_datagram){.at = h->now, .from = u->local, .to = to, .n = data.n};
    memcpy(d->data, data.p, data.n);
    return 0;
}

void host_udp_close(struct host_udp *u)
{
    u->events = NULL;
}

struct record *host_trace(struct host *h, const char *event)
{
    record_begin(&h->record, h->line, sizeof h->line);
    record_i64(&h->record, "t", h->now);
    record_str(&h->record, "ev", event);
    return &h->record;
}

void host_trace_end(struct host *h)
{
    struct span line = record_end(&h->record);
    assert_true(h->trace_n + line.n + 2 < RIG_TRACE);
    memcpy(h->trace + h->trace_n, line.p, line.n);
    h->trace_n += line.n;
    memcpy(h->trace + h->trace_n++, "\n", 2);
}

void host_secret(struct host *h, struct span line)
{
    (void)line;
    h->secrets++;
}

void host_drop(struct host *h, const char *cause, struct span what)
{
    (void)what;
    h->drops++;
    snprintf(h->last_drop, sizeof h->last_drop, "%s", cause);
}

/* ---- the test's side ---- */

static inline struct host *rig_new(void)
{
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    timers_init(&h->timers);
    h->port = (struct host_port){"on", RIG_ADDR, 24, 1500};
    return h;
}

static inline void rig_free(struct host *h)
{
    timers_fini(&h->timers);
    fake_tcp_fini(&h->tcp);
    free(h);
}

/* Lab time goes on to `until`; what is due on the way fires. */
static inline void rig_run(struct host *h, lab_time until)
{
    while (timers_next(&h->timers) <= until) {
        if (timers_next(&h->timers) > h->now)
            h->now = timers_next(&h->timers);
        timers_fire(&h->timers, h->now);
    }
    h->now = until;
}

/* A datagram arrives, on socket number `socket`. */
static inline void rig_receive_on(struct host *h, unsigned socket, struct endpoint from, const char *data)
{
    struct host_udp *u = &h->sockets[socket];
    size_t n = strlen(data);
    char *exact = malloc(n ? n : 1); /* so that reading past the end is seen */
    assert_non_null(exact);
    memcpy(exact, data, n);
    u->events->received(u->arg, from, 64, span_make(exact, n));
    free(exact);
    rig_run(h, h->now);
}

static inline void rig_receive(struct host *h, struct endpoint from, const char *data)
{
    rig_receive_on(h, 0, from, data);
}

static inline bool rig_has(const struct rig_datagram *d, const char *text)
{
    return d && strstr(d->data, text) != NULL;
}

/* Datagrams sent whose start is this text. */
static inline unsigned rig_count(const struct host *h, const char *start)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->sent_n; i++)
        n += strncmp(h->sent[i].data, start, strlen(start)) == 0;
    return n;
}

/* Number `index` (from 0) of those; the test fails when there is none. */
static inline const struct rig_datagram *rig_sent(const struct host *h, const char *start, unsigned index)
{
    for (unsigned i = 0; i < h->sent_n; i++)
        if (strncmp(h->sent[i].data, start, strlen(start)) == 0 && index-- == 0)
            return &h->sent[i];
    fail_msg("nothing sent that starts with \"%s\"", start);
    return NULL;
}

static inline const struct rig_datagram *rig_last(const struct host *h)
{
    assert_true(h->sent_n > 0);
    return &h->sent[h->sent_n - 1];
}

static inline unsigned rig_traced(const struct host *h, const char *text)
{
    unsigned n = 0;
    for (const char *p = h->trace; (p = strstr(p, text)) != NULL; p++)
        n++;
    return n;
}

/* The value of a header (the first with this name) of something sent; lives until the next call. */
static inline const char *rig_value(const struct rig_datagram *d, enum sip_header_id id)
{
    static char value[RIG_DATA];
    struct sip_msg msg;
    assert_int_equal(sip_parse(span_make(d->data, d->n), &msg, NULL), 0);
    assert_true(span_copy(sip_value(&msg, id), value, sizeof value));
    return value;
}

/* ---- messages ---- */

/* Writes the response that an upstream element would give to a request that was sent: its Vias, From, To, Call-ID, CSeq
 * and Record-Routes. `more` are header lines. Lives until the next call. */
static inline const char *rig_response(const struct rig_datagram *request, unsigned status, const char *to_tag,
                                       const char *more)
{
    static const enum sip_header_id copied[] = {SIP_H_VIA, SIP_H_FROM, SIP_H_CALL_ID, SIP_H_CSEQ, SIP_H_RECORD_ROUTE};
    static char buf[RIG_DATA];
    struct text out = text_on(buf, sizeof buf);
    struct sip_msg msg;
    assert_int_equal(sip_parse(span_make(request->data, request->n), &msg, NULL), 0);
    sip_put_status_line(&out, status, SPAN("Test"));
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
        sip_put_copy(&out, &msg, copied[i]);
    text_str(&out, "To: ");
    text_put(&out, sip_value(&msg, SIP_H_TO));
    text_str(&out, to_tag[0] ? ";tag=" : "");
    text_str(&out, to_tag);
    text_str(&out, "\r\n");
    text_str(&out, more);
    sip_put_end(&out);
    assert_true(text_ok(&out));
    return buf;
}

/* A request from Bob to the node, through `via` ("192.0.2.9:5060;branch=z9hG4bKx"). `more` are header lines. Lives
 * until the next call. */
static inline const char *rig_request_by(const char *transport, const char *method, const char *uri, const char *via,
                                         const char *to, unsigned cseq, const char *more)
{
    static char buf[RIG_DATA];
    struct text out = text_on(buf, sizeof buf);
    sip_put_request_line(&out, span_of(method), span_of(uri));
    text_str(&out, "Via: SIP/2.0/");
    text_str(&out, transport);
    text_char(&out, ' ');
    text_str(&out, via);
    text_str(&out, "\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=bobs\r\n");
    sip_put(&out, SIP_H_TO, span_of(to));
    sip_put(&out, SIP_H_CALL_ID, SPAN("call-1@example.com"));
    sip_put_cseq(&out, cseq, span_of(method));
    text_str(&out, more);
    sip_put_end(&out);
    assert_true(text_ok(&out));
    return buf;
}

static inline const char *rig_request(const char *method, const char *uri, const char *via, const char *to,
                                      unsigned cseq, const char *more)
{
    return rig_request_by("UDP", method, uri, via, to, cseq, more);
}

#endif
