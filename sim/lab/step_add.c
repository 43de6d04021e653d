/* Steps for a lab that runs already. What was read of a text that turns out to be wrong is forgotten, but for its
 * memory, which is the lab's. */
#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step.h"

static struct source *source_new(struct lab *lab, const char *name, struct span text)
{
    struct source *source = arena_new(&lab->arena, sizeof *source);
    char *copy = source ? arena_copy(&lab->arena, text.p, text.n) : NULL;
    if (!copy)
        return NULL;
    *source = (struct source){arena_copy(&lab->arena, name, strlen(name)), {copy, text.n}};
    return source->name ? source : NULL;
}

/* "sleep: 30s" and "- sleep: 30s" are both welcome. */
static int steps_parse(struct lab *lab, const struct source *source, struct step_list *out)
{
    struct doc *d = doc_parse(&lab->arena, source, &lab->problems);
    if (!d)
        return FE_ESYNTAX;
    struct doc_entry only = {.value = d};
    struct doc list = {.type = DOC_LIST, .at = d->at, .entries = &only, .n = 1};
    int error = lab_read_more_steps(lab, d->type == DOC_LIST ? d : &list, out);
    return error ? error : lab->problems.n ? FE_ESYNTAX : 0;
}

int lab_add_steps(struct lab *lab, const char *name, struct span text, const struct step_list **out)
{
    size_t expectations = lab->expectations_n;
    size_t faults = lab->faults_n;
    struct source *source = source_new(lab, name, text);
    struct step_list *list = arena_new(&lab->arena, sizeof *list);
    if (!source || !list)
        return FE_EMEM;
    lab->problems = (struct problems){0};
    int error = steps_parse(lab, source, list);
    if (error) {
        lab->expectations_n = expectations;
        lab->faults_n = faults;
        return error;
    }
    *out = list;
    return 0;
}
