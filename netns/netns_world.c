/* The world of kernel hosts: builds the namespaces, carries packets between the engine and the wires' ends, grants
 * turns.
 *
 * One epoll descriptor watches everything that could become readable without our doing: the wires' ends at hosts, what
 * the programs wait for, and the programs' lives. When nothing of it is readable and the queue holds nothing for now,
 * nothing is left to do: a fact, not a guess, because a packet given to a TUN device has arrived when the write returns
 * (see netns_end.h for veth). For the same reason the descriptor need not be asked as long as every packet is accounted
 * for. */
#define _GNU_SOURCE
#include "netns/netns_impl.h"
#include "netns/netns_rtnl.h"
#include "netns/netns_space.h"
#include "nodes/base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum {
    EVENTS = 64,
    LOOK_EVERY = 64, /* moves of the clock: so soon a program that dies between its turns is missed */
};

/* ---- packets ---- */

void netns_fail(struct world *w, unsigned node, const char *what)
{
    char buf[TURN_WHY + 128];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, w->plan->nodes[node].name);
    text_str(&t, ": ");
    text_str(&t, what);
    engine_fail(w->engine, buf);
}

static void world_push(struct world *w, unsigned node, unsigned port, struct packet *p)
{
    /* A kernel that forwards for its program is switched off with it. */
    if (w->plan->nodes[node].forwards && !w->programs[node].page) {
        packet_release(p);
        return;
    }
    if (netns_is_tcp(p) && netns_tcp_concerns(&w->plan->nodes[node]))
        netns_tcp_unpredict(p->data, p->n);
    /* EINVAL: not IPv4, which no stack would take either. */
    if (!netns_end_write(&w->nodes[node].ends[port], p->data, p->n) && errno != EINVAL)
        netns_fail(w, node, strerror(errno));
    netns_account_pushed(w, node, port, p);
    netns_streams_pushed(w, node, p);
    w->unsettled = true;
    packet_release(p);
}

static void settle(struct world *w)
{
    if (w->site.wires && w->unsettled && !netns_fence(&w->wires))
        engine_fail(w->engine, "the kernel passes no packets between veth pairs any more");
    w->unsettled = false;
}

/* w->packet, as a packet of the engine's. */
static struct packet *give(struct world *w, unsigned node, size_t n)
{
    struct packet *p = packet_copy(engine_pool(w->engine), w->packet, n);
    if (!p)
        netns_fail(w, node, "out of memory");
    else
        netns_account_streams(w, node, p);
    return p;
}

/* The next packet that the node sent by this port, if any. */
static struct packet *take(struct world *w, unsigned node, unsigned port)
{
    struct account *a = &w->accounts[node];
    size_t n;
    do {
        n = netns_end_read(&w->nodes[node].ends[port], w->packet);
        if (n == 0)
            return NULL;
        if (a->expected != EXPECT_ANY && a->expected != 0)
            a->expected--;
    } while (!netns_streams_sent(w, node, port, n));
    return give(w, node, n);
}

/* What leaves in the kernel's place, after all that leaves by itself. */
static int take_made(struct world *w, unsigned node)
{
    unsigned port = 0;
    size_t n = netns_streams_next(w, node, &port);
    w->found = n ? give(w, node, n) : NULL;
    return w->found ? (int)port : -1;
}

/* Several packets are taken port by port; for the only one there can be the port where it probably is comes first. */
static int world_outgoing(struct world *w, unsigned node)
{
    struct account *a = &w->accounts[node];
    unsigned ports = (unsigned)w->plan->nodes[node].ports_n;
    unsigned first = a->cursor;
    if (a->expected == 0)
        return take_made(w, node);
    if (a->expected == 1 && a->cursor == 0)
        first = netns_account_likely_port(a);
    settle(w);
    for (unsigned left = ports - a->cursor; left && !w->found; left--) {
        a->cursor = first++ % ports;
        w->found = take(w, node, a->cursor);
    }
    if (w->found) {
        netns_account_left(a);
        return (int)a->cursor;
    }
    a->expected = 0;
    return take_made(w, node);
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
    struct pollfd input = {.fd = p->input, .events = POLLIN};
    if (!p->page || p->commands_n)
        return p->page != NULL;
    if (a->input && !a->arrival) {
        settle(w);
        a->input = poll(&input, 1, 0) > 0; /* asking epoll itself would take away what it tells once */
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

static void take_secrets(struct world *w, struct turn_page *page)
{
    struct span rest = {page->secrets, page->secrets_n};
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        engine_secret(w->engine, line);
    }
    page->secrets_n = 0;
}

static void end_program(struct world *w, unsigned node)
{
    netns_program_kill(&w->programs[node]);
    netns_streams_orphaned(w, node);
}

static void program_died(struct world *w, unsigned node)
{
    char buf[128];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "its program ");
    netns_program_epitaph(&w->programs[node], &what);
    text_str(&what, "; its log may say why");
    netns_fail(w, node, buf);
    end_program(w, node);
}

/* True when the program wants to go on in the same turn. */
static bool take_turn(struct world *w, unsigned node)
{
    struct netns_program *p = &w->programs[node];
    enum netns_turn_end end = netns_turn_grant(p->page, p->process, netns_chosen.patience);
    w->unsettled = true;
    if (end != NETNS_TURN_WEDGED) {
        take_trace(w, node, p->page);
        take_secrets(w, p->page);
        netns_streams_notes(w, node, p->page);
    }
    netns_account_turned(w, node, end);
    switch (end) {
    case NETNS_TURN_BACK: break;
    case NETNS_TURN_DEAD: program_died(w, node); return false;
    case NETNS_TURN_WEDGED: netns_fail(w, node, "its program does not end its turn"); return false;
    }
    switch ((enum turn_result)p->page->result) {
    case TURN_DONE: return false;
    case TURN_FLUSH: return true;
    case TURN_FAILED:
        netns_fail(w, node, p->page->why);
        end_program(w, node);
        return false;
    case TURN_EXITED: end_program(w, node); return false;
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
    p->page->clock = engine_clock(w->engine, node);
    p->page->arrival = a->arrival ? a->arrival : netns_account_no_input(w, a);
    /* The kernel may have refused the packet. Its error then leaves before a timer of the same time fires. */
    p->page->unsure = a->arrival && p->commands_n == 0;
    netns_program_hand_over(p);
    while (take_turn(w, node))
        ;
    a->input = false; /* a turn leaves none behind */
    a->arrival = 0;
    netns_streams_resets(w, node);
    return p->page ? p->page->deadline : NEVER;
}

static void world_command(struct world *w, unsigned node, struct span line)
{
    if (w->programs[node].page && netns_program_command(&w->programs[node], line))
        netns_fail(w, node, "a command is too long");
}

/* ---- idle ---- */

static bool look(struct world *w, const struct timespec *patience)
{
    struct epoll_event events[EVENTS];
    int n = epoll_pwait2(w->master, events, EVENTS, patience, NULL);
    int found = n;
    w->not_looked = 0;
    for (int i = 0; i < n; i++) {
        unsigned node = (unsigned)(events[i].data.u64 / WATCHES);
        if (events[i].data.u64 % WATCHES == WATCH_WAKE) {
            found--; /* nothing of the lab's */
            continue;
        }
        if (events[i].data.u64 % WATCHES == WATCH_LIFE) {
            program_died(w, node);
            continue;
        }
        if (events[i].data.u64 % WATCHES == WATCH_FOREIGN)
            continue; /* world_settled() sees to it */
        netns_account_expect(&w->accounts[node], EXPECT_ANY);
        w->accounts[node].input = true;
        w->accounts[node].arrival = 0;
        engine_touch(w->engine, node);
    }
    w->doubtful = found > 0 || w->streams || w->foreigns || w->site.wires || w->guests;
    return found <= 0;
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
    if (w->plan->nodes[node].role != PLAN_PROGRAM)
        return FE_EUNKNOWN;
    end_program(w, node);
    w->accounts[node] = (struct account){.expected = EXPECT_ANY};
    w->doubtful = true;
    if (!on)
        return 0;
    w->programs[node].starts++;
    int error = FE_EOS;
    if (netns_space_enter(w->nodes[node].space))
        error = netns_start_program(w, node, &why);
    else
        text_str(&why, "its namespace cannot be entered");
    netns_space_enter(w->home);
    if (error)
        netns_fail(w, node, buf);
    return error;
}

/* ---- interfaces ---- */

/* In the node's namespace. The far end of a veth pair takes what the near one may send. */
static int link_mtu(struct world *w, const struct netns_end *end, uint16_t mtu, struct text *why)
{
    struct netns_rtnl *rtnl = netns_rtnl_open();
    if (!rtnl)
        return FE_EOS;
    netns_rtnl_mtu(rtnl, end->index, mtu);
    int error = netns_rtnl_commit(rtnl, why);
    netns_rtnl_close(rtnl);
    if (!error && end->peer && mtu > end->mtu) {
        netns_rtnl_mtu(w->wires.rtnl, end->peer, mtu);
        error = netns_rtnl_commit(w->wires.rtnl, why);
    }
    return error;
}

static int world_mtu(struct world *w, unsigned node, unsigned port, uint16_t mtu)
{
    struct netns_end *end = &w->nodes[node].ends[port];
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    int error = FE_EOS;
    if (netns_space_enter(w->nodes[node].space))
        error = link_mtu(w, end, mtu, &why);
    netns_space_enter(w->home);
    if (error)
        return error;
    if (w->tcps[node])
        netns_tcp_mtu(w->tcps[node], port, end->mtu, mtu);
    end->mtu = mtu;
    if (w->programs[node].page)
        w->programs[node].page->links++;
    return 0;
}

/* ---- other people's programs ---- */

static void world_run(struct world *w, unsigned node, const struct foreign_run *run)
{
    if (netns_space_enter(w->nodes[node].space))
        netns_foreigns_run(w->foreigns, node, run);
    else
        netns_fail(w, node, "its namespace cannot be entered");
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
    if (p->page && !frozen && !netns_watch(w, p->input, node, WATCH_INPUT))
        netns_fail(w, node, strerror(errno));
    else if (p->page && frozen)
        epoll_ctl(w->master, EPOLL_CTL_DEL, p->input, NULL);
}

const struct world_ops netns_world = {
    .name = "netns",
    .open = netns_open,
    .close = netns_close,
    .push = world_push,
    .pull = world_pull,
    .outgoing = world_outgoing,
    .ready = world_ready,
    .turn = world_turn,
    .alarm = netns_streams_alarm,
    .command = world_command,
    .settled = world_settled,
    .wait = world_wait,
    .power = world_power,
    .forget = netns_streams_forget,
    .run = world_run,
    .halt = world_halt,
    .mtu = world_mtu,
    .freeze = world_freeze,
};
