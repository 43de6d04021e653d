#include "sim/lab/doc.h"

#include "nodes/base/error.h"

#include <stdlib.h>
#include <yaml.h>

enum {
    DEPTH_MAX = 24,       /* nesting of values; also ends aliases that contain themselves */
    VALUES_MAX = 4000000, /* also ends aliases of aliases of aliases… */
};

struct reading {
    struct arena *arena;
    const struct source *source;
    struct problems *problems;
    yaml_document_t *yaml;
    unsigned depth;
    size_t values;
    bool failed;
};

static struct place place_of(const struct reading *r, yaml_mark_t mark)
{
    return (struct place){r->source, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static void *refuse(struct reading *r, struct place at, const char *why)
{
    if (!r->failed)
        problem(r->problems, at, why);
    r->failed = true;
    return NULL;
}

static struct doc *value_read(struct reading *r, int index);

/* ---- texts, lists ---- */

static bool text_read(struct reading *r, struct doc *d, const yaml_node_t *node)
{
    const char *value = (const char *)node->data.scalar.value;
    size_t n = node->data.scalar.length;
    d->type = DOC_TEXT;
    if (memchr(value, '\0', n))
        return refuse(r, d->at, "a text may not contain a zero byte");
    d->text = arena_copy(r->arena, value, n);
    return d->text || refuse(r, d->at, "out of memory");
}

static bool list_read(struct reading *r, struct doc *d, const yaml_node_t *node)
{
    d->type = DOC_LIST;
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        struct doc *value = value_read(r, *item);
        struct doc_entry *entry = value ? arena_push(r->arena, &d->entries, &d->n, sizeof *entry) : NULL;
        if (!entry)
            return refuse(r, d->at, "out of memory");
        entry->value = value;
    }
    return true;
}

/* ---- maps ---- */

static int by_key(const void *a, const void *b)
{
    const struct doc *x = *(const struct doc *const *)a;
    const struct doc *y = *(const struct doc *const *)b;
    int order = strcmp(x->text, y->text);
    if (order)
        return order;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    return x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
}

/* Sorted, because a lab may have ten thousand nodes. */
static bool keys_differ(struct reading *r, const struct doc *map)
{
    if (map->n < 2)
        return true;
    const struct doc **keys = malloc(map->n * sizeof(const struct doc *));
    if (!keys)
        return refuse(r, map->at, "out of memory");
    for (size_t i = 0; i < map->n; i++)
        keys[i] = map->entries[i].key;
    qsort(keys, map->n, sizeof(const struct doc *), by_key);
    for (size_t i = 1; i < map->n; i++)
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
            problem(r->problems, keys[i]->at, "\"", keys[i]->text, "\" is here a second time");
    free(keys);
    return true;
}

static bool map_read(struct reading *r, struct doc *d, const yaml_node_t *node)
{
    d->type = DOC_MAP;
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const struct doc *key = value_read(r, pair->key);
        if (key && key->type != DOC_TEXT)
            return refuse(r, key->at, "a name was expected before the colon");
        struct doc *value = key ? value_read(r, pair->value) : NULL;
        struct doc_entry *entry = value ? arena_push(r->arena, &d->entries, &d->n, sizeof *entry) : NULL;
        if (!entry)
            return refuse(r, d->at, "out of memory");
        *entry = (struct doc_entry){key, value};
    }
    return keys_differ(r, d);
}

static struct doc *value_read(struct reading *r, int index)
{
    const yaml_node_t *node = yaml_document_get_node(r->yaml, index);
    struct doc *d = arena_new(r->arena, sizeof *d);
    bool ok = false;
    if (!d)
        return NULL;
    d->at = place_of(r, node->start_mark);
    if (r->depth == DEPTH_MAX || ++r->values > VALUES_MAX)
        return refuse(r, d->at, r->depth == DEPTH_MAX ? "nested too deeply" : "too many values");
    r->depth++;
    switch (node->type) {
    case YAML_NO_NODE: refuse(r, d->at, "a value was expected"); break;
    case YAML_SCALAR_NODE: ok = text_read(r, d, node); break;
    case YAML_SEQUENCE_NODE: ok = list_read(r, d, node); break;
    case YAML_MAPPING_NODE: ok = map_read(r, d, node); break;
    }
    r->depth--;
    return ok ? d : NULL;
}

/* ---- documents ---- */

static void not_yaml(struct reading *r, const yaml_parser_t *parser)
{
    bool marked = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR ||
                  parser->error == YAML_COMPOSER_ERROR;
    struct place at = marked ? place_of(r, parser->problem_mark) : (struct place){r->source, 1, 1};
    problem(r->problems, at, "not YAML: ", parser->problem ? parser->problem : "it cannot be read",
            parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* The document is freed with it; NULL after a problem. */
static struct doc *document_read(struct reading *r, yaml_parser_t *parser, bool *empty)
{
    yaml_document_t yaml;
    struct doc *root = NULL;
    *empty = false;
    if (!yaml_parser_load(parser, &yaml)) {
        not_yaml(r, parser);
        return NULL;
    }
    *empty = !yaml_document_get_root_node(&yaml);
    r->yaml = &yaml;
    if (!*empty)
        root = value_read(r, 1);
    r->yaml = NULL;
    yaml_document_delete(&yaml);
    return root;
}

struct doc *doc_parse(struct arena *a, const struct source *source, struct problems *problems)
{
    struct reading r = {.arena = a, .source = source, .problems = problems};
    yaml_parser_t parser;
    bool empty;
    if (!yaml_parser_initialize(&parser))
        return refuse(&r, (struct place){.source = source}, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->text.p, source->text.n);
    struct doc *root = document_read(&r, &parser, &empty);
    if (empty)
        problem(problems, (struct place){.source = source}, "there is nothing in it");
    if (root) {
        struct doc *second = document_read(&r, &parser, &empty);
        if (second)
            problem(problems, second->at, "a second document begins here; one file is one lab");
        if (!empty)
            root = NULL;
    }
    yaml_parser_delete(&parser);
    return root;
}

struct doc *doc_get(const struct doc *map, const char *key)
{
    if (!map || map->type != DOC_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->entries[i].key->text, key) == 0)
            return map->entries[i].value;
    return NULL;
}

/* ---- changes ---- */

/* The entry of a list by its number, of a map by its key, made when a map lacks it. */
static struct doc_entry *entry_at(struct arena *a, struct doc *d, struct span name, struct place at)
{
    uint64_t number;
    if (d->type == DOC_LIST)
        return span_u64(name, d->n, &number) || number == 0 ? NULL : &d->entries[number - 1];
    for (size_t i = 0; d->type == DOC_MAP && i < d->n; i++)
        if (span_is(name, d->entries[i].key->text))
            return &d->entries[i];
    if (d->type == DOC_TEXT)
        return NULL;
    struct doc *key = arena_new(a, sizeof *key);
    struct doc_entry *entry = key ? arena_push(a, &d->entries, &d->n, sizeof *entry) : NULL;
    if (!entry)
        return NULL;
    *key = (struct doc){.type = DOC_TEXT, .at = at, .text = arena_copy(a, name.p, name.n)};
    entry->key = key;
    return entry;
}

/* The first name of a path: up to the first dot, or as much as the longest key that the map has, for keys may have dots
 * themselves ("records.sbc.example.com.ttl"). */
static struct span name_cut(const struct doc *d, struct span path, struct span *rest)
{
    struct span name = {0};
    for (size_t i = 0; d->type == DOC_MAP && i < d->n; i++) {
        struct span key = span_of(d->entries[i].key->text);
        if (key.n > name.n && span_starts(path, key) && (path.n == key.n || path.p[key.n] == '.'))
            name = key;
    }
    if (name.n == 0)
        return span_cut(path, '.', rest);
    bool last = path.n == name.n;
    *rest = last ? (struct span){0} : (struct span){path.p + name.n + 1, path.n - name.n - 1};
    return name;
}

int doc_set(struct arena *a, struct doc *root, struct span path, struct doc *value)
{
    struct doc *d = root;
    for (;;) {
        struct span rest;
        struct doc_entry *entry = entry_at(a, d, name_cut(d, path, &rest), value->at);
        if (!entry)
            return FE_ESYNTAX;
        if (!rest.p) {
            entry->value = value;
            return 0;
        }
        if (!entry->value && !(entry->value = arena_new(a, sizeof *d)))
            return FE_EMEM;
        if (entry->value->at.line == 0)
            *entry->value = (struct doc){.type = DOC_MAP, .at = value->at};
        d = entry->value;
        path = rest;
    }
}

/* ---- saying ---- */

static void say(struct text *t, const struct doc *d, unsigned depth)
{
    if (d->type == DOC_TEXT)
        text_str(t, d->text);
    if (d->type == DOC_LIST && depth)
        text_str(t, "(");
    for (size_t i = 0; i < d->n; i++) {
        if (i)
            text_str(t, ", ");
        if (d->entries[i].key) {
            text_str(t, d->entries[i].key->text);
            text_char(t, ' ');
        }
        say(t, d->entries[i].value, depth + 1);
    }
    if (d->type == DOC_LIST && depth)
        text_str(t, ")");
}

void doc_say(struct text *t, const struct doc *d)
{
    say(t, d, 0);
}
