#define _GNU_SOURCE
#include "nodes/base/nearest.h"
#include "sim/cli/cli.h"
#include "sim/engine/world.h"

#include <stdlib.h>
#include <string.h>

struct argument {
    const char *name, *value, *help;
    bool (*set)(struct cli_args *args, const char *value);
};

/* ---- what each one sets; false: a bad value ---- */

static bool set_world(struct cli_args *args, const char *value)
{
    const struct world_ops *const worlds[] = {&netns_world, &sim_world};
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
        if (strcmp(value, worlds[i]->name) == 0) {
            args->world = worlds[i];
            return true;
        }
    return false;
}

static bool set_clock(struct cli_args *args, const char *value)
{
    args->real = strcmp(value, "real") == 0;
    return args->real || strcmp(value, "stepped") == 0;
}

static bool count(const char *value, uint64_t max, uint32_t *out)
{
    uint64_t n;
    if (span_u64(span_of(value), max, &n) || n == 0)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool set_seed(struct cli_args *args, const char *value)
{
    uint64_t n;
    args->seed = value;
    return span_u64(span_of(value), UINT32_MAX, &n) == 0;
}

static bool set_repeat(struct cli_args *args, const char *value)
{
    return count(value, 1000000, &args->repeat);
}

static bool set_jobs(struct cli_args *args, const char *value)
{
    return count(value, 1024, &args->jobs);
}

static bool set_out(struct cli_args *args, const char *value)
{
    args->out = value;
    return *value != '\0';
}

static bool set_junit(struct cli_args *args, const char *value)
{
    args->junit = value;
    return *value != '\0';
}

static bool set_json(struct cli_args *args, const char *value)
{
    args->json = value;
    return *value != '\0';
}

static bool set_change(struct cli_args *args, const char *value)
{
    args->changes[args->changes_n++].text = value;
    return strchr(value, '=') != NULL;
}

static bool set_all(struct cli_args *args, const char *value)
{
    (void)value;
    args->all = true;
    return true;
}

static bool set_over(struct cli_args *args, const char *value)
{
    args->over = value;
    return *value != '\0' && !strchr(value, '=');
}

static bool set_between(struct cli_args *args, const char *value)
{
    args->between = value;
    return *value != '\0';
}

static bool set_until(struct cli_args *args, const char *value)
{
    args->until = value;
    return *value != '\0';
}

static bool set_to(struct cli_args *args, const char *value)
{
    args->to = value;
    return *value != '\0';
}

static const struct argument arguments[] = {
    {"--world", "netns|sim", "the kernel's own IP stack in namespaces, or farend's simulated one; netns unless said",
     set_world},
    {"--clock", "stepped|real", "lab time jumps from event to event, or follows the wall clock; stepped unless said",
     set_clock},
    {"--seed", "N", "in place of the lab's seed", set_seed},
    {"--repeat", "N", "run each lab so often; fails when two traces differ (or verdicts, if the lab promises no more)",
     set_repeat},
    {"--jobs", "N", "so many runs at once; 1 unless said, for margin one a processor", set_jobs},
    {"--out", "DIR", "where the runs' files go; runs/ unless said", set_out},
    {"--junit", "FILE", "writes the verdicts as JUnit XML", set_junit},
    {"--json", "FILE", "writes the verdict of a single lab, or the margin, as JSON", set_json},
    {"--set", "PATH=VALUE", "changes the lab file before it is read, as \"nodes.sbc.media ttl=reset\"", set_change},
    {"--over", "PATH", "margin: the setting that is varied, as \"nodes.alice.keep-alive interval\"", set_over},
    {"--between", "A..B", "margin: from where to where, with units, as 10s..5min, 0.1%..5% or 1..40", set_between},
    {"--until", "EXPECTATION", "margin: what must hold, by (a part of) its words; \"verdict\", all of it, unless said",
     set_until},
    {"--all", "", "down: every lab that is up", set_all},
    {"--to", "STEP", "margin: how fine, as 1s; the millisecond, the ppm or the single one unless said", set_to},
    {0}};

void cli_args_help(FILE *out)
{
    for (const struct argument *a = arguments; a->name; a++)
        fprintf(out, "  %-9s %-12s %s\n", a->name, a->value, a->help);
}

/* ---- the command line ---- */

static const struct argument *argument_find(struct span name)
{
    struct nearest best = {0};
    for (const struct argument *a = arguments; a->name; a++) {
        if (span_is(name, a->name))
            return a;
        nearest_offer(&best, name, span_of(a->name));
    }
    fprintf(stderr, "farend: there is no option \"%.*s\"", SPAN_ARG(name));
    if (!span_empty(best.name))
        fprintf(stderr, "; did you mean \"%.*s\"?", SPAN_ARG(best.name));
    fputs("\n", stderr);
    return NULL;
}

/* "--seed 7" or "--seed=7"; *i moves past what was used. */
static bool argument_read(struct cli_args *args, int argc, char **argv, int *i)
{
    struct span value;
    struct span name = span_cut(span_of(argv[*i]), '=', &value);
    const struct argument *a = argument_find(name);
    if (!a)
        return false;
    bool alone = !*a->value;
    if (alone && !value.p)
        value = SPAN("");
    else if (!value.p && *i + 1 < argc)
        value = span_of(argv[++*i]);
    if (value.p && a->set(args, value.p))
        return true;
    fprintf(stderr, "farend: %s: %s%s%sexpected %s\n", a->name, value.p ? "\"" : "", value.p ? value.p : "",
            value.p ? "\" is wrong; " : "", a->value);
    return false;
}

bool cli_args_read(struct cli_args *args, int argc, char **argv)
{
    *args = (struct cli_args){.world = &netns_world, .repeat = 1};
    args->names = calloc((size_t)argc + 1, sizeof *args->names);
    args->changes = calloc((size_t)argc + 1, sizeof args->changes[0]);
    bool ok = args->names && args->changes;
    bool only_names = false;
    for (int i = 0; i < argc && ok; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0)
            only_names = true;
        else if (!only_names && argv[i][0] == '-' && argv[i][1])
            ok = argument_read(args, argc, argv, &i);
        else
            ok = (args->names[args->names_n++] = strdup(argv[i])) != NULL;
    }
    if (!ok)
        cli_args_fini(args);
    return ok;
}

uint32_t cli_jobs(const struct cli_args *args, uint32_t usual)
{
    return args->jobs ? args->jobs : usual;
}

void cli_args_fini(struct cli_args *args)
{
    for (size_t i = 0; args->names && i < args->names_n; i++)
        free(args->names[i]);
    free(args->names);
    free(args->changes);
}
