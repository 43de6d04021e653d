/* The session timer of a call (RFC 4028): how long it may go on without a refresh. What refreshes it, an INVITE that
 * changes nothing or an UPDATE, is in phone_call_hold.c. */
#include "nodes/phone/phone_call.h"

static struct sip_session_config config_of(const struct phone *p)
{
    const struct phone_settings *s = p->settings;
    return (struct sip_session_config){(uint32_t)(s->session_timer / SEC), (uint32_t)(s->least_session / SEC),
                                       (enum sip_refresher)s->refresher};
}

static void run(struct phone_call *c)
{
    lab_time deadline = sip_session_timer_deadline(&c->session);
    if (deadline == NEVER)
        host_timer_stop(c->phone->host, &c->session_timer);
    else
        host_timer_start(c->phone->host, &c->session_timer, deadline);
}

static void trace(struct phone_call *c, const char *state)
{
    struct record *r = host_trace(c->phone->host, "session");
    record_str(r, "state", state);
    record_u64(r, "call", c->number);
    record_str(r, "peer", c->peer);
    record_u64(r, "interval", c->session.interval);
    if (c->session.state != SIP_SESSION_LASTS)
        record_str(r, "refresher", c->session.state == SIP_SESSION_OURS ? "local" : "remote");
    host_trace_end(c->phone->host);
}

/* §10: nobody has refreshed it in time. */
static void over(struct phone_call *c)
{
    struct phone_call_event event = {.status = 408, .reason = SPAN("session expired"), .by = "local"};
    trace(c, "expired");
    phone_call_over(c, CALL_ENDED, &event);
    phone_call_leave(c);
}

static void tick(void *arg)
{
    struct phone_call *c = arg;
    switch (sip_session_timer_next(&c->session, host_now(c->phone->host))) {
    case SIP_SESSION_NOTHING: run(c); return;
    case SIP_SESSION_REFRESH:
        run(c);
        phone_call_refresh(c);
        return;                             /* the call may be freed */
    case SIP_SESSION_OVER: over(c); return; /* so it may here */
    }
}

void phone_call_session_init(struct phone_call *c)
{
    struct sip_session_config config = config_of(c->phone);
    sip_session_timer_init(&c->session, &config);
    timer_init(&c->session_timer, tick, c);
}

void phone_call_session_stop(struct phone_call *c)
{
    host_timer_stop(c->phone->host, &c->session_timer);
}

bool phone_call_session_refuses(const struct phone *p, const struct sip_msg *request, struct text *headers)
{
    struct sip_session_config config = config_of(p);
    struct sip_session_timer none;
    sip_session_timer_init(&none, &config);
    return sip_session_timer_refuses(&none, request, headers);
}

void phone_call_session_heard(struct phone_call *c, const struct sip_msg *msg)
{
    if (sip_find(msg, SIP_H_ALLOW))
        c->peer_updates = sip_lists(msg, SIP_H_ALLOW, "UPDATE");
}

void phone_call_session_grant(struct phone_call *c, const struct sip_msg *request, struct text *headers)
{
    phone_call_session_heard(c, request);
    if (c->session.config.interval == 0)
        return;
    sip_session_timer_grant(&c->session, request, host_now(c->phone->host), headers);
    trace(c, "agreed");
    run(c);
}

void phone_call_session_confirmed(struct phone_call *c, const struct sip_msg *response)
{
    phone_call_session_heard(c, response);
    if (c->session.config.interval == 0)
        return;
    sip_session_timer_confirmed(&c->session, response, host_now(c->phone->host));
    trace(c, "agreed");
    run(c);
}

void phone_call_session_retry(struct phone_call *c, lab_time pause)
{
    sip_session_timer_retry(&c->session, pause == NEVER ? NEVER : host_now(c->phone->host) + pause);
    run(c);
}
