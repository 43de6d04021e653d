/* The loop's core: one round asks epoll once, then works off what is ready in the order of opening. When the engine has
 * given this node one packet and nothing else, it says where, and epoll need not be asked. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"

#include <sys/epoll.h>
#include <unistd.h>

int host_input_add(struct host *h, struct host_input *input, int fd)
{
    struct epoll_event watch = {.events = EPOLLIN, .data.ptr = input};
    if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &watch))
        return FE_EOS;
    input->next = NULL;
    input->host = h;
    input->fd = fd;
    input->watched = EPOLLIN;
    input->events = 0;
    *h->last = input;
    h->last = &input->next;
    return 0;
}

void host_input_close(struct host_input *input)
{
    if (input->fd < 0)
        return;
    close(input->fd);
    input->fd = -1;
    input->events = 0;
    input->host->closed = true;
}

void host_input_watch(struct host_input *input, uint32_t events)
{
    struct epoll_event watch = {.events = events, .data.ptr = input};
    if (input->fd < 0 || input->watched == events)
        return;
    epoll_ctl(input->host->epoll, EPOLL_CTL_MOD, input->fd, &watch);
    input->watched = events;
}

void host_input_ignore(struct host_input *input)
{
    if (input->fd >= 0)
        epoll_ctl(input->host->epoll, EPOLL_CTL_DEL, input->fd, NULL);
}

static void sweep(struct host *h)
{
    h->closed = false;
    h->last = &h->inputs;
    for (struct host_input *input = h->inputs, *next; input; input = next) {
        next = input->next;
        if (input->fd < 0) {
            *h->last = next;
            input->free(input);
        } else {
            h->last = &input->next;
        }
    }
}

static void mark(const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        struct host_input *input = events[i].data.ptr;
        input->events = events[i].events;
    }
}

/* The first input that epoll reported in this round, from `input` on. */
static struct host_input *first_marked(struct host_input *input)
{
    while (input && input->events == 0)
        input = input->next;
    return input;
}

/* False when nothing was ready. Inputs that a callback opens are looked at in the next round. */
static bool round_of_input(struct host *h)
{
    struct epoll_event events[HOST_EVENTS];
    int n = epoll_wait(h->epoll, events, HOST_EVENTS, 0);
    if (n <= 0)
        return false;
    mark(events, n);
    if (n == HOST_EVENTS)
        h->looped = true; /* there may be more */
    for (struct host_input *input = h->inputs; (input = first_marked(input));) {
        input->ready(input);
        input->events = 0;
    }
    if (h->closed)
        sweep(h);
    return true;
}

/* False when the engine could not tell where input waits, or was wrong: it is still to be looked for. */
static bool take_arrival(struct host *h)
{
    struct host_input *input = h->inputs;
    uint64_t arrival = h->arrival;
    h->arrival = 0;
    if (!arrival || arrival == TURN_ARRIVAL_NONE)
        return arrival != 0;
    while (input && (input->fd < 0 || input->arrival != arrival))
        input = input->next;
    if (!input)
        return false;
    input->events = EPOLLIN;
    h->single = true;
    input->ready(input);
    h->single = false;
    input->events = 0;
    if (h->closed)
        sweep(h);
    return h->received != 0;
}

/* Sockets are emptied by one round; a second is worth its system call only when this turn itself made new input.
 * False when some was looked for and there was none. */
static bool all_input(struct host *h)
{
    bool found = take_arrival(h);
    bool more = !found || (h->looped && !h->ended);
    while (more) {
        h->looped = false;
        found = round_of_input(h) || found;
        more = h->looped && !h->ended;
    }
    return found;
}

void host_work(struct host *h)
{
    if (!all_input(h) && h->unsure)
        return;
    while (!h->ended && timers_fire(&h->timers, h->now))
        if (h->looped)
            all_input(h);
    if (h->closed)
        sweep(h);
}
