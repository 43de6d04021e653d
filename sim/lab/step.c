/* Reading steps. A step is a mapping with one key, the word that says what is done. */
#include "sim/lab/step.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/base/units.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step_program.h"
#include "sim/lab/step_read.h"

enum { REPEAT_DEPTH = 4 };

/* Deadlines where the lab does not say one. A call that shall fail may need all of timer B (32 s, RFC 3261 §17.1.1.2)
 * at the phone after the proxy's; hanging up may need timer F (32 s). */
#define WAIT_DEFAULT      (10 * SEC)
#define ESTABLISH_DEFAULT (10 * SEC)
#define FAIL_DEFAULT      (70 * SEC)
#define HANG_UP_DEFAULT   (40 * SEC)
#define TALK_DEFAULT      (5 * SEC)

/* ---- forms ---- */

struct words {
    const struct doc *condition, *from, *to, *node, *steps;
    const char *command;
    lab_time within, talk;
    int shall, power;
    uint32_t status, times;
    bool hang_up;
};

#define AT(member) offsetof(struct words, member)

static const char *const shall_words[] = {"established", "failed", NULL};
static const char *const power_words[] = {"off", "on", NULL};

static const struct field wait_form[] = {
    {"for", FIELD_ANY, AT(condition), .means = "statement", .needed = true, .help = "what is waited for"},
    {"within", FIELD_TIME, AT(within), .min = 1, .help = "the step fails when it takes longer; 10s unless said"},
    {0}};
static const struct field call_form[] = {
    {"from", FIELD_NAME, AT(from), .needed = true, .help = "the phone that calls"},
    {"to", FIELD_NAME, AT(to), .needed = true, .help = "the phone or line called"},
    {"talk", FIELD_TIME, AT(talk), .help = "how long the call lasts; 5s unless said"},
    {"expect", FIELD_CHOICE, AT(shall), .choices = shall_words, .help = "how the call goes; established unless said"},
    {"status", FIELD_COUNT, AT(status), .min = 300, .max = 699, .help = "of a call that fails: its SIP status"},
    {"within", FIELD_TIME, AT(within), .min = 1, .help = "how long that may take; 10s, or 70s to fail"},
    {"hang up", FIELD_FLAG, AT(hang_up), .help = "no: the call stays when the step is done"},
    {0}};
static const struct field tell_form[] = {
    {"node", FIELD_NAME, AT(node), .needed = true, .help = "who is told"},
    {"command", FIELD_TEXT, AT(command), .needed = true, .help = "a command of its kind"},
    {0}};
static const struct field power_form[] = {{"on", FIELD_NAME, AT(node), .needed = true, .help = "the node"},
                                          {"do", FIELD_CHOICE, AT(power), .choices = power_words, .needed = true,
                                           .help = "off: it stops at once; on: a fresh start"},
                                          {0}};
static const struct field repeat_form[] = {
    {"times", FIELD_COUNT, AT(times), .min = 1, .max = 1000000, .needed = true, .help = "how often"},
    {"steps", FIELD_ANY, AT(steps), .means = "steps", .needed = true, .help = "what"},
    {0}};

size_t lab_steps_n(const struct lab *lab)
{
    return lab->steps ? lab->steps->n : 0;
}

bool step_is_action(const struct step *s)
{
    return s->type != STEP_SLEEP && s->type != STEP_WAIT && s->type != STEP_EXPECT && s->type != STEP_REPEAT;
}

/* ---- reading ---- */

static bool steps_read(struct step_reader *r, const struct doc *list, struct step_list *out);

static bool words_read(struct step_reader *r, const struct doc *d, const struct field *form, struct words *words,
                       uint32_t *given)
{
    struct form_reader reader = lab_reader(r->lab);
    uint32_t bits = form_read(&reader, d, form, words);
    if (given)
        *given = bits;
    return !(bits & FORM_BAD);
}

bool step_kept(struct step_reader *r, const void *p)
{
    r->no_memory = r->no_memory || !p;
    return p != NULL;
}

/* A phone's name, or the phone whose line it is. */
static bool phone_read(struct step_reader *r, const struct doc *d, const char *what, unsigned *node)
{
    struct lab *lab = r->lab;
    const struct lab_node *phone = d->type == DOC_TEXT ? lab_phone(lab, d->text) : NULL;
    if (phone) {
        *node = (unsigned)(phone - lab->nodes);
        return true;
    }
    int index = lab_find_node(lab, d);
    if (index < 0)
        return false;
    if (lab->nodes[index].kind && !lab_is_phone(&lab->nodes[index])) {
        problem(&lab->problems, d->at, "\"", d->text, "\" is a ", lab->nodes[index].kind->name, "; only a phone can ",
                what);
        return false;
    }
    *node = (unsigned)index;
    return true;
}

static bool wait_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct words words = {.condition = d, .within = WAIT_DEFAULT};
    lab_time duration;
    if (d->type == DOC_TEXT && units_time(span_of(d->text), &duration) == 0 && duration != NEVER) {
        s->type = STEP_SLEEP;
        s->duration = duration;
        return true;
    }
    if (d->type == DOC_MAP && !words_read(r, d, wait_form, &words, NULL))
        return false;
    s->type = STEP_WAIT;
    s->within = words.within;
    s->condition = expect_read(r->lab, words.condition, false);
    if (s->condition && s->condition->type == EXPECT_MEDIA)
        problem(&r->lab->problems, d->at, "a call's sound cannot be waited for; talk, then expect it");
    return s->condition != NULL;
}

static bool sleep_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    s->type = STEP_SLEEP;
    if (d->type == DOC_TEXT && units_time(span_of(d->text), &s->duration) == 0 && s->duration != NEVER)
        return true;
    problem(&r->lab->problems, d->at, "sleep: expected a time with its unit, as 500ms, 30s or 1.5min");
    return false;
}

static bool expect_step_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    s->type = STEP_EXPECT;
    s->condition = expect_read(r->lab, d, true);
    return s->condition != NULL;
}

/* ---- calls ---- */

/* A number that nobody has can only be called to see the call fail. */
static bool callee_read(struct step_reader *r, struct step *s, const struct words *words)
{
    struct lab *lab = r->lab;
    const struct doc *to = words->to;
    int index = names_find(&lab->node_names, span_of(to->text));
    const struct lab_node *phone = lab_phone(lab, to->text);
    s->other = -1;
    s->number = to->text;
    if (index >= 0 || phone) {
        unsigned node;
        if (!phone_read(r, to, "be called", &node))
            return false;
        s->other = (int)node;
        s->number = lab_setting(&lab->nodes[node], "line");
    } else if (words->shall == CALL_SHALL_ESTABLISH) {
        problem(&lab->problems, to->at, "nobody has the line \"", to->text, "\"",
                names_hint(&lab->arena, &lab->node_names, to->text));
        return false;
    }
    if (s->other == (int)s->node)
        problem(&lab->problems, to->at, "\"", to->text, "\" cannot call itself");
    return s->number != NULL; /* a phone without a line has its own problem */
}

static bool call_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct words words = {.talk = TALK_DEFAULT, .hang_up = true};
    if (!words_read(r, d, call_form, &words, NULL) || !phone_read(r, words.from, "call", &s->node))
        return false;
    s->type = STEP_CALL;
    s->shall = words.shall == 0 ? CALL_SHALL_ESTABLISH : CALL_SHALL_FAIL;
    s->duration = words.talk;
    s->status = words.status;
    s->stay = !words.hang_up;
    s->within = words.within ? words.within : s->shall == CALL_SHALL_FAIL ? FAIL_DEFAULT : ESTABLISH_DEFAULT;
    if (s->status && s->shall == CALL_SHALL_ESTABLISH) {
        problem(&r->lab->problems, d->at, "status: an established call has none; say {expect: failed}");
        return false;
    }
    if (!callee_read(r, s, &words))
        return false;
    s->command = arena_text(&r->lab->arena, "call ", s->number);
    return step_kept(r, s->command);
}

/* "hang up: bob", "answer: alice", "cancel: bob": the word is the phone's command. */
static bool phone_step_read(struct step_reader *r, struct step *s, const char *word, const struct doc *d)
{
    s->type = STEP_COMMAND;
    s->command = word;
    return phone_read(r, d, word, &s->node);
}

static bool hang_up_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    bool ok = phone_step_read(r, s, "hang up", d);
    s->type = STEP_HANG_UP;
    s->within = HANG_UP_DEFAULT;
    return ok;
}

static bool answer_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    return phone_step_read(r, s, "answer", d);
}

static bool cancel_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    return phone_step_read(r, s, "cancel", d);
}

/* ---- commands ---- */

/* The kind's help has one command a line; a command is known when a line begins with its first word. */
bool step_command_known(struct step_reader *r, unsigned node, const char *command, struct place at)
{
    const struct node_kind *kind = r->lab->nodes[node].kind;
    struct span rest = span_of(command);
    struct span word = span_cut(rest, ' ', &rest);
    struct span lines = span_of(kind && kind->commands ? kind->commands : "");
    struct nearest best = {0};
    while (lines.n) {
        struct span line = span_trim(span_cut(lines, '\n', &lines));
        struct span first = span_cut(line, ' ', &line);
        if (span_equal(first, word))
            return true;
        nearest_offer(&best, word, first);
    }
    const char *near = arena_copy(&r->lab->arena, best.name.p, best.name.n);
    problem(&r->lab->problems, at, "\"", command, "\" is no command of a ", kind ? kind->name : "node",
            best.name.n && near ? "; did you mean \"" : "", near ? near : "", best.name.n && near ? "\"?" : "");
    return false;
}

static bool tell_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct words words = {0};
    if (!words_read(r, d, tell_form, &words, NULL))
        return false;
    int node = lab_find_node(r->lab, words.node);
    s->type = STEP_COMMAND;
    s->node = (unsigned)node;
    s->command = words.command;
    return node >= 0 && step_command_known(r, s->node, words.command, doc_get(d, "command")->at);
}

static bool power_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct words words = {0};
    if (!words_read(r, d, power_form, &words, NULL))
        return false;
    int node = lab_find_node(r->lab, words.node);
    s->type = STEP_POWER;
    if (node >= 0 && lab_is_program(&r->lab->nodes[node]))
        problem(&r->lab->problems, words.node->at,
                "another's program has no power switch; it can be stopped: {stop: ", words.node->text, "}");
    s->node = (unsigned)node;
    s->power = words.power == 1;
    if (node >= 0 && r->lab->nodes[node].router)
        problem(&r->lab->problems, words.node->at, "a router has no power switch; cut its wires instead");
    return node >= 0;
}

/* ---- repeat ---- */

static bool repeat_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct words words = {0};
    if (!words_read(r, d, repeat_form, &words, NULL))
        return false;
    s->type = STEP_REPEAT;
    s->times = words.times;
    if (r->depth == REPEAT_DEPTH) {
        problem(&r->lab->problems, d->at, "repeat within repeat within repeat: too deep");
        return false;
    }
    r->depth++;
    bool ok = steps_read(r, words.steps, &s->steps);
    r->depth--;
    return ok;
}

/* ---- other people's programs ---- */

static bool run_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    return step_run_read(r->lab, s, d);
}

static bool stop_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    return step_halt_read(r->lab, s, d);
}

/* ---- a step ---- */

const struct step_word step_words[] = {
    {"wait", "waits until something holds; with a time, sleeps", wait_form, "statement", wait_read, NULL},
    {"sleep", "lets lab time pass", NULL, "time", sleep_read, NULL},
    {"expect", "checks that something holds", NULL, "statement", expect_step_read, NULL},
    {"call", "calls, talks, asks both phones how it sounded, hangs up", call_form, NULL, call_read, NULL},
    {"hang up", "ends a phone's call", NULL, "node", hang_up_read, NULL},
    {"answer", "answers the call that rings at a phone", NULL, "node", answer_read, NULL},
    {"cancel", "gives up a phone's call that is not answered yet", NULL, "node", cancel_read, NULL},
    {"fault", "breaks or mends a node or a wire, or hits packets that are meant", step_fault_form, NULL,
     step_fault_read, step_packet_fault_form},
    {"set", "changes a wire, a network or a node's setting", step_set_form, NULL, step_set_read, NULL},
    {"tell", "gives a node a command", tell_form, NULL, tell_read, NULL},
    {"power", "switches a node off or on", power_form, NULL, power_read, NULL},
    {"repeat", "does steps several times", repeat_form, NULL, repeat_read, NULL},
    {"run", "runs a command on a program's host and judges how it ends", step_run_form, NULL, run_read, NULL},
    {"stop", "asks another's program to end, by its stop signal", NULL, "node", stop_read, NULL},
    {0}};

static void word_unknown(struct step_reader *r, const struct doc *key)
{
    struct nearest best = {0};
    for (const struct step_word *w = step_words; w->word; w++)
        nearest_offer(&best, span_of(key->text), span_of(w->word));
    bool near = !span_empty(best.name);
    problem(&r->lab->problems, key->at, "there is no step \"", key->text, "\"", near ? "; did you mean \"" : "",
            near ? best.name.p : "", near ? "\"?" : "");
}

static const char *step_text(struct step_reader *r, const struct doc *d)
{
    char buf[512];
    struct text text = text_on(buf, sizeof buf);
    text_str(&text, d->entries[0].key->text);
    if (strcmp(d->entries[0].key->text, "repeat") != 0) {
        text_str(&text, ": ");
        doc_say(&text, d->entries[0].value);
    }
    const char *copy = arena_copy(&r->lab->arena, buf, text.n);
    step_kept(r, copy);
    return copy;
}

static bool step_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    s->at = d->at;
    s->other = -1;
    if (d->type != DOC_MAP || d->n != 1) {
        problem(&r->lab->problems, d->n > 1 ? d->entries[1].key->at : d->at,
                "expected one step here, as: - sleep: 30s");
        return false;
    }
    s->text = step_text(r, d);
    for (const struct step_word *w = step_words; w->word; w++)
        if (strcmp(w->word, d->entries[0].key->text) == 0)
            return w->read(r, s, d->entries[0].value);
    word_unknown(r, d->entries[0].key);
    return false;
}

static bool steps_read(struct step_reader *r, const struct doc *list, struct step_list *out)
{
    bool ok = true;
    if (list->type != DOC_LIST) {
        problem(&r->lab->problems, list->at, "expected a list of steps here, as: - sleep: 30s");
        return false;
    }
    out->items = arena_new(&r->lab->arena, list->n * sizeof out->items[0]);
    if (!step_kept(r, out->items))
        return false;
    for (size_t i = 0; i < list->n; i++)
        ok = step_read(r, &out->items[out->n++], list->entries[i].value) && ok;
    return ok;
}

int lab_read_more_steps(struct lab *lab, const struct doc *steps, struct step_list *out)
{
    struct step_reader r = {.lab = lab};
    steps_read(&r, steps, out);
    return r.no_memory ? FE_EMEM : 0;
}

int lab_read_steps(struct lab *lab, const struct doc *steps, const struct doc *expect)
{
    struct step_reader r = {.lab = lab};
    struct step_list *list = arena_new(&lab->arena, sizeof *list);
    if (!list)
        return FE_EMEM;
    steps_read(&r, steps, list);
    r.no_memory = step_programs_add(lab, list) || r.no_memory;
    lab->steps = list;
    if (expect->type != DOC_LIST)
        problem(&lab->problems, expect->at, "expected a list here, as: - alice registered");
    for (size_t i = 0; expect->type == DOC_LIST && i < expect->n; i++) {
        struct expectation *e = expect_read(lab, expect->entries[i].value, false);
        if (e)
            e->since_start = true;
        lab->final_n++;
    }
    return r.no_memory ? FE_EMEM : 0;
}
