#include "sim/lab/lab_program.h"

#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step.h"

/* ---- forms ---- */

struct program_words {
    const struct doc *command, *files, *environment, *ready, *needs;
    int stop;
    uint32_t exit_status;
};

#define AT(member) offsetof(struct program_words, member)

static const char *const stop_words[] = {"TERM", "INT", "HUP", "QUIT", "KILL", NULL};

enum { GIVEN_EXIT = 1 << 5 };

const struct field lab_program_form[] = {
    {"command", FIELD_ANY, AT(command), .means = "command",
     .help = "what runs there; without it the node is a host on which steps run commands"},
    {"files", FIELD_ANY, AT(files), .means = "texts", .help = "written into its working folder, by name"},
    {"environment", FIELD_ANY, AT(environment), .means = "texts",
     .help = "its variables, beside PATH, HOME and LC_ALL"},
    {"ready", FIELD_ANY, AT(ready), .means = "ready", .help = "when the steps may begin: once it listens, or says so"},
    {"stop", FIELD_CHOICE, AT(stop), .choices = stop_words, .help = "the signal that asks it to end; TERM unless said"},
    {"exit", FIELD_COUNT, AT(exit_status), .max = 255,
     .help = "it is stopped after the steps, and shall end with this status"},
    {"needs", FIELD_ANY, AT(needs), .means = "names", .help = "the Debian packages that have its programs"},
    {0}};

struct ready_words {
    uint32_t port;
    const char *line;
    lab_time within;
};

const struct field lab_ready_form[] = {
    {"port", FIELD_COUNT, offsetof(struct ready_words, port), .min = 1, .max = 65535,
     .help = "once it has a UDP socket, or a listening TCP socket, on this port"},
    {"line", FIELD_TEXT, offsetof(struct ready_words, line), .help = "once a line of its output contains this"},
    {"within", FIELD_TIME, offsetof(struct ready_words, within), .min = 1,
     .help = "the lab fails after; 15s unless said"},
    {0}};

static const char *const ports[] = {"on", "also", NULL};
static const struct option no_options[] = {{0}};

const struct node_kind lab_program_kind = {
    .name = "program",
    .help = "another's program, in the kernel's world and on the real clock",
    .ports = ports,
    .options = no_options,
    .settings_size = 1,
};

bool lab_needs_real_clock(const struct lab *lab)
{
    for (size_t i = 0; i < lab->nodes_n; i++)
        if (lab_is_program(&lab->nodes[i]))
            return true;
    return false;
}

/* ---- commands ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* The next word of a command in one text: blanks part words; what stands in '…' or "…" is one. */
static char *word_next(struct lab *lab, struct span *rest)
{
    size_t n = 0, i = 0;
    while (rest->n && is_blank(*rest->p))
        *rest = (struct span){rest->p + 1, rest->n - 1};
    char *word = rest->n ? arena_copy(&lab->arena, rest->p, rest->n) : NULL;
    char quote = '\0';
    for (; word && i < rest->n; i++) {
        char c = rest->p[i];
        if (quote ? c == quote : (c == '\'' || c == '"'))
            quote = quote ? '\0' : c;
        else if (!quote && is_blank(c))
            break;
        else
            word[n++] = c;
    }
    if (word)
        word[n] = '\0';
    *rest = (struct span){rest->p + i, rest->n - i};
    return word;
}

static int word_add(struct lab *lab, struct foreign_command *out, size_t *n, const char *word)
{
    const char **place = arena_push(&lab->arena, &out->words, n, sizeof *place);
    if (!place)
        return FE_EMEM;
    *place = word;
    return 0;
}

static int command_items(struct lab *lab, const struct doc *d, struct foreign_command *out, size_t *n)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct doc *item = d->entries[i].value;
        const char *word = item->type == DOC_TEXT ? lab_template(lab, item) : NULL;
        if (item->type != DOC_TEXT)
            problem(&lab->problems, item->at, "expected a word of the command here");
        if (word && word_add(lab, out, n, word))
            return FE_EMEM;
    }
    return 0;
}

int lab_read_command(struct lab *lab, const struct doc *d, struct foreign_command *out)
{
    size_t n = 0;
    int error = 0;
    *out = (struct foreign_command){0};
    if (d->type == DOC_TEXT) {
        const char *text = lab_template(lab, d);
        struct span rest = span_of(text ? text : "");
        for (const char *word; !error && (word = word_next(lab, &rest));)
            error = word_add(lab, out, &n, word);
    } else if (d->type == DOC_LIST) {
        error = command_items(lab, d, out, &n);
    }
    if (!error && n == 0 && lab->problems.n == 0)
        problem(&lab->problems, d->at, "expected a command here, as: kamailio -DD, or [kamailio, -DD]");
    return error || n == 0 ? error : word_add(lab, out, &n, NULL);
}

/* ---- files, environment ---- */

static bool name_fits(struct lab *lab, const struct doc *key)
{
    if (*key->text && !strchr(key->text, '/') && key->text[0] != '.' && !strchr(key->text, '=') &&
        strlen(key->text) < 100)
        return true;
    problem(&lab->problems, key->at, "\"", key->text, "\" cannot be a name here; expected one without / and =");
    return false;
}

static int texts_read(struct lab *lab, const struct doc *d, struct foreign_text **out, size_t *n)
{
    if (!d)
        return 0;
    if (d->type != DOC_MAP) {
        problem(&lab->problems, d->at, "expected names with texts here");
        return 0;
    }
    for (size_t i = 0; i < d->n; i++) {
        const struct doc_entry *e = &d->entries[i];
        if (e->value->type != DOC_TEXT) {
            problem(&lab->problems, e->value->at, "expected a text here");
            continue;
        }
        const char *text = name_fits(lab, e->key) ? lab_template(lab, e->value) : NULL;
        struct foreign_text *t = text ? arena_push(&lab->arena, out, n, sizeof *t) : NULL;
        if (text && !t)
            return FE_EMEM;
        if (t)
            *t = (struct foreign_text){e->key->text, text};
    }
    return 0;
}

/* ---- readiness, packages ---- */

static void ready_read(struct lab *lab, const struct doc *d, struct plan_foreign *plan)
{
    struct form_reader reader = lab_reader(lab);
    struct ready_words words = {.within = 15 * SEC};
    plan->within = words.within;
    if (!d || (form_read(&reader, d, lab_ready_form, &words) & FORM_BAD))
        return;
    if (!words.port == !words.line)
        problem(&lab->problems, d->at, "expected either a port or a line, as {port: 5060}");
    plan->ready = words.port ? FOREIGN_READY_PORT : FOREIGN_READY_LINE;
    plan->port = (uint16_t)words.port;
    plan->line = words.line;
    plan->within = words.within;
}

static bool package_ok(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && !strchr("+-.", *c))
            return false;
    return *name && *name != '-';
}

static int needs_read(struct lab *lab, const struct doc *d, struct lab_program *program)
{
    if (d && d->type != DOC_LIST)
        problem(&lab->problems, d->at, "expected a list of Debian packages, as [kamailio]");
    for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
        const struct doc *item = d->entries[i].value;
        if (item->type != DOC_TEXT || !package_ok(item->text)) {
            problem(&lab->problems, item->at, "expected the name of a Debian package");
            continue;
        }
        const char **place = arena_push(&lab->arena, &program->needs, &program->needs_n, sizeof *place);
        if (!place)
            return FE_EMEM;
        *place = item->text;
    }
    return 0;
}

/* ---- the node ---- */

/* The words that are this kind's own; the others, and those that nobody knows, are looked at with the settings. */
static uint32_t words_read(struct lab *lab, const struct lab_node *node, struct program_words *words)
{
    struct form_reader reader = lab_reader(lab);
    uint32_t given = 0;
    for (size_t i = 0; i < node->doc->n; i++) {
        const struct doc_entry *e = &node->doc->entries[i];
        const struct field *f = form_field(lab_program_form, e->key->text);
        if (f && form_value(&reader, e->value, f, words))
            given |= 1u << (f - lab_program_form);
    }
    return given;
}

int lab_read_program(struct lab *lab, struct lab_node *node)
{
    struct program_words words = {0};
    struct lab_program *program = arena_new(&lab->arena, sizeof *program);
    if (!program)
        return FE_EMEM;
    uint32_t given = words_read(lab, node, &words);
    program->judged = given & GIVEN_EXIT;
    program->exit_status = words.exit_status;
    program->plan.stop_signal = words.stop;
    node->program = program;
    if (node->sim)
        problem(&lab->problems, node->at, "\"", node->name, "\": the simulator cannot run other people's programs");
    if (!words.command && (words.ready || program->judged))
        problem(&lab->problems, node->at, "\"", node->name, "\" has no command that could be ready or end");
    ready_read(lab, words.ready, &program->plan);
    int error = words.command ? lab_read_command(lab, words.command, &program->plan.command) : 0;
    if (!error)
        error = texts_read(lab, words.files, &program->plan.files, &program->plan.files_n);
    if (!error)
        error = texts_read(lab, words.environment, &program->plan.environment, &program->plan.environment_n);
    return error ? error : needs_read(lab, words.needs, program);
}

/* ---- is everything there? ---- */

static bool steps_missing(const struct lab *lab, const struct step_list *list,
                          bool (*is_there)(void *arg, const char *word), void *arg, struct lab_missing *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct step *s = &list->items[i];
        if (s->type == STEP_RUN && !is_there(arg, s->run.words[0])) {
            *out = (struct lab_missing){s->run.words[0], &lab->nodes[s->node]};
            return true;
        }
        if (s->type == STEP_REPEAT && steps_missing(lab, &s->steps, is_there, arg, out))
            return true;
    }
    return false;
}

bool lab_program_missing(const struct lab *lab, bool (*is_there)(void *arg, const char *word), void *arg,
                         struct lab_missing *out)
{
    for (size_t i = 0; i < lab->nodes_n; i++) {
        const struct lab_program *p = lab->nodes[i].program;
        if (p && p->plan.command.words && !is_there(arg, p->plan.command.words[0])) {
            *out = (struct lab_missing){p->plan.command.words[0], &lab->nodes[i]};
            return true;
        }
    }
    return steps_missing(lab, lab->steps, is_there, arg, out);
}
