/* A node program in a lab: it sleeps on the page, and runs when the engine grants it a turn. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_tcp.h"

#include <assert.h>

static_assert(TURN_TRACE > 4 * RECORD_MAX, "a page must hold some lines");

static char *lab_room(struct host *h)
{
    struct turn_page *page = h->page;
    if (sizeof page->trace - page->trace_n < RECORD_MAX + 1)
        turn_yield(page, TURN_FLUSH);
    return page->trace + page->trace_n;
}

static void lab_line(struct host *h, struct span line)
{
    struct turn_page *page = h->page;
    page->trace[page->trace_n + line.n] = '\n';
    page->trace_n += (uint32_t)line.n + 1;
}

/* No key log line is longer than some 300 bytes; one that no page could carry is nothing. */
static void lab_secret(struct host *h, struct span line)
{
    struct turn_page *page = h->page;
    if (line.n >= sizeof page->secrets)
        return;
    if (sizeof page->secrets - page->secrets_n <= line.n)
        turn_yield(page, TURN_FLUSH);
    memcpy(page->secrets + page->secrets_n, line.p, line.n);
    page->secrets[page->secrets_n + line.n] = '\n';
    page->secrets_n += (uint32_t)line.n + 1;
}

const struct host_sink host_lab_sink = {lab_room, lab_line, lab_secret};

/* ---- TCP, whose time the engine keeps ---- */

void host_tcp_note(struct host *h, const struct turn_tcp *note)
{
    struct turn_page *page = h->page;
    if (!page)
        return;
    if (page->tcps_n == TURN_TCPS)
        turn_yield(page, TURN_FLUSH);
    page->tcps[page->tcps_n++] = *note;
}

bool host_tcp_is_timed_out(const struct host_tcp *c)
{
    const struct turn_page *page = c->input.host->page;
    for (uint32_t i = 0; page && i < page->timed_out_n; i++)
        if (endpoint_equal(page->timed_out[i].local, c->local) && endpoint_equal(page->timed_out[i].remote, c->remote))
            return true;
    return false;
}

/* Takes the commands out of the page first: a command may fill the page with trace, and the engine add commands then.
 */
static void take_commands(struct host *h, const struct node_kind *kind, void *node)
{
    char lines[TURN_COMMANDS];
    struct span rest = {lines, h->page->commands_n};
    memcpy(lines, h->page->commands, rest.n);
    h->page->commands_n = 0;
    while (rest.n && !h->ended) {
        struct span line = span_cut(rest, '\n', &rest);
        kind->command(node, line);
    }
}

static void give_back(struct host *h)
{
    struct turn_page *page = h->page;
    page->sent = h->sent;
    page->received = h->received;
    page->timed_out_n = 0;
    page->deadline = h->ended ? NEVER : timers_next(&h->timers);
    h->sent = 0;
    h->received = 0;
}

static void take_time(struct host *h)
{
    h->now = h->page->now;
    h->clock = h->page->clock;
    if (h->links != h->page->links)
        host_ports_look(h);
    h->links = h->page->links;
}

int host_lab_run(struct host *h, const struct node_kind *kind, const void *settings)
{
    struct turn_page *page = h->page;
    struct text why = text_on(page->why, sizeof page->why);
    void *node = NULL;

    take_time(h);
    int error = kind->start(h, settings, &node, &why);
    if (error) {
        if (why.n == 0)
            text_str(&why, fe_error_text(error));
        give_back(h);
        turn_leave(page, TURN_FAILED);
        return 2;
    }
    for (;;) {
        h->arrival = page->arrival;
        h->unsure = page->unsure != 0;
        if (page->commands_n)
            take_commands(h, kind, node);
        host_work(h);
        if (h->ended)
            break;
        give_back(h);
        turn_yield(page, TURN_DONE);
        take_time(h);
    }
    kind->stop(node);
    give_back(h);
    turn_leave(page, TURN_EXITED);
    return h->status;
}
