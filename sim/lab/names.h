/* Names to numbers: the nodes, networks or wires of a lab, found by name, and the nearest spelling when not found. */
#ifndef FAREND_LAB_NAMES_H
#define FAREND_LAB_NAMES_H

#include "nodes/base/span.h"
#include "sim/lab/arena.h"

struct name {
    const char *text;
    unsigned number;
};

struct names {
    struct name *items; /* sorted by text once names_sort was called */
    size_t n;
};

int names_add(struct arena *a, struct names *names, const char *text, unsigned number); /* 0 or FE_EMEM */
void names_sort(struct names *names);

/* The number, or -1. After names_sort only. */
int names_find(const struct names *names, struct span text);

/* "; did you mean \"home\"?", or "" when no name is near. In the arena. */
const char *names_hint(struct arena *a, const struct names *names, const char *wrong);

/* The same for a NULL-terminated table of words. */
const char *words_hint(struct arena *a, const char *const *words, const char *wrong);

/* "a, b or c", in the arena. */
const char *words_list(struct arena *a, const char *const *words);

#endif
