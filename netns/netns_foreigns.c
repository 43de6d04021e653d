/* Processes are kept in the order of their starting and looked at in this order. A node's own program has the run
 * number 0. */
#define _GNU_SOURCE
#include "netns/netns_foreigns.h"

#include "netns/netns_foreign.h"
#include "nodes/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, LOOK_AGAIN_MS = 5 };

enum readiness {
    READY_AWAITED, /* not yet */
    READY_NEWS,    /* it is, and the trace does not know */
    READY_NOT,     /* it is not, its time is over, and the trace does not know */
    READY_TOLD,
};

struct foreign {
    struct foreign *next;
    struct netns_foreigns *set;
    struct netns_foreign process;
    const struct plan_foreign *plan;
    unsigned node;
    unsigned run; /* number of the step's command; 0: the node's own program */
    enum readiness readiness;
    bool told; /* that it was started */
};

struct netns_foreigns {
    const struct netns_foreigns_config *config;
    const struct plan *plan;
    struct foreign *first, **last;
    int epoll;
    int *logs;   /* by node; -1 */
    bool traced; /* something, since netns_foreigns_work() began */
    char path[PATH_ROOM];
};

static int complain(struct text *why, const char *what)
{
    text_str(why, what);
    text_str(why, ": ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

/* ---- the set ---- */

void netns_foreigns_path(char *dst, size_t cap, const char *programs)
{
    const char *path = getenv("PATH");
    snprintf(dst, cap, "%s:%s:/usr/local/sbin:/usr/sbin:/sbin", programs, path ? path : "/usr/local/bin:/usr/bin:/bin");
}

int netns_foreigns_new(struct netns_foreigns **out, const struct netns_foreigns_config *config, struct text *why)
{
    const struct plan *plan = engine_plan(config->engine);
    struct netns_foreigns *set = calloc(1, sizeof *set);
    int *logs = calloc(plan->nodes_n + 1, sizeof *logs);
    int epoll = set && logs ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (epoll < 0) {
        free(set);
        free(logs);
        return complain(why, "programs");
    }
    for (size_t i = 0; i < plan->nodes_n; i++)
        logs[i] = -1;
    *set = (struct netns_foreigns){.config = config, .plan = plan, .epoll = epoll, .logs = logs};
    set->last = &set->first;
    netns_foreigns_path(set->path, sizeof set->path, config->programs);
    *out = set;
    return 0;
}

static void foreign_free(struct foreign *f)
{
    netns_foreign_kill(&f->process);
    free(f);
}

void netns_foreigns_free(struct netns_foreigns *set)
{
    if (!set)
        return;
    for (struct foreign *f = set->first, *next; f; f = next) {
        next = f->next;
        foreign_free(f);
    }
    for (size_t i = 0; i < set->plan->nodes_n; i++)
        if (set->logs[i] >= 0)
            close(set->logs[i]);
    close(set->epoll);
    free(set->logs);
    free(set);
}

int netns_foreigns_epoll(const struct netns_foreigns *set)
{
    return set->epoll;
}

/* ---- folders and files ---- */

static void folder_name(const struct netns_foreigns *set, unsigned node, char out[PATH_ROOM])
{
    snprintf(out, PATH_ROOM, "%s/%s", set->config->work, set->plan->nodes[node].name);
}

static bool file_write(const char *folder, const struct foreign_text *file)
{
    char path[PATH_ROOM + 256];
    snprintf(path, sizeof path, "%s/%s", folder, file->name);
    char *text = netns_foreign_text(file->text, folder);
    FILE *out = text ? fopen(path, "we") : NULL;
    bool ok = out && fputs(text, out) >= 0;
    if (out && fclose(out) != 0)
        ok = false;
    free(text);
    return ok;
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

/* What an earlier run left there, a file with its process's number for one, would mislead the program. */
static bool folder_fresh(const char *folder)
{
    return (nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) && mkdir(folder, 0777) == 0;
}

static int furnish(struct netns_foreigns *set, unsigned node, struct text *why)
{
    char folder[PATH_ROOM];
    char log[80];
    const struct plan_foreign *plan = set->plan->nodes[node].foreign;
    folder_name(set, node, folder);
    if ((mkdir(set->config->work, 0777) && errno != EEXIST) || !folder_fresh(folder))
        return complain(why, folder);
    for (size_t i = 0; i < plan->files_n; i++)
        if (!file_write(folder, &plan->files[i]))
            return complain(why, plan->files[i].name);
    snprintf(log, sizeof log, "%s.log", set->plan->nodes[node].name);
    if (set->config->logs >= 0)
        set->logs[node] = openat(set->config->logs, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    return 0;
}

/* ---- starting ---- */

static bool watch(const struct netns_foreigns *set, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int begin(struct netns_foreigns *set, unsigned node, unsigned run, const struct foreign_command *command,
                 struct text *why)
{
    char folder[PATH_ROOM];
    const struct plan_foreign *plan = set->plan->nodes[node].foreign;
    const struct netns_foreign_how how = {command, plan->environment, plan->environment_n, folder, set->path};
    struct foreign *f = calloc(1, sizeof *f);
    if (!f)
        return complain(why, set->plan->nodes[node].name);
    *f = (struct foreign){.set = set, .plan = plan, .node = node, .run = run, .process = NETNS_FOREIGN_NONE};
    if (run || plan->ready == FOREIGN_READY_STARTED)
        f->readiness = run ? READY_TOLD : READY_NEWS;
    folder_name(set, node, folder);
    int error = netns_foreign_start(&f->process, &how, why);
    if (!error && (!watch(set, f->process.process) || !watch(set, f->process.output)))
        error = complain(why, "epoll");
    if (error) {
        foreign_free(f);
        return error;
    }
    *set->last = f;
    set->last = &f->next;
    return 0;
}

int netns_foreigns_start(struct netns_foreigns *set, unsigned node, struct text *why)
{
    const struct plan_foreign *plan = set->plan->nodes[node].foreign;
    int error = furnish(set, node, why);
    if (!error && plan->command.words)
        error = begin(set, node, 0, &plan->command, why);
    return error;
}

/* ---- readiness by port ---- */

static bool waits_for_port(const struct foreign *f, lab_time waited)
{
    int status;
    return f->readiness == READY_AWAITED && f->plan->ready == FOREIGN_READY_PORT && waited < f->plan->within &&
           !netns_foreign_ended(&f->process, &status);
}

void netns_foreigns_await(struct netns_foreigns *set)
{
    const struct timespec nap = {.tv_nsec = LOOK_AGAIN_MS * MS};
    lab_time waited = 0;
    for (struct foreign *f = set->first; f; f = f->next) {
        while (waits_for_port(f, waited) && !netns_foreign_listens(&f->process, f->plan->port)) {
            nanosleep(&nap, NULL);
            waited += LOOK_AGAIN_MS * MS;
        }
        if (f->readiness == READY_AWAITED && f->plan->ready == FOREIGN_READY_PORT)
            f->readiness = netns_foreign_listens(&f->process, f->plan->port) ? READY_NEWS : READY_NOT;
    }
}

/* ---- trace ---- */

static struct record *trace(const struct foreign *f, const char *event)
{
    struct record *r = engine_trace_node(f->set->config->engine, f->node, event);
    f->set->traced = true;
    if (f->run)
        record_u64(r, "run", f->run);
    return r;
}

static void trace_state(const struct foreign *f, const char *state)
{
    record_str(trace(f, f->run ? "run" : "program"), "state", state);
    engine_trace_end(f->set->config->engine);
}

static void trace_not_ready(const struct foreign *f)
{
    char buf[96];
    struct text why = text_on(buf, sizeof buf);
    struct record *r = trace(f, "program");
    text_str(&why, "nobody listens on port ");
    text_u64(&why, f->plan->port);
    record_str(r, "state", "unready");
    record_text(r, "reason", text_span(&why));
    engine_trace_end(f->set->config->engine);
}

static void news(struct foreign *f)
{
    if (!f->told)
        trace_state(f, "started");
    f->told = true;
    if (f->readiness == READY_NEWS)
        trace_state(f, "ready");
    if (f->readiness == READY_NOT)
        trace_not_ready(f);
    if (f->readiness != READY_AWAITED)
        f->readiness = READY_TOLD;
}

static void output(void *arg, struct span text)
{
    struct foreign *f = arg;
    if (text.n && text.p[text.n - 1] == '\r')
        text.n--;
    record_text(trace(f, "output"), "text", text);
    engine_trace_end(f->set->config->engine);
    if (f->readiness == READY_AWAITED && f->plan->ready == FOREIGN_READY_LINE &&
        memmem(text.p, text.n, f->plan->line, strlen(f->plan->line))) {
        f->readiness = READY_NEWS;
        news(f);
    }
}

static void ended(struct foreign *f, int status)
{
    struct record *r = trace(f, f->run ? "run" : "program");
    record_str(r, "state", "ended");
    record_i64(r, "status", status);
    engine_trace_end(f->set->config->engine);
    netns_foreign_kill(&f->process);
}

/* Its end is looked for first: then its output is complete. */
static void look(struct foreign *f)
{
    int status;
    if (f->process.pid == 0)
        return;
    news(f);
    bool over = netns_foreign_ended(&f->process, &status);
    netns_foreign_read(&f->process, f->set->logs[f->node], over, output, f);
    if (over)
        ended(f, status);
}

bool netns_foreigns_work(struct netns_foreigns *set)
{
    set->traced = false;
    for (struct foreign *f = set->first; f; f = f->next)
        look(f);
    return set->traced;
}

/* ---- from steps ---- */

void netns_foreigns_run(struct netns_foreigns *set, unsigned node, const struct foreign_run *run)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    if (begin(set, node, run->number, run->command, &why) == 0)
        return;
    struct record *r = engine_trace_node(set->config->engine, node, "run");
    record_u64(r, "run", run->number);
    record_str(r, "state", "failed");
    record_text(r, "reason", text_span(&why));
    engine_trace_end(set->config->engine);
}

void netns_foreigns_halt(struct netns_foreigns *set, unsigned node)
{
    for (struct foreign *f = set->first; f; f = f->next)
        if (f->node == node && f->run == 0)
            netns_foreign_signal(&f->process, (enum foreign_signal)f->plan->stop_signal);
}
