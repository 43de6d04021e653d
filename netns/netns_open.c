/* The world of kernel hosts: building it, and taking it down. */
#define _GNU_SOURCE
#include "netns/netns_impl.h"
#include "netns/netns_space.h"
#include "nodes/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

struct netns_config netns_chosen = NETNS_DEFAULTS;

void netns_configure(const struct netns_config *chosen)
{
    netns_chosen = *chosen;
}

int netns_node_space(const struct world *w, unsigned node)
{
    return w->nodes[node].space;
}

/* ---- opening ---- */

static int complain(struct text *why, const char *what)
{
    text_str(why, what);
    text_str(why, ": ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

static void find_programs(struct world *w)
{
    w->launch = (struct netns_programs){.folder = w->folder, .logs = netns_chosen.logs, .seed = w->plan->seed};
    if (netns_chosen.programs)
        snprintf(w->folder, sizeof w->folder, "%s", netns_chosen.programs);
    else
        netns_programs_folder(w->folder, sizeof w->folder);
}

/* The CPU where this process happens to be: labs that start together then spread as the kernel spread them. */
static void pin(struct world *w)
{
    cpu_set_t one;
    unsigned cpu;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof w->cpus, &w->cpus) || getcpu(&cpu, NULL))
        return;
    CPU_SET(cpu, &one);
    w->pinned = sched_setaffinity(0, sizeof one, &one) == 0;
}

/* A node needs about five descriptors; the usual soft limit is 1024. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool netns_watch(struct world *w, int fd, unsigned node, enum watch what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)node * WATCHES + what};
    return epoll_ctl(w->master, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* The set of other people's programs is made when the first of them is met. This thread is in the node's namespace. */
static int start_foreign(struct world *w, unsigned node, struct text *why)
{
    if (!netns_chosen.work) {
        text_str(why, "no folder was given to run programs in");
        return FE_EOS;
    }
    if (!w->foreigns) {
        w->foreigns_config = (struct netns_foreigns_config){w->engine, netns_chosen.work, netns_chosen.logs, w->folder};
        int error = netns_foreigns_new(&w->foreigns, &w->foreigns_config, why);
        if (!error && !netns_watch(w, netns_foreigns_epoll(w->foreigns), node, WATCH_FOREIGN))
            error = complain(why, "epoll");
        if (error)
            return error;
    }
    return netns_foreigns_start(w->foreigns, node, why);
}

/* This thread is in the node's namespace. */
int netns_start_program(struct world *w, unsigned node, struct text *why)
{
    struct netns_program *p = &w->programs[node];
    int error = netns_program_start(p, &w->plan->nodes[node], &w->launch, why);
    if (!error && (!netns_watch(w, p->input, node, WATCH_INPUT) || !netns_watch(w, p->process, node, WATCH_LIFE)))
        error = complain(why, "epoll");
    return error;
}

/* Whether packets may come out of the node that no account foresees. The kernel of a router, or of a node that owns its
 * interfaces, does nothing but in answer to a packet or for its program, and with TUN devices it has done it when the
 * write returns. To watch it all the same would cost every packet a wake-up of this epoll. */
static bool may_surprise(const struct world *w, const struct plan_node *node)
{
    return w->site.wires || w->guests || !(node->role == PLAN_ROUTER || netns_owns_interfaces(node));
}

static int add_node(struct world *w, unsigned node, struct text *why)
{
    const struct plan_node *n = &w->plan->nodes[node];
    int error = netns_build(&w->nodes[node], n, &w->site, why);
    for (size_t i = 0; !error && i < n->ports_n && may_surprise(w, n); i++)
        if (!netns_watch(w, w->nodes[node].ends[i].fd, node, WATCH_END))
            error = complain(why, "epoll");
    if (!error && n->role == PLAN_PROGRAM)
        error = netns_start_program(w, node, why);
    if (!error && n->role == PLAN_FOREIGN)
        error = start_foreign(w, node, why);
    return error;
}

static int await_interfaces(struct world *w, const bool *mine, struct text *why)
{
    for (unsigned i = 0; i < w->plan->nodes_n; i++) {
        if (!mine[i])
            continue;
        if (!netns_space_enter(w->nodes[i].space))
            return complain(why, "namespace");
        int error = netns_build_await(&w->plan->nodes[i], why);
        if (error)
            return error;
    }
    return netns_wires_await(&w->wires, w->home, why);
}

static int add_all(struct world *w, const bool *mine, struct text *why)
{
    int error = netns_sysctl_open(&w->site.sysctl, why);
    if (!error && w->site.wires)
        error = netns_wires_open(&w->wires, w->home, why);
    for (unsigned i = 0; !error && i < w->plan->nodes_n; i++)
        if (mine[i])
            error = add_node(w, i, why);
    if (!error && w->site.wires)
        error = await_interfaces(w, mine, why);
    if (!netns_space_enter(w->home) && !error)
        error = complain(why, "the way back from the namespaces");
    if (!error && w->foreigns)
        netns_foreigns_await(w->foreigns);
    return error;
}

static struct world *world_new(struct engine *e, const struct plan *plan)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->engine = e;
    w->plan = plan;
    w->master = w->home = w->wires.space = -1;
    w->doubtful = true; /* until the first look */
    w->guests = netns_chosen.guests;
    w->site.sysctl.folder = -1;
    w->wires = NETNS_WIRES_NONE;
    w->nodes = calloc(plan->nodes_n + 1, sizeof *w->nodes);
    w->programs = calloc(plan->nodes_n + 1, sizeof *w->programs);
    w->accounts = calloc(plan->nodes_n + 1, sizeof *w->accounts);
    w->tcps = calloc(plan->nodes_n + 1, sizeof(struct netns_tcp *));
    for (size_t i = 0; w->nodes && w->programs && i < plan->nodes_n; i++) {
        w->nodes[i].space = -1;
        w->programs[i] = (struct netns_program){.node = &plan->nodes[i], .process = -1, .input = -1};
    }
    return w;
}

/* Programs first: they hold their namespaces. */
void netns_close(struct world *w)
{
    netns_foreigns_free(w->foreigns);
    for (size_t i = 0; w->programs && i < w->plan->nodes_n; i++)
        netns_program_signal(&w->programs[i]);
    for (size_t i = 0; w->programs && i < w->plan->nodes_n; i++)
        netns_program_kill(&w->programs[i]);
    for (size_t i = 0; w->nodes && i < w->plan->nodes_n; i++)
        netns_build_unplug(&w->nodes[i], &w->plan->nodes[i]);
    for (size_t i = 0; w->nodes && i < w->plan->nodes_n; i++)
        netns_build_undo(&w->nodes[i], &w->plan->nodes[i]);
    netns_wires_close(&w->wires);
    netns_sysctl_close(&w->site.sysctl);
    if (w->master >= 0)
        close(w->master);
    if (w->home >= 0)
        close(w->home);
    if (w->pinned)
        sched_setaffinity(0, sizeof w->cpus, &w->cpus);
    free(w->nodes);
    for (size_t i = 0; w->tcps && i < w->plan->nodes_n; i++)
        netns_tcp_free(w->tcps[i]);
    free(w->programs);
    free(w->accounts);
    free(w->tcps);
    free(w);
}

static int world_build(struct world *w, const bool *mine, struct text *why)
{
    int error = netns_space_permit(netns_chosen.user_namespace, why);
    if (error)
        return error;
    w->home = netns_space_here();
    w->master = epoll_create1(EPOLL_CLOEXEC);
    if (w->home < 0 || w->master < 0 || (netns_chosen.wake >= 0 && !netns_watch(w, netns_chosen.wake, 0, WATCH_WAKE)))
        return complain(why, "descriptors");
    if (netns_chosen.veth || !netns_end_tun_possible())
        w->site.wires = &w->wires;
    if (netns_chosen.pinned)
        pin(w);
    allow_descriptors();
    find_programs(w);
    return add_all(w, mine, why);
}

int netns_open(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why)
{
    struct world *w = world_new(e, plan);
    int error = w && w->nodes && w->programs && w->accounts && w->tcps ? world_build(w, mine, why) : FE_EMEM;
    if (error && w)
        netns_close(w);
    if (!error)
        *out = w;
    return error;
}
