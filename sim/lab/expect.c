/* Reading expectations. The events that they count: expect_words.c. How they are judged: expect_judge.c. */
#include "sim/lab/expect.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/base/record.h"
#include "nodes/base/units.h"
#include "sim/lab/expect_outage.h"
#include "sim/lab/expect_storm.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

/* ---- tables ---- */

static const char *const since_words[] = {"the last action", "the start", NULL};
const char *const expect_phone_words[] = {"registered", "ringing", "in call", "idle", NULL};

struct count_words {
    uint32_t times, least, most;
    int since;
};
const struct field expect_count_form[] = {
    {"times", FIELD_COUNT, offsetof(struct count_words, times), .help = "exactly so many"},
    {"at least", FIELD_COUNT, offsetof(struct count_words, least), .help = "so many or more; 1 unless said"},
    {"at most", FIELD_COUNT, offsetof(struct count_words, most), .help = "so many or fewer"},
    {"since", FIELD_CHOICE, offsetof(struct count_words, since), .choices = since_words,
     .help = "counted from the last action of the steps, or from the start"},
    {0}};
enum { GIVEN_TIMES = 1, GIVEN_LEAST = 2, GIVEN_MOST = 4 };

struct call_words {
    const struct doc *from, *to;
    int state;
    uint32_t status;
};
const struct field expect_call_form[] = {
    {"from", FIELD_NAME, offsetof(struct call_words, from), .needed = true, .help = "the phone that calls"},
    {"to", FIELD_NAME, offsetof(struct call_words, to), .needed = true, .help = "the phone or line called"},
    {"state", FIELD_CHOICE, offsetof(struct call_words, state), .choices = call_state_words, .needed = true,
     .help = "how far it came, as the calling phone sees it"},
    {"status", FIELD_COUNT, offsetof(struct call_words, status), .min = 100, .max = 699, .help = "its SIP status"},
    {0}};

struct media_words {
    const struct doc *media, *heard, *mos;
};
const struct field expect_media_form[] = {
    {"media", FIELD_NAME, offsetof(struct media_words, media), .needed = true, .help = "who speaks -> who listens"},
    {"heard", FIELD_NAME, offsetof(struct media_words, heard),
     .help = "share of the speech heard: 99%, at most 1%, nothing"},
    {"mos", FIELD_NAME, offsetof(struct media_words, mos), .help = "quality by G.107: 4.3, at most 2.5"},
    {0}};

struct time_words {
    const struct doc *that;
    lab_time within, never;
};
const struct field expect_time_form[] = {
    {"that", FIELD_NAME, offsetof(struct time_words, that), .help = "what a phone is, as: alice registered"},
    {"within", FIELD_TIME, offsetof(struct time_words, within), .min = 1, .help = "holds at some moment up to then"},
    {"never within", FIELD_TIME, offsetof(struct time_words, never), .min = 1, .help = "holds at no moment up to then"},
    {0}};

/* ---- "alice not registered" ---- */

/* Cuts the first word; blanks around it go. */
static struct span word_cut(struct span *rest)
{
    struct span word = span_cut(span_trim(*rest), ' ', rest);
    *rest = span_trim(*rest);
    return word;
}

static bool phone_must(struct lab *lab, const struct doc *at, int node, const char *what)
{
    if (lab->nodes[node].kind && !lab_is_phone(&lab->nodes[node])) {
        problem(&lab->problems, at->at, "\"", lab->nodes[node].name, "\" is a ", lab->nodes[node].kind->name,
                "; only a phone can ", what);
        return false;
    }
    return true;
}

static bool phone_text(struct lab *lab, const struct doc *d, struct expectation *e)
{
    struct span rest = span_of(d->text);
    struct span name = word_cut(&rest);
    struct span after = rest;
    struct doc named = *d;
    if (span_is(word_cut(&after), "not")) {
        e->negated = true;
        rest = after;
    }
    if (!(named.text = arena_copy(&lab->arena, name.p, name.n)))
        return false;
    int word = -1;
    for (int i = 0; expect_phone_words[i]; i++)
        if (span_is(rest, expect_phone_words[i]))
            word = i;
    if (word < 0) {
        problem(&lab->problems, d->at, "\"", d->text,
                "\" says nothing that can be seen; expected as: alice registered, "
                "alice not registered, alice ringing, alice in call, alice idle");
        return false;
    }
    int node = lab_find_node(lab, &named);
    if (node < 0 || !phone_must(lab, d, node, "be that"))
        return false;
    const char *registers = lab_setting(&lab->nodes[node], "register");
    bool flag;
    if (word == PHONE_IS_REGISTERED && !e->negated && registers && !units_flag(span_of(registers), &flag) && !flag)
        problem(&lab->problems, d->at, "\"", lab->nodes[node].name, "\" never registers: its \"register\" is ",
                registers);
    e->type = EXPECT_PHONE;
    e->node = (unsigned)node;
    e->phone = (enum phone_word)word;
    return true;
}

/* ---- "bob -> alice" ---- */

static int phone_named(struct lab *lab, const struct doc *at, struct span name)
{
    struct doc named = *at;
    named.text = arena_copy(&lab->arena, name.p, name.n);
    int node = named.text ? lab_find_node(lab, &named) : -1;
    return node >= 0 && phone_must(lab, at, node, "speak and hear") ? node : -1;
}

/* "99%", "at least 99%", "at most 1%", "nothing". */
static bool bounds_read(struct lab *lab, const struct doc *d, const char *what, bool ratio, uint32_t *least,
                        uint32_t *most)
{
    struct span s = span_trim(span_of(d->text));
    bool at_most = span_starts(s, SPAN("at most "));
    int64_t fixed = 0;
    uint32_t value = 0;
    if (at_most || span_starts(s, SPAN("at least ")))
        s = span_trim((struct span){s.p + 8, s.n - 8});
    int error = 0;
    if (ratio && span_is(s, "nothing"))
        at_most = true;
    else
        error = ratio ? units_ratio(s, &value) : units_fixed(s, 2, &fixed);
    if (!ratio && (fixed < 0 || fixed > 500))
        error = FE_ERANGE;
    if (error) {
        problem(&lab->problems, d->at, what, ": \"", d->text, "\" is not ",
                ratio ? "a share, as 99%, at most 1% or nothing" : "a quality from 1 to 4.41, as 4.3 or at most 2.5");
        return false;
    }
    *(at_most ? most : least) = ratio ? value : (uint32_t)fixed;
    if (!ratio && *least > 441)
        problem(&lab->problems, d->at, "mos: no call reaches more than 4.41 (G.107)");
    return true;
}

static bool media_read(struct lab *lab, const struct doc *d, struct expectation *e)
{
    struct form_reader reader = lab_reader(lab);
    struct media_words words = {0};
    if (form_read(&reader, d, expect_media_form, &words) & FORM_BAD)
        return false;
    struct span rest;
    struct span speaks = span_trim(span_cut(span_of(words.media->text), '-', &rest));
    if (!rest.p || rest.n < 2 || rest.p[0] != '>') {
        problem(&lab->problems, words.media->at, "\"", words.media->text,
                "\" does not say who hears whom; expected as: bob -> alice");
        return false;
    }
    int other = phone_named(lab, words.media, speaks);
    int node = phone_named(lab, words.media, span_trim((struct span){rest.p + 1, rest.n - 1}));
    if (node < 0 || other < 0)
        return false;
    e->type = EXPECT_MEDIA;
    e->node = (unsigned)node;
    e->other = (unsigned)other;
    e->peer = lab_setting(&lab->nodes[other], "line");
    e->heard_most = 1000000;
    e->mos_most = 500;
    if (!words.heard && !words.mos)
        e->heard_least = 1;
    if (words.heard && !bounds_read(lab, words.heard, "heard", true, &e->heard_least, &e->heard_most))
        return false;
    return !words.mos || bounds_read(lab, words.mos, "mos", false, &e->mos_least, &e->mos_most);
}

/* ---- {call: {from: bob, to: alice, state: failed}} ---- */

static bool call_read(struct lab *lab, const struct doc *d, struct expectation *e)
{
    struct form_reader reader = lab_reader(lab);
    struct call_words words = {0};
    if (form_read(&reader, d, expect_call_form, &words) & FORM_BAD)
        return false;
    int from = phone_named(lab, words.from, span_of(words.from->text));
    int to = names_find(&lab->node_names, span_of(words.to->text));
    if (from < 0 || (to >= 0 && !phone_must(lab, words.to, to, "be called")))
        return false;
    e->type = EXPECT_CALL;
    e->node = (unsigned)from;
    e->peer = to >= 0 ? lab_setting(&lab->nodes[to], "line") : words.to->text;
    e->state = words.state;
    e->status = words.status;
    return true;
}

/* ---- {drops: {cause: no-mapping, at least: 1}} ---- */

static const struct event_word *event_find(const char *word)
{
    for (const struct event_word *w = expect_events; w->word; w++)
        if (strcmp(w->word, word) == 0)
            return w;
    return NULL;
}

static const struct event_key *event_key_find(const struct event_word *w, const char *word)
{
    for (size_t i = 0; i < sizeof w->keys / sizeof w->keys[0] && w->keys[i].word; i++)
        if (strcmp(w->keys[i].word, word) == 0)
            return &w->keys[i];
    return NULL;
}

/* Traces name the routers of chains ("internet.r7") as well, which the lab file does not list. */
static bool node_known(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->plan.nodes_n; i++)
        if (strcmp(lab->plan.nodes[i].name, name) == 0)
            return true;
    return names_find(&lab->node_names, span_of(name)) >= 0;
}

static bool value_known(struct lab *lab, const struct event_key *k, const struct doc *d)
{
    const char *hint = "";
    if (d->type != DOC_TEXT || !*d->text) {
        problem(&lab->problems, d->at, k->word, ": expected ", k->help);
        return false;
    }
    if (k->value == EVENT_NODE && !node_known(lab, d->text))
        hint = names_hint(&lab->arena, &lab->node_names, d->text);
    else if (k->value == EVENT_WIRE && lab->plan.wires_n && names_find(&lab->wire_names, span_of(d->text)) < 0)
        hint = names_hint(&lab->arena, &lab->wire_names, d->text);
    else if (k->value != EVENT_WORDS)
        return true;
    for (size_t i = 0; k->value == EVENT_WORDS && k->words[i]; i++)
        if (strcmp(k->words[i], d->text) == 0)
            return true;
    if (k->value == EVENT_WORDS)
        problem(&lab->problems, d->at, k->word, ": \"", d->text, "\" is not ", words_list(&lab->arena, k->words),
                words_hint(&lab->arena, k->words, d->text));
    else
        problem(&lab->problems, d->at, "there is no ", k->value == EVENT_NODE ? "node" : "wire", " \"", d->text, "\"",
                hint);
    return false;
}

const char *expect_escaped(struct lab *lab, const char *text)
{
    char buf[RECORD_MAX];
    struct record r;
    struct span raw;
    if (!text)
        return NULL;
    record_begin(&r, buf, sizeof buf);
    record_str(&r, "x", text);
    return record_get(record_end(&r), "x", &raw) ? arena_copy(&lab->arena, raw.p, raw.n) : NULL;
}

/* The value as the trace writes it; NULL after a problem. */
static const char *value_traced(struct lab *lab, const struct event_key *k, const struct doc *d)
{
    lab_time time;
    char buf[24];
    struct text text = text_on(buf, sizeof buf);
    if (k->value != EVENT_SECONDS)
        return d->text;
    if (units_time(span_of(d->text), &time) || time < 0 || time % SEC) {
        problem(&lab->problems, d->at, k->word, ": expected a time of whole seconds with its unit, as 60s");
        return NULL;
    }
    text_i64(&text, time / SEC);
    return arena_copy(&lab->arena, buf, text.n);
}

static bool match_add(struct lab *lab, struct expectation *e, const char *key, const char *value, struct place at)
{
    if (e->match_n == MATCHES_MAX) {
        problem(&lab->problems, at, "too many conditions");
        return false;
    }
    e->match[e->match_n++] = (struct expect_match){.key = key, .value = value};
    return true;
}

static bool part_add(struct lab *lab, struct expectation *e, const struct event_key *k, const struct doc *d)
{
    const char *part = d->type == DOC_TEXT && *d->text ? expect_escaped(lab, lab_template(lab, d)) : NULL;
    if (d->type != DOC_TEXT || !*d->text)
        problem(&lab->problems, d->at, k->word, ": expected ", k->help);
    if (!part || !match_add(lab, e, k->key, part, d->at))
        return false;
    e->match[e->match_n - 1].part = true;
    return true;
}

static void event_unknown(struct lab *lab, const struct event_word *w, const struct doc *key)
{
    struct nearest best = {0};
    for (size_t i = 0; i < sizeof w->keys / sizeof w->keys[0] && w->keys[i].word; i++)
        nearest_offer(&best, span_of(key->text), span_of(w->keys[i].word));
    for (const struct field *f = expect_count_form; f->name; f++)
        nearest_offer(&best, span_of(key->text), span_of(f->name));
    bool near = !span_empty(best.name);
    problem(&lab->problems, key->at, w->word, " cannot be told apart by \"", key->text, "\"",
            near ? "; did you mean \"" : "", near ? best.name.p : "", near ? "\"?" : "");
}

static bool event_entry(struct lab *lab, const struct event_word *w, const struct doc_entry *entry,
                        struct expectation *e, struct count_words *count, uint32_t *given)
{
    struct form_reader reader = lab_reader(lab);
    const struct event_key *k = event_key_find(w, entry->key->text);
    const struct field *f = form_field(expect_count_form, entry->key->text);
    if (f) {
        *given |= 1u << (f - expect_count_form);
        return form_value(&reader, entry->value, f, count);
    }
    if (!k) {
        event_unknown(lab, w, entry->key);
        return false;
    }
    if (k->value == EVENT_PART)
        return part_add(lab, e, k, entry->value);
    if (!value_known(lab, k, entry->value))
        return false;
    const char *value = value_traced(lab, k, entry->value);
    return value && match_add(lab, e, k->key, value, entry->key->at) &&
           (!k->also_key || match_add(lab, e, k->also_key, k->also_value, entry->key->at));
}

static bool bounds_set(struct lab *lab, const struct doc *d, struct expectation *e, const struct count_words *count,
                       uint32_t given)
{
    e->least = given & GIVEN_MOST ? 0 : 1;
    e->most = UINT32_MAX;
    if (given & GIVEN_TIMES)
        e->least = e->most = count->times;
    if (given & GIVEN_LEAST)
        e->least = count->least;
    if (given & GIVEN_MOST)
        e->most = count->most;
    if ((given & GIVEN_TIMES) && (given & (GIVEN_LEAST | GIVEN_MOST)))
        problem(&lab->problems, d->at, "\"times\" is exact; it cannot stand with \"at least\" or \"at most\"");
    else if (e->least > e->most)
        problem(&lab->problems, d->at, "this can never hold: at least is more than at most");
    else
        return true;
    return false;
}

static bool event_read(struct lab *lab, const struct event_word *w, const struct doc *d, struct expectation *e)
{
    struct count_words count = {0};
    uint32_t given = 0;
    e->type = EXPECT_COUNT;
    if (!match_add(lab, e, "ev", w->ev, d->at))
        return false;
    if (d->type == DOC_TEXT && strcmp(d->text, "none") == 0)
        return true; /* least == most == 0 */
    if (d->type != DOC_MAP) {
        problem(&lab->problems, d->at, w->word, ": expected none, or conditions as {", w->keys[0].word,
                ": …, at least: 1}");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < d->n; i++)
        ok = event_entry(lab, w, &d->entries[i], e, &count, &given) && ok;
    e->since_start = count.since == 1;
    return ok && bounds_set(lab, d, e, &count, given);
}

/* ---- a whole statement ---- */

static void statement_unknown(struct lab *lab, const struct doc *key)
{
    struct nearest best = {0};
    struct span wrong = span_of(key->text);
    for (const struct event_word *w = expect_events; w->word; w++)
        nearest_offer(&best, wrong, span_of(w->word));
    for (const struct field *f = expect_time_form; f->name; f++)
        nearest_offer(&best, wrong, span_of(f->name));
    nearest_offer(&best, wrong, SPAN("media"));
    nearest_offer(&best, wrong, SPAN("call"));
    nearest_offer(&best, wrong, SPAN("outage"));
    nearest_offer(&best, wrong, SPAN("storm"));
    bool near = !span_empty(best.name);
    problem(&lab->problems, key->at, "\"", key->text, "\" cannot be expected", near ? "; did you mean \"" : "",
            near ? best.name.p : "", near ? "\"?" : "");
}

static bool entry_read(struct lab *lab, const struct doc_entry *entry, struct expectation *e, struct time_words *times)
{
    struct form_reader reader = lab_reader(lab);
    const struct field *f = form_field(expect_time_form, entry->key->text);
    const struct event_word *w = event_find(entry->key->text);
    if (f && !form_value(&reader, entry->value, f, times))
        return false;
    if (f)
        return times->that != entry->value || phone_text(lab, entry->value, e);
    if (strcmp(entry->key->text, "call") == 0)
        return call_read(lab, entry->value, e);
    if (w)
        return event_read(lab, w, entry->value, e);
    statement_unknown(lab, entry->key);
    return false;
}

static bool map_read(struct lab *lab, const struct doc *d, bool timed, struct expectation *e)
{
    struct time_words times = {0};
    unsigned statements = 0;
    bool ok = true;
    if (doc_get(d, "media"))
        return media_read(lab, d, e);
    if (doc_get(d, "outage"))
        return expect_outage_read(lab, d, e);
    if (doc_get(d, "storm"))
        return expect_storm_read(lab, d, e);
    for (size_t i = 0; i < d->n; i++) {
        const struct field *f = form_field(expect_time_form, d->entries[i].key->text);
        statements += !f || f == &expect_time_form[0];
        ok = entry_read(lab, &d->entries[i], e, &times) && ok;
    }
    e->within = times.within;
    e->never = times.never;
    if (!ok)
        return false;
    if (statements != 1)
        problem(&lab->problems, d->at, "expected one statement here, as {drops: {cause: no-mapping, at least: 1}}");
    else if (times.within && times.never)
        problem(&lab->problems, d->at, "\"within\" and \"never within\" contradict each other");
    else if (!timed && (times.within || times.never))
        problem(&lab->problems, d->at, "a time cannot stand here");
    else
        return true;
    return false;
}

struct expectation *expect_read(struct lab *lab, const struct doc *d, bool timed)
{
    struct expectation *e = arena_new(&lab->arena, sizeof *e);
    struct expectation **place = arena_push(&lab->arena, &lab->expectations, &lab->expectations_n, sizeof *place);
    char buf[512];
    struct text text = text_on(buf, sizeof buf);
    if (!e || !place)
        return NULL;
    *place = e;
    e->at = d->at;
    e->index = (unsigned)lab->expectations_n - 1;
    doc_say(&text, d);
    e->text = arena_copy(&lab->arena, buf, text.n);
    if (d->type == DOC_LIST) {
        problem(&lab->problems, d->at, "expected one statement here, as: alice registered");
        return NULL;
    }
    bool ok = d->type == DOC_TEXT ? phone_text(lab, d, e) : map_read(lab, d, timed, e);
    return ok && e->text ? e : NULL;
}
