#include "nodes/proto/sip_event.h"

#include "nodes/base/error.h"

static const struct {
    const char *word;
    enum sip_subscription_reason reason;
} reasons[] = {
    {"deactivated", SIP_REASON_DEACTIVATED}, {"probation", SIP_REASON_PROBATION}, {"rejected", SIP_REASON_REJECTED},
    {"timeout", SIP_REASON_TIMEOUT},         {"giveup", SIP_REASON_GIVEUP},       {"noresource", SIP_REASON_NORESOURCE},
    {"invariant", SIP_REASON_INVARIANT},
};

static bool seconds_get(struct span params, const char *name, uint32_t *out)
{
    struct span value;
    return sip_param(params, name, &value) && sip_number_parse(value, UINT32_MAX, out) == 0;
}

static enum sip_subscription_reason reason_get(struct span params)
{
    struct span value;
    if (!sip_param(params, "reason", &value))
        return SIP_REASON_NONE;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (span_equal_nocase(value, span_of(reasons[i].word)))
            return reasons[i].reason;
    return SIP_REASON_NONE;
}

int sip_subscription_parse(struct span value, struct sip_subscription *out)
{
    struct span token;
    struct span params;
    *out = (struct sip_subscription){.state = SIP_SUBSCRIPTION_ACTIVE};
    if (sip_token_parse(value, &token, &params))
        return FE_ESYNTAX;
    if (span_equal_nocase(token, SPAN("terminated")))
        out->state = SIP_SUBSCRIPTION_TERMINATED;
    else if (span_equal_nocase(token, SPAN("pending")))
        out->state = SIP_SUBSCRIPTION_PENDING;
    out->has_expires = seconds_get(params, "expires", &out->expires);
    out->has_retry_after = seconds_get(params, "retry-after", &out->retry_after);
    out->reason = reason_get(params);
    return 0;
}

bool sip_event_is(const struct sip_msg *m, const char *package)
{
    struct span token;
    struct span params;
    return sip_token_parse(sip_value(m, SIP_H_EVENT), &token, &params) == 0 &&
           span_equal_nocase(token, span_of(package));
}
