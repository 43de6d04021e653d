/* Makers' own configuration files: `config: startup.cfg` on a node whose kind reads such files. They are read when the
 * lab is checked, and become settings of the node like others, so that both worlds get the same. */
#include "sim/lab/lab_config.h"
#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"

struct reading {
    struct lab *lab;
    struct lab_config *config;
    const struct source *source;
    bool no_memory;
};

static struct place place_in(const struct reading *r, unsigned line, unsigned column)
{
    return (struct place){r->source, line, column};
}

/* A parameter may be said twice, for all lines and for one: the later one counts. */
static struct lab_config_entry *entry_of(struct reading *r, const char *path)
{
    struct lab_config *c = r->config;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entries[i].path, path) == 0)
            return &c->entries[i];
    return arena_push(&r->lab->arena, &c->entries, &c->n, sizeof *c->entries);
}

static void set(void *arg, const char *path, struct span value, unsigned line, unsigned column)
{
    struct reading *r = arg;
    struct lab_config_entry *e = entry_of(r, path);
    const char *text = arena_copy(&r->lab->arena, value.p, value.n);
    const char *name = arena_text(&r->lab->arena, path);
    r->no_memory = r->no_memory || !e || !text || !name;
    if (!r->no_memory)
        *e = (struct lab_config_entry){name, {.type = DOC_TEXT, .at = place_in(r, line, column), .text = text}};
}

/* The same file on a thousand phones warns once. */
static bool said(const struct problems *list, struct place at)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].at.line == at.line && list->items[i].at.column == at.column &&
            strcmp(list->items[i].at.source->name, at.source->name) == 0)
            return true;
    return false;
}

static void warn(void *arg, unsigned line, unsigned column, const char *what)
{
    struct reading *r = arg;
    struct place at = place_in(r, line, column);
    if (!said(&r->lab->warnings, at))
        problem(&r->lab->warnings, at, "warning: ", what);
}

static void refuse(void *arg, unsigned line, unsigned column, const char *what)
{
    struct reading *r = arg;
    struct place at = place_in(r, line, column);
    if (!said(&r->lab->problems, at))
        problem(&r->lab->problems, at, what);
}

int lab_read_config(struct lab *lab, const struct node_kind *kind, const struct doc *name, struct lab_config *out)
{
    static const struct node_config_events events = {set, warn, refuse};
    struct source *source = arena_new(&lab->arena, sizeof *source);
    struct reading r = {.lab = lab, .config = out, .source = source};
    *out = (struct lab_config){0};
    if (!source)
        return FE_EMEM;
    if (name->type != DOC_TEXT || !*name->text) {
        problem(&lab->problems, name->at, "config: expected the name of a file beside the lab's");
        return 0;
    }
    int error = lab_file_beside(lab, name->text, &source->name, &source->text);
    if (error == FE_EMEM)
        return error;
    if (error) {
        problem(&lab->problems, name->at, "config: \"", name->text,
                error == FE_EREFUSED ? "\" is no file beside the lab's" : "\" cannot be read");
        return 0;
    }
    kind->read_config(source->text, &events, &r);
    return r.no_memory ? FE_EMEM : 0;
}
