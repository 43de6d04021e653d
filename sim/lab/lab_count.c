#include "sim/lab/lab_count.h"

#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"

enum { COUNT_MAX = 10000 /* nodes of a lab, and lines of a PBX, in all */ };

struct counter {
    struct lab *lab;
    uint32_t i; /* number of the copy, from 1 */
    const char *digits;
    bool no_memory;
};

static const char *kept(struct counter *c, const char *text)
{
    c->no_memory = c->no_memory || !text;
    return text ? text : "";
}

static struct doc *doc_copy(struct counter *c, const struct doc *d)
{
    struct doc *copy = arena_new(&c->lab->arena, sizeof *copy);
    c->no_memory = c->no_memory || !copy;
    if (copy)
        *copy = *d;
    return copy;
}

/* ---- texts ---- */

static const char *number_text(struct counter *c, uint64_t n)
{
    char buf[24];
    struct text t = text_on(buf, sizeof buf);
    text_u64(&t, n);
    return kept(c, arena_copy(&c->lab->arena, buf, t.n));
}

static const char *numbered(struct counter *c, const char *text)
{
    const char *mark = strchr(text, '#');
    if (!mark)
        return text;
    const char *before = kept(c, arena_copy(&c->lab->arena, text, (size_t)(mark - text)));
    return kept(c, arena_text(&c->lab->arena, before, c->digits, numbered(c, mark + 1)));
}

static const char *name_of(struct counter *c, const char *name)
{
    return strchr(name, '#') ? numbered(c, name) : kept(c, arena_text(&c->lab->arena, name, c->digits));
}

/* "home.20", "net.1.250", "net.10.1.0.5": the last numbers count up together, a byte each. */
static const char *host_of(struct counter *c, const struct doc *d)
{
    struct span host;
    struct span network = span_cut(span_of(d->text), '.', &host);
    uint64_t bytes[4];
    size_t n = 0;
    for (struct span rest = host; rest.p && n < 4;) {
        struct span byte = span_cut(rest, '.', &rest);
        if (span_u64(byte, 255, &bytes[n++]))
            return d->text; /* its reader will say what is wrong */
    }
    uint64_t carry = c->i - 1;
    for (size_t i = n; i > 0; i--) {
        carry += bytes[i - 1];
        bytes[i - 1] = carry & 255;
        carry >>= 8;
    }
    if (carry || n == 0) {
        problem(&c->lab->problems, d->at, "\"", d->text, "\" cannot be counted up so far; expected room for ",
                c->digits, " hosts, as net.1.0");
        return d->text;
    }
    const char *text = kept(c, arena_copy(&c->lab->arena, network.p, network.n));
    for (size_t i = 0; i < n; i++)
        text = kept(c, arena_text(&c->lab->arena, text, ".", number_text(c, bytes[i])));
    return text;
}

static const char *line_of(struct counter *c, const struct doc *d)
{
    uint64_t first;
    if (span_u64(span_of(d->text), UINT64_MAX / 2, &first))
        return numbered(c, d->text);
    return number_text(c, first + c->i - 1);
}

/* ---- values ---- */

static struct doc *value_of(struct counter *c, const struct doc *d)
{
    struct doc *copy = doc_copy(c, d);
    if (!copy)
        return NULL;
    if (d->type == DOC_TEXT) {
        copy->text = numbered(c, d->text);
        return copy;
    }
    copy->entries = arena_new(&c->lab->arena, d->n * sizeof copy->entries[0]);
    c->no_memory = c->no_memory || !copy->entries;
    for (size_t i = 0; copy->entries && i < d->n; i++)
        copy->entries[i] = (struct doc_entry){d->entries[i].key, value_of(c, d->entries[i].value)};
    return copy;
}

static bool is_port(const char *key)
{
    for (const struct node_kind *const *kind = node_kinds; *kind; kind++)
        for (const char *const *port = (*kind)->ports; *port; port++)
            if (strcmp(*port, key) == 0)
                return true;
    return false;
}

/* The address of an attachment in its long form, {at: home.20, delay: 3ms}, counts up too. */
static struct doc *port_of(struct counter *c, const struct doc *d)
{
    struct doc *copy = value_of(c, d);
    if (copy && d->type == DOC_TEXT)
        copy->text = host_of(c, d);
    for (size_t i = 0; copy && d->type == DOC_MAP && copy->entries && i < d->n; i++)
        if (strcmp(d->entries[i].key->text, "at") == 0 && copy->entries[i].value &&
            d->entries[i].value->type == DOC_TEXT)
            copy->entries[i].value->text = host_of(c, d->entries[i].value);
    return copy;
}

static struct doc *setting_of(struct counter *c, const struct doc_entry *e)
{
    struct doc *copy;
    if (is_port(e->key->text))
        return port_of(c, e->value);
    copy = value_of(c, e->value);
    if (copy && e->value->type == DOC_TEXT && strcmp(e->key->text, "line") == 0)
        copy->text = line_of(c, e->value);
    return copy;
}

/* ---- nodes ---- */

/* All but the count; NULL without memory. */
static struct doc *settings_of(struct counter *c, const struct doc *d)
{
    struct doc *copy = doc_copy(c, d);
    struct doc_entry *entries = arena_new(&c->lab->arena, d->n * sizeof entries[0]);
    c->no_memory = c->no_memory || !entries;
    if (!copy || !entries)
        return NULL;
    copy->entries = entries;
    copy->n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->entries[i].key->text, "count") != 0)
            entries[copy->n++] = (struct doc_entry){d->entries[i].key, setting_of(c, &d->entries[i])};
    return copy;
}

static int node_copy(struct counter *c, const struct doc_entry *e, struct doc *out)
{
    struct doc *key = doc_copy(c, e->key);
    struct doc_entry *entry = arena_push(&c->lab->arena, &out->entries, &out->n, sizeof *entry);
    if (!key || !entry)
        return FE_EMEM;
    key->text = name_of(c, key->text);
    *entry = (struct doc_entry){key, settings_of(c, e->value)};
    return c->no_memory ? FE_EMEM : 0;
}

/* The count of an entry that would come after `before` others; false after a problem. */
static bool count_read(struct lab *lab, const struct doc *entry, size_t before, const char *too_many, uint32_t *n)
{
    struct form_reader reader = lab_reader(lab);
    const struct field field = {"count", FIELD_COUNT, 0, .min = 1, .max = COUNT_MAX};
    const struct doc *count = doc_get(entry, "count");
    if (!form_value(&reader, count, &field, n))
        return false;
    if (before + *n <= COUNT_MAX)
        return true;
    problem(&lab->problems, count->at, too_many);
    return false;
}

static int node_count(struct lab *lab, const struct doc_entry *e, struct doc *out)
{
    uint32_t n;
    if (!doc_get(e->value, "count")) {
        struct doc_entry *entry = arena_push(&lab->arena, &out->entries, &out->n, sizeof *entry);
        if (entry)
            *entry = *e;
        return entry ? 0 : FE_EMEM;
    }
    if (!count_read(lab, e->value, out->n, "a lab has room for 10000 nodes", &n))
        return 0;
    struct counter c = {.lab = lab};
    size_t problems = lab->problems.n;
    for (c.i = 1; c.i <= n && lab->problems.n == problems; c.i++) {
        c.digits = number_text(&c, c.i);
        if (node_copy(&c, e, out))
            return FE_EMEM;
    }
    return 0;
}

/* ---- the lines of a PBX ---- */

/* One line, or as many as its `count` says, into `out`. */
static int line_copies(struct lab *lab, const struct doc_entry *e, struct doc *out)
{
    uint32_t n;
    if (!doc_get(e->value, "count")) {
        struct doc_entry *entry = arena_push(&lab->arena, &out->entries, &out->n, sizeof *entry);
        if (entry)
            *entry = *e;
        return entry ? 0 : FE_EMEM;
    }
    if (!count_read(lab, e->value, out->n, "a PBX has room for 10000 lines", &n))
        return 0;
    struct counter c = {.lab = lab};
    for (c.i = 1; c.i <= n; c.i++) {
        c.digits = number_text(&c, c.i);
        struct doc *key = doc_copy(&c, e->key);
        struct doc_entry *entry = arena_push(&lab->arena, &out->entries, &out->n, sizeof *entry);
        if (!key || !entry)
            return FE_EMEM;
        key->text = line_of(&c, e->key);
        *entry = (struct doc_entry){key, settings_of(&c, e->value)};
        if (c.no_memory)
            return FE_EMEM;
    }
    return 0;
}

/* `lines: {1001: {count: 1000, password: secret}}` of a node: its lines count up. */
static int lines_count(struct lab *lab, struct doc_entry *lines)
{
    struct doc *out = arena_new(&lab->arena, sizeof *out);
    if (!out)
        return FE_EMEM;
    *out = *lines->value;
    out->entries = NULL;
    out->n = 0;
    for (size_t i = 0; i < lines->value->n; i++)
        if (line_copies(lab, &lines->value->entries[i], out))
            return FE_EMEM;
    lines->value = out;
    return 0;
}

static int node_lines_count(struct lab *lab, const struct doc *settings)
{
    for (size_t i = 0; settings->type == DOC_MAP && i < settings->n; i++) {
        struct doc_entry *e = &settings->entries[i];
        if (strcmp(e->key->text, "lines") == 0 && e->value->type == DOC_MAP && lines_count(lab, e))
            return FE_EMEM;
    }
    return 0;
}

/* A copy may have come to the name of another node. */
static void names_check(struct lab *lab, const struct doc *nodes)
{
    const struct name *items = lab->node_names.items;
    for (size_t i = 1; items && nodes->entries && i < lab->node_names.n; i++) {
        const struct name *a = &items[i - 1];
        const struct name *b = &items[i];
        if (strcmp(a->text, b->text) == 0)
            problem(&lab->problems, nodes->entries[b->number].key->at, "there are two nodes \"", b->text, "\"");
    }
}

const struct doc *lab_count_nodes(struct lab *lab, const struct doc *nodes)
{
    struct doc *out = arena_new(&lab->arena, sizeof *out);
    if (!out)
        return NULL;
    *out = (struct doc){.type = DOC_MAP, .at = nodes->at};
    for (size_t i = 0; i < nodes->n; i++)
        if (node_count(lab, &nodes->entries[i], out))
            return NULL;
    for (size_t i = 0; i < out->n; i++)
        if (node_lines_count(lab, out->entries[i].value))
            return NULL;
    for (size_t i = 0; i < out->n; i++)
        if (names_add(&lab->arena, &lab->node_names, out->entries[i].key->text, (unsigned)i))
            return NULL;
    names_sort(&lab->node_names);
    names_check(lab, out);
    return out;
}
