#include "nodes/sip/sip_session_proxy.h"

#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_session_timer.h"

static bool is_refresh(const struct sip_msg *request)
{
    return request->method == SIP_INVITE || request->method == SIP_UPDATE;
}

static uint32_t least_of(const struct sip_session_proxy *p)
{
    return p->least && p->least < SIP_SESSION_LEAST ? SIP_SESSION_LEAST : p->least;
}

/* A UAC that knows session timers can be told; for another one the call would be lost. */
bool sip_session_proxy_refuses(const struct sip_session_proxy *p, const struct sip_msg *request, struct text *headers)
{
    struct sip_session_fields f;
    if (!is_refresh(request) || p->least == 0)
        return false;
    sip_session_fields_read(request, &f);
    if (!f.supported || f.interval == 0 || f.interval >= least_of(p))
        return false;
    sip_put_number(headers, SIP_H_MIN_SE, least_of(p));
    return true;
}

/* Never below Min-SE, never longer than it was. */
static uint32_t shortened(const struct sip_session_proxy *p, const struct sip_session_fields *f)
{
    uint32_t least = f->least > SIP_SESSION_LEAST ? f->least : SIP_SESSION_LEAST;
    uint32_t wanted = p->interval > least ? p->interval : least;
    return f->interval && f->interval < wanted ? f->interval : wanted;
}

/* What leaves this proxy: Min-SE is touched only for a UAC that does not know session timers (§11: against one that
 * would have everybody raise it). */
static struct sip_session_fields forwarded(const struct sip_session_proxy *p, const struct sip_msg *request)
{
    struct sip_session_fields f;
    sip_session_fields_read(request, &f);
    if (p->interval == 0 && p->least == 0)
        return f;
    if (!f.supported && f.interval && f.interval < least_of(p) && f.least < least_of(p))
        f.least = least_of(p);
    if (p->interval)
        f.interval = shortened(p, &f);
    if (f.interval && f.interval < f.least)
        f.interval = f.least;
    return f;
}

static void expires_write(uint32_t interval, struct span params, struct text *out)
{
    text_u64(out, interval);
    text_put(out, params);
}

void sip_session_proxy_request(const struct sip_session_proxy *p, const struct sip_msg *request,
                               struct sip_session_edit *room, struct sip_edit *edit)
{
    struct sip_session_fields before;
    struct text expires = text_on(room->expires, sizeof room->expires);
    if (!is_refresh(request))
        return;
    sip_session_fields_read(request, &before);
    struct sip_session_fields f = forwarded(p, request);
    if (f.least != before.least)
        sip_edit_number(edit, SIP_H_MIN_SE, f.least);
    if (f.interval == before.interval)
        return;
    expires_write(f.interval, sip_session_refresher_text(before.refresher), &expires);
    sip_edit_set(edit, SIP_H_SESSION_EXPIRES, text_span(&expires));
}

/* The UAS does not know session timers, the UAC does: it is told to refresh by the first proxy that the response
 * reaches, for each asked for a timer or let one pass. */
lab_time sip_session_proxy_response(const struct sip_session_proxy *p, const struct sip_msg *request,
                                    const struct sip_msg *response, struct sip_session_edit *room,
                                    struct sip_edit *edit)
{
    struct sip_session_fields answer;
    struct text expires = text_on(room->expires, sizeof room->expires);
    if (!is_refresh(request) || response->status / 100 != 2)
        return 0;
    struct sip_session_fields f = forwarded(p, request);
    sip_session_fields_read(response, &answer);
    if (answer.interval)
        return answer.interval * SEC;
    if (!f.supported || f.interval == 0)
        return NEVER;
    expires_write(f.interval, sip_session_refresher_text(SIP_REFRESHER_UAC), &expires);
    sip_edit_set(edit, SIP_H_SESSION_EXPIRES, text_span(&expires));
    if (!sip_lists(response, SIP_H_REQUIRE, "timer"))
        sip_edit_append(edit, SIP_H_REQUIRE, SPAN("timer"));
    return f.interval * SEC;
}
