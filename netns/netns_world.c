/* The world of kernel hosts: builds the namespaces, carries packets between the engine and the wires' ends, grants
 * turns.
 *
 * One epoll descriptor watches everything that could become readable: the wires' ends, what the programs wait for, and
 * the programs' lives. When nothing of it is readable and the queue holds nothing for now, nothing is left to do: a
 * fact, not a guess, because a packet given to a TUN device has arrived when the write returns (see netns_end.h for
 * veth). For the same reason the descriptor need not be asked as long as every packet is accounted for. */
#define _GNU_SOURCE
#include "netns/netns.h"
#include "netns/netns_build.h"
#include "netns/netns_foreigns.h"
#include "netns/netns_program.h"
#include "netns/netns_space.h"
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "sim/engine/engine.h"
#include "sim/engine/world.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    LOOK_EVERY = 64, /* moves of the clock: so soon a program that dies between its turns is missed */
};

/* What an event of the master epoll is about: the node's number, and which of its descriptors. */
enum watch { WATCH_END, WATCH_INPUT, WATCH_LIFE, WATCH_FOREIGN, WATCHES };

/* What may be found at a node. A system call that finds nothing costs as much as one that does, so the world keeps
 * account of what there can be: a small packet given to a kernel brings about one other at most, and a program says how
 * many it sent. A program's kernel gives a datagram to a socket or refuses it with an ICMP error, never both: the
 * turn says which. What the account misses is found by the master epoll before the clock moves; only then does it say
 * EXPECT_ANY. */
struct account {
    unsigned expected; /* packets waiting in the ports; 0: none, no need to look */
    unsigned cursor;   /* ports below have been emptied in this round */
    unsigned came_by;  /* port of the latest packet in: its answer leaves by another, as a rule */
    bool input;        /* the program may have some */
    uint64_t arrival;  /* where it is, see turn.h; 0: anywhere, or nowhere */
    bool frozen;       /* no turn will say what became of a packet */
};

#define EXPECT_ANY UINT_MAX

struct world {
    struct engine *engine;
    const struct plan *plan;
    struct netns_node *nodes;       /* as in the plan; those of other worlds have no namespace */
    struct netns_program *programs; /* as in the plan; routers and those of other worlds have none */
    struct account *accounts;       /* as in the plan */
    int master;                     /* epoll */
    int home;                       /* the namespace that this thread came from */
    bool doubtful;                  /* something is in no account: look before the clock moves */
    bool streams;                   /* a program's kernel speaks TCP, which has timers of its own: always doubtful */
    unsigned not_looked;            /* moves of the clock since the last look */
    bool unsettled;                 /* veth: packets may be on their way in the kernel */
    struct netns_wires wires;       /* veth */
    struct netns_site site;
    struct netns_programs launch;
    struct netns_foreigns *foreigns; /* NULL: the lab has none */
    struct netns_foreigns_config foreigns_config;
    bool pinned;
    cpu_set_t cpus;       /* where this process ran before it was pinned */
    char folder[4096];    /* of the programs */
    struct packet *found; /* by outgoing(), for pull() */
    uint8_t packet[NETNS_PACKET];
};

static struct netns_config config = NETNS_DEFAULTS;

void netns_configure(const struct netns_config *chosen)
{
    config = *chosen;
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
    w->launch = (struct netns_programs){.folder = w->folder, .logs = config.logs, .seed = w->plan->seed};
    if (config.programs)
        snprintf(w->folder, sizeof w->folder, "%s", config.programs);
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

static bool watch(struct world *w, int fd, unsigned node, enum watch what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)node * WATCHES + what};
    return epoll_ctl(w->master, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* The set of other people's programs is made when the first of them is met. This thread is in the node's namespace. */
static int start_foreign(struct world *w, unsigned node, struct text *why)
{
    if (!config.work) {
        text_str(why, "no folder was given to run programs in");
        return FE_EOS;
    }
    if (!w->foreigns) {
        w->foreigns_config = (struct netns_foreigns_config){w->engine, config.work, config.logs, w->folder};
        int error = netns_foreigns_new(&w->foreigns, &w->foreigns_config, why);
        if (!error && !watch(w, netns_foreigns_epoll(w->foreigns), node, WATCH_FOREIGN))
            error = complain(why, "epoll");
        if (error)
            return error;
    }
    return netns_foreigns_start(w->foreigns, node, why);
}

/* This thread is in the node's namespace. */
static int start_program(struct world *w, unsigned node, struct text *why)
{
    struct netns_program *p = &w->programs[node];
    int error = netns_program_start(p, &w->plan->nodes[node], &w->launch, why);
    if (!error && (!watch(w, p->input, node, WATCH_INPUT) || !watch(w, p->process, node, WATCH_LIFE)))
        error = complain(why, "epoll");
    return error;
}

static int add_node(struct world *w, unsigned node, struct text *why)
{
    const struct plan_node *n = &w->plan->nodes[node];
    int error = netns_build(&w->nodes[node], n, &w->site, why);
    for (size_t i = 0; !error && i < n->ports_n; i++)
        if (!watch(w, w->nodes[node].ends[i].fd, node, WATCH_END))
            error = complain(why, "epoll");
    if (!error && n->role == PLAN_PROGRAM)
        error = start_program(w, node, why);
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
    w->site.sysctl.folder = -1;
    w->wires = NETNS_WIRES_NONE;
    w->nodes = calloc(plan->nodes_n + 1, sizeof *w->nodes);
    w->programs = calloc(plan->nodes_n + 1, sizeof *w->programs);
    w->accounts = calloc(plan->nodes_n + 1, sizeof *w->accounts);
    for (size_t i = 0; w->nodes && w->programs && i < plan->nodes_n; i++) {
        w->nodes[i].space = -1;
        w->programs[i] = (struct netns_program){.node = &plan->nodes[i], .process = -1, .input = -1};
    }
    return w;
}

/* Programs first: they hold their namespaces. */
static void world_close(struct world *w)
{
    netns_foreigns_free(w->foreigns);
    for (size_t i = 0; w->programs && i < w->plan->nodes_n; i++)
        netns_program_signal(&w->programs[i]);
    for (size_t i = 0; w->programs && i < w->plan->nodes_n; i++)
        netns_program_kill(&w->programs[i]);
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
    free(w->programs);
    free(w->accounts);
    free(w);
}

static int world_build(struct world *w, const bool *mine, struct text *why)
{
    int error = netns_space_permit(config.user_namespace, why);
    if (error)
        return error;
    w->home = netns_space_here();
    w->master = epoll_create1(EPOLL_CLOEXEC);
    if (w->home < 0 || w->master < 0)
        return complain(why, "descriptors");
    if (config.veth || !netns_end_tun_possible())
        w->site.wires = &w->wires;
    if (config.pinned)
        pin(w);
    allow_descriptors();
    find_programs(w);
    return add_all(w, mine, why);
}

static int world_open(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why)
{
    struct world *w = world_new(e, plan);
    int error = w && w->nodes && w->programs && w->accounts ? world_build(w, mine, why) : FE_EMEM;
    if (error && w)
        world_close(w);
    if (!error)
        *out = w;
    return error;
}

/* ---- packets ---- */

static void fail(struct world *w, unsigned node, const char *what)
{
    char buf[TURN_WHY + 128];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, w->plan->nodes[node].name);
    text_str(&t, ": ");
    text_str(&t, what);
    engine_fail(w->engine, buf);
}

static bool is_fragment(const struct packet *p)
{
    return p->n > 7 && ((p->data[6] & 0x3f) | p->data[7]) != 0;
}

static bool owns_interfaces(const struct plan_node *node)
{
    return node->role == PLAN_PROGRAM && node->kind->raw && !node->forwards;
}

/* How many packets the node's kernel may send because of this one. */
static unsigned brings_about(const struct plan_node *node, const struct packet *p)
{
    if (owns_interfaces(node))
        return 0;
    for (size_t i = 0; i < node->ports_n; i++)
        if (is_fragment(p) || p->n > node->ports[i].mtu)
            return EXPECT_ANY; /* what is put together here may leave in pieces again */
    return 1;
}

static void expect(struct account *a, unsigned more)
{
    a->expected = more >= EXPECT_ANY - a->expected ? EXPECT_ANY : a->expected + more;
    a->cursor = 0;
}

/* Where the program will find this packet; 0: that is for its kernel to say. */
static uint64_t arrival_of(const struct plan_node *node, unsigned port, const struct packet *p)
{
    size_t header = p->n >= IP_HEADER && p->data[0] >> 4 == 4 ? (size_t)(p->data[0] & 15) * 4 : 0;
    if (header < IP_HEADER)
        return 0;
    if (owns_interfaces(node))
        return turn_arrival_port(port);
    if (node->forwards || is_fragment(p) || p->data[9] != IP_UDP || p->n < header + UDP_HEADER)
        return 0;
    return turn_arrival_udp((struct endpoint){get32(p->data + 16), get16(p->data + header + 2)});
}

static void watch_for_streams(struct world *w, const struct plan_node *node, const struct packet *p)
{
    if (node->role != PLAN_ROUTER && !owns_interfaces(node) && p->n >= IP_HEADER && p->data[9] == IP_TCP)
        w->streams = true;
}

/* What a push may bring about: input for the program and nothing else when that is sure, otherwise an answer too. */
static void account_for(struct world *w, unsigned node, unsigned port, const struct packet *p)
{
    const struct plan_node *plan = &w->plan->nodes[node];
    struct account *a = &w->accounts[node];
    const struct turn_page *page = w->programs[node].page;
    bool alone = page && !a->frozen && !w->site.wires && !a->input;
    /* The turn may find nothing, and then must do nothing: the error leaves before a timer of the same time fires. */
    if (alone && page->deadline <= engine_now(w->engine))
        alone = false;
    a->arrival = alone ? arrival_of(plan, port, p) : 0;
    if (!a->arrival)
        expect(a, brings_about(plan, p));
    if (!a->arrival && plan->role != PLAN_ROUTER)
        w->doubtful = true;
    a->came_by = port;
    a->input = true;
    watch_for_streams(w, plan, p);
}

static void world_push(struct world *w, unsigned node, unsigned port, struct packet *p)
{
    /* A kernel that forwards for its program is switched off with it. */
    if (w->plan->nodes[node].forwards && !w->programs[node].page) {
        packet_release(p);
        return;
    }
    /* EINVAL: not IPv4, which no stack would take either. */
    if (!netns_end_write(&w->nodes[node].ends[port], p->data, p->n) && errno != EINVAL)
        fail(w, node, strerror(errno));
    account_for(w, node, port, p);
    w->unsettled = true;
    packet_release(p);
}

static void settle(struct world *w)
{
    if (w->site.wires && w->unsettled && !netns_fence(&w->wires))
        engine_fail(w->engine, "the kernel passes no packets between veth pairs any more");
    w->unsettled = false;
}

/* The next packet that the node sent by this port, if any. */
static struct packet *take(struct world *w, unsigned node, unsigned port)
{
    struct account *a = &w->accounts[node];
    size_t n = netns_end_read(&w->nodes[node].ends[port], w->packet);
    if (n == 0)
        return NULL;
    if (a->expected != EXPECT_ANY && a->expected != 0)
        a->expected--;
    struct packet *p = packet_copy(engine_pool(w->engine), w->packet, n);
    if (!p)
        fail(w, node, "out of memory");
    else
        watch_for_streams(w, &w->plan->nodes[node], p);
    return p;
}

/* Several packets are taken port by port; the only one there can be is looked for where it probably is. */
static int world_outgoing(struct world *w, unsigned node)
{
    struct account *a = &w->accounts[node];
    unsigned ports = (unsigned)w->plan->nodes[node].ports_n;
    unsigned first = a->cursor;
    if (a->expected == 0)
        return -1;
    if (a->expected == 1 && a->cursor == 0)
        first = a->came_by + 1;
    settle(w);
    for (unsigned left = ports - a->cursor; left && !w->found; left--) {
        a->cursor = first++ % ports;
        w->found = take(w, node, a->cursor);
    }
    if (w->found)
        return (int)a->cursor;
    a->expected = 0;
    return -1;
}

static struct packet *world_pull(struct world *w, unsigned node, unsigned port)
{
    struct packet *p = w->found;
    w->found = NULL;
    if (p)
        return p;
    settle(w);
    return take(w, node, port);
}

/* ---- turns ---- */

static bool world_ready(struct world *w, unsigned node)
{
    const struct netns_program *p = &w->programs[node];
    struct account *a = &w->accounts[node];
    struct epoll_event event;
    if (!p->page || p->commands_n)
        return p->page != NULL;
    if (a->input && !a->arrival) {
        settle(w);
        a->input = epoll_wait(p->input, &event, 1, 0) > 0;
    }
    return a->input;
}

static void take_trace(struct world *w, unsigned node, struct turn_page *page)
{
    struct span rest = {page->trace, page->trace_n};
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        engine_trace_line(w->engine, node, line);
    }
    page->trace_n = 0;
}

static void program_died(struct world *w, unsigned node)
{
    char buf[128];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "its program ");
    netns_program_epitaph(&w->programs[node], &what);
    text_str(&what, "; its log may say why");
    fail(w, node, buf);
    netns_program_kill(&w->programs[node]);
}

/* After a turn: what the program sent, and the error with which its kernel may have refused the packet instead. */
static void account_for_turn(struct world *w, unsigned node, enum netns_turn_end end)
{
    const struct turn_page *page = w->programs[node].page;
    struct account *a = &w->accounts[node];
    if (end == NETNS_TURN_BACK && page->result == TURN_FLUSH)
        return;
    if (end != NETNS_TURN_BACK || page->result != TURN_DONE || page->sent == TURN_SENT_MANY) {
        expect(a, EXPECT_ANY);
        w->doubtful = true;
        return;
    }
    expect(a, page->sent);
    if (a->arrival && !page->received && !owns_interfaces(&w->plan->nodes[node]))
        expect(a, 1);
}

/* True when the program wants to go on in the same turn. */
static bool take_turn(struct world *w, unsigned node)
{
    struct netns_program *p = &w->programs[node];
    enum netns_turn_end end = netns_turn_grant(p->page, p->process, config.patience);
    w->unsettled = true;
    if (end != NETNS_TURN_WEDGED)
        take_trace(w, node, p->page);
    account_for_turn(w, node, end);
    switch (end) {
    case NETNS_TURN_BACK: break;
    case NETNS_TURN_DEAD: program_died(w, node); return false;
    case NETNS_TURN_WEDGED: fail(w, node, "its program does not end its turn"); return false;
    }
    switch ((enum turn_result)p->page->result) {
    case TURN_DONE: return false;
    case TURN_FLUSH: return true;
    case TURN_FAILED:
        fail(w, node, p->page->why);
        netns_program_kill(p);
        return false;
    case TURN_EXITED: netns_program_kill(p); return false;
    }
    program_died(w, node);
    return false;
}

static lab_time world_turn(struct world *w, unsigned node)
{
    struct netns_program *p = &w->programs[node];
    struct account *a = &w->accounts[node];
    if (!p->page)
        return NEVER;
    p->page->now = engine_now(w->engine);
    p->page->arrival = a->arrival;
    netns_program_hand_over(p);
    while (take_turn(w, node))
        ;
    a->input = false; /* a turn leaves none behind */
    a->arrival = 0;
    return p->page ? p->page->deadline : NEVER;
}

static void world_command(struct world *w, unsigned node, struct span line)
{
    if (w->programs[node].page && netns_program_command(&w->programs[node], line))
        fail(w, node, "a command is too long");
}

/* ---- idle ---- */

static bool look(struct world *w, const struct timespec *patience)
{
    struct epoll_event events[EVENTS];
    int n = epoll_pwait2(w->master, events, EVENTS, patience, NULL);
    w->doubtful = n > 0 || w->streams || w->foreigns || w->site.wires;
    w->not_looked = 0;
    for (int i = 0; i < n; i++) {
        unsigned node = (unsigned)(events[i].data.u64 / WATCHES);
        if (events[i].data.u64 % WATCHES == WATCH_LIFE) {
            program_died(w, node);
            continue;
        }
        if (events[i].data.u64 % WATCHES == WATCH_FOREIGN)
            continue; /* world_settled() sees to it */
        expect(&w->accounts[node], EXPECT_ANY);
        w->accounts[node].input = true;
        w->accounts[node].arrival = 0;
        engine_touch(w->engine, node);
    }
    return n <= 0;
}

static bool world_settled(struct world *w)
{
    const struct timespec none = {0};
    settle(w);
    if (w->foreigns && netns_foreigns_work(w->foreigns)) /* here and not in look(): the engine's clock is right now */
        return false;
    if (!w->doubtful && ++w->not_looked < LOOK_EVERY)
        return true;
    return look(w, &none);
}

static void world_wait(struct world *w, lab_time until)
{
    lab_time left = until == NEVER ? 0 : until - engine_now(w->engine);
    struct timespec patience = {.tv_sec = left > 0 ? left / SEC : 0, .tv_nsec = left > 0 ? left % SEC : 0};
    look(w, until == NEVER ? NULL : &patience);
}

/* ---- power ---- */

static int world_power(struct world *w, unsigned node, bool on)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct netns_program *p = &w->programs[node];
    if (w->plan->nodes[node].role != PLAN_PROGRAM)
        return FE_EUNKNOWN;
    netns_program_kill(p);
    w->accounts[node] = (struct account){.expected = EXPECT_ANY};
    w->doubtful = true;
    if (!on)
        return 0;
    int error = netns_space_enter(w->nodes[node].space) ? start_program(w, node, &why) : complain(&why, "namespace");
    netns_space_enter(w->home);
    if (error)
        fail(w, node, buf);
    return error;
}

/* ---- other people's programs ---- */

static void world_run(struct world *w, unsigned node, const struct foreign_run *run)
{
    if (netns_space_enter(w->nodes[node].space))
        netns_foreigns_run(w->foreigns, node, run);
    else
        fail(w, node, "its namespace cannot be entered");
    netns_space_enter(w->home);
}

static void world_halt(struct world *w, unsigned node)
{
    netns_foreigns_halt(w->foreigns, node);
}

/* ---- freezing ---- */

static void world_freeze(struct world *w, unsigned node, bool frozen)
{
    const struct netns_program *p = &w->programs[node];
    w->accounts[node].frozen = frozen;
    w->doubtful = true;
    if (p->page && !frozen && !watch(w, p->input, node, WATCH_INPUT))
        fail(w, node, strerror(errno));
    else if (p->page && frozen)
        epoll_ctl(w->master, EPOLL_CTL_DEL, p->input, NULL);
}

const struct world_ops netns_world = {
    .name = "netns",
    .open = world_open,
    .close = world_close,
    .push = world_push,
    .pull = world_pull,
    .outgoing = world_outgoing,
    .ready = world_ready,
    .turn = world_turn,
    .command = world_command,
    .settled = world_settled,
    .wait = world_wait,
    .power = world_power,
    .run = world_run,
    .halt = world_halt,
    .freeze = world_freeze,
};
