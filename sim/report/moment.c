#include "sim/report/moment.h"

#include "nodes/base/record.h"
#include "nodes/base/text.h"

/* How far back an equal moment is looked for, so that two streams that die side by side make two moments, not hundreds.
 */
#define LOOK_BACK 12

/* ---- one line in words ---- */

static void put(struct text *t, struct span line, const char *before, const char *key)
{
    struct span raw;
    if (!record_get(line, key, &raw) || span_empty(raw))
        return;
    text_str(t, before);
    text_put(t, raw);
}

static void sip_say(struct text *t, struct span line)
{
    bool out = record_is(line, "dir", "out");
    put(t, line, out ? "sends " : "receives ", "msg");
    put(t, line, out ? " to " : " from ", "peer");
}

static void drop_say(struct text *t, struct span line)
{
    put(t, line, "drops ", "packet");
    put(t, line, ": ", "cause");
}

static void icmp_say(struct text *t, struct span line)
{
    put(t, line, "sends ICMP ", "type");
    put(t, line, " about ", "about");
}

static void mapping_say(struct text *t, struct span line)
{
    put(t, line, "mapping ", "state");
    put(t, line, ": ", "proto");
    put(t, line, " ", "inside");
    put(t, line, " as ", "outside");
}

/* Every message has a Via, and o= decides nothing. */
static bool alg_tells(struct span line)
{
    return !record_is(line, "what", "via") && !record_is(line, "what", "origin");
}

/* Not of which message: a place that is rewritten again and again is one moment. */
static void alg_say(struct text *t, struct span line)
{
    put(t, line, "rewrites ", "what");
    put(t, line, " ", "from");
    put(t, line, " to ", "to");
}

static void state_say(struct text *t, struct span line)
{
    put(t, line, "", "ev");
    put(t, line, " ", "state");
    put(t, line, ", with ", "peer");
    put(t, line, ", ", "contact");
    put(t, line, ", ", "remote");
    put(t, line, ", ", "status");
    put(t, line, " ", "reason");
}

static void server_say(struct text *t, struct span line)
{
    put(t, line, "has ", "server");
    put(t, line, " ", "state");
}

static void target_say(struct text *t, struct span line)
{
    put(t, line, "goes over to ", "server");
    put(t, line, " by ", "transport");
    put(t, line, ": ", "why");
}

static void failover_say(struct text *t, struct span line)
{
    if (record_is(line, "what", "target")) {
        target_say(t, line);
        return;
    }
    put(t, line, "goes over from ", "from");
    put(t, line, " to ", "to");
    put(t, line, " (", "what");
    put(t, line, ", ", "server");
    put(t, line, "): ", "why");
}

static void flow_say(struct text *t, struct span line)
{
    put(t, line, "connection to ", "remote");
    put(t, line, " ", "state");
    put(t, line, ", ", "reason");
}

static void tls_say(struct text *t, struct span line)
{
    put(t, line, "TLS with ", "peer");
    put(t, line, " ", "state");
    put(t, line, ", alert ", "alert");
    put(t, line, ": ", "why");
}

static void outbound_say(struct text *t, struct span line)
{
    put(t, line, "flow ", "reg_id");
    put(t, line, " to ", "server");
    put(t, line, " ", "state");
    put(t, line, ": ", "why");
}

static void timeout_say(struct text *t, struct span line)
{
    put(t, line, "gives up ", "msg");
    put(t, line, " (timer ", "timer");
    text_char(t, ')');
}

static void reboot_say(struct text *t, struct span line)
{
    text_str(t, "reboots");
    put(t, line, ", mappings lost: ", "mappings");
}

static void power_say(struct text *t, struct span line)
{
    struct span on;
    bool is_on = record_get(line, "on", &on) && span_is(on, "true");
    text_str(t, is_on ? "is switched on" : "is switched off");
}

static void wire_say(struct text *t, struct span line)
{
    struct span down;
    bool known = record_get(line, "down", &down);
    text_str(t, known ? span_is(down, "true") ? "is cut" : "is restored" : "is changed");
}

static void fault_say(struct text *t, struct span line)
{
    put(t, line, "fault: ", "do");
    put(t, line, " ", "packet");
}

static void impaired_say(struct text *t, struct span line)
{
    put(t, line, "", "what");
    put(t, line, " ", "packet");
}

static void freeze_say(struct text *t, struct span line)
{
    struct span frozen;
    bool is_frozen = record_get(line, "frozen", &frozen) && span_is(frozen, "true");
    text_str(t, is_frozen ? "freezes" : "thaws");
}

struct wording {
    const char *ev;
    void (*say)(struct text *t, struct span line);
    bool fate;
};

static const struct wording wordings[] = {{"sip", sip_say, false},
                                          {"drop", drop_say, true},
                                          {"icmp", icmp_say, true},
                                          {"mapping", mapping_say, true},
                                          {"alg", alg_say, true},
                                          {"call", state_say, false},
                                          {"registration", state_say, false},
                                          {"failover", failover_say, true},
                                          {"flow", flow_say, true},
                                          {"tls", tls_say, true},
                                          {"outbound", outbound_say, true},
                                          {"service", state_say, true},
                                          {"subscription", state_say, false},
                                          {"location", state_say, false},
                                          {"server", server_say, true},
                                          {"relay", state_say, false},
                                          {"timeout", timeout_say, true},
                                          {"reboot", reboot_say, true},
                                          {"power", power_say, true},
                                          {"wire", wire_say, true},
                                          {"fault", fault_say, true},
                                          {"impaired", impaired_say, true},
                                          {"freeze", freeze_say, true},
                                          {0}};

static const struct wording *wording_of(struct span line)
{
    struct span ev;
    if (!record_get(line, "ev", &ev))
        return NULL;
    for (const struct wording *w = wordings; w->ev; w++)
        if (span_is(ev, w->ev))
            return w;
    return NULL;
}

/* Drops and ICMP errors of one cause at one place are alike whatever the packet; other moments only when the same. */
static uint64_t key_of(const struct moment *m, struct span line)
{
    char buf[MOMENT_WHO + MOMENT_WHAT + 8];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, m->who);
    text_char(&t, '/');
    if (record_is(line, "ev", "drop"))
        put(&t, line, "drop ", "cause");
    else if (record_is(line, "ev", "icmp"))
        put(&t, line, "icmp ", "type");
    else
        text_str(&t, m->what);
    return span_hash(text_span(&t));
}

bool moment_read(struct moment *m, struct span line)
{
    const struct wording *w = wording_of(line);
    struct span who;
    int64_t at = 0;
    if (!w || (w->say == mapping_say && record_is(line, "state", "created")) || (w->say == alg_say && !alg_tells(line)))
        return false;
    if (!record_get(line, "node", &who) && !record_get(line, "wire", &who))
        return false;
    record_get_i64(line, "t", &at);
    *m = (struct moment){.first = at, .last = at, .count = 1, .fate = w->fate};
    span_copy(who, m->who, sizeof m->who);
    struct text t = text_on(m->what, sizeof m->what);
    w->say(&t, line);
    m->key = key_of(m, line);
    return true;
}

/* ---- many ---- */

void moments_add(struct moments *all, const struct moment *m)
{
    for (uint64_t back = 1; back <= LOOK_BACK && back <= all->n; back++) {
        struct moment *earlier = &all->ring[(all->n - back) % MOMENTS_KEPT];
        if (earlier->key != m->key)
            continue;
        earlier->last = m->last;
        earlier->count++;
        return;
    }
    all->ring[all->n++ % MOMENTS_KEPT] = *m;
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Does the text name it as a whole word? */
static bool names(struct span text, const char *who)
{
    size_t n = strlen(who);
    for (size_t i = 0; n && i + n <= text.n; i++) {
        bool starts = i == 0 || !name_char(text.p[i - 1]);
        bool ends = i + n == text.n || !name_char(text.p[i + n]);
        if (starts && ends && memcmp(text.p + i, who, n) == 0)
            return true;
    }
    return false;
}

size_t moments_pick(const struct moments *all, struct span text, struct moment out[MOMENTS_SHOWN])
{
    uint64_t kept = all->n < MOMENTS_KEPT ? all->n : MOMENTS_KEPT;
    size_t picked = 0;
    for (uint64_t back = 1; back <= kept && picked < MOMENTS_SHOWN; back++) {
        const struct moment *m = &all->ring[(all->n - back) % MOMENTS_KEPT];
        if (m->fate || names(text, m->who))
            out[picked++] = *m;
    }
    for (size_t i = 0; i < picked / 2; i++) {
        struct moment swap = out[i];
        out[i] = out[picked - 1 - i];
        out[picked - 1 - i] = swap;
    }
    return picked;
}
