#include "sim/lab/names.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"

#include <stdlib.h>

int names_add(struct arena *a, struct names *names, const char *text, unsigned number)
{
    struct name *name = arena_push(a, &names->items, &names->n, sizeof *name);
    if (!name)
        return FE_EMEM;
    *name = (struct name){text, number};
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

void names_sort(struct names *names)
{
    if (names->n > 1)
        qsort(names->items, names->n, sizeof names->items[0], by_text);
}

static int span_order(struct span a, const char *b)
{
    size_t n = strlen(b);
    int order = memcmp(a.p, b, a.n < n ? a.n : n);
    return order ? order : a.n < n ? -1 : a.n > n;
}

int names_find(const struct names *names, struct span text)
{
    size_t low = 0;
    size_t high = text.n ? names->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(text, names->items[middle].text);
        if (order == 0)
            return (int)names->items[middle].number;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static const char *hint(struct arena *a, const struct nearest *best)
{
    if (span_empty(best->name))
        return "";
    const char *text = arena_text(a, "; did you mean \"", best->name.p, "\"?");
    return text ? text : "";
}

const char *names_hint(struct arena *a, const struct names *names, const char *wrong)
{
    struct nearest best = {0};
    for (size_t i = 0; i < names->n; i++)
        nearest_offer(&best, span_of(wrong), span_of(names->items[i].text));
    return hint(a, &best);
}

const char *words_hint(struct arena *a, const char *const *words, const char *wrong)
{
    struct nearest best = {0};
    for (; *words; words++)
        nearest_offer(&best, span_of(wrong), span_of(*words));
    return hint(a, &best);
}

const char *words_list(struct arena *a, const char *const *words)
{
    const char *list = words[0];
    for (size_t i = 1; words[i] && list; i++)
        list = arena_text(a, list, words[i + 1] ? ", " : " or ", words[i]);
    return list ? list : "";
}
