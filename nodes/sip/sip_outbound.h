/* The flows that a user agent opens and keeps (RFC 5626 §4): when to form one, when to send a keep-alive, when one has
 * failed, and how long to wait before the next try. Pure: the time is an argument, the random numbers are a stream of
 * the owner's; nothing is sent and no clock is read here.
 *
 * The owner has one machine for all flows of one address-of-record, numbered from 0 in the order of its
 * outbound-proxy-set; number i registers with reg-id i + 1. It does what sip_outbound_next() says and tells what came
 * of it:
 *
 *     sip_outbound_start(o, now)
 *     forever: wait until sip_outbound_deadline(o)
 *              FORM   connect (UDP: choose the socket), REGISTER ──▶ _registered(), or _failed()
 *              PING   CR LF CR LF, over UDP a STUN request        ──▶ _pong() or _mapped()
 *              LOST   no answer came: close what is left of the flow
 *     at any time: a connection broke, an ICMP error, 430, …       ──▶ _failed()
 *
 *     IDLE ─start─▶ FORMING ─registered─▶ UP ◀─pong─ PINGED
 *                      ▲ │                 │ ─ping──▶  │
 *            deadline  │ └─failed─▶ WAITING ◀─failed───┘ ─no pong─▶ LOST is told
 *
 * A flow is successful when its registration succeeded and, where keep-alives are in use, one of them was answered
 * (§4.5). One that was successful is formed again at once; any other failure waits:
 *
 *     W = min(1800 s, base · 2^failures), base 30 s when no other flow is up and 90 s otherwise; uniform 50–100 % of W
 */
#ifndef FAREND_SIP_OUTBOUND_H
#define FAREND_SIP_OUTBOUND_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIP_OUTBOUND_FLOWS = 8 };

/* How long a STUN request over UDP goes unanswered until its flow has failed: 7 transmissions, the first wait 500 ms,
 * each twice as long as the one before, 16 · 500 ms after the last (RFC 8489 §6.2.1). */
#define SIP_OUTBOUND_STUN_LIMIT (39500 * MS)

enum sip_outbound_carrier {
    SIP_OUTBOUND_STREAM,   /* TCP, TLS: keep-alives are CR LF CR LF, answered by CR LF (§4.4.1) */
    SIP_OUTBOUND_DATAGRAM, /* UDP: keep-alives are STUN Binding requests (§4.4.2) */
};

/* Zero: the RFC's default. */
struct sip_outbound_config {
    lab_time base_all_failed; /* 30 s */
    lab_time base_otherwise;  /* 90 s */
    lab_time longest;         /* 1800 s */
    lab_time pong;            /* 10 s: how long the answer to CR LF CR LF may take (§4.4.1) */
    lab_time interval;  /* the user agent's own N (PH-5): keep-alives after 80–100 % of it; 0: the RFC's intervals */
    bool no_keep_alive; /* none are sent; a registration alone makes a flow successful */
};

enum sip_outbound_state {
    SIP_OUTBOUND_IDLE,    /* not wanted; no deadline */
    SIP_OUTBOUND_FORMING, /* the owner connects and registers; no deadline: it has its own */
    SIP_OUTBOUND_UP,      /* registered; the deadline is the next keep-alive */
    SIP_OUTBOUND_PINGED,  /* registered; the deadline is the latest moment for the answer */
    SIP_OUTBOUND_WAITING, /* failed; the deadline is the next try */
};

struct sip_outbound_flow {
    enum sip_outbound_state state;
    enum sip_outbound_carrier carrier;
    lab_time deadline; /* NEVER: none */
    lab_time recommended;
    unsigned failures;    /* consecutive */
    bool successful;      /* §4.5 */
    struct endpoint seen; /* datagrams: how the server sees us; port 0: not known yet */
};

struct sip_outbound {
    struct sip_outbound_config config; /* with the defaults filled in */
    struct prng rng;
    unsigned n;
    struct sip_outbound_flow flows[SIP_OUTBOUND_FLOWS];
};

enum sip_outbound_action {
    SIP_OUTBOUND_NOTHING, /* no deadline has come */
    SIP_OUTBOUND_FORM,
    SIP_OUTBOUND_PING,
    SIP_OUTBOUND_LOST,
};

/* n flows, 1 to SIP_OUTBOUND_FLOWS. The stream is copied. */
void sip_outbound_init(struct sip_outbound *o, const struct sip_outbound_config *config, unsigned n,
                       const struct prng *rng);

void sip_outbound_start(struct sip_outbound *o, lab_time now); /* every idle flow is due now: at boot nothing waits */
void sip_outbound_stop(struct sip_outbound *o);                /* all are idle; failures are forgotten */

lab_time sip_outbound_deadline(const struct sip_outbound *o); /* the earliest; NEVER: none */

/* A deadline that has come, of the lowest-numbered flow that has one: what to do about flow *which. Repeat until
 * SIP_OUTBOUND_NOTHING. */
enum sip_outbound_action sip_outbound_next(struct sip_outbound *o, lab_time now, unsigned *which);

/* The flow's REGISTER was confirmed, for the first time or again. `recommended`: the interval that the server asked for
 * by Flow-Timer (§4.4) or `keep` (RFC 6223); 0: none. */
void sip_outbound_registered(struct sip_outbound *o, unsigned which, lab_time now, enum sip_outbound_carrier carrier,
                             lab_time recommended);

/* The flow could not be formed, its registration was refused, or it broke. `retry_after` (0: none) is what a 503 said:
 * the next try comes no sooner. Nothing on an idle or waiting flow. */
void sip_outbound_failed(struct sip_outbound *o, unsigned which, lab_time now, lab_time retry_after);

/* The keep-alive was answered; an answer that nobody waits for changes nothing. */
void sip_outbound_pong(struct sip_outbound *o, unsigned which, lab_time now);

/* The same for STUN, which tells how we are seen. False: as another address than before, so the flow has failed
 * (§4.4.2) and is due to be formed again. */
bool sip_outbound_mapped(struct sip_outbound *o, unsigned which, lab_time now, struct endpoint seen);

static inline bool sip_outbound_is_up(const struct sip_outbound *o, unsigned which)
{
    return o->flows[which].state == SIP_OUTBOUND_UP || o->flows[which].state == SIP_OUTBOUND_PINGED;
}

/* How long to wait until the next keep-alive (§4.4, RFC 6223 §5); `most`: the recommended interval, 0: none. */
lab_time sip_outbound_interval(struct prng *rng, enum sip_outbound_carrier carrier, lab_time most);

/* RFC 6223 §4: did the next hop agree to be kept alive? `via` is ours as it came back. *interval: what it recommends,
 * 0: nothing. A `keep` that still has no value is only our own offer. */
bool sip_outbound_keep(const struct sip_via *via, lab_time *interval);

/* The first hop's half: a Via that offers keep-alives, and has no answer yet; "=30" goes to *where, which is empty. */
bool sip_outbound_keep_offered(const struct sip_via *via, struct span *where);

/* Flow-Timer of a 2xx to REGISTER (§10): 0 when there is none, or it is no number. */
lab_time sip_outbound_flow_timer(const struct sip_msg *response);

#endif
