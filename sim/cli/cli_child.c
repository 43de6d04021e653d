#define _GNU_SOURCE
#include "sim/cli/cli_child.h"

#include "netns/netns.h"
#include "nodes/base/error.h"
#include "sim/cli/cli_programs.h"
#include "sim/cli/cli_serve.h"
#include "sim/engine/engine.h"
#include "sim/lab/script.h"
#include "sim/report/report.h"
#include "sim/report/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct child {
    const struct cli_child *c;
    struct text *error;
    struct engine *engine;
    struct script *script;
    struct verdict verdict;
    FILE *trace, *capture;
    int logs;
    char work[4200]; /* folder of other people's programs, absolute */
    struct timespec began, told;
    uint64_t lines;
    bool terminal;
};

/* ---- signals: the engine looks at the flag ---- */

static volatile sig_atomic_t signal_seen;
static bool stop_flag;

static void on_signal(int number)
{
    signal_seen = number;
    stop_flag = true;
}

static void signals_install(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

/* ---- time and progress ---- */

static lab_time between(struct timespec a, struct timespec b)
{
    return (lab_time)(b.tv_sec - a.tv_sec) * SEC + (b.tv_nsec - a.tv_nsec);
}

static lab_time wall_clock(void *arg)
{
    const struct child *child = arg;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return between(child->began, now);
}

/* For labs without a world that waits for packets of its own; a signal wakes it. */
static void wall_sleep(void *arg, lab_time until)
{
    const struct child *child = arg;
    lab_time rest = until - wall_clock(arg);
    if (rest <= 0)
        return;
    if (rest > SEC)
        rest = SEC; /* the engine asks again, and looks at the stop flag */
    if (child->c->serve) {
        cli_serve_wait(child->c->serve, rest);
        return;
    }
    struct timespec t = {(time_t)(rest / SEC), (long)(rest % SEC)};
    nanosleep(&t, NULL);
}

/* On a terminal a line that is written over, some times a second; elsewhere a plain line every ten seconds. */
static void progress(struct child *child, struct span line)
{
    struct timespec now;
    struct span text;
    if (++child->lines % 64 != 0 && !record_is(line, "ev", "step"))
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (between(child->told, now) < (child->terminal ? 100 * MS : 10 * SEC))
        return;
    child->told = now;
    const struct verdict *v = &child->verdict;
    text = span_of(v->n && v->items[v->n - 1].text ? v->items[v->n - 1].text : "");
    if (text.n > 60)
        text.n = 60;
    fprintf(stderr, "%s%s: lab time %lld s, %.*s%s", child->terminal ? "\r\033[K" : "", child->c->lab->name,
            (long long)(v->now / SEC), SPAN_ARG(text), child->terminal ? "" : "\n");
}

static void observe(void *arg, struct span line)
{
    struct child *child = arg;
    script_line(child->script, line);
    verdict_line(&child->verdict, line);
    if (child->c->progress)
        progress(child, line);
}

static bool attend(void *arg)
{
    const struct child *child = arg;
    return cli_serve_attend(child->c->serve);
}

/* ---- files ---- */

static FILE *file_create(const struct child *child, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", child->c->folder, name);
    return fopen(path, "wbe");
}

static int fail(struct child *child, int status, const char *what, const char *why)
{
    text_str(child->error, what);
    if (why && *why) {
        text_str(child->error, ": ");
        text_str(child->error, why);
    }
    return status;
}

static int files_open(struct child *child)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/logs", child->c->folder);
    child->trace = file_create(child, "trace.jsonl");
    if (child->c->capture)
        child->capture = file_create(child, "capture.pcapng");
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        child->logs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *folder = realpath(child->c->folder, NULL);
    snprintf(child->work, sizeof child->work, "%s/work", folder ? folder : child->c->folder);
    free(folder);
    if (child->trace && (child->capture || !child->c->capture) && child->logs >= 0)
        return CLI_HELD;
    return fail(child, CLI_FAILED, child->c->folder, strerror(errno));
}

/* fclose with its errors: a full disk must not pass for a run. */
static bool file_close(FILE **f)
{
    bool ok = !*f || (fflush(*f) == 0 && !ferror(*f));
    if (*f && fclose(*f) != 0)
        ok = false;
    *f = NULL;
    return ok;
}

/* ---- the run ---- */

static int world_open(struct child *child, const struct world_ops *world, bool *mine)
{
    char buf[400];
    struct text why = text_on(buf, sizeof buf);
    const struct lab *lab = child->c->lab;
    bool any = false;
    for (size_t i = 0; i < lab->plan.nodes_n; i++) {
        bool simulated = child->c->args->world == &sim_world || (i < lab->nodes_n && lab->nodes[i].sim);
        mine[i] = simulated == (world == &sim_world);
        any = any || mine[i];
    }
    if (!any)
        return CLI_HELD;
    int error = engine_open(child->engine, world, mine, &why);
    if (!error)
        return CLI_HELD;
    if (world == &sim_world)
        return fail(child, CLI_FAILED, buf, *buf ? NULL : fe_error_text(error));
    fail(child, CLI_MACHINE, *buf ? buf : fe_error_text(error), NULL);
    text_str(child->error, "; `farend doctor` says more, and --world sim runs everywhere");
    return CLI_MACHINE;
}

static int worlds_open(struct child *child)
{
    struct netns_config config = NETNS_CONFIG;
    bool *mine = calloc(child->c->lab->plan.nodes_n + 1, sizeof *mine);
    config.logs = child->logs;
    config.work = child->work;
    config.pinned = !child->c->real;
    config.guests = child->c->serve != NULL;
    if (child->c->serve)
        config.wake = cli_serve_descriptor(child->c->serve);
    netns_configure(&config);
    if (!mine)
        return fail(child, CLI_FAILED, "out of memory", NULL);
    int status = world_open(child, &sim_world, mine);
    if (status == CLI_HELD)
        status = world_open(child, &netns_world, mine);
    free(mine);
    return status;
}

static int engine_make(struct child *child)
{
    struct engine_config config = {
        .real = child->c->real,
        .clock = wall_clock,
        .sleep = wall_sleep,
        .trace = child->trace,
        .capture = child->capture,
        .observe = observe,
        .attend = child->c->serve ? attend : NULL,
        .arg = child,
        .stop_flag = &stop_flag,
    };
    if (script_new(&child->script, child->c->lab) || verdict_init(&child->verdict) ||
        engine_new(&child->engine, &child->c->lab->plan, &config))
        return fail(child, CLI_FAILED, "out of memory", NULL);
    return worlds_open(child);
}

static int engine_end(struct child *child)
{
    if (child->c->serve)
        cli_serve_begin(child->c->serve, child->engine, child->script, &child->verdict);
    else
        script_begin(child->script, child->engine);
    clock_gettime(CLOCK_MONOTONIC, &child->began); /* the real clock starts with the nodes, not with their building */
    switch (engine_run(child->engine)) {
    case ENGINE_STOPPED: break;
    case ENGINE_IDLE: return fail(child, CLI_FAILED, "nothing can happen any more, but the steps are not done", NULL);
    case ENGINE_INTERRUPTED: return fail(child, CLI_FAILED, "interrupted", NULL);
    case ENGINE_FAILED: return fail(child, CLI_FAILED, engine_failure(child->engine), NULL);
    }
    if (!engine_conserved(child->engine))
        return fail(child, CLI_FAILED, "packets were not conserved: sent is not delivered, in flight and dropped",
                    NULL);
    return script_failures(child->script) ? CLI_NOT_HELD : CLI_HELD;
}

static int verdict_save(struct child *child, int status)
{
    const struct lab *lab = child->c->lab;
    struct verdict_run run = {lab->name, lab->source.name, child->c->args->world->name, lab->seed, NULL, lab};
    run.error = child->error->n ? child->error->p : NULL;
    FILE *out = file_create(child, "verdict.json");
    int error = out ? verdict_json(&child->verdict, &run, out) : FE_EOS;
    if ((!file_close(&out) || error) && status <= CLI_NOT_HELD)
        return fail(child, CLI_FAILED, "verdict.json cannot be written", strerror(errno));
    return status;
}

/* The lab cannot run here, and why: said in the verdict, which is not a pass. */
static int programs_check(struct child *child)
{
    return cli_programs_check(child->c->lab, child->c->args->world, child->error);
}

/* The picture of what the other files say; without it they are still the run. */
static int report_save(struct child *child, int status)
{
    char buf[5000];
    struct text why = text_on(buf, sizeof buf);
    if (!child->c->report || !report_write(child->c->folder, &why) || status > CLI_NOT_HELD)
        return status;
    return fail(child, CLI_FAILED, buf, NULL);
}

static int run(struct child *child)
{
    int status = files_open(child);
    if (status == CLI_HELD)
        status = programs_check(child);
    if (status == CLI_HELD)
        status = engine_make(child);
    if (status == CLI_HELD)
        status = engine_end(child);
    if (child->terminal && child->c->progress)
        fputs("\r\033[K", stderr);
    if (child->c->serve)
        cli_serve_judged(child->c->serve);
    if (child->engine)
        engine_free(child->engine);
    bool written = file_close(&child->trace);
    written = file_close(&child->capture) && written;
    if (!written && status <= CLI_NOT_HELD)
        status = fail(child, CLI_FAILED, "the trace or the capture cannot be written", strerror(errno));
    if (child->verdict.recent)
        status = report_save(child, verdict_save(child, status));
    return status;
}

int cli_child_run(const struct cli_child *c, struct text *error, bool *signalled)
{
    struct child child = {.c = c, .error = error, .logs = -1, .terminal = isatty(STDERR_FILENO) == 1};
    signals_install();
    clock_gettime(CLOCK_MONOTONIC, &child.began);
    child.told = child.began;
    int status = run(&child);
    script_free(child.script);
    verdict_fini(&child.verdict);
    if (child.logs >= 0)
        close(child.logs);
    *signalled = signal_seen != 0;
    return status;
}
