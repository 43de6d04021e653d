/* The verdict for people: plain text, coloured on a terminal. */
#include "sim/report/report_text.h"
#include "sim/report/verdict.h"

struct printing {
    FILE *out;
    bool colour;
    bool no_lines;   /* of the lab file */
    bool no_moments; /* below what failed */
};

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define FAINT "\033[2m"
#define BOLD  "\033[1m"

static void say(const struct printing *p, const char *colour, const char *text)
{
    fprintf(p->out, "%s%s%s", p->colour ? colour : "", text, p->colour ? "\033[0m" : "");
}

static void print_moment(const struct printing *p, const struct moment *m)
{
    char at[REPORT_TIME];
    fprintf(p->out, "      %12s  %-14s %s", report_time(m->first, at), m->who, m->what);
    if (m->count > 1)
        fprintf(p->out, "  (%u times, last at %s)", m->count, report_time(m->last, at));
    fputc('\n', p->out);
}

static void print_item(const struct printing *p, const struct verdict_item *item)
{
    char at[REPORT_TIME];
    bool failed = item->state != VERDICT_HELD;
    fputs("  ", p->out);
    say(p, failed ? RED : GREEN, failed ? "✗" : "✓");
    fprintf(p->out, " %12s  %s%s\n", report_time(item->ended, at), item->expectation ? "expect: " : "",
            item->text ? item->text : "");
    if (!failed && (!item->expectation || item->measured) && item->why)
        fprintf(p->out, "                  %s\n", item->why);
    if (!failed)
        return;
    fputs("                  ", p->out);
    if (!p->no_lines)
        fprintf(p->out, "line %u; ", item->line);
    say(p, RED, item->why ? item->why : "not finished");
    fputc('\n', p->out);
    if (p->no_moments)
        return;
    if (item->moments_n)
        say(p, FAINT, "                  what happened before, and to whom:\n");
    for (size_t i = 0; i < item->moments_n; i++)
        print_moment(p, &item->moments[i]);
}

void verdict_print_item(const struct verdict *v, size_t item, bool brief, bool colour, FILE *out)
{
    struct printing p = {.out = out, .colour = colour, .no_lines = true, .no_moments = brief};
    const struct verdict_item *i = &v->items[item];
    if (i->state == VERDICT_RUNNING)
        fprintf(out, "  … %12s  %s\n", "", i->text ? i->text : "");
    else
        print_item(&p, i);
}

static void print_summary(const struct printing *p, const struct verdict *v, const struct verdict_run *run)
{
    char at[REPORT_TIME];
    if (run->error)
        fprintf(p->out, "%s: %s\n", run->lab, run->error);
    else if (v->failed)
        fprintf(p->out, "%s: %zu of %zu did not hold, in %s of lab time\n", run->lab, v->failed, v->held + v->failed,
                report_time(v->now, at));
    else
        fprintf(p->out, "%s: all %zu held, in %s of lab time\n", run->lab, v->held, report_time(v->now, at));
}

void verdict_print(const struct verdict *v, const struct verdict_run *run, bool colour, FILE *out)
{
    struct printing p = {.out = out, .colour = colour};
    say(&p, BOLD, run->lab);
    fprintf(out, "  %s, seed %llu\n", run->world, (unsigned long long)run->seed);
    for (size_t i = 0; i < v->n; i++)
        print_item(&p, &v->items[i]);
    print_summary(&p, v, run);
}
