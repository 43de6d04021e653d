#define _GNU_SOURCE
#include "nodes/host/host_args.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int complain(struct text *why, int error, const char *before, struct span what, const char *after)
{
    text_str(why, before);
    text_put(why, what);
    text_str(why, after);
    return error;
}

/* ---- words: PORT=WHERE and PATH=VALUE ---- */

/* The place of a port's name in kind->ports; -1: it is none. */
static int port_named(const struct node_kind *kind, struct span name)
{
    for (int i = 0; kind->ports[i] && i < HOST_PORTS; i++)
        if (span_is(name, kind->ports[i]))
            return i;
    return -1;
}

static bool near_a_port(const struct node_kind *kind, struct span name, struct nearest *best)
{
    for (int i = 0; kind->ports[i]; i++)
        nearest_offer(best, name, span_of(kind->ports[i]));
    return best->name.n != 0;
}

/* ---- files that a word names ---- */

enum { FILE_MAX = 1 << 20 }; /* bytes: more is neither certificates nor a phone's settings */

/* *text is the caller's to free, also after an error. FE_EMEM; FE_EOS: errno says why. */
static int file_whole(const char *path, char **text, size_t *n)
{
    *text = malloc(FILE_MAX);
    FILE *f = *text ? fopen(path, "rb") : NULL;
    if (!f)
        return *text ? FE_EOS : FE_EMEM;
    *n = fread(*text, 1, FILE_MAX, f);
    int error = ferror(f) ? errno : *n == FILE_MAX ? EFBIG : 0;
    fclose(f);
    errno = error;
    return error ? FE_EOS : 0;
}

/* ---- certificates: what the value names is a file ---- */

static int set_from_file(struct host_args *args, const struct node_kind *kind, struct span path, struct span file,
                         struct text *why)
{
    char name[PATH_MAX];
    char *text = NULL;
    size_t n = 0;
    int error = span_copy(file, name, sizeof name) ? file_whole(name, &text, &n) : FE_EOS;
    if (error) {
        complain(why, error, "", path, ": cannot read \"");
        complain(why, error, "", file, "\": ");
        text_str(why, error == FE_EMEM ? fe_error_text(error) : strerror(errno));
    } else if (!option_is_certificate(span_make(text, n))) {
        error = complain(why, FE_ESYNTAX, "", path, ": there is no PEM in \"");
        complain(why, error, "", file, "\"");
    } else {
        error = options_set(kind->options, args->settings, path, span_make(text, n), why);
    }
    free(text);
    return error;
}

static bool is_file(const struct node_kind *kind, struct span path, struct span value)
{
    const struct option *o = options_find(kind->options, path);
    return o && o->type == OPT_CERTIFICATE && value.n && !option_is_certificate(value);
}

/* ---- a maker's own file (node_kind.read_config) ---- */

struct config_reading {
    struct host_args *args;
    const struct node_kind *kind;
    const char *path;
    struct text *why;
    struct text warnings;
    int error; /* of the first mistake, which is in `why` */
};

/* "startup.cfg:3:15: " */
static void put_place(const struct config_reading *r, unsigned line, unsigned column, struct text *out)
{
    text_str(out, r->path);
    text_char(out, ':');
    text_u64(out, line);
    text_char(out, ':');
    text_u64(out, column);
    text_str(out, ": ");
}

static void config_set(void *arg, const char *path, struct span value, unsigned line, unsigned column)
{
    struct config_reading *r = arg;
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    int error = options_set(r->kind->options, r->args->settings, span_of(path), value, &why);
    if (!error || r->error)
        return;
    r->error = error;
    put_place(r, line, column, r->why);
    text_str(r->why, buf);
}

static void config_warn(void *arg, unsigned line, unsigned column, const char *what)
{
    struct config_reading *r = arg;
    put_place(r, line, column, &r->warnings);
    text_str(&r->warnings, what);
    text_char(&r->warnings, '\n');
}

static void config_refuse(void *arg, unsigned line, unsigned column, const char *what)
{
    struct config_reading *r = arg;
    if (r->error)
        return;
    r->error = FE_ESYNTAX;
    put_place(r, line, column, r->why);
    text_str(r->why, what);
}

static int read_config(struct host_args *args, const struct node_kind *kind, struct span path, struct text *why)
{
    static const struct node_config_events events = {config_set, config_warn, config_refuse};
    char name[256];
    char *text = NULL;
    size_t n;
    int error = span_copy(path, name, sizeof name) ? file_whole(name, &text, &n) : FE_EOS;
    if (error) {
        free(text);
        return complain(why, error, "cannot read ", path, "");
    }
    struct config_reading r = {.args = args, .kind = kind, .path = name, .why = why};
    r.warnings = text_on(args->warnings, sizeof args->warnings);
    kind->read_config((struct span){text, n}, &events, &r);
    free(text);
    return r.error;
}

/* What is set on the command line goes over the file, wherever the file is named there. */
static int read_configs(struct host_args *args, const struct node_kind *kind, int argc, char **argv, struct text *why)
{
    int error = 0;
    for (int i = 1; kind->read_config && !error && i < argc; i++) {
        struct span value;
        if (span_is(span_trim(span_cut(span_of(argv[i]), '=', &value)), "config"))
            error = read_config(args, kind, span_trim(value), why);
    }
    return error;
}

static int set_word(struct host_args *args, const struct node_kind *kind, struct span path, struct span value,
                    struct text *why)
{
    int port = port_named(kind, path);
    if (port >= 0 && span_copy(value, args->ports[port], HOST_WHERE))
        return 0;
    if (port >= 0)
        return complain(why, FE_ERANGE, "", path, " is neither an address nor an interface");
    if (is_file(kind, path, value))
        return set_from_file(args, kind, path, value, why);
    int error = options_set(kind->options, args->settings, path, value, why);
    struct nearest best = {0};
    /* options_set has named the nearest setting; a port may be nearer still when it found none. */
    if (error == FE_EUNKNOWN && !memchr(why->p, '?', why->n) && near_a_port(kind, path, &best))
        complain(why, error, "; did you mean the port \"", best.name, "\"?");
    return error;
}

static int read_word(struct host_args *args, const struct node_kind *kind, struct span word, struct text *why)
{
    struct span value;
    struct span path = span_cut(word, '=', &value);
    if (!value.p)
        return complain(why, FE_ESYNTAX, "\"", word, "\" is neither an option of the program nor NAME=VALUE");
    return set_word(args, kind, span_trim(path), span_trim(value), why);
}

/* ---- a file of settings: "path = value" lines, # comments ---- */

static int read_line(struct host_args *args, const struct node_kind *kind, struct span line, struct text *why)
{
    line = span_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    return read_word(args, kind, line, why);
}

static int read_file(struct host_args *args, const struct node_kind *kind, const char *path, struct text *why)
{
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    int error = 0;
    FILE *f = fopen(path, "r");
    if (!f) {
        complain(why, FE_EOS, "cannot read ", span_of(path), ": ");
        text_str(why, strerror(errno));
        return FE_EOS;
    }
    for (ssize_t n; !error && (n = getline(&line, &room, f)) >= 0;) {
        size_t before = why->n;
        number++;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        error = read_line(args, kind, (struct span){line, (size_t)n}, why);
        if (error && why->n > before) {
            text_str(why, " (");
            text_str(why, path);
            text_str(why, ", line ");
            text_u64(why, number);
            text_str(why, ")");
        }
    }
    free(line);
    fclose(f);
    return error;
}

/* ---- options of the program ---- */

static int read_seed(struct host_args *args, const char *value, struct text *why)
{
    args->seeded = true;
    if (span_u64(span_of(value), UINT64_MAX, &args->seed))
        return complain(why, FE_ESYNTAX, "--seed: \"", span_of(value), "\" is not a whole number");
    return 0;
}

static int unknown_option(const char *word, struct text *why)
{
    static const char *const known[] = {"--help", "--json", "--lab", "--name", "--seed", "--settings", NULL};
    struct nearest best = {0};
    for (int i = 0; known[i]; i++)
        nearest_offer(&best, span_of(word), span_of(known[i]));
    complain(why, FE_EUNKNOWN, "there is no option \"", span_of(word), "\"");
    if (best.name.n)
        complain(why, FE_EUNKNOWN, "; did you mean \"", best.name, "\"?");
    return FE_EUNKNOWN;
}

/* One option; *used is how many words it takes. value: the word after it, or NULL. */
static int read_option(struct host_args *args, const struct node_kind *kind, const char *word, const char *value,
                       int *used, struct text *why)
{
    *used = 1;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        args->help = true;
    else if (strcmp(word, "--json") == 0)
        args->json = true;
    else if (strcmp(word, "--lab") == 0)
        args->lab = true;
    else if (strcmp(word, "--name") && strcmp(word, "--seed") && strcmp(word, "--settings"))
        return unknown_option(word, why);
    else if (!value)
        return complain(why, FE_ESYNTAX, "", span_of(word), " needs a word after it");
    else
        *used = 2;
    if (*used == 1)
        return 0;
    if (strcmp(word, "--seed") == 0)
        return read_seed(args, value, why);
    if (strcmp(word, "--settings") == 0)
        return read_file(args, kind, value, why);
    args->name = value;
    return 0;
}

int host_args_read(struct host_args *args, const struct node_kind *kind, int argc, char **argv, struct text *why)
{
    int error = 0;
    *args = (struct host_args){.name = kind->name, .settings = options_new(kind->options, kind->settings_size)};
    if (!args->settings)
        return complain(why, FE_EMEM, "out of memory", SPAN(""), "");
    error = read_configs(args, kind, argc, argv, why);
    for (int i = 1, used; !error && i < argc; i += used) {
        used = 1;
        if (argv[i][0] == '-')
            error = read_option(args, kind, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used, why);
        else
            error = read_word(args, kind, span_of(argv[i]), why);
    }
    if (error || args->help)
        return error;
    const struct option *missing = options_missing(kind->options, args->settings);
    if (missing) {
        complain(why, FE_ESYNTAX, "\"", span_of(missing->name), "\" must be given: ");
        text_str(why, option_expects(missing));
        return FE_ESYNTAX;
    }
    return 0;
}

void host_args_free(struct host_args *args, const struct node_kind *kind)
{
    options_free(kind->options, args->settings);
}
