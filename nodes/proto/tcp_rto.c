#include "nodes/proto/tcp_rto.h"

enum { DOUBLINGS = 10 }; /* 200 ms of them are past the largest timeout */

void tcp_rto_init(struct tcp_rto *r)
{
    *r = (struct tcp_rto){0};
}

/* RFC 6298 §2.2, §2.3: alpha 1/8, beta 1/4. */
void tcp_rto_sample(struct tcp_rto *r, lab_time rtt)
{
    if (!r->measured) {
        r->measured = true;
        r->srtt8 = 8 * rtt;
        r->rttvar4 = 2 * rtt;
        return;
    }
    lab_time error = rtt - r->srtt8 / 8;
    lab_time distance = error < 0 ? -error : error;
    r->rttvar4 += distance - r->rttvar4 / 4;
    r->srtt8 += error;
}

static lab_time undoubled(const struct tcp_rto *r)
{
    if (!r->measured)
        return TCP_RTO_FIRST;
    return r->srtt8 / 8 + (r->rttvar4 > TCP_RTO_MIN ? r->rttvar4 : TCP_RTO_MIN);
}

lab_time tcp_rto(const struct tcp_rto *r)
{
    lab_time rto = undoubled(r);
    unsigned doublings = r->expired < DOUBLINGS ? r->expired : DOUBLINGS;
    return rto > TCP_RTO_MAX >> doublings ? TCP_RTO_MAX : rto << doublings;
}

bool tcp_rto_expired(struct tcp_rto *r, unsigned retries)
{
    if (r->expired >= retries)
        return false;
    r->expired++;
    return true;
}

void tcp_rto_advanced(struct tcp_rto *r)
{
    r->expired = 0;
}

lab_time tcp_rto_opening(lab_time first, unsigned again)
{
    return first + (((lab_time)2 << again) - 1) * TCP_RTO_FIRST;
}
