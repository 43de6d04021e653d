/* Messages: where they arrived, or where they died. */
#include "nodes/base/text.h"
#include "sim/report/ladder.h"

#include <stdlib.h>

enum {
    CHAIN_LOOK = 256, /* rows with one key that are looked at */
    DROP_LOOK = 1024, /* rows before a drop that are looked at */
    MERGE_LOOK = 12,  /* rows between two drops that are told as one */
};
#define ON_ITS_WAY (30 * SEC) /* no packet is longer under way */

/* ---- addresses ---- */

/* The ladder's number of the node that has the address; LADDER_NOBODY when that is not known, or it is a node that only
 * passes SIP on, as a NAT. */
static int speaker_at(struct ladder *l, const char *endpoint)
{
    int owner = topology_owner(l->topology, span_of(endpoint));
    if (owner < 0 || !topology_speaks(&l->topology->nodes[owner]))
        return LADDER_NOBODY;
    return ladder_node(l, l->topology->nodes[owner].name);
}

static bool may_be(int speaker, int node)
{
    return speaker == LADDER_NOBODY || speaker == node;
}

/* ---- dialogs ---- */

static int dialog_of(struct ladder *l, const struct ladder_event *e)
{
    const char *call_id = ladder_text(e, "call_id");
    int number = words_find(&l->call_ids, call_id);
    if (number < 0) {
        void *larger = realloc(l->dialogs, (l->dialogs_n + 1) * sizeof l->dialogs[0]);
        if (larger)
            l->dialogs = larger;
        number = larger ? words_add(&l->call_ids, call_id) : -1;
        if (number < 0) {
            l->no_memory = true;
            return -1;
        }
        l->dialogs[l->dialogs_n++] = (struct ladder_dialog){.call_id = ladder_word(l, call_id),
                                                            .text = ladder_word(l, ladder_text(e, "msg")),
                                                            .node = e->node,
                                                            .first = e->at};
    }
    l->dialogs[number].last = e->at;
    return number;
}

/* ---- keys ---- */

static int key_of(struct ladder *l, const struct ladder_event *e)
{
    char buf[256];
    struct text t = text_on(buf, sizeof buf);
    text_i64(&t, ladder_number(e, "cseq"));
    text_char(&t, ' ');
    text_u64(&t, span_hash(span_of(ladder_text(e, "call_id"))));
    text_char(&t, ' ');
    text_u64(&t, span_hash(span_of(ladder_text(e, "msg"))));
    int key = words_add(&l->keys, buf);
    if (key >= 0 && (size_t)key >= l->latest_n) {
        size_t larger = l->latest_n ? 2 * l->latest_n : 256;
        void *latest = realloc(l->latest, larger * sizeof l->latest[0]);
        if (!latest) {
            l->no_memory = true;
            return -1;
        }
        l->latest = latest;
        for (size_t i = l->latest_n; i < larger; i++)
            l->latest[i] = -1;
        l->latest_n = larger;
    }
    return key;
}

/* A new row of a message, as `e` tells of it. */
static struct ladder_row *message(struct ladder *l, const struct ladder_event *e, int key)
{
    int dialog = dialog_of(l, e);
    struct ladder_row *row = ladder_row(l, e, LADDER_MESSAGE);
    if (!row)
        return NULL;
    row->text = ladder_word(l, ladder_text(e, "msg"));
    row->peer = ladder_word(l, ladder_text(e, "peer"));
    row->key = key;
    row->dialog = dialog;
    row->before = l->latest[key];
    l->latest[key] = (int)(l->n - 1);
    if (dialog >= 0)
        l->dialogs[dialog].messages++;
    return row;
}

/* ---- out ---- */

static void sent(struct ladder *l, const struct ladder_event *e, int key)
{
    int before = l->latest[key];
    struct ladder_row *row = message(l, e, key);
    if (!row)
        return;
    row->other = speaker_at(l, ladder_text(e, "peer"));
    for (int look = 0; before >= 0 && look < CHAIN_LOOK; look++, before = l->rows[before].before) {
        const struct ladder_row *earlier = &l->rows[before];
        if (earlier->node != row->node || earlier->peer != row->peer)
            continue;
        row->count = earlier->count + 1;
        return;
    }
}

/* ---- in ---- */

/* Rather one that nobody has seen; then one that was taken for lost, then one that arrived before. Among these rather
 * one that was sent to the receiver's own address than to a NAT's. Of equals it is the oldest. */
static int rank(struct ladder *l, const struct ladder_row *row, int receiver)
{
    int fate = row->fate == LADDER_UNSEEN ? 2 : row->fate == LADDER_LOST ? 1 : 0;
    return 2 * fate + (speaker_at(l, words_text(&l->words, row->peer)) == receiver);
}

static bool fits(struct ladder *l, const struct ladder_row *row, int receiver, int sender)
{
    return row->node >= 0 && row->node != receiver && may_be(sender, row->node) &&
           may_be(speaker_at(l, words_text(&l->words, row->peer)), receiver) &&
           (row->fate != LADDER_ARRIVED || row->other == receiver);
}

static void received(struct ladder *l, const struct ladder_event *e, int key)
{
    int sender = speaker_at(l, ladder_text(e, "peer"));
    int best = -1;
    int best_rank = 0;
    int at = l->latest[key];
    for (int look = 0; at >= 0 && look < CHAIN_LOOK; look++, at = l->rows[at].before) {
        int here = rank(l, &l->rows[at], e->node);
        if (!fits(l, &l->rows[at], e->node, sender) || here < best_rank)
            continue;
        best = at;
        best_rank = here;
    }
    struct ladder_row *row = best >= 0 ? &l->rows[best] : message(l, e, key);
    if (!row)
        return;
    if (best < 0)
        row->node = sender; /* somebody who does not tell: another's program */
    row->arrivals++;
    if (row->fate == LADDER_ARRIVED)
        return;
    row->fate = LADDER_ARRIVED;
    row->other = e->node;
    row->until = e->at;
}

void ladder_sip(struct ladder *l, const struct ladder_event *e)
{
    int key = key_of(l, e);
    if (key < 0 || e->node < 0)
        return;
    l->nodes[e->node].speaks = true;
    if (strcmp(ladder_text(e, "dir"), "out") == 0)
        sent(l, e, key);
    else
        received(l, e, key);
}

/* ---- drops ---- */

/* What ip_describe() says: "udp 1.2.3.4:5 > 6.7.8.9:10", "udp fragment 0+1480 1.2.3.4 > …". */
struct described {
    struct span proto, from, to;
};

static struct described described(struct span packet)
{
    struct described d = {0};
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

/* Was it on its way as this packet? Behind a NAT one of the two addresses is another. */
static bool carries(const struct ladder *l, const struct ladder_row *row, const struct described *d)
{
    if (same_endpoint(d->to, span_of(words_text(&l->words, row->peer))))
        return true;
    int from = topology_owner(l->topology, d->from);
    struct span port;
    struct span port_then;
    span_cut(span_of(words_text(&l->words, row->peer)), ':', &port);
    span_cut(d->to, ':', &port_then);
    return from >= 0 && l->nodes[row->node].topology == from && span_equal(port, port_then);
}

static struct ladder_row *message_of(struct ladder *l, const struct described *d, lab_time now)
{
    struct ladder_row *found = NULL;
    size_t stop = l->n > DROP_LOOK ? l->n - DROP_LOOK : 0;
    for (size_t i = l->n; i-- > stop && now - l->rows[i].at < ON_ITS_WAY;) {
        struct ladder_row *row = &l->rows[i];
        if (row->type == LADDER_MESSAGE && row->fate == LADDER_UNSEEN && row->cause < 0 && row->node >= 0 &&
            carries(l, row, d))
            found = row;
    }
    return found;
}

/* True: a SIP message died of it, over UDP. */
static bool lay_to_message(struct ladder *l, const struct ladder_event *e, const char *packet, int where, int cause)
{
    struct described d = described(span_of(packet));
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
