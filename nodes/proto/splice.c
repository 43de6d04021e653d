#include "nodes/proto/splice.h"

#include <assert.h>

void splices_init(struct splices *s)
{
    s->n = 0;
    s->full = false;
}

void splices_add(struct splices *s, struct span where, struct span with)
{
    size_t at = s->n;
    if (at == SPLICE_MAX) {
        s->full = true;
        return;
    }
    /* An insertion comes before what is replaced at its place. */
    while (at > 0 && (s->items[at - 1].where.p > where.p ||
                      (s->items[at - 1].where.p == where.p && s->items[at - 1].where.n > where.n))) {
        s->items[at] = s->items[at - 1];
        at--;
    }
    s->items[at] = (struct splice){where, with};
    s->n++;
}

int splices_write(const struct splices *s, struct span original, struct text *t)
{
    const char *p = original.p;
    const char *end = original.p + original.n;
    if (s->full)
        return FE_ERANGE;
    for (size_t i = 0; i < s->n; i++) {
        const struct splice *splice = &s->items[i];
        if (splice->where.p < p)
            return FE_EUSED;
        text_put(t, (struct span){p, (size_t)(splice->where.p - p)});
        text_put(t, splice->with);
        p = splice->where.p + splice->where.n;
    }
    assert(p <= end); /* every edit lies in the original */
    text_put(t, (struct span){p, (size_t)(end - p)});
    return text_ok(t) ? 0 : FE_ERANGE;
}
