/* A PBX at 10.0.1.10 on the fake host, and requests by hand. Lines 101 (password "a1"), 102 and 103 (none). */
#ifndef FAREND_TESTS_PBX_FIXTURE_H
#define FAREND_TESTS_PBX_FIXTURE_H

#include "nodes/node.h"
#include "nodes/pbx/pbx_settings.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind pbx_kind;

#define PBX IPV4(10, 0, 1, 10)

static const struct endpoint pbx_at = {PBX, 5060};
static const struct endpoint alice_at = {IPV4(10, 0, 1, 31), 5060};
static const struct endpoint bob_at = {IPV4(10, 0, 1, 32), 5060};

struct pbx_fixture {
    struct host *host;
    void *settings;
    void *node;
};

/* `changes` are pairs of setting and value, ended by NULL. */
static inline struct pbx_fixture pbx_fixture_of(const char *const *changes)
{
    static const char *const lines[] = {"lines.101.password", "a1", "lines.102", "", "lines.103", "", NULL};
    struct pbx_fixture f = {.host = fake_new("on", PBX, NULL, 0),
                            .settings = options_new(pbx_kind.options, pbx_kind.settings_size)};
    for (const char *const *set = lines; *set; set += 2)
        assert_int_equal(options_set(pbx_kind.options, f.settings, span_of(set[0]), span_of(set[1]), NULL), 0);
    for (const char *const *set = changes; set && *set; set += 2)
        assert_int_equal(options_set(pbx_kind.options, f.settings, span_of(set[0]), span_of(set[1]), NULL), 0);
    assert_int_equal(pbx_kind.start(f.host, f.settings, &f.node, NULL), 0);
    return f;
}

static inline void pbx_fixture_fini(struct pbx_fixture *f)
{
    pbx_kind.stop(f->node);
    assert_int_equal(fake_open_sockets(f->host), 0);
    assert_int_equal(timers_next(&f->host->timers), NEVER);
    options_free(pbx_kind.options, f->settings);
    fake_free(f->host);
}

/* Sends the text of a request, with a Via that names its source, and returns the PBX's last datagram. */
static inline const char *pbx_request(struct pbx_fixture *f, struct endpoint from, const char *line, unsigned cseq,
                                      const char *call_id, const char *headers)
{
    char text[4096];
    char source[ENDPOINT_TEXT];
    static unsigned branch;
    size_t method = strcspn(line, " ");
    int n = snprintf(text, sizeof text,
                     "%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKt%u\r\nMax-Forwards: 70\r\nCall-ID: %s\r\n"
                     "CSeq: %u %.*s\r\n%sContent-Length: 0\r\n\r\n",
                     line, endpoint_text(from, source), ++branch, call_id, cseq, (int)method, line, headers);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_true(fake_deliver(f->host, from, pbx_at, 64, span_make(text, (size_t)n)));
    const struct fake_datagram *d = fake_last(f->host);
    return d ? d->data : "";
}

static inline const char *pbx_register(struct pbx_fixture *f, const char *line, unsigned cseq, const char *headers)
{
    char text[2048];
    snprintf(text, sizeof text, "From: <sip:%s@lab.example>;tag=f\r\nTo: <sip:%s@lab.example>\r\n%s", line, line,
             headers);
    return pbx_request(f, alice_at, "REGISTER sip:lab.example", cseq, "reg-1", text);
}

static inline void assert_status(const char *response, unsigned status)
{
    char start[32];
    snprintf(start, sizeof start, "SIP/2.0 %u ", status);
    if (strncmp(response, start, strlen(start)) != 0)
        fail_msg("expected %u, got: %.60s", status, response);
}

static inline size_t times(const char *haystack, const char *needle)
{
    size_t n = 0;
    for (const char *at = strstr(haystack, needle); at; at = strstr(at + 1, needle))
        n++;
    return n;
}

#endif
