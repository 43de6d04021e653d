/* `farend margin`: how far a setting may go before a lab fails. The search (sim/report/margin.h) says which values to
 * try; here they are run, each in a child of its own, as many at once as there are processors. */
#define _GNU_SOURCE
#include "sim/lab/lab_program.h"
#include "sim/report/margin.h"

#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_folder.h"
#include "sim/cli/cli_process.h"
#include "sim/engine/world.h"
#include "sim/report/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR = 600, FAILED_TEXT = 400 };

/* The run with one value. */
struct trial {
    int64_t value;
    struct cli_process process;
};

struct search {
    const struct cli_args *args;
    struct margin margin;
    struct trial trials[MARGIN_AT_ONCE]; /* those of this round */
    size_t n;
    char base[CLI_PATH - 256]; /* the folder that holds a folder for each value */
    char *lab, *file;
    uint64_t seed;
    bool met;   /* what is waited for was met in some run */
    int status; /* above CLI_NOT_HELD: the search has failed */
};

static bool judges_all(const struct search *s)
{
    return !s->args->until || strcmp(s->args->until, "verdict") == 0;
}

static void fail(struct search *s, int status, const char *what, const char *why)
{
    if (s->status <= CLI_NOT_HELD)
        fprintf(stderr, "farend: %s: %s\n", what, why);
    if (status > s->status)
        s->status = status;
}

/* ---- labs and folders ---- */

/* The lab with this value set, after the changes of the command line; NULL after telling what is wrong. */
static struct lab *lab_with(const struct search *s, const char *value)
{
    struct cli_args args = *s->args;
    struct lab *lab = NULL;
    char *change = NULL;
    args.changes = calloc(s->args->changes_n + 1, sizeof *args.changes);
    if (args.changes && asprintf(&change, "%s=%s", s->args->over, value) >= 0) {
        memcpy(args.changes, s->args->changes, s->args->changes_n * sizeof *args.changes);
        args.changes[args.changes_n++].text = change;
        lab = cli_lab_load(&args, s->args->names[0]);
        free(change);
    }
    free(args.changes);
    return lab;
}

static const char *value_text(const struct search *s, int64_t value, char buf[MARGIN_VALUE_TEXT])
{
    struct text t = text_on(buf, MARGIN_VALUE_TEXT);
    margin_value(&t, s->margin.unit, value);
    return buf;
}

/* runs/udp-expiry-sim-margin/59.999s; a rate's slash becomes a "p". */
static void folder_of(const struct search *s, int64_t value, char out[CLI_PATH])
{
    char text[MARGIN_VALUE_TEXT];
    value_text(s, value, text);
    for (char *slash = strchr(text, '/'); slash; slash = strchr(slash, '/'))
        *slash = 'p';
    snprintf(out, CLI_PATH, "%s/%s", s->base, text);
}

/* ---- one trial ---- */

static void trial_start(struct search *s, struct trial *trial)
{
    char text[MARGIN_VALUE_TEXT];
    char folder[CLI_PATH];
    struct lab *lab = lab_with(s, value_text(s, trial->value, text));
    if (!lab) {
        s->status = CLI_WRONG;
        return;
    }
    folder_of(s, trial->value, folder);
    struct cli_child c = {
        .args = s->args, .lab = lab, .folder = folder, .real = s->args->real || lab_needs_real_clock(lab)};
    if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "\r\033[K%s: %zu values tried, trying %s", s->lab, s->margin.n, text);
    if (cli_folder_make(folder) || cli_process_start(&trial->process, &c))
        fail(s, CLI_FAILED, folder, strerror(errno));
    lab_free(lab);
}

static void trial_ended(struct search *s, struct trial *trial, int wait_status)
{
    char error[ERROR];
    char text[MARGIN_VALUE_TEXT];
    int status = cli_process_ended(&trial->process, wait_status, error, sizeof error);
    if (status > CLI_NOT_HELD)
        fail(s, status, value_text(s, trial->value, text), error);
}

/* Is this item judged, when `--until` says its words or some of them? */
static bool is_judged(const struct search *s, const struct verdict_item *item)
{
    return judges_all(s) || (item->text && strstr(item->text, s->args->until));
}

/* The first judged item that did not hold; NULL: they all did. *judged receives how many there were. */
static const struct verdict_item *first_failed(const struct search *s, const struct verdict *v, size_t *judged)
{
    const struct verdict_item *found = NULL;
    *judged = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (!is_judged(s, &v->items[i]))
            continue;
        ++*judged;
        if (!found && v->items[i].state != VERDICT_HELD)
            found = &v->items[i];
    }
    return found;
}

static int tell(struct search *s, int64_t value, const struct verdict *v)
{
    char text[FAILED_TEXT];
    size_t judged;
    const struct verdict_item *failed = first_failed(s, v, &judged);
    s->met = s->met || judged;
    if (!judged && !judges_all(s))
        return margin_tell(&s->margin, value, false, 0, "the run never came to it");
    if (!failed)
        return margin_tell(&s->margin, value, true, 0, NULL);
    snprintf(text, sizeof text, "%s%s; %s", failed->expectation ? "expect: " : "", failed->text ? failed->text : "",
             failed->why ? failed->why : "not finished");
    return margin_tell(&s->margin, value, false, failed->line, text);
}

static void trial_judge(struct search *s, const struct trial *trial)
{
    char folder[CLI_PATH];
    char path[CLI_PATH + 32];
    struct verdict v;
    folder_of(s, trial->value, folder);
    snprintf(path, sizeof path, "%s/trace.jsonl", folder);
    FILE *trace = fopen(path, "rb");
    int error = verdict_init(&v);
    if (!error)
        error = trace ? verdict_read(&v, trace) : FE_EOS;
    if (!error)
        error = tell(s, trial->value, &v);
    if (error)
        fail(s, CLI_FAILED, path, fe_error_text(error));
    if (trace)
        fclose(trace);
    verdict_fini(&v);
}

/* ---- a round ---- */

static size_t running(const struct search *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->trials[i].process.pid > 0;
    return n;
}

static void wait_for_one(struct search *s)
{
    int wait_status;
    pid_t pid = waitpid(-1, &wait_status, 0);
    bool interrupted = pid < 0 && errno == EINTR;
    for (size_t i = 0; i < s->n; i++) {
        if (interrupted)
            cli_process_interrupt(&s->trials[i].process);
        else if (pid > 0 && s->trials[i].process.pid == pid)
            trial_ended(s, &s->trials[i], wait_status);
    }
}

/* Runs all values of the round, and tells the search in the values' order, not in that of their ends. */
static void round_run(struct search *s, size_t places)
{
    size_t next = 0;
    for (;;) {
        while (next < s->n && running(s) < places && s->status <= CLI_NOT_HELD && !cli_signal_seen())
            trial_start(s, &s->trials[next++]);
        if (running(s) == 0)
            break;
        wait_for_one(s);
    }
    for (size_t i = 0; i < s->n && s->status <= CLI_NOT_HELD && !cli_signal_seen(); i++)
        trial_judge(s, &s->trials[i]);
}

/* Rounds until the search is over, or cannot go on. */
static void search_run(struct search *s)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t places = cli_jobs(s->args, processors > 1 ? (uint32_t)processors : 1);
    int64_t values[MARGIN_AT_ONCE];
    while (s->status <= CLI_NOT_HELD && !cli_signal_seen() && (s->n = margin_ask(&s->margin, places, values)) > 0) {
        for (size_t i = 0; i < s->n; i++)
            s->trials[i] = (struct trial){.value = values[i]};
        round_run(s, places);
    }
    if (isatty(STDERR_FILENO) == 1)
        fputs("\r\033[K", stderr);
}

/* ---- the answer ---- */

/* Of all runs the two beside the edge stay, to be looked at and compared; without an edge those at the ends. */
static void folders_thin_out(const struct search *s, int64_t a, int64_t b)
{
    char folder[CLI_PATH];
    for (size_t i = 0; i < s->margin.n; i++) {
        int64_t value = s->margin.points[i].value;
        if (value == a || value == b)
            continue;
        folder_of(s, value, folder);
        cli_folder_remove(folder);
    }
    folder_of(s, a, folder);
    printf("%s: %s\n", s->lab, folder);
    folder_of(s, b, folder);
    printf("%s: %s\n", s->lab, folder);
}

static int json_write(const struct search *s, const struct margin_run *run)
{
    FILE *out = fopen(s->args->json, "wbe");
    int error = out ? margin_json(&s->margin, run, out) : FE_EOS;
    if (out && fclose(out) != 0)
        error = FE_EOS;
    if (error)
        fprintf(stderr, "farend: %s: %s\n", s->args->json, strerror(errno));
    return error;
}

static int answer(struct search *s)
{
    struct margin_edge edge = {s->margin.low, s->margin.high};
    struct margin_run run = {
        .lab = s->lab,
        .file = s->file,
        .world = s->args->world->name,
        .over = s->args->over,
        .until = s->args->until ? s->args->until : "verdict",
        .seed = s->seed,
    };
    if (!s->met && !judges_all(s)) {
        fprintf(stderr, "farend: --until: no step and no expectation of %s says \"%s\"\n", s->lab, s->args->until);
        return CLI_WRONG;
    }
    margin_print(&s->margin, &run, stdout);
    enum margin_answer found = margin_answer(&s->margin, &edge);
    folders_thin_out(s, edge.held, edge.failed);
    if (s->args->json && json_write(s, &run))
        return CLI_FAILED;
    return found == MARGIN_FAILS || found == MARGIN_UNSTEADY ? CLI_NOT_HELD : CLI_HELD;
}

/* ---- before and after ---- */

/* The lab as it is at the low end tells the name and whether the setting is one. */
static bool search_prepare(struct search *s)
{
    char text[MARGIN_VALUE_TEXT];
    struct lab *lab = lab_with(s, value_text(s, s->margin.low, text));
    if (!lab)
        return false;
    int n = s->args->out ? snprintf(s->base, sizeof s->base, "%s", s->args->out)
                         : snprintf(s->base, sizeof s->base, "runs/%s-%s-margin", lab->name, s->args->world->name);
    s->lab = strdup(lab->name);
    s->file = strdup(lab->source.name);
    s->seed = lab->seed;
    lab_free(lab);
    return s->lab && s->file && n > 0 && (size_t)n < sizeof s->base;
}

static bool range_read(struct search *s)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    if (!s->args->over || !s->args->between) {
        fputs("farend: usage: farend margin LAB --over PATH --between A..B [--until EXPECTATION] [--to STEP]\n",
              stderr);
        return false;
    }
    if (!margin_init(&s->margin, span_of(s->args->between), span_of(s->args->to), &why))
        return true;
    fprintf(stderr, "farend: margin: %s\n", buf);
    return false;
}

int cli_margin(const struct cli_args *args)
{
    struct search *s = calloc(1, sizeof *s);
    if (!s)
        return CLI_FAILED;
    s->args = args;
    int status = CLI_WRONG;
    if (range_read(s) && search_prepare(s)) {
        cli_signals_install();
        search_run(s);
        status = s->status > CLI_NOT_HELD ? s->status : cli_signal_seen() ? CLI_FAILED : answer(s);
        cli_signal_again();
    }
    margin_fini(&s->margin);
    free(s->lab);
    free(s->file);
    free(s);
    return status;
}
