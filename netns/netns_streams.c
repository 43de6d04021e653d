/* The world's part of TCP in lab time: brings each node's tracker (netns_tcp.h) together with the ports, the program's
 * page and the engine's alarms. A node has a tracker from the first TCP packet on. */
#include "netns/netns_impl.h"
#include "nodes/proto/ip.h"

#include <string.h>

static struct netns_tcp *tracker(struct world *w, unsigned node)
{
    if (!w->tcps[node] && !(w->tcps[node] = netns_tcp_new()))
        netns_fail(w, node, "out of memory");
    return w->tcps[node];
}

/* The alarm is the engine's entry of the tracker's first timer. */
static void set_alarm(struct world *w, unsigned node)
{
    const struct netns_tcp *t = w->tcps[node];
    if (netns_tcp_failed(t))
        netns_fail(w, node, "out of memory");
    engine_alarm(w->engine, node, netns_tcp_deadline(t));
}

void netns_streams_pushed(struct world *w, unsigned node, const struct packet *p)
{
    bool tcp = p->n >= IP_HEADER && p->data[9] == IP_TCP;
    if (netns_tcp_concerns(&w->plan->nodes[node]) && (tcp || w->tcps[node]) && tracker(w, node))
        netns_tcp_pushed(w->tcps[node], engine_now(w->engine), p->data, p->n);
}

bool netns_streams_sent(struct world *w, unsigned node, unsigned port, size_t n)
{
    if (w->packet[9] != IP_TCP || !netns_tcp_concerns(&w->plan->nodes[node]) || !tracker(w, node))
        return true;
    return netns_tcp_sent(w->tcps[node], engine_now(w->engine), port, w->packet, n);
}

size_t netns_streams_next(struct world *w, unsigned node, unsigned *port)
{
    struct netns_tcp *t = w->tcps[node];
    if (!t)
        return 0;
    netns_tcp_drained(t, engine_now(w->engine));
    size_t n = netns_tcp_next(t, w->packet, port);
    if (n == 0)
        set_alarm(w, node);
    return n;
}

/* ---- time-outs ---- */

/* The kernel takes a reset without a word; the program has input then, and reads in its page that it means a time-out.
 * More than the page has room for wait for its next turn. */
void netns_streams_resets(struct world *w, unsigned node)
{
    struct turn_page *page = w->programs[node].page;
    struct account *a = &w->accounts[node];
    struct turn_ends ends;
    bool told;
    while (w->tcps[node] && (!page || page->timed_out_n < TURN_TCPS)) {
        size_t n = netns_tcp_reset(w->tcps[node], w->packet, &told, &ends);
        if (n == 0)
            return;
        netns_end_write(&w->nodes[node].ends[0], w->packet, n);
        w->unsettled = w->doubtful = true;
        a->expected = EXPECT_ANY;
        a->cursor = 0;
        a->arrival = 0;
        a->input = a->input || told;
        if (page && told)
            page->timed_out[page->timed_out_n++] = ends;
    }
}

void netns_streams_alarm(struct world *w, unsigned node)
{
    netns_tcp_expire(w->tcps[node], engine_now(w->engine));
    netns_streams_resets(w, node);
}

void netns_streams_forget(struct world *w, unsigned node)
{
    struct turn_ends ends;
    bool told;
    if (!w->tcps[node])
        return;
    netns_tcp_forget_all(w->tcps[node]);
    for (size_t n; (n = netns_tcp_reset(w->tcps[node], w->packet, &told, &ends));)
        netns_end_write(&w->nodes[node].ends[0], w->packet, n);
    w->unsettled = true;
    set_alarm(w, node);
}

/* ---- the program ---- */

void netns_streams_notes(struct world *w, unsigned node, struct turn_page *page)
{
    for (uint32_t i = 0; i < page->tcps_n && tracker(w, node); i++)
        netns_tcp_note(w->tcps[node], engine_now(w->engine), &page->tcps[i]);
    page->tcps_n = 0;
}

void netns_streams_orphaned(struct world *w, unsigned node)
{
    if (w->tcps[node])
        netns_tcp_orphan_all(w->tcps[node], engine_now(w->engine));
}
