/* `farend run`: every run is a child process; the parent hands them out, compares repeated traces, and prints each
 * verdict, which it reads from the trace the child left. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_folder.h"
#include "sim/cli/cli_process.h"
#include "sim/engine/world.h"
#include "sim/lab/lab_program.h"
#include "sim/report/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR = 600 };

/* One lab with all its repetitions. */
struct job {
    struct lab *lab;
    char folder[CLI_PATH];      /* of the first run, which stays */
    uint32_t runs;              /* finished */
    struct cli_process process; /* the run under way */
    int status;                 /* enum cli_status of the runs so far */
    char error[ERROR];
    bool over;
};

struct runner {
    const struct cli_args *args;
    struct job *jobs;
    size_t n;
    FILE *junit;
};

/* ---- folders ---- */

/* Repetitions write beside the first run's files; what is left of one that was the same is removed. */
static void folder_again(const struct job *job, char out[CLI_PATH])
{
    snprintf(out, CLI_PATH, "%.*s/again", CLI_PATH - 16, job->folder);
}

/* ---- children ---- */

/* On the real clock no two runs are the same; repeating one then only says how often it holds. */
static bool is_real(const struct runner *r, const struct job *job)
{
    return r->args->real || lab_needs_real_clock(job->lab);
}

static void job_failed(struct job *job, int status, const char *why)
{
    job->status = status;
    job->over = true;
    snprintf(job->error, sizeof job->error, "%s", why);
}

static void job_start(struct runner *r, struct job *job)
{
    char folder[CLI_PATH];
    struct cli_child c = {.args = r->args,
                          .lab = job->lab,
                          .folder = folder,
                          .capture = job->runs == 0,
                          .report = job->runs == 0,
                          .real = is_real(r, job),
                          .progress = cli_jobs(r->args, 1) == 1};
    if (job->runs == 0)
        snprintf(folder, sizeof folder, "%s", job->folder);
    else
        folder_again(job, folder);
    if (cli_folder_make(folder) || cli_process_start(&job->process, &c))
        job_failed(job, CLI_FAILED, strerror(errno));
}

/* ---- verdicts ---- */

static int verdict_load(const char *folder, struct verdict *v)
{
    char path[CLI_PATH + 32];
    snprintf(path, sizeof path, "%s/trace.jsonl", folder);
    FILE *trace = fopen(path, "rb");
    if (verdict_init(v))
        return FE_EMEM;
    int error = trace ? verdict_read(v, trace) : FE_EOS;
    if (trace)
        fclose(trace);
    return error;
}

static void json_write(const struct runner *r, const struct verdict *v, const struct verdict_run *run)
{
    FILE *out = fopen(r->args->json, "wbe");
    if (!out || verdict_json(v, run, out) || fclose(out) != 0)
        fprintf(stderr, "farend: %s: %s\n", r->args->json, strerror(errno));
}

static void job_report(struct runner *r, struct job *job)
{
    struct verdict v;
    struct verdict_run run = {job->lab->name, job->lab->source.name, r->args->world->name, job->lab->seed, NULL,
                              job->lab};
    run.error = *job->error ? job->error : NULL;
    verdict_load(job->folder, &v); /* a trace that is not there is an empty one: run.error says why */
    verdict_print(&v, &run, isatty(STDOUT_FILENO) == 1, stdout);
    if (job->runs > 1 && job->status <= CLI_NOT_HELD)
        printf("%s: %u runs, %s\n", job->lab->name, job->runs,
               is_real(r, job)              ? "on the real clock: traces are not compared"
               : job->lab->promises_verdict ? "the same verdict each time"
                                            : "the same trace each time");
    printf("%s: %s\n", job->lab->name, job->folder);
    if (r->junit)
        verdict_junit(&v, &run, r->junit);
    if (r->args->json)
        json_write(r, &v, &run);
    verdict_fini(&v);
}

/* ---- the end of a run ---- */

/* As cli_diff_traces, for labs that promise no more than the verdict. */
static int diff_verdicts(const struct job *job, const char *again)
{
    struct verdict first;
    struct verdict other;
    int error = verdict_load(job->folder, &first);
    int error_again = verdict_load(again, &other);
    const struct verdict_item *parting = error || error_again ? NULL : verdict_parting(&first, &other);
    if (parting)
        printf("%s: the verdicts part at line %u: %s\n", job->lab->name, parting->line, parting->text);
    verdict_fini(&first);
    verdict_fini(&other);
    return error || error_again ? FE_EOS : parting != NULL;
}

static void compare(struct job *job)
{
    char again[CLI_PATH];
    folder_again(job, again);
    int differs = job->lab->promises_verdict ? diff_verdicts(job, again) : cli_diff_traces(job->folder, again, stdout);
    if (differs == 0) {
        cli_folder_remove(again);
        return;
    }
    job->over = true;
    job->status = differs < 0 ? CLI_FAILED : CLI_NOT_HELD;
    snprintf(job->error, sizeof job->error, "run %u %s", job->runs,
             differs < 0                  ? "left no trace"
             : job->lab->promises_verdict ? "gave another verdict than the first; it is kept in the folder again/"
                                          : "gave another trace than the first; it is kept in the folder again/");
}

static void job_ended(struct runner *r, struct job *job, int wait_status)
{
    int status = cli_process_ended(&job->process, wait_status, job->error, sizeof job->error);
    job->runs++;
    if (status > job->status)
        job->status = status;
    if (status > CLI_NOT_HELD || (status && is_real(r, job)))
        job->over = true;
    else if (job->runs > 1 && !is_real(r, job))
        compare(job);
    if (job->runs >= r->args->repeat || cli_signal_seen())
        job->over = true;
}

static struct job *job_of(struct runner *r, pid_t pid)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->jobs[i].process.pid == pid)
            return &r->jobs[i];
    return NULL;
}

static size_t running(const struct runner *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->jobs[i].process.pid > 0;
    return n;
}

/* Starts what may be started: labs in their order, one run of each at a time. */
static void start_some(struct runner *r)
{
    for (size_t i = 0; i < r->n && running(r) < cli_jobs(r->args, 1) && !cli_signal_seen(); i++)
        if (!r->jobs[i].over && r->jobs[i].process.pid == 0)
            job_start(r, &r->jobs[i]);
}

static void run_all(struct runner *r)
{
    size_t reported = 0;
    for (;;) {
        start_some(r);
        for (; reported < r->n && r->jobs[reported].over; reported++)
            job_report(r, &r->jobs[reported]);
        if (running(r) == 0)
            return;
        int wait_status;
        pid_t pid = waitpid(-1, &wait_status, 0);
        if (pid < 0 && errno == EINTR) {
            for (size_t i = 0; i < r->n; i++)
                cli_process_interrupt(&r->jobs[i].process);
            continue;
        }
        struct job *job = pid > 0 ? job_of(r, pid) : NULL;
        if (job)
            job_ended(r, job, wait_status);
    }
}

/* ---- before and after ---- */

/* runs/<lab>-<world>; with --out and one lab that folder itself. */
static bool folder_name(const struct runner *r, struct job *job)
{
    const char *base = r->args->out ? r->args->out : "runs";
    int n = r->args->out && r->n == 1
                ? snprintf(job->folder, sizeof job->folder, "%s", base)
                : snprintf(job->folder, sizeof job->folder, "%s/%s-%s", base, job->lab->name, r->args->world->name);
    return n > 0 && n < CLI_PATH - 64;
}

static bool folders_differ(const struct runner *r)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->jobs[i].folder, r->jobs[j].folder) == 0) {
                fprintf(stderr, "farend: two labs are named \"%s\"\n", r->jobs[i].lab->name);
                return false;
            }
    return true;
}

/* Every lab is checked before the first one runs. */
static bool jobs_prepare(struct runner *r)
{
    bool ok = true;
    r->n = r->args->names_n;
    for (size_t i = 0; i < r->n; i++) {
        r->jobs[i].lab = cli_lab_load(r->args, r->args->names[i]);
        ok = r->jobs[i].lab && folder_name(r, &r->jobs[i]) && ok;
    }
    return ok && folders_differ(r);
}

static bool junit_open(struct runner *r)
{
    if (!r->args->junit)
        return true;
    r->junit = fopen(r->args->junit, "wbe");
    if (!r->junit)
        fprintf(stderr, "farend: %s: %s\n", r->args->junit, strerror(errno));
    else
        verdict_junit_begin(r->junit);
    return r->junit != NULL;
}

static int junit_close(struct runner *r, int status)
{
    if (!r->junit)
        return status;
    verdict_junit_end(r->junit);
    if (fclose(r->junit) == 0)
        return status;
    fprintf(stderr, "farend: %s: %s\n", r->args->junit, strerror(errno));
    return status > CLI_NOT_HELD ? status : CLI_FAILED;
}

/* How many labs ended so; with `what` said of them, and their names. */
static size_t count_ended(const struct runner *r, int status, const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->jobs[i].over || r->jobs[i].status != status)
            continue;
        if (what)
            printf("%s%s", n ? ", " : what, r->jobs[i].lab->name);
        n++;
    }
    if (what && n)
        putchar('\n');
    return n;
}

/* Of several labs the last word. */
static void summarise(const struct runner *r)
{
    size_t held = count_ended(r, CLI_HELD, NULL);
    size_t over = 0;
    for (size_t i = 0; i < r->n; i++)
        over += r->jobs[i].over;
    printf("\n%zu labs: %s%zu held\n", r->n, held == r->n ? "all " : "", held);
    count_ended(r, CLI_NOT_HELD, "did not hold: ");
    count_ended(r, CLI_MACHINE, "skipped, as this machine cannot run them: ");
    count_ended(r, CLI_FAILED, "failed: ");
    if (over < r->n)
        printf("not run: %zu\n", r->n - over);
}

static int run_prepared(struct runner *r)
{
    int status = CLI_HELD;
    if (!junit_open(r))
        return CLI_WRONG;
    cli_signals_install();
    run_all(r);
    if (r->n > 1)
        summarise(r);
    for (size_t i = 0; i < r->n; i++)
        status = r->jobs[i].status > status ? r->jobs[i].status : status;
    status = junit_close(r, status);
    cli_signal_again();
    return status;
}

int cli_run(const struct cli_args *args)
{
    struct runner r = {.args = args, .jobs = calloc(args->names_n, sizeof(struct job))};
    int status = CLI_WRONG;
    if (!r.jobs)
        return CLI_FAILED;
    if (args->json && args->names_n > 1)
        fputs("farend: --json writes the verdict of a single lab; --junit takes several\n", stderr);
    else if (jobs_prepare(&r))
        status = run_prepared(&r);
    for (size_t i = 0; i < r.n; i++)
        lab_free(r.jobs[i].lab);
    free(r.jobs);
    return status;
}
