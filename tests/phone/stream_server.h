/* A server on TCP that a test writes: it reads what a phone sent by one of its connections and answers by hand.
 * Included after phone_rig.h. */
#ifndef FAREND_TESTS_PHONE_STREAM_SERVER_H
#define FAREND_TESTS_PHONE_STREAM_SERVER_H

#include "tests/phone/phone_rig.h"

/* Everything that happens now. */
static inline void stream_settle(void)
{
    net_run(net.now);
}

/* The phone is the last host that was made. */
static inline struct fake_tcp *stream_tcp(void)
{
    return &net.hosts[net.hosts_n - 1].tcp;
}

static inline struct host_tcp *stream_connection(unsigned i)
{
    assert_true(i < stream_tcp()->n);
    return &stream_tcp()->connections[i];
}

/* The one message that the phone has sent by this connection since the last time; the view is into a static buffer. */
static inline void stream_take(struct host_tcp *c, struct sip_msg *msg)
{
    static char buf[8192];
    assert_true(c->sent_n > 0 && c->sent_n < sizeof buf);
    memcpy(buf, c->sent, c->sent_n);
    assert_int_equal(sip_parse(span_make(buf, c->sent_n), msg, NULL), 0);
    fake_tcp_forget(c);
}

static inline void stream_reply(struct host_tcp *c, const struct sip_msg *request, unsigned status, const char *headers)
{
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    sip_put_response(&t, request, status, (struct span){0}, SPAN("server"), c->remote);
    text_str(&t, headers);
    sip_put_end(&t);
    assert_true(text_ok(&t));
    fake_tcp_receive(c, text_span(&t));
    stream_settle();
}

/* The connection comes up, the REGISTER on it is accepted for an hour. */
static inline void stream_accept_register(struct host_tcp *c)
{
    struct sip_msg m;
    fake_tcp_connected(c);
    stream_settle();
    stream_take(c, &m);
    assert_true(span_is(m.method_text, "REGISTER"));
    stream_reply(c, &m, 200, "Expires: 3600\r\n");
}

#endif
