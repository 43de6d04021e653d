/* An SBC on the fake host, with the phone and the PBX played by hand.
 *
 *     phone 192.168.1.20 ── NAT 203.0.113.7:40000 ── 203.0.113.10 SBC 10.0.1.2 ── PBX 10.0.1.10
 */
#ifndef FAREND_TESTS_SBC_FIXTURE_H
#define FAREND_TESTS_SBC_FIXTURE_H

#include "nodes/node.h"
#include "nodes/sbc/sbc_settings.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind sbc_kind;

#define OUTSIDE IPV4(203, 0, 113, 10)
#define INSIDE  IPV4(10, 0, 1, 2)

static const struct endpoint phone = {IPV4(203, 0, 113, 7), 40000};
static const struct endpoint pbx = {IPV4(10, 0, 1, 10), 5060};
static const struct endpoint outside = {OUTSIDE, 5060};
static const struct endpoint inside = {INSIDE, 5060};

struct fixture {
    struct host *host;
    void *settings;
    void *node;
};

static inline struct fixture fixture_of(const char *const *changes)
{
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE),
                        .settings = options_new(sbc_kind.options, sbc_kind.settings_size)};
    assert_int_equal(options_set(sbc_kind.options, f.settings, SPAN("pbx"), SPAN("10.0.1.10"), NULL), 0);
    for (const char *const *set = changes; set && *set; set += 2)
        assert_int_equal(options_set(sbc_kind.options, f.settings, span_of(set[0]), span_of(set[1]), NULL), 0);
    assert_int_equal(sbc_kind.start(f.host, f.settings, &f.node, NULL), 0);
    return f;
}

static inline void fixture_fini(struct fixture *f)
{
    sbc_kind.stop(f->node);
    assert_int_equal(fake_open_sockets(f->host), 0);
    assert_int_equal(timers_next(&f->host->timers), NEVER);
    options_free(sbc_kind.options, f->settings);
    fake_free(f->host);
}

/* ---- messages by hand ---- */

struct request {
    const char *line; /* "INVITE sip:102@lab.example" */
    const char *call_id;
    unsigned cseq;
    const char *to_tag;  /* ";tag=b" or "" */
    const char *headers; /* further ones */
    const char *body;
    const char *via; /* further parameters of the topmost Via: ";keep" */
};

static inline void send_request(struct fixture *f, struct endpoint from, struct endpoint to, const struct request *r)
{
    char text[4096];
    static unsigned branch;
    const char *body = r->body ? r->body : "";
    const char *sent_by = from.addr == pbx.addr ? "10.0.1.10:5060" : "192.168.1.20:5060";
    int n = snprintf(text, sizeof text,
                     "%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKp%u%s\r\nMax-Forwards: 70\r\n"
                     "From: <sip:101@lab.example>;tag=a\r\nTo: <sip:101@lab.example>%s\r\nCall-ID: %s\r\n"
                     "CSeq: %u %.*s\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                     r->line, sent_by, ++branch, r->via ? r->via : "", r->to_tag ? r->to_tag : "", r->call_id, r->cseq,
                     (int)strcspn(r->line, " "), r->line, r->headers ? r->headers : "",
                     *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_true(fake_deliver(f->host, from, to, 64, span_make(text, (size_t)n)));
}

static inline const char *last_to(const struct fixture *f, struct endpoint to)
{
    for (size_t i = f->host->sent_n; i-- > 0;)
        if (endpoint_equal(f->host->sent[i].to, to))
            return f->host->sent[i].data;
    fail_msg("nothing was sent there");
    return "";
}

/* Answers the last request that went to `by`: copies of its Via, From, To, Call-ID and CSeq lines. */
static inline void answer(struct fixture *f, struct endpoint by, struct endpoint at, const char *status,
                          const char *headers, const char *body)
{
    char text[4096];
    struct text t = text_on(text, sizeof text);
    const char *request = last_to(f, by);
    text_str(&t, "SIP/2.0 ");
    text_str(&t, status);
    text_str(&t, "\r\n");
    for (const char *line = strchr(request, '\n') + 1; *line != '\r'; line = strchr(line, '\n') + 1) {
        size_t n = strcspn(line, "\r");
        if (strncmp(line, "To:", 3) == 0 && !memchr(line, 't', n)) {
            text_put(&t, span_make(line, n));
            text_str(&t, ";tag=b\r\n");
        } else if (strncmp(line, "Via:", 4) == 0 || strncmp(line, "From:", 5) == 0 || strncmp(line, "To:", 3) == 0 ||
                   strncmp(line, "Call-ID:", 8) == 0 || strncmp(line, "CSeq:", 5) == 0 ||
                   strncmp(line, "Record-Route:", 13) == 0) {
            text_put(&t, span_make(line, n + 2));
        }
    }
    text_str(&t, headers);
    if (*body)
        text_str(&t, "Content-Type: application/sdp\r\n");
    text_str(&t, "Content-Length: ");
    text_u64(&t, strlen(body));
    text_str(&t, "\r\n\r\n");
    text_str(&t, body);
    assert_true(text_ok(&t));
    assert_true(fake_deliver(f->host, by, at, 64, text_span(&t)));
}

static inline void assert_starts(const char *message, const char *start)
{
    if (strncmp(message, start, strlen(start)) != 0)
        fail_msg("expected %s, got: %.60s", start, message);
}

/* What stands between `before` and the next `end`. */
static inline void take(const char *text, const char *before, const char *end, char *dst, size_t cap)
{
    const char *at = strstr(text, before);
    if (!at) {
        fail_msg("%s is missing in: %s", before, text);
        return;
    }
    at += strlen(before);
    assert_true(span_copy(span_make(at, strcspn(at, end)), dst, cap));
}

#endif
