#include "sim/report/ladder_impl.h"

#include "nodes/base/error.h"
#include "sim/report/report_text.h"

#include <stdlib.h>

void ladder_init(struct ladder *l, const struct topology *topology)
{
    *l = (struct ladder){.topology = topology, .died_at = -1, .died_packet = -1};
}

void ladder_fini(struct ladder *l)
{
    words_fini(&l->words);
    words_fini(&l->names);
    words_fini(&l->call_ids);
    words_fini(&l->keys);
    free(l->rows);
    free(l->nodes);
    free(l->latest);
    free(l->dialogs);
    free(l->deaths);
    *l = (struct ladder){0};
}

/* ---- what an event says ---- */

const char *ladder_text(const struct ladder_event *e, const char *key)
{
    return report_string(e->line, key);
}

int64_t ladder_number(const struct ladder_event *e, const char *key)
{
    return json_integer_value(json_object_get(e->line, key));
}

int ladder_word(struct ladder *l, const char *text)
{
    return words_add(&l->words, text);
}

/* ---- nodes and rows ---- */

int ladder_node(struct ladder *l, const char *name)
{
    int found = words_find(&l->names, name);
    if (found >= 0)
        return found;
    void *larger = realloc(l->nodes, (l->nodes_n + 1) * sizeof l->nodes[0]);
    if (larger)
        l->nodes = larger;
    int number = larger ? words_add(&l->names, name) : LADDER_NOBODY;
    if (number < 0) {
        l->no_memory = true;
        return LADDER_NOBODY;
    }
    struct ladder_node node = {.name = ladder_word(l, name), .topology = topology_node(l->topology, name)};
    node.line = node.heard = -1;
    node.speaks = node.topology >= 0 && topology_speaks(&l->topology->nodes[node.topology]);
    l->nodes[l->nodes_n++] = node;
    return number;
}

static bool rows_grow(struct ladder *l)
{
    if (l->n < l->room)
        return true;
    size_t larger = l->room ? 2 * l->room : 256;
    void *rows = realloc(l->rows, larger * sizeof l->rows[0]);
    if (!rows) {
        l->no_memory = true;
        return false;
    }
    l->rows = rows;
    l->room = larger;
    return true;
}

struct ladder_row *ladder_row(struct ladder *l, const struct ladder_event *e, enum ladder_type type)
{
    if (l->n >= LADDER_ROWS) {
        l->beyond++;
        return NULL;
    }
    if (!rows_grow(l))
        return NULL;
    struct ladder_row *row = &l->rows[l->n++];
    *row = (struct ladder_row){.type = type, .at = e->at, .until = e->at, .node = e->node, .count = 1};
    row->other = LADDER_NOBODY;
    row->text = row->detail = row->peer = row->where = row->cause = row->dialog = row->key = row->before = -1;
    row->item = -1;
    return row;
}

/* ---- steps and expectations ---- */

/* A step that failed says so at its beginning, where it is looked for; the latest of its number is meant. */
static void step_ends(struct ladder *l, const struct ladder_event *e)
{
    int text = words_find(&l->words, ladder_text(e, "text"));
    for (size_t i = l->n; i-- > 0 && strcmp(e->state, "failed") == 0;)
        if (l->rows[i].type == LADDER_STEP && l->rows[i].text == text) {
            l->rows[i].bad = true;
            return;
        }
}

static void item(struct ladder *l, const struct ladder_event *e, enum ladder_type type)
{
    struct ladder_row *row = ladder_row(l, e, type);
    int number = l->items++;
    if (!row)
        return;
    row->item = number;
    row->text = ladder_word(l, ladder_text(e, "text"));
    row->detail = *ladder_text(e, "why") ? ladder_word(l, ladder_text(e, "why")) : -1;
    row->bad = type == LADDER_EXPECT && !json_is_true(json_object_get(e->line, "held"));
}

static void step(struct ladder *l, const struct ladder_event *e)
{
    if (strcmp(e->state, "started") == 0)
        item(l, e, LADDER_STEP);
    else
        step_ends(l, e);
}

/* ---- lines ---- */

static void event(struct ladder *l, const struct ladder_event *e)
{
    if (strcmp(e->ev, "sip") == 0)
        ladder_sip(l, e);
    else if (strcmp(e->ev, "drop") == 0)
        ladder_drop(l, e);
    else if (strcmp(e->ev, "icmp") == 0)
        ladder_icmp(l, e);
    else if (strcmp(e->ev, "media") == 0)
        ladder_media(l, e);
    else if (strcmp(e->ev, "step") == 0)
        step(l, e);
    else if (strcmp(e->ev, "expect") == 0)
        item(l, e, LADDER_EXPECT);
    else
        ladder_note(l, e);
}

int ladder_line(struct ladder *l, struct span line)
{
    json_t *object = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return FE_ESYNTAX;
    }
    struct ladder_event e = {.line = object, .node = LADDER_NOBODY};
    e.ev = ladder_text(&e, "ev");
    e.state = ladder_text(&e, "state");
    e.at = ladder_number(&e, "t");
    if (e.at < l->now)
        e.at = l->now; /* a trace never goes back */
    l->now = e.at;
    if (*ladder_text(&e, "node"))
        e.node = ladder_node(l, ladder_text(&e, "node"));
    event(l, &e);
    json_decref(object);
    l->no_memory = l->no_memory || l->words.no_memory || l->call_ids.no_memory || l->keys.no_memory;
    return l->no_memory ? FE_EMEM : 0;
}

void ladder_end(struct ladder *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct ladder_row *row = &l->rows[i];
        if (row->type != LADDER_MESSAGE)
            continue;
        if (row->fate == LADDER_UNSEEN && row->cause >= 0)
            row->fate = LADDER_LOST;
        row->bad = row->fate == LADDER_LOST;
        if (row->bad && row->dialog >= 0)
            l->dialogs[row->dialog].lost++;
    }
}
