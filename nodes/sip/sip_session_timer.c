/* The user agents' half. The words `uac` and `uas` are those of one request each (§4): what is kept here is only
 * whether it is us who refresh. */
#include "nodes/sip/sip_session_timer.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"

/* ---- reading ---- */

static enum sip_refresher refresher_read(struct span params)
{
    struct span value;
    if (!sip_param(params, "refresher", &value))
        return SIP_REFRESHER_OPEN;
    if (span_equal_nocase(value, SPAN("uac")))
        return SIP_REFRESHER_UAC;
    return span_equal_nocase(value, SPAN("uas")) ? SIP_REFRESHER_UAS : SIP_REFRESHER_OPEN;
}

void sip_session_fields_read(const struct sip_msg *msg, struct sip_session_fields *out)
{
    struct span params = {0};
    struct span expires = sip_value(msg, SIP_H_SESSION_EXPIRES);
    struct span least = sip_value(msg, SIP_H_MIN_SE);
    *out = (struct sip_session_fields){.supported = sip_lists(msg, SIP_H_SUPPORTED, "timer")};
    if (expires.p && sip_delta_parse(expires, &out->interval, &params) == 0)
        out->refresher = refresher_read(params);
    else
        out->interval = 0;
    if (!least.p || sip_delta_parse(least, &out->least, NULL))
        out->least = 0;
}

/* ---- small things ---- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

struct span sip_session_refresher_text(enum sip_refresher refresher)
{
    switch (refresher) {
    case SIP_REFRESHER_OPEN: break;
    case SIP_REFRESHER_UAC: return SPAN(";refresher=uac");
    case SIP_REFRESHER_UAS: return SPAN(";refresher=uas");
    }
    return (struct span){0};
}

static void expires_put(struct text *out, uint32_t interval, enum sip_refresher refresher)
{
    text_put(out, sip_header_name(SIP_H_SESSION_EXPIRES));
    text_str(out, ": ");
    text_u64(out, interval);
    text_put(out, sip_session_refresher_text(refresher));
    text_str(out, "\r\n");
}

/* The session lasts from now for the interval; §10 says when what is due. */
static void begin(struct sip_session_timer *t, uint32_t interval, bool ours, lab_time now)
{
    lab_time whole = (lab_time)interval * SEC;
    lab_time early = whole / 3 < 32 * SEC ? whole / 3 : 32 * SEC;
    t->begun = true;
    t->interval = interval;
    t->state = ours ? SIP_SESSION_OURS : SIP_SESSION_THEIRS;
    t->refresh_at = ours ? now + whole / 2 : NEVER;
    t->over_at = ours ? now + whole : now + whole - early;
}

static void last(struct sip_session_timer *t)
{
    t->begun = true;
    t->state = SIP_SESSION_LASTS;
    t->refresh_at = t->over_at = NEVER;
}

void sip_session_timer_init(struct sip_session_timer *t, const struct sip_session_config *config)
{
    *t = (struct sip_session_timer){.config = *config, .refresh_at = NEVER, .over_at = NEVER};
    t->config.least = larger(config->least, SIP_SESSION_LEAST);
    t->interval = config->interval ? larger(config->interval, t->config.least) : 0;
}

/* ---- as UAC ---- */

/* §7.4: who refreshes goes on to do so. */
static enum sip_refresher as_uac(const struct sip_session_timer *t)
{
    switch (t->state) {
    case SIP_SESSION_OURS: return SIP_REFRESHER_UAC;
    case SIP_SESSION_THEIRS: return SIP_REFRESHER_UAS;
    case SIP_SESSION_LASTS: break;
    }
    return t->begun ? SIP_REFRESHER_OPEN : t->config.refresher;
}

/* Min-SE is the largest that anybody has demanded in this dialog, or our own; without it 90 s are meant (§5). */
void sip_session_timer_ask(const struct sip_session_timer *t, struct text *out)
{
    uint32_t least = larger(t->config.least, t->least);
    if (t->config.interval == 0)
        return;
    sip_put(out, SIP_H_SUPPORTED, SPAN("timer"));
    expires_put(out, larger(t->interval, least), as_uac(t));
    if (least > SIP_SESSION_LEAST)
        sip_put_number(out, SIP_H_MIN_SE, least);
}

/* Without Session-Expires the other side knows no session timers, and no proxy asks for one: we refresh by ourselves,
 * as was asked for (§7.2). */
void sip_session_timer_confirmed(struct sip_session_timer *t, const struct sip_msg *response, lab_time now)
{
    struct sip_session_fields f;
    if (t->config.interval == 0)
        return;
    sip_session_fields_read(response, &f);
    if (f.interval)
        begin(t, f.interval, f.refresher != SIP_REFRESHER_UAS, now);
    else
        begin(t, larger(t->interval, larger(t->config.least, t->least)), true, now);
}

bool sip_session_timer_raised(struct sip_session_timer *t, const struct sip_msg *response)
{
    struct sip_session_fields f;
    if (response->status != 422 || t->config.interval == 0)
        return false;
    sip_session_fields_read(response, &f);
    if (f.least <= larger(t->interval, t->least))
        return false; /* it was asked for so much, or more */
    t->least = t->interval = f.least;
    return true;
}

/* ---- as UAS ---- */

bool sip_session_timer_refuses(const struct sip_session_timer *t, const struct sip_msg *request, struct text *headers)
{
    struct sip_session_fields f;
    if (t->config.interval == 0)
        return false;
    sip_session_fields_read(request, &f);
    if (!f.supported || f.interval == 0 || f.interval >= t->config.least)
        return false;
    sip_put_number(headers, SIP_H_MIN_SE, t->config.least);
    return true;
}

/* Table 2 of §9: by whether the UAC knows session timers, and what it asked for. */
static enum sip_refresher chosen(const struct sip_session_timer *t, const struct sip_session_fields *f)
{
    if (!f->supported)
        return SIP_REFRESHER_UAS;
    if (f->refresher != SIP_REFRESHER_OPEN)
        return f->refresher;
    switch (t->state) { /* in a session that is on, as it was */
    case SIP_SESSION_OURS: return SIP_REFRESHER_UAS;
    case SIP_SESSION_THEIRS: return SIP_REFRESHER_UAC;
    case SIP_SESSION_LASTS: break;
    }
    return t->config.refresher == SIP_REFRESHER_UAS ? SIP_REFRESHER_UAS : SIP_REFRESHER_UAC;
}

/* Never above what was asked for, never below its Min-SE; what a proxy has asked for too short is as long as it may be
 * (§9). A request that asks for nothing gets what we want. */
static uint32_t granted(const struct sip_session_timer *t, const struct sip_session_fields *f)
{
    uint32_t least = larger(f->least, SIP_SESSION_LEAST);
    uint32_t ours =
        t->begun && t->state != SIP_SESSION_LASTS ? t->interval : larger(t->config.interval, t->config.least);
    if (f->interval && f->interval < ours)
        ours = f->interval;
    return larger(ours, f->interval && f->interval < least ? f->interval : least);
}

void sip_session_timer_grant(struct sip_session_timer *t, const struct sip_msg *request, lab_time now, struct text *out)
{
    struct sip_session_fields f;
    if (t->config.interval == 0)
        return;
    sip_session_fields_read(request, &f);
    t->least = larger(t->least, f.least);
    enum sip_refresher refresher = chosen(t, &f);
    uint32_t interval = granted(t, &f);
    if (f.supported)
        sip_put(out, SIP_H_REQUIRE, SPAN("timer")); /* whoever refreshes, the UAC has something to do */
    sip_put(out, SIP_H_SUPPORTED, SPAN("timer"));
    expires_put(out, interval, refresher);
    begin(t, interval, refresher == SIP_REFRESHER_UAS, now);
}

/* ---- deadlines ---- */

lab_time sip_session_timer_deadline(const struct sip_session_timer *t)
{
    return t->refresh_at < t->over_at ? t->refresh_at : t->over_at;
}

enum sip_session_action sip_session_timer_next(struct sip_session_timer *t, lab_time now)
{
    if (t->over_at <= now) {
        last(t);
        return SIP_SESSION_OVER;
    }
    if (t->refresh_at > now)
        return SIP_SESSION_NOTHING;
    t->refresh_at = NEVER;
    return SIP_SESSION_REFRESH;
}

void sip_session_timer_retry(struct sip_session_timer *t, lab_time at)
{
    if (t->state == SIP_SESSION_OURS)
        t->refresh_at = at;
}
