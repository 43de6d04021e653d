/* A YAML document as a tree whose every value knows its place. All memory is the arena's. */
#ifndef FAREND_LAB_DOC_H
#define FAREND_LAB_DOC_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "sim/lab/arena.h"
#include "sim/lab/problem.h"

enum doc_type { DOC_TEXT, DOC_LIST, DOC_MAP };

struct doc {
    enum doc_type type;
    struct place at;
    const char *text;          /* DOC_TEXT: without NUL bytes inside; "" for an empty value */
    struct doc_entry *entries; /* DOC_LIST (keys NULL), DOC_MAP, in file order */
    size_t n;
};

struct doc_entry {
    const struct doc *key; /* a DOC_TEXT; no key comes twice in a map */
    struct doc *value;
};

/* NULL when the text is not one YAML document that can be read; the problems say why. */
struct doc *doc_parse(struct arena *a, const struct source *source, struct problems *problems);

/* The value of a map's key; NULL when there is none, or no map. */
struct doc *doc_get(const struct doc *map, const char *key);

/* Sets root's value at a dotted path ("nodes.sbc.media ttl"); an item of a list is its number from 1; a key that is
 * there may have dots itself. What is missing on the way is made. `value` is replaced, not merged. FE_ESYNTAX: the path
 * leads through a text; FE_EMEM. */
int doc_set(struct arena *a, struct doc *root, struct span path, struct doc *value);

/* The value in one line, for people: {from: bob, talk: 20s} is "from bob, talk 20s". */
void doc_say(struct text *t, const struct doc *d);

#endif
