#define _GNU_SOURCE
#include "sim/report/words.h"

#include "nodes/base/span.h"

#include <stdlib.h>

enum { SLOTS_AT_FIRST = 64 };

void words_fini(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->texts[i]);
    free(w->texts);
    free(w->slots);
    *w = (struct words){0};
}

/* Where the text is, or where it would go. There is always a free slot. */
static size_t slot_of(const struct words *w, const char *text)
{
    size_t at = (size_t)span_hash(span_of(text)) & (w->slots_n - 1);
    while (w->slots[at] && strcmp(w->texts[w->slots[at] - 1], text) != 0)
        at = (at + 1) & (w->slots_n - 1);
    return at;
}

/* Room for one more, and at least half of the slots free. */
static bool grow(struct words *w)
{
    if (2 * (w->n + 1) <= w->slots_n)
        return true;
    size_t larger = w->slots_n ? 2 * w->slots_n : SLOTS_AT_FIRST;
    int *slots = calloc(larger, sizeof slots[0]);
    void *texts = slots ? realloc(w->texts, larger / 2 * sizeof w->texts[0]) : NULL;
    if (!texts) {
        free(slots);
        return false;
    }
    free(w->slots);
    w->texts = texts;
    w->slots = slots;
    w->slots_n = larger;
    for (size_t i = 0; i < w->n; i++)
        w->slots[slot_of(w, w->texts[i])] = (int)i + 1;
    return true;
}

int words_find(const struct words *w, const char *text)
{
    return w->slots_n ? w->slots[slot_of(w, text ? text : "")] - 1 : -1;
}

int words_add(struct words *w, const char *text)
{
    int found = words_find(w, text);
    if (found >= 0)
        return found;
    char *copy = grow(w) ? strdup(text ? text : "") : NULL;
    if (!copy) {
        w->no_memory = true;
        return -1;
    }
    w->slots[slot_of(w, copy)] = (int)w->n + 1;
    w->texts[w->n] = copy;
    return (int)w->n++;
}

const char *words_text(const struct words *w, int number)
{
    return number >= 0 && (size_t)number < w->n ? w->texts[number] : "";
}
