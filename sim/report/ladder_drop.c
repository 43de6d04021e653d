/* Packets that died: of which message, or how many of a kind. */
#include "nodes/base/text.h"
#include "sim/report/ladder_impl.h"

#include <stdlib.h>

enum {
    DROP_LOOK = 1024, /* rows before a drop that are looked at */
    MERGE_LOOK = 12,  /* rows between two drops that are told as one */
};
#define ON_ITS_WAY (5 * SEC) /* no packet is longer under way */

/* What ip_describe() says: "udp 1.2.3.4:5 > 6.7.8.9:10", "udp fragment 0+1480 1.2.3.4 > …"; or a node of what has
 * reached it: "the headers do not end: INVITE from 1.2.3.4:5", "datagram from 1.2.3.4:5". */
struct described {
    struct span proto, from, to;
    int refused_by; /* the node that says the latter, else LADDER_NOBODY */
};

static struct described described(struct span packet)
{
    struct described d = {.refused_by = LADDER_NOBODY};
    struct span rest = packet;
    struct span before = {0};
    d.proto = span_cut(rest, ' ', &rest);
    for (struct span word; !span_empty(rest);) {
        word = span_cut(rest, ' ', &rest);
        if (!span_is(word, ">")) {
            before = word;
            continue;
        }
        d.from = before;
        d.to = span_cut(rest, ' ', &rest);
        return d;
    }
    d.from = before;
    return d;
}

/* Equal, or equal as far as both have a port: fragments have none. */
static bool same_endpoint(struct span a, struct span b)
{
    struct span port_a;
    struct span port_b;
    struct span addr_a = span_cut(a, ':', &port_a);
    struct span addr_b = span_cut(b, ':', &port_b);
    return !span_empty(addr_a) && span_equal(addr_a, addr_b) &&
           (span_empty(port_a) || span_empty(port_b) || span_equal(port_a, port_b));
}

/* Sent to the node that refuses it, or to the NAT before it; and by the sender, or by one behind the NAT that it names.
 */
static int is_refused(struct ladder *l, const struct ladder_row *row, const struct described *d)
{
    char from[ENDPOINT_TEXT];
    int sender = span_copy(d->from, from, sizeof from) ? ladder_speaker(l, from) : LADDER_NOBODY;
    if (row->node == d->refused_by || (sender != LADDER_NOBODY && sender != row->node))
        return 0;
    return row->other == d->refused_by ? 2 : row->other == LADDER_NOBODY;
}

/* As which it may have been this packet: 2, it was sent to where the packet goes; 1, behind the NAT that it was sent to
 * the packet goes elsewhere, but comes from the sender; 0, it was another. */
static int carries(struct ladder *l, const struct ladder_row *row, const struct described *d)
{
    if (d->refused_by != LADDER_NOBODY)
        return is_refused(l, row, d);
    const char *peer = words_text(&l->words, row->peer);
    struct span port;
    struct span port_then;
    if (same_endpoint(d->to, span_of(peer)))
        return 2;
    span_cut(span_of(peer), ':', &port);
    span_cut(d->to, ':', &port_then);
    int from = topology_owner(l->topology, d->from);
    bool translated = from >= 0 && l->nodes[row->node].topology == from && ladder_speaker(l, peer) == LADDER_NOBODY;
    return translated && span_equal(port, port_then);
}

static struct ladder_row *message_of(struct ladder *l, const struct described *d, lab_time now)
{
    struct ladder_row *found = NULL;
    int best = 1;
    size_t stop = l->n > DROP_LOOK ? l->n - DROP_LOOK : 0;
    for (size_t i = l->n; i-- > stop && now - l->rows[i].at < ON_ITS_WAY;) {
        struct ladder_row *row = &l->rows[i];
        if (row->type != LADDER_MESSAGE || row->fate != LADDER_UNSEEN || row->cause >= 0 || row->node < 0)
            continue;
        int here = carries(l, row, d);
        if (here < best)
            continue;
        best = here;
        found = row;
    }
    return found;
}

/* True: a SIP message died of it, over UDP. */
static bool lay_to_message(struct ladder *l, const struct ladder_event *e, const char *packet, int where, int cause)
{
    struct described d = described(span_of(packet));
    const char *why = words_text(&l->words, cause);
    if (strcmp(why, "bad-sip") == 0 || strcmp(why, "not-allowed") == 0)
        d.refused_by = e->node;
    struct ladder_row *row = message_of(l, &d, e->at);
    if (!row)
        return false;
    row->where = where;
    row->cause = cause;
    row->until = e->at;
    if (span_is(d.proto, "tcp"))
        return false;
    row->fate = LADDER_LOST;
    return true;
}

static void count_death(struct ladder *l, lab_time at, int where, int cause, int packet)
{
    for (size_t i = 0; i < l->deaths_n; i++) {
        struct ladder_death *d = &l->deaths[i];
        if (d->cause != cause || d->where != where)
            continue;
        d->count++;
        d->last = at;
        return;
    }
    void *larger = l->deaths_n < LADDER_DEATHS ? realloc(l->deaths, (l->deaths_n + 1) * sizeof l->deaths[0]) : NULL;
    if (!larger) {
        l->deaths_beyond++;
        return;
    }
    l->deaths = larger;
    l->deaths[l->deaths_n++] = (struct ladder_death){cause, where, 1, at, at, packet};
}

/* Drops of one cause at one place that follow each other are one row. */
static void drops_row(struct ladder *l, const struct ladder_event *e, int where, int cause, int packet)
{
    size_t stop = l->n > MERGE_LOOK ? l->n - MERGE_LOOK : 0;
    for (size_t i = l->n; i-- > stop;) {
        struct ladder_row *row = &l->rows[i];
        if (row->type == LADDER_STEP || row->type == LADDER_MESSAGE)
            break;
        if (row->type != LADDER_DROPS || row->where != where || row->cause != cause)
            continue;
        row->count++;
        row->until = e->at;
        return;
    }
    struct ladder_row *row = ladder_row(l, e, LADDER_DROPS);
    if (!row)
        return;
    row->where = where;
    row->cause = cause;
    row->detail = packet;
    row->bad = true;
}

void ladder_drop(struct ladder *l, const struct ladder_event *e)
{
    const char *packet = ladder_text(e, "packet");
    const char *place = e->node >= 0 ? ladder_text(e, "node") : ladder_text(e, "wire");
    int where = ladder_word(l, place);
    int cause = ladder_word(l, *ladder_text(e, "cause") ? ladder_text(e, "cause") : "drop");
    l->died_at = e->at;
    l->died_packet = ladder_word(l, packet);
    if (e->node >= 0)
        l->nodes[e->node].happens = true;
    count_death(l, e->at, where, cause, l->died_packet);
    if (!lay_to_message(l, e, packet, where, cause))
        drops_row(l, e, where, cause, l->died_packet);
}

/* An error about a packet whose drop has just been told says nothing new. */
void ladder_icmp(struct ladder *l, const struct ladder_event *e)
{
    const char *about = ladder_text(e, "about");
    int packet = words_find(&l->words, about);
    if (e->node < 0 || !*about || (packet >= 0 && packet == l->died_packet && l->died_at == e->at))
        return;
    lay_to_message(l, e, about, ladder_word(l, ladder_text(e, "node")), ladder_word(l, ladder_text(e, "type")));
}
