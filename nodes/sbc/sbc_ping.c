/* A ping is an OPTIONS of the SBC to a registered phone, so that the NATs on the way see traffic from outside and, in
 * the phone's answer, from inside. Each flow has its own clock, which starts with its registration: many phones are not
 * pinged all at one instant. Nothing is concluded from a missing answer; the trace shows the timeout. */
#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

enum { BUCKETS = 1024, TAG = 16, REQUEST = 1024 };

struct ping {
    struct ping *next; /* in its bucket */
    struct sbc_pings *set;
    struct sip_flow flow;
    struct timer timer;
    uint32_t cseq;
    char call_id[TAG + 1]; /* one Call-ID for all pings of a flow */
};

struct sbc_pings {
    struct sbc *sbc;
    struct prng rng;
    struct ping *bucket[BUCKETS];
};

static struct ping **place(struct sbc_pings *set, struct sip_flow flow)
{
    struct ping **at = &set->bucket[(flow.remote.addr ^ flow.remote.port) % BUCKETS];
    while (*at && !sip_flow_equal((*at)->flow, flow))
        at = &(*at)->next;
    return at;
}

void sbc_write_options(const struct sbc *sbc, struct prng *rng, const struct sip_flow *to_flow, const char *call_id,
                       uint32_t cseq, struct text *t)
{
    char to[64];
    char from[64];
    char tag[TAG + 1];
    struct text to_uri = text_on(to, sizeof to);
    struct text from_uri = text_on(from, sizeof from);
    sip_uri_write_endpoint(&to_uri, (struct span){0}, to_flow->remote);
    sip_uri_write_endpoint(&from_uri, (struct span){0}, sip_transport_advertised(sbc->transport, to_flow->socket));
    prng_hex(rng, tag, TAG);
    sip_put_request_line(t, SPAN("OPTIONS"), text_span(&to_uri));
    sip_put_number(t, SIP_H_MAX_FORWARDS, sbc->settings.max_forwards);
    sip_put_addr(t, SIP_H_FROM, (struct span){0}, text_span(&from_uri), span_of(tag));
    sip_put_addr(t, SIP_H_TO, (struct span){0}, text_span(&to_uri), (struct span){0});
    sip_put(t, SIP_H_CALL_ID, span_of(call_id));
    sip_put_cseq(t, cseq, SPAN("OPTIONS"));
    sip_put_end(t);
}

static void fire(void *arg)
{
    static const struct sip_client_events events = {0};
    struct ping *ping = arg;
    struct sbc *sbc = ping->set->sbc;
    char buf[REQUEST];
    struct text request = text_on(buf, sizeof buf);
    struct sip_txn *txn;
    sbc_write_options(sbc, &ping->set->rng, &ping->flow, ping->call_id, ++ping->cseq, &request);
    /* A ping that cannot be sent is a ping that is lost. */
    sip_txn_request(sbc->txns, &ping->flow, text_span(&request), (struct span){0}, &events, NULL, &txn);
    host_timer_start(sbc->host, &ping->timer, host_now(sbc->host) + sbc->settings.options_ping);
}

static void begin(struct sbc_pings *set, struct sip_flow flow)
{
    struct ping **at = place(set, flow);
    struct ping *ping = *at ? NULL : malloc(sizeof *ping);
    if (!ping)
        return;
    *ping = (struct ping){.set = set, .flow = flow};
    prng_hex(&set->rng, ping->call_id, TAG);
    timer_init(&ping->timer, fire, ping);
    host_timer_start(set->sbc->host, &ping->timer, host_now(set->sbc->host) + set->sbc->settings.options_ping);
    *at = ping;
}

static void end(struct ping **at)
{
    struct ping *ping = *at;
    *at = ping->next;
    host_timer_stop(ping->set->sbc->host, &ping->timer);
    free(ping);
}

void sbc_ping_flow(struct sbc_pings *set, struct sip_flow flow, bool good)
{
    if (good && set->sbc->settings.options_ping) {
        begin(set, flow);
    } else {
        struct ping **at = place(set, flow);
        if (*at)
            end(at);
    }
}

int sbc_pings_new(struct sbc_pings **out, struct sbc *sbc)
{
    struct sbc_pings *set = calloc(1, sizeof *set);
    if (!set)
        return FE_EMEM;
    set->sbc = sbc;
    host_stream(sbc->host, "pings", &set->rng);
    *out = set;
    return 0;
}

void sbc_pings_free(struct sbc_pings *set)
{
    if (!set)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (set->bucket[i])
            end(&set->bucket[i]);
    free(set);
}
