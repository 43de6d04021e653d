/* What nodes tell of their state, in a few words each. */
#include "nodes/base/text.h"
#include "sim/report/ladder_impl.h"

enum { NOTE_TEXT = 160, DETAIL_TEXT = 600 };

/* A piece: the value of `key` with `before` in front; nothing when the line has no such value. */
struct piece {
    const char *before, *key;
};

enum { PIECES = 4, STATES = 5 };

struct wording {
    const char *ev;
    struct piece pieces[PIECES];
    const char *skipped[STATES]; /* states that tell no more than the rows beside them do */
    const char *bad[STATES];
};

/* In place of a key: the user of the address of record, which is the line. */
#define USER "\1"

static const struct wording wordings[] = {
    {"registration", {{"", "state"}, {" ", "status"}}, {"trying"}, {"failed"}},
    {"call", {{"", "state"}, {" ", "status"}}, {0}, {"failed"}},
    {"mapping", {{"", "state"}, {" ", "inside"}}, {0}, {"expired"}},
    {"location", {{"", "state"}, {" ", USER}}, {"refreshed"}, {"expired"}},
    {"flow", {{"", "transport"}, {" ", "state"}, {": ", "reason"}}, {"connecting"}, {"failed"}},
    {"tls", {{"TLS ", "state"}, {": ", "alert"}}, {"established"}, {"failed"}},
    {"outbound", {{"flow ", "reg_id"}, {" ", "state"}, {": ", "why"}}, {0}, {"failed"}},
    {"failover", {{"goes to ", "to"}, {"goes over by ", "transport"}, {": ", "why"}}, {0}, {0}},
    {"keep", {{"keep-alive ", "state"}}, {0}, {"failed"}},
    {"subscription", {{"", "event"}, {" ", "state"}}, {"trying", "refreshed"}, {"failed", "expired"}},
    {"session", {{"session ", "state"}, {" ", "interval"}}, {0}, {"expired"}},
    {"timeout", {{"gives up ", "msg"}, {", timer ", "timer"}}, {0}, {""}},
    {"stun", {{"STUN ", "state"}, {" ", "public"}}, {0}, {"failed"}},
    {"service", {{"service ", "state"}}, {0}, {"503", "silent", "stopping"}},
    {"server", {{"", "state"}, {": ", "server"}}, {0}, {"lost"}},
    {"relay", {{"media ", "state"}, {" ", "remote"}}, {"opened", "closed", "latched"}, {"refused"}},
    {"pcp",
     {{"PCP ", "state"}, {"PCP ", "op"}, {" ", "result"}},
     {"renewed"},
     {"refused", "silent", "lost", "expired"}},
    {"reboot", {{"reboots, forgets ", "mappings"}}, {0}, {""}},
    {"power", {{"", "on"}}, {0}, {0}},
    {"freeze", {{"", "frozen"}}, {0}, {0}},
    {"clock", {{"clock shows ", "shows"}}, {0}, {0}},
    {"mtu", {{"MTU ", "mtu"}, {" at ", "port"}}, {0}, {0}},
    {"cdr", {{"call record: ", "result"}}, {0}, {0}},
    {"program", {{"program ", "state"}, {" ", "status"}}, {0}, {"unready"}},
    {"nat-probe", {{"probe ", "state"}}, {"silence"}, {"failed"}},
    {"fault", {{"fault: ", "do"}, {" ", "packet"}, {" on ", "wire"}}, {0}, {""}},
    {"impaired", {{"", "what"}, {" ", "packet"}, {" on ", "wire"}}, {0}, {0}},
    {"partition", {{"partition ", "apart"}}, {0}, {""}},
    {"wire", {{"", "wire"}, {" is changed", ""}}, {0}, {0}},
    {0}};

static const struct wording *wording_of(const char *ev)
{
    for (const struct wording *w = wordings; w->ev; w++)
        if (strcmp(w->ev, ev) == 0)
            return w;
    return NULL;
}

static bool among(const char *const list[STATES], const char *state)
{
    for (int i = 0; i < STATES && list[i]; i++)
        if (!*list[i] || strcmp(list[i], state) == 0)
            return true;
    return false;
}

/* ---- words ---- */

/* Cut to what fits. */
static void put(struct text *t, const char *value)
{
    size_t n = strlen(value);
    size_t room = t->cap - t->n - 1;
    while (n > room || (n < strlen(value) && n && ((unsigned char)value[n] & 0xc0) == 0x80))
        n--;
    text_put(t, (struct span){value, n});
}

static void put_value(struct text *t, const char *before, const json_t *value)
{
    const char *string = json_string_value(value);
    if ((!string || !*string) && !json_is_integer(value) && !json_is_boolean(value))
        return;
    put(t, before);
    if (string)
        put(t, string);
    else if (json_is_integer(value))
        text_i64(t, json_integer_value(value));
    else
        put(t, json_is_true(value) ? "yes" : "no");
}

/* sip:101@lab.example: 101 */
static void put_user(struct text *t, const char *before, const char *aor)
{
    struct span host;
    struct span user = span_cut(span_of(aor), '@', &host);
    if (span_starts(user, SPAN("sip:")))
        user = (struct span){user.p + 4, user.n - 4};
    if (span_empty(user) || user.n > 40)
        return;
    put(t, before);
    text_put(t, user);
}

static void put_pieces(struct text *t, const struct wording *w, const struct ladder_event *e)
{
    for (int i = 0; i < PIECES && w->pieces[i].key; i++)
        if (strcmp(w->pieces[i].key, USER) == 0)
            put_user(t, w->pieces[i].before, ladder_text(e, "aor"));
        else if (!*w->pieces[i].key)
            put(t, w->pieces[i].before);
        else
            put_value(t, w->pieces[i].before, json_object_get(e->line, w->pieces[i].key));
}

/* Where a truth value says it all. */
static const char *plain(const struct ladder_event *e, bool *bad)
{
    bool power = strcmp(e->ev, "power") == 0;
    bool freeze = strcmp(e->ev, "freeze") == 0;
    bool parted = strcmp(e->ev, "partition") == 0;
    if (!power && !freeze && !parted)
        return NULL;
    *bad = json_is_true(json_object_get(e->line, power ? "on" : freeze ? "frozen" : "apart")) != power;
    if (parted)
        return *bad ? "a network falls apart" : "the network is whole again";
    return power ? *bad ? "goes off" : "starts" : *bad ? "freezes" : "thaws";
}

/* The whole line: "state expired, proto udp, inside …". */
static int detail(struct ladder *l, const struct ladder_event *e)
{
    char buf[DETAIL_TEXT];
    struct text t = text_on(buf, sizeof buf);
    const char *key;
    json_t *value;
    put(&t, e->ev);
    json_object_foreach((json_t *)(uintptr_t)e->line, key, value)
    {
        if (strcmp(key, "t") == 0 || strcmp(key, "node") == 0 || strcmp(key, "ev") == 0)
            continue;
        put(&t, ", ");
        put(&t, key);
        put_value(&t, " ", value);
    }
    return ladder_word(l, buf);
}

/* ---- rows ---- */

/* The phone's number, for what others hear of it. */
static void learn_line(struct ladder *l, const struct ladder_event *e)
{
    char buf[48];
    struct text t = text_on(buf, sizeof buf);
    put_user(&t, "", ladder_text(e, "aor"));
    if (t.n)
        l->nodes[e->node].line = ladder_word(l, buf);
}

/* What a node tells again soon after is one note, and so is what it tells as another event in the same words: that TLS
 * failed, and with it the connection. */
static bool joins(struct ladder *l, const struct ladder_event *e, int text, int event)
{
    for (size_t i = l->n; i-- > 0 && l->rows[i].type == LADDER_NOTE && e->at - l->rows[i].at <= SEC;)
        if (l->rows[i].node == e->node && l->rows[i].text == text) {
            l->rows[i].count += l->rows[i].cause == event;
            return true;
        }
    return false;
}

static bool is_mapping(const struct ladder_event *e)
{
    return strcmp(e->ev, "mapping") == 0;
}

/* Mappings that come to be, or end, one soon after the other: the ports of a call's media and of its reports, or the
 * phones of an office. */
static bool mapping_joins(struct ladder *l, const struct ladder_event *e)
{
    if (!is_mapping(e))
        return false;
    for (size_t i = l->n; i-- > 0 && l->rows[i].type == LADDER_NOTE && e->at - l->rows[i].at <= SEC;) {
        const char *shown = words_text(&l->words, l->rows[i].text);
        size_t n = strlen(e->state);
        if (l->rows[i].node == e->node && strncmp(shown, e->state, n) == 0 && shown[n] == ' ') {
            l->rows[i].count++;
            return true;
        }
    }
    return false;
}

void ladder_note(struct ladder *l, const struct ladder_event *e)
{
    const struct wording *w = wording_of(e->ev);
    char buf[NOTE_TEXT];
    struct text t = text_on(buf, sizeof buf);
    bool bad = false;
    if (e->node >= 0 && strcmp(e->ev, "registration") == 0)
        learn_line(l, e);
    if (!w || among(w->skipped, e->state) || mapping_joins(l, e))
        return;
    const char *word = plain(e, &bad);
    if (word)
        put(&t, word);
    else
        put_pieces(&t, w, e);
    int text = ladder_word(l, buf);
    int event = ladder_word(l, e->ev);
    if (e->node >= 0 && joins(l, e, text, event))
        return;
    struct ladder_row *row = ladder_row(l, e, e->node >= 0 ? LADDER_NOTE : LADDER_BAND);
    if (!row)
        return;
    row->text = text;
    row->cause = event;
    row->detail = detail(l, e);
    row->bad = bad || (!word && among(w->bad, e->state));
    if (e->node >= 0)
        l->nodes[e->node].happens = true;
}
