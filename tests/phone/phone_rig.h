/* A phone on the fake network, for tests. Included after tests/media/fake_net.h by one .c file of a test program. */
#ifndef FAREND_TESTS_PHONE_RIG_H
#define FAREND_TESTS_PHONE_RIG_H

#include "nodes/node.h"
#include "nodes/phone/phone_options.h"
#include "nodes/proto/sip_build.h"

#include "tests/media/fake_net.h"

#include "tests/cmocka.h"

extern const struct node_kind phone_kind;

struct rig_phone {
    const char *name;
    void *settings;
    void *node;
};

/* Settings as "name=value", NULL-terminated. */
static inline void rig_start(struct rig_phone *b, const char *name, ipv4 addr, const char *const *settings)
{
    char room[256];
    struct text why = text_on(room, sizeof room);
    *b = (struct rig_phone){.name = name, .settings = options_new(phone_options, sizeof(struct phone_settings))};
    assert_non_null(b->settings);
    for (; *settings; settings++) {
        struct span value;
        struct span key = span_cut(span_of(*settings), '=', &value);
        if (options_set(phone_options, b->settings, key, value, &why))
            fail_msg("%s", why.p);
    }
    assert_null(options_missing(phone_options, b->settings));
    if (phone_kind.start(net_host(name, addr), b->settings, &b->node, &why))
        fail_msg("%s", why.p);
}

static inline void rig_stop(struct rig_phone *b)
{
    if (b->node)
        phone_kind.stop(b->node);
    options_free(phone_options, b->settings);
    *b = (struct rig_phone){0};
}

static inline void rig_tell(struct rig_phone *b, const char *command)
{
    phone_kind.command(b->node, span_of(command));
}

/* ---- a server that a test writes: it sees each request and answers by hand ---- */
struct rig_server {
    struct host_udp *udp;
    struct endpoint peer; /* of the last message */
    unsigned received;    /* messages */
    char last[NET_DATAGRAM];
    struct sip_msg msg;                       /* the last one, in `last` */
    void (*on_message)(struct rig_server *s); /* may be NULL */
};

static inline void rig_server_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct rig_server *s = arg;
    (void)ttl;
    if (data.n <= 4)
        return; /* a keep-alive */
    memcpy(s->last, data.p, data.n);
    assert_int_equal(sip_parse(span_make(s->last, data.n), &s->msg, NULL), 0);
    s->peer = from;
    s->received++;
    if (s->on_message)
        s->on_message(s);
}

static const struct host_udp_events rig_server_events = {rig_server_received, NULL};

static inline void rig_server_start(struct rig_server *s, ipv4 addr, void (*on_message)(struct rig_server *s))
{
    struct host *h = net_host("server", addr);
    *s = (struct rig_server){.on_message = on_message};
    assert_int_equal(host_udp_open(h, (struct endpoint){addr, 5060}, &rig_server_events, s, &s->udp), 0);
}

/* Answers the last request; `headers`: further lines. */
static inline void rig_reply(struct rig_server *s, unsigned status, const char *headers, struct span body)
{
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    sip_put_response(&t, &s->msg, status, (struct span){0}, SPAN("server"), s->peer);
    text_str(&t, headers);
    if (body.n)
        sip_put_body(&t, SPAN("application/sdp"), body);
    else
        sip_put_end(&t);
    assert_true(text_ok(&t));
    host_udp_send(s->udp, s->peer, 0, text_span(&t));
}

/* Sends a request of its own; `text` holds the whole message. */
static inline void rig_send(struct rig_server *s, struct endpoint to, const char *text)
{
    host_udp_send(s->udp, to, 0, span_of(text));
}

#endif
