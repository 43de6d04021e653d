#include "sim/lab/problem.h"

#include <stdlib.h>

void problem_add(struct problems *list, struct place at, const char *const *pieces)
{
    if (list->n == PROBLEMS_MAX) {
        list->more++;
        return;
    }
    struct problem *p = &list->items[list->n++];
    p->at = at;
    struct text t = text_on(p->text, sizeof p->text);
    for (size_t i = 0; pieces[i]; i++)
        text_str(&t, pieces[i]);
}

static int by_place(const void *a, const void *b)
{
    const struct problem *x = a;
    const struct problem *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    return strcmp(x->text, y->text);
}

static struct span source_line(struct span text, unsigned line)
{
    struct span rest = text;
    struct span found = {0};
    while (line-- > 0 && rest.p)
        found = span_cut(rest, '\n', &rest);
    if (found.n && found.p[found.n - 1] == '\r')
        found.n--;
    return found;
}

/* The line with a caret below the column; columns count characters, so bytes that continue one are passed over. */
static void line_write(const struct place *at, FILE *out)
{
    struct span line = source_line(at->source->text, at->line);
    if (span_empty(line))
        return;
    fprintf(out, "%5u | %.*s\n      | ", at->line, SPAN_ARG(line));
    size_t i = 0;
    for (unsigned column = 1; column < at->column; column++) {
        fputc(i < line.n && line.p[i] == '\t' ? '\t' : ' ', out);
        for (i++; i < line.n && ((unsigned char)line.p[i] & 0xc0) == 0x80; i++)
            ;
    }
    fputs("^\n", out);
}

void problems_write(struct problems *list, FILE *out)
{
    qsort(list->items, list->n, sizeof list->items[0], by_place);
    for (size_t i = 0; i < list->n; i++) {
        const struct problem *p = &list->items[i];
        if (p->at.line == 0) {
            fprintf(out, "%s: %s\n", p->at.source->name, p->text);
            continue;
        }
        fprintf(out, "%s:%u:%u: %s\n", p->at.source->name, p->at.line, p->at.column, p->text);
        line_write(&p->at, out);
    }
    if (list->more)
        fprintf(out, "… and %zu more\n", list->more);
}
