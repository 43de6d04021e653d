#include "nodes/sbc/sbc_route.h"

static struct sbc_decision refuse(unsigned status)
{
    return (struct sbc_decision){.way = SBC_REFUSED, .status = status};
}

static struct sbc_decision from_outside(const struct sbc_question *q)
{
    if (q->token == SBC_TOKEN_BAD)
        return refuse(403);
    if (q->in_dialog && q->token == SBC_TOKEN_GOOD)
        return (struct sbc_decision){.way = SBC_ALONG_ROUTE};
    if ((!q->flow_registered && !q->caller_registered && !q->open) || !q->for_us || q->preloaded)
        return refuse(403);
    return (struct sbc_decision){.way = SBC_TO_PBX};
}

static struct sbc_decision from_inside(const struct sbc_question *q)
{
    switch (q->token) {
    case SBC_TOKEN_NONE: return refuse(404);
    case SBC_TOKEN_BAD: return refuse(403); /* RFC 5626 §5.3.1 */
    case SBC_TOKEN_GOOD: break;
    }
    /* In a dialog the flow is tried even when its registration has ended: over UDP it may well still work. */
    if (q->flow_gone || (!q->in_dialog && !q->flow_registered))
        return refuse(430);
    return (struct sbc_decision){.way = SBC_TO_FLOW};
}

struct sbc_decision sbc_route(const struct sbc_question *q)
{
    return q->from == SBC_OUTSIDE ? from_outside(q) : from_inside(q);
}
