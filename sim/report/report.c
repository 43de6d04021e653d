#define _GNU_SOURCE
#include "sim/report/report.h"

#include "nodes/base/error.h"

#include <errno.h>
#include <stdlib.h>

enum { PATH = 4300 };

static int complain(struct text *why, int error, const char *path, const char *what)
{
    text_str(why, path);
    text_str(why, ": ");
    text_str(why, what);
    return error;
}

static int verdict_read_file(struct report *r, const char *folder, struct text *why)
{
    char path[PATH];
    json_error_t error;
    snprintf(path, sizeof path, "%s/verdict.json", folder);
    FILE *f = fopen(path, "rbe");
    if (!f)
        return complain(why, FE_EUNKNOWN, path, strerror(errno));
    r->verdict = json_loadf(f, JSON_ALLOW_NUL, &error);
    fclose(f);
    if (json_is_object(r->verdict))
        return 0;
    if (!r->verdict) {
        char at[24];
        snprintf(at, sizeof at, ":%d", error.line);
        text_str(why, path);
        return complain(why, FE_ESYNTAX, at, error.text);
    }
    return complain(why, FE_ESYNTAX, path, "this is no JSON object");
}

static int lines_read(struct report *r, FILE *f, const char *path, struct text *why)
{
    char *line = NULL;
    size_t cap = 0;
    int error = 0;
    ssize_t n;
    for (unsigned long number = 1; !error && (n = getline(&line, &cap, f)) > 0; number++) {
        if (line[n - 1] == '\n')
            n--;
        error = ladder_line(&r->ladder, (struct span){line, (size_t)n});
        if (error == FE_ESYNTAX) {
            char at[32];
            snprintf(at, sizeof at, ":%lu", number);
            text_str(why, path);
            complain(why, error, at, "this line is no JSON object, as every line of a trace is");
        }
    }
    free(line);
    if (!error && ferror(f))
        error = complain(why, FE_EOS, path, strerror(errno));
    return error;
}

static int trace_read(struct report *r, const char *folder, struct text *why)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/trace.jsonl", folder);
    FILE *f = fopen(path, "rbe");
    if (!f)
        return complain(why, FE_EUNKNOWN, path, strerror(errno));
    int error = lines_read(r, f, path, why);
    fclose(f);
    ladder_end(&r->ladder);
    return error;
}

int report_read(struct report *r, const char *folder, struct text *why)
{
    *r = (struct report){0};
    ladder_init(&r->ladder, &r->topology);
    int error = verdict_read_file(r, folder, why);
    if (!error)
        error = topology_read(&r->topology, r->verdict);
    if (!error)
        error = trace_read(r, folder, why);
    if (error == FE_EMEM)
        complain(why, error, folder, "out of memory");
    return error;
}

void report_fini(struct report *r)
{
    ladder_fini(&r->ladder);
    topology_fini(&r->topology);
    json_decref(r->verdict);
    *r = (struct report){0};
}

static int page_write(const struct report *r, const char *folder, struct text *why)
{
    char path[PATH];
    char half[PATH];
    snprintf(path, sizeof path, "%s/report.html", folder);
    snprintf(half, sizeof half, "%s/report.html.new", folder);
    FILE *out = fopen(half, "wbe");
    if (!out)
        return complain(why, FE_EOS, path, strerror(errno));
    int error = report_html(r, out);
    bool failed = ferror(out) != 0;
    if ((fclose(out) != 0 || failed) && !error)
        error = FE_EOS;
    if (!error && rename(half, path) != 0)
        error = FE_EOS;
    if (!error)
        return 0;
    int reason = errno;
    remove(half);
    return complain(why, error, path, error == FE_EMEM ? "out of memory" : strerror(reason));
}

int report_write(const char *folder, struct text *why)
{
    struct report r;
    int error = report_read(&r, folder, why);
    if (!error)
        error = page_write(&r, folder, why);
    report_fini(&r);
    return error;
}
