#include "sim/lab/step_program.h"

#include "nodes/base/error.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

#define RUN_DEFAULT  (60 * SEC)
#define HALT_DEFAULT (10 * SEC)

struct run_words {
    const struct doc *on, *command, *has;
    uint32_t exit_status;
    lab_time within;
};

const struct field step_run_form[] = {
    {"on", FIELD_NAME, offsetof(struct run_words, on), .needed = true, .help = "the host: a node of kind program"},
    {"command", FIELD_ANY, offsetof(struct run_words, command), .means = "command", .needed = true,
     .help = "what is run there"},
    {"expect exit", FIELD_COUNT, offsetof(struct run_words, exit_status), .max = 255,
     .help = "the status that it shall end with; 0 unless said"},
    {"output has", FIELD_ANY, offsetof(struct run_words, has), .means = "some",
     .help = "a text, or several, each of which some line of its output shall contain"},
    {"within", FIELD_TIME, offsetof(struct run_words, within), .min = 1,
     .help = "the step fails when it takes longer; 60s unless said"},
    {0}};

static int program_find(struct lab *lab, const struct doc *name)
{
    int node = lab_find_node(lab, name);
    if (node >= 0 && lab->nodes[node].kind && !lab_is_program(&lab->nodes[node])) {
        problem(&lab->problems, name->at, "\"", name->text, "\" is a ", lab->nodes[node].kind->name,
                "; commands are run on nodes of kind program");
        return -1;
    }
    return node;
}

static bool has_add(struct lab *lab, struct step *s, const struct doc *d)
{
    if (d->type != DOC_TEXT || !*d->text) {
        problem(&lab->problems, d->at, "expected a text here");
        return false;
    }
    const char **place = arena_push(&lab->arena, &s->has, &s->has_n, sizeof *place);
    if (s->has_n > STEP_HAS_MAX)
        problem(&lab->problems, d->at, "too many texts");
    if (place)
        *place = expect_escaped(lab, lab_template(lab, d));
    return place && *place;
}

static bool has_read(struct lab *lab, struct step *s, const struct doc *d)
{
    bool ok = true;
    if (d && d->type == DOC_LIST)
        for (size_t i = 0; i < d->n; i++)
            ok = has_add(lab, s, d->entries[i].value) && ok;
    else if (d)
        ok = has_add(lab, s, d);
    return ok;
}

bool step_run_read(struct lab *lab, struct step *s, const struct doc *d)
{
    struct form_reader reader = lab_reader(lab);
    struct run_words words = {.within = RUN_DEFAULT};
    s->type = STEP_RUN;
    if (form_read(&reader, d, step_run_form, &words) & FORM_BAD)
        return false;
    int node = program_find(lab, words.on);
    if (node < 0)
        return false;
    s->node = (unsigned)node;
    s->within = words.within;
    s->exit_status = words.exit_status;
    return lab_read_command(lab, words.command, &s->run) == 0 && s->run.words && has_read(lab, s, words.has);
}

static void halt_set(const struct lab *lab, struct step *s, unsigned node)
{
    const struct lab_program *program = lab->nodes[node].program;
    s->type = STEP_HALT;
    s->node = node;
    s->within = HALT_DEFAULT;
    s->any_status = !program || !program->judged;
    s->exit_status = program ? program->exit_status : 0;
}

bool step_halt_read(struct lab *lab, struct step *s, const struct doc *d)
{
    int node = program_find(lab, d);
    if (node >= 0)
        halt_set(lab, s, (unsigned)node);
    return node >= 0;
}

/* ---- the steps that nobody writes ---- */

static struct step *step_push(struct lab *lab, struct step_list *list, unsigned node, const char *text)
{
    struct step *s = arena_push(&lab->arena, &list->items, &list->n, sizeof *s);
    if (s)
        *s = (struct step){.at = lab->nodes[node].at, .text = text, .node = node, .other = -1};
    return text ? s : NULL;
}

static bool halts(const struct step_list *list, unsigned node)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].type == STEP_HALT && list->items[i].node == node)
            return true;
    return false;
}

static int ready_add(struct lab *lab, struct step_list *all, unsigned node)
{
    struct step *s = step_push(lab, all, node, arena_text(&lab->arena, "wait: ", lab->nodes[node].name, " ready"));
    if (!s)
        return FE_EMEM;
    s->type = STEP_READY;
    s->within = lab->nodes[node].program->plan.within;
    return 0;
}

static int halt_add(struct lab *lab, struct step_list *all, unsigned node)
{
    struct step *s = step_push(lab, all, node, arena_text(&lab->arena, "stop: ", lab->nodes[node].name));
    if (!s)
        return FE_EMEM;
    halt_set(lab, s, node);
    return 0;
}

int step_programs_add(struct lab *lab, struct step_list *list)
{
    struct step_list all = {0};
    int error = 0;
    if (!lab_needs_real_clock(lab))
        return 0;
    for (unsigned i = 0; !error && i < lab->nodes_n; i++)
        if (lab->nodes[i].program && lab->nodes[i].program->plan.command.words)
            error = ready_add(lab, &all, i);
    for (size_t i = 0; !error && i < list->n; i++) {
        struct step *s = arena_push(&lab->arena, &all.items, &all.n, sizeof *s);
        if (s)
            *s = list->items[i];
        error = s ? 0 : FE_EMEM;
    }
    for (unsigned i = 0; !error && i < lab->nodes_n; i++)
        if (lab->nodes[i].program && lab->nodes[i].program->judged && !halts(list, i))
            error = halt_add(lab, &all, i);
    if (!error)
        *list = all;
    return error;
}
