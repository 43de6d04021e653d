/* Messages: which `in` belongs to which `out`. */
#include "nodes/base/text.h"
#include "sim/report/ladder_impl.h"

#include <stdlib.h>

enum { CHAIN_LOOK = 256 }; /* rows with one key that are looked at */

/* ---- addresses ---- */

int ladder_speaker(struct ladder *l, const char *endpoint)
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
    row->other = ladder_speaker(l, ladder_text(e, "peer"));
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
    return 2 * fate + (ladder_speaker(l, words_text(&l->words, row->peer)) == receiver);
}

static bool fits(struct ladder *l, const struct ladder_row *row, int receiver, int sender)
{
    return row->node >= 0 && row->node != receiver && may_be(sender, row->node) &&
           may_be(ladder_speaker(l, words_text(&l->words, row->peer)), receiver) &&
           (row->fate != LADDER_ARRIVED || row->other == receiver);
}

static void received(struct ladder *l, const struct ladder_event *e, int key)
{
    int sender = ladder_speaker(l, ladder_text(e, "peer"));
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
