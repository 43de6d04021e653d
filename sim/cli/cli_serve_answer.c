/* What a lab that is up answers. */
#define _GNU_SOURCE
#include "netns/netns.h"
#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_nodes.h"
#include "sim/cli/cli_serve_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS_SHOWN = 8 };

void cli_serve_answer(struct guest *g, enum cli_answer_part part, const char *text, int status)
{
    free(g->answer);
    g->answer = NULL;
    g->sent = 0;
    FILE *out = open_memstream(&g->answer, &g->answer_n);
    if (out) {
        cli_answer_text(out, part, text);
        cli_answer_end(out, status);
    }
    if (!out || fclose(out) != 0)
        g->answer_n = 0;
    g->state = GUEST_LISTENS;
}

/* A text that is written as to a file; NULL without memory. */
struct page {
    char *text;
    size_t n;
    FILE *out;
};

static bool page_open(struct page *p)
{
    *p = (struct page){0};
    p->out = open_memstream(&p->text, &p->n);
    return p->out != NULL;
}

static void page_answer(struct page *p, struct guest *g, enum cli_answer_part part, int status)
{
    bool whole = fclose(p->out) == 0;
    cli_serve_answer(g, part, whole ? p->text : "", whole ? status : CLI_FAILED);
    free(p->text);
}

/* ---- status ---- */

static void since_print(const struct cli_serve *s, FILE *out)
{
    char since[64];
    char buf[32];
    struct tm tm;
    struct text now = text_on(buf, sizeof buf);
    strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", localtime_r(&s->since, &tm));
    text_fixed(&now, engine_now(s->engine) / MS, 3);
    fprintf(out, "%s  %s, seed %llu, up since %s, lab time %ss, %s\n", s->config->lab->name, s->config->world,
            (unsigned long long)s->config->lab->seed, since, buf, s->config->folder);
}

static void steps_print(const struct cli_serve *s, bool colour, FILE *out)
{
    size_t n = s->verdict->n;
    size_t first = n > STEPS_SHOWN ? n - STEPS_SHOWN : 0;
    if (n)
        fputs(first ? "the latest steps\n" : "steps\n", out);
    for (size_t i = first; i < n; i++)
        verdict_print_item(s->verdict, i, true, colour, out);
}

void cli_serve_status(const struct cli_serve *s, struct guest *g)
{
    struct page p;
    if (!page_open(&p)) {
        cli_serve_answer(g, CLI_SAY, "", CLI_FAILED);
        return;
    }
    since_print(s, p.out);
    if (g->request.verb == CLI_ASK_STATUS) {
        cli_nodes_print(s->config->lab, script_facts(s->script), p.out);
        steps_print(s, g->request.colour, p.out);
    }
    page_answer(&p, g, CLI_SAY, CLI_HELD);
}

/* ---- a node's namespace ---- */

static int node_find(const struct plan *plan, struct span name, struct nearest *best)
{
    for (size_t i = 0; i < plan->nodes_n; i++) {
        if (span_is(name, plan->nodes[i].name))
            return (int)i;
        nearest_offer(best, name, span_of(plan->nodes[i].name));
    }
    return -1;
}

static void refuse(struct guest *g, const char *before, struct span name, const char *after)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    text_str(&why, "farend: ");
    text_str(&why, before);
    text_put(&why, name);
    text_str(&why, after);
    cli_serve_answer(g, CLI_COMPLAIN, buf, CLI_WRONG);
}

static void no_such_node(struct guest *g, const struct nearest *best)
{
    char after[256] = "\"";
    if (!span_empty(best->name))
        snprintf(after, sizeof after, "\"; did you mean \"%.*s\"?", SPAN_ARG(best->name));
    refuse(g, "there is no node \"", g->request.text, after);
}

void cli_serve_space(const struct cli_serve *s, struct guest *g)
{
    struct nearest best = {0};
    const struct world *world = engine_world(s->engine, &netns_world);
    int node = node_find(engine_plan(s->engine), g->request.text, &best);
    if (node < 0) {
        no_such_node(g, &best);
        return;
    }
    int space = world ? netns_node_space(world, (unsigned)node) : -1;
    int user = space >= 0 ? open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC) : -1;
    if (space < 0) {
        refuse(g, "", g->request.text,
               world ? " is simulated: there is no kernel of its own on which a command could run"
                     : " is simulated: only in --world netns it has a kernel of its own on which a command could run");
    } else if (user < 0) {
        refuse(g, "the user namespace of ", g->request.text, " cannot be opened");
    } else {
        g->fds[0] = space;
        g->fds[1] = user;
        cli_serve_answer(g, CLI_SAY, "", CLI_HELD);
    }
}

/* ---- steps ---- */

static void step_wrong(const struct cli_serve *s, struct guest *g)
{
    struct page p;
    if (!page_open(&p)) {
        cli_serve_answer(g, CLI_COMPLAIN, "", CLI_WRONG);
        return;
    }
    problems_write(&s->config->lab->problems, p.out);
    page_answer(&p, g, CLI_COMPLAIN, CLI_WRONG);
}

static int step_add(struct cli_serve *s, const struct step_list *steps)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/trace.jsonl", s->config->folder);
    engine_flush(s->engine);
    FILE *trace = fopen(path, "re");
    if (!trace)
        return FE_EOS;
    int error = script_add(s->script, steps, trace);
    fclose(trace);
    return error;
}

void cli_serve_inject(struct cli_serve *s, struct guest *g)
{
    const struct step_list *steps = NULL;
    int error = lab_add_steps(s->config->lab, "inject", g->request.text, &steps);
    if (error == FE_ESYNTAX) {
        step_wrong(s, g);
        return;
    }
    if (!error)
        error = step_add(s, steps);
    if (error) {
        cli_serve_answer(g, CLI_COMPLAIN, error == FE_EMEM ? "farend: out of memory" : "farend: no trace to read",
                         CLI_FAILED);
        return;
    }
    g->first = s->verdict->n;
    g->state = GUEST_RUNS;
}

void cli_serve_injected(const struct cli_serve *s, struct guest *g)
{
    struct page p;
    int status = CLI_HELD;
    if (!page_open(&p)) {
        cli_serve_answer(g, CLI_SAY, "", CLI_FAILED);
        return;
    }
    for (size_t i = g->first; i < s->verdict->n; i++) {
        verdict_print_item(s->verdict, i, false, g->request.colour, p.out);
        if (s->verdict->items[i].state != VERDICT_HELD)
            status = CLI_NOT_HELD;
    }
    page_answer(&p, g, CLI_SAY, status);
}

/* ---- the end ---- */

void cli_serve_write_end(struct cli_serve *s)
{
    const struct verdict *v = s->verdict;
    char buf[32];
    struct text now = text_on(buf, sizeof buf);
    FILE *out = v ? open_memstream(&s->last_word, &s->last_word_n) : NULL;
    if (!out)
        return;
    for (size_t i = s->told; i < v->n; i++)
        verdict_print_item(v, i, true, false, out);
    text_fixed(&now, engine_now(s->engine) / MS, 3);
    fprintf(out, "%s: down after %ss of lab time", s->config->lab->name, buf);
    if (v->n)
        fprintf(out, "; %zu held, %zu did not", v->held, v->n - v->held);
    fprintf(out, "\n%s: %s\n", s->config->lab->name, s->config->folder);
    fclose(out);
}
