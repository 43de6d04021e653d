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

/* A piece of a sentence: the value of `key` with `before` in front of it; nothing when the line has no such value. */
struct piece {
    const char *before, *key;
};

#define PIECES 8

struct wording {
    const char *ev;
    struct piece pieces[PIECES];
    void (*say)(struct text *t, struct span line); /* where pieces do not do; NULL otherwise */
    bool fate;
};

static void pieces_say(struct text *t, struct span line, const struct piece pieces[PIECES])
{
    for (int i = 0; i < PIECES && pieces[i].key; i++)
        put(t, line, pieces[i].before, pieces[i].key);
}

static void sip_say(struct text *t, struct span line)
{
    bool out = record_is(line, "dir", "out");
    put(t, line, out ? "sends " : "receives ", "msg");
    put(t, line, out ? " to " : " from ", "peer");
}

static void state_say(struct text *t, struct span line)
{
    static const struct piece pieces[PIECES] = {{"", "ev"},        {" ", "state"},   {", with ", "peer"},
                                                {", ", "contact"}, {", ", "remote"}, {", ", "status"},
                                                {" ", "reason"}};
    pieces_say(t, line, pieces);
}

static void failover_say(struct text *t, struct span line)
{
    static const struct piece target[PIECES] = {{"goes over to ", "server"}, {" by ", "transport"}, {": ", "why"}};
    static const struct piece server[PIECES] = {
        {"goes over from ", "from"}, {" to ", "to"}, {" (", "what"}, {", ", "server"}, {"): ", "why"}};
    pieces_say(t, line, record_is(line, "what", "target") ? target : server);
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

static bool is_true(struct span line, const char *key)
{
    struct span value;
    return record_get(line, key, &value) && span_is(value, "true");
}

static void power_say(struct text *t, struct span line)
{
    text_str(t, is_true(line, "on") ? "is switched on" : "is switched off");
}

static void wire_say(struct text *t, struct span line)
{
    struct span down;
    bool known = record_get(line, "down", &down);
    text_str(t, known ? span_is(down, "true") ? "is cut" : "is restored" : "is changed");
}

static void freeze_say(struct text *t, struct span line)
{
    text_str(t, is_true(line, "frozen") ? "freezes" : "thaws");
}

static const struct wording wordings[] = {
    {"sip", .say = sip_say},
    {"drop", {{"drops ", "packet"}, {": ", "cause"}}, .fate = true},
    {"icmp", {{"sends ICMP ", "type"}, {" about ", "about"}}, .fate = true},
    {"mapping", {{"mapping ", "state"}, {": ", "proto"}, {" ", "inside"}, {" as ", "outside"}}, .fate = true},
    /* Not of which message: a place that is rewritten again and again is one moment. */
    {"alg", {{"rewrites ", "what"}, {" ", "from"}, {" to ", "to"}}, .fate = true},
    {"call", .say = state_say},
    {"registration", .say = state_say},
    {"failover", .say = failover_say, .fate = true},
    {"flow", {{"connection to ", "remote"}, {" ", "state"}, {", ", "reason"}}, .fate = true},
    {"tls", {{"TLS with ", "peer"}, {" ", "state"}, {", alert ", "alert"}, {": ", "why"}}, .fate = true},
    {"outbound", {{"flow ", "reg_id"}, {" to ", "server"}, {" ", "state"}, {": ", "why"}}, .fate = true},
    {"service", .say = state_say, .fate = true},
    {"subscription", .say = state_say},
    {"location", .say = state_say},
    {"server", {{"has ", "server"}, {" ", "state"}}, .fate = true},
    {"relay", .say = state_say},
    {"timeout", .say = timeout_say, .fate = true},
    {"reboot", .say = reboot_say, .fate = true},
    {"power", .say = power_say, .fate = true},
    {"wire", .say = wire_say, .fate = true},
    {"fault", {{"fault: ", "do"}, {" ", "packet"}}, .fate = true},
    {"impaired", {{"", "what"}, {" ", "packet"}}, .fate = true},
    {"freeze", .say = freeze_say, .fate = true},
    {"clock", {{"has a clock that now shows ", "shows"}}, .fate = true},
    {"mtu", {{"has an MTU of ", "mtu"}, {" at port ", "port"}}, .fate = true},
    {0},
};

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

/* What explains nothing: a mapping that comes to be; of what an ALG rewrites a Via, which every message has, and o=. */
static bool is_idle(struct span line)
{
    if (record_is(line, "ev", "mapping"))
        return record_is(line, "state", "created");
    return record_is(line, "ev", "alg") && (record_is(line, "what", "via") || record_is(line, "what", "origin"));
}

bool moment_read(struct moment *m, struct span line)
{
    const struct wording *w = wording_of(line);
    struct span who;
    int64_t at = 0;
    if (!w || is_idle(line))
        return false;
    if (!record_get(line, "node", &who) && !record_get(line, "wire", &who))
        return false;
    record_get_i64(line, "t", &at);
    *m = (struct moment){.first = at, .last = at, .count = 1, .fate = w->fate};
    span_copy(who, m->who, sizeof m->who);
    struct text t = text_on(m->what, sizeof m->what);
    if (w->say)
        w->say(&t, line);
    else
        pieces_say(&t, line, w->pieces);
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
