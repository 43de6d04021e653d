#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CONTEXT = 4 };

/* A trace by its path, or the trace of a run folder. */
static FILE *trace_open(const char *name)
{
    struct stat st;
    char *path = NULL;
    if (stat(name, &st) != 0 || !S_ISDIR(st.st_mode))
        return fopen(name, "rb");
    if (asprintf(&path, "%s/trace.jsonl", name) < 0)
        return NULL;
    FILE *f = fopen(path, "rb");
    free(path);
    return f;
}

/* The first key whose value differs, so that the eye need not search two long lines. */
static void key_print(struct span a, struct span b, FILE *out)
{
    size_t at = 0;
    struct span key;
    struct span value;
    struct span other;
    while (record_next(a, &at, &key, &value)) {
        char name[64];
        if (!span_copy(key, name, sizeof name) || (record_get(b, name, &other) && span_equal(value, other)))
            continue;
        fprintf(out, "they part in \"%s\"\n", name);
        return;
    }
}

static struct span line_span(char *line, ssize_t n)
{
    size_t length = n > 0 ? (size_t)n : 0;
    if (length && line[length - 1] == '\n')
        length--;
    return (struct span){line, length};
}

static void parting_print(char *const before[CONTEXT], uint64_t number, struct span a, struct span b, FILE *out)
{
    uint64_t shown = number - 1 < CONTEXT ? number - 1 : CONTEXT;
    for (uint64_t i = number - shown; i < number; i++)
        fprintf(out, "  %6llu  %s\n", (unsigned long long)i, before[i % CONTEXT]);
    fprintf(out, "- %6llu  %.*s\n", (unsigned long long)number, SPAN_ARG(a));
    fprintf(out, "+ %6llu  %.*s\n", (unsigned long long)number, SPAN_ARG(b));
    if (a.n && b.n)
        key_print(a, b, out);
    else
        fprintf(out, "the %s one ends here\n", a.n ? "second" : "first");
}

static int files_diff(FILE *a, FILE *b, FILE *out)
{
    char *line_a = NULL;
    char *line_b = NULL;
    size_t cap_a = 0;
    size_t cap_b = 0;
    char *before[CONTEXT] = {0};
    int result = 0;
    for (uint64_t number = 1; result == 0; number++) {
        ssize_t got_a = getline(&line_a, &cap_a, a);
        ssize_t got_b = getline(&line_b, &cap_b, b);
        struct span x = line_span(line_a, got_a);
        struct span y = line_span(line_b, got_b);
        if (got_a < 0 && got_b < 0)
            break;
        if (!span_equal(x, y)) {
            parting_print(before, number, x, y, out);
            result = 1;
        } else {
            free(before[number % CONTEXT]);
            before[number % CONTEXT] = strndup(x.p, x.n);
            result = before[number % CONTEXT] ? 0 : FE_EMEM;
        }
    }
    for (size_t i = 0; i < CONTEXT; i++)
        free(before[i]);
    free(line_a);
    free(line_b);
    return ferror(a) || ferror(b) ? FE_EOS : result;
}

int cli_diff_traces(const char *a, const char *b, FILE *out)
{
    FILE *x = trace_open(a);
    FILE *y = trace_open(b);
    int result = x && y ? files_diff(x, y, out) : FE_EOS;
    if (x)
        fclose(x);
    if (y)
        fclose(y);
    return result;
}

int cli_diff(const struct cli_args *args)
{
    int result = cli_diff_traces(args->names[0], args->names[1], stdout);
    if (result < 0) {
        fprintf(stderr, "farend: no trace to be read in %s or %s\n", args->names[0], args->names[1]);
        return CLI_WRONG;
    }
    if (result == 0)
        puts("the same");
    return result ? CLI_NOT_HELD : CLI_HELD;
}
