/* What was heard: the latest report of a call becomes a row when its media stop. */
#include "nodes/base/text.h"
#include "sim/report/ladder_impl.h"

enum { MEDIA_TEXT = 200 };

/* 998700 ppm: 99.87% */
static void put_heard(struct text *t, int64_t ppm)
{
    if (ppm < 0 || ppm > 1000000)
        ppm = 0;
    text_i64(t, ppm / 10000);
    if (ppm % 10000) {
        text_char(t, '.');
        text_char(t, (char)('0' + ppm / 1000 % 10));
        text_char(t, (char)('0' + ppm / 100 % 10));
    }
    text_str(t, "%");
}

static int with_line(const struct ladder *l, const char *line)
{
    int word = words_find(&l->words, line);
    for (size_t i = 0; word >= 0 && *line && i < l->nodes_n; i++)
        if (l->nodes[i].line == word)
            return (int)i;
    return LADDER_NOBODY;
}

static void report(struct ladder *l, const struct ladder_event *e)
{
    char buf[MEDIA_TEXT];
    struct text t = text_on(buf, sizeof buf);
    double mos = json_is_real(json_object_get(e->line, "mos")) ? json_real_value(json_object_get(e->line, "mos")) : -1;
    bool deaf = !*ladder_text(e, "heard");
    text_str(&t, deaf ? "hears nothing" : "heard ");
    if (!deaf) {
        put_heard(&t, ladder_number(e, "heard_ppm"));
        if (mos >= 0 && mos <= 5) {
            text_str(&t, ", MOS ");
            text_fixed(&t, (int64_t)(mos * 100 + 0.5), 2);
        }
    }
    text_str(&t, ", ");
    text_i64(&t, ladder_number(e, "received"));
    text_str(&t, " packets, ");
    text_i64(&t, ladder_number(e, "lost"));
    text_str(&t, " lost");
    l->nodes[e->node].heard = ladder_word(l, buf);
    l->nodes[e->node].deaf = deaf;
}

void ladder_media(struct ladder *l, const struct ladder_event *e)
{
    if (e->node < 0)
        return;
    if (strcmp(e->state, "report") == 0)
        report(l, e);
    if (strcmp(e->state, "stopped") != 0 || l->nodes[e->node].heard < 0)
        return;
    struct ladder_row *row = ladder_row(l, e, LADDER_MEDIA);
    if (row) {
        row->text = l->nodes[e->node].heard;
        row->bad = l->nodes[e->node].deaf;
        row->other = with_line(l, ladder_text(e, "peer"));
    }
    l->nodes[e->node].heard = -1;
}
