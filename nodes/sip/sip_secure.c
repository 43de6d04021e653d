/* TLS on a connection (RFC 5246; RFC 3261 §26.3): plaintext above, ciphertext to the host. Its outcome is traced as
 * `tls`, its secrets go into the capture. */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/base/error.h"

static struct host *host_of(const struct sip_connection *c)
{
    return c->layer->host;
}

/* ---- trace ---- */

static struct record *begin_trace(struct sip_connection *c, const char *state)
{
    struct record *r = host_trace(host_of(c), "tls");
    record_str(r, "state", state);
    record_endpoint(r, "peer", c->flow.remote);
    return r;
}

static void trace_established(struct sip_connection *c, const struct tls_established *e)
{
    struct record *r = begin_trace(c, "established");
    record_str(r, "version", tls_version_words[e->version]);
    record_str(r, "suite", e->suite);
    record_bool(r, "resumed", e->resumed);
    if (e->certificate)
        record_text(r, "subject", e->subject);
    host_trace_end(host_of(c));
}

static void trace_failed(struct sip_connection *c, const struct tls_failure *f)
{
    struct record *r = begin_trace(c, "failed");
    if (f->way != TLS_ALERT_NONE) {
        record_str(r, "alert", f->alert);
        record_str(r, "by", f->way == TLS_ALERT_SENT ? "local" : "remote");
    }
    record_text(r, "why", f->why);
    host_trace_end(host_of(c));
}

/* ---- what the machine says ---- */

/* Ciphertext cannot be left out: what the host does not take is the connection's end. */
static void send(void *arg, struct span bytes)
{
    struct sip_connection *c = arg;
    int error = c->tcp ? host_tcp_send(c->tcp, bytes) : 0;
    c->active = host_now(host_of(c));
    if (error)
        sip_connection_end(c, error, "reset", false);
}

static void established(void *arg, const struct tls_established *e)
{
    struct sip_connection *c = arg;
    trace_established(c, e);
    sip_connection_establish(c, e);
}

static void received(void *arg, struct span plaintext)
{
    sip_connection_take(arg, plaintext);
}

static void closed(void *arg)
{
    sip_connection_end(arg, FE_ERESET, "closed", false);
}

static void failed(void *arg, const struct tls_failure *f)
{
    struct sip_connection *c = arg;
    bool alert = f->way != TLS_ALERT_NONE;
    char buf[SIP_REASON_MAX];
    struct text reason = text_on(buf, sizeof buf);
    text_str(&reason, alert ? f->alert : "tls");
    trace_failed(c, f);
    sip_secure_fini(c); /* it cannot say good-bye any more */
    sip_connection_end(c, FE_ERESET, buf, alert);
}

static void secret(void *arg, struct span line)
{
    struct sip_connection *c = arg;
    host_secret(host_of(c), line);
}

/* ---- what the connection says ---- */

int sip_secure_init(struct sip_connection *c, struct tls_context *context, struct span peer)
{
    static const struct tls_events events = {
        .send = send,
        .established = established,
        .received = received,
        .closed = closed,
        .failed = failed,
        .secret = secret,
    };
    return tls_new(context, peer, &events, c, &c->tls);
}

void sip_secure_start(struct sip_connection *c)
{
    tls_start(c->tls, host_clock(host_of(c)));
}

void sip_secure_input(struct sip_connection *c, struct span ciphertext)
{
    tls_input(c->tls, ciphertext, host_clock(host_of(c)));
}

int sip_secure_send(struct sip_connection *c, struct span plaintext)
{
    return tls_send(c->tls, plaintext, host_clock(host_of(c)));
}

void sip_secure_close(struct sip_connection *c)
{
    tls_close(c->tls, host_clock(host_of(c)));
}

void sip_secure_fini(struct sip_connection *c)
{
    tls_free(c->tls);
    c->tls = NULL;
}
