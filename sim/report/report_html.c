/* The page, from top to bottom: verdict, network, ladder, what died, the other files. */
#include "nodes/base/error.h"
#include "sim/report/ladder_svg.h"
#include "sim/report/report.h"
#include "sim/report/report_text.h"
#include "sim/report/topology_svg.h"

enum { DIALOGS_SHOWN = 60, DEATHS_SHOWN = 60 };

/* ---- pieces ---- */

static lab_time number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void element(FILE *out, const char *tag, const char *class, const char *text)
{
    fprintf(out, "<%s%s%s%s>", tag, class ? " class=\"" : "", class ? class : "", class ? "\"" : "");
    report_escape(out, text);
    fprintf(out, "</%s>", tag);
}

static void time_cell(FILE *out, lab_time t)
{
    char buf[REPORT_TIME];
    fprintf(out, "<td class=\"t\">%s</td>", report_time(t, buf));
}

/* ---- verdict ---- */

/* All held; so many failed; or the run did not come to its end. */
static void outcome(const json_t *v, FILE *out)
{
    char buf[REPORT_TIME];
    const char *error = report_string(v, "error");
    lab_time failed = number_of(v, "failed_count");
    lab_time all = number_of(v, "held_count") + failed;
    bool good = !*error && !failed && json_is_true(json_object_get(v, "held"));
    fprintf(out, "<p class=\"outcome %s\"><b>%s</b> ", good ? "held" : "failed", good ? "✓" : "✗");
    if (*error)
        report_escape(out, error);
    else if (failed)
        fprintf(out, "%lld of %lld failed", (long long)failed, (long long)all);
    else
        fprintf(out, "all %lld held", (long long)all);
    fprintf(out, " <span class=\"after\">in %s of lab time</span></p>\n", report_time(number_of(v, "lab_time"), buf));
}

static void fact(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    report_escape(out, value);
    fputs("</dd></div>", out);
}

/* The first line of a longer comment may end within a sentence, which is left away then. */
static void title(const char *text, FILE *out)
{
    char buf[300];
    struct span whole = span_of(text);
    for (size_t n = whole.n; n > 1 && text[whole.n - 1] != '.'; n--)
        if (text[n - 1] == ' ' && text[n - 2] == '.') {
            whole.n = n - 1;
            break;
        }
    if (*text)
        element(out, "p", "title", span_copy(whole, buf, sizeof buf) ? buf : text);
}

static void top(const json_t *v, FILE *out)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%lld", (long long)number_of(v, "seed"));
    fputs("<header>\n", out);
    element(out, "h1", NULL, report_string(v, "lab"));
    title(report_string(v, "title"), out);
    fputs("\n", out);
    outcome(v, out);
    fputs("<dl class=\"facts\">", out);
    fact(out, "lab file", report_string(v, "file"));
    fact(out, "world", report_string(v, "world"));
    fact(out, "seed", seed);
    fputs("</dl>\n</header>\n", out);
}

static void moments(const json_t *list, FILE *out)
{
    size_t i;
    json_t *m;
    char at[REPORT_TIME];
    if (json_array_size(list) == 0)
        return;
    fputs("<div class=\"moments\"><p>What happened before, and to whom:</p><table>", out);
    json_array_foreach(list, i, m)
    {
        fputs("<tr>", out);
        time_cell(out, number_of(m, "first"));
        element(out, "th", NULL, report_string(m, "who"));
        fputs("<td>", out);
        report_escape(out, report_string(m, "what"));
        if (number_of(m, "count") > 1)
            fprintf(out, " <i>(%lld times, last at %s)</i>", (long long)number_of(m, "count"),
                    report_time(number_of(m, "last"), at));
        fputs("</td></tr>\n", out);
    }
    fputs("</table></div>", out);
}

static void item(const json_t *v, size_t number, FILE *out)
{
    bool expectation = strcmp(report_string(v, "kind"), "expect") == 0;
    bool held = strcmp(report_string(v, "state"), "held") == 0;
    const char *why = report_string(v, "why");
    fprintf(out, "<tr class=\"%s\"><td class=\"sign\">%s</td>", held ? "held" : "failed", held ? "✓" : "✗");
    time_cell(out, number_of(v, "ended"));
    fprintf(out, "<td class=\"line\">%lld</td><td><a href=\"#i%zu\"><span class=\"%s\">%s</span>",
            (long long)number_of(v, "line"), number, expectation ? "expect" : "step", expectation ? "expect: " : "");
    report_escape(out, report_string(v, "text"));
    fputs("</a>", out);
    if (!held && !*why)
        why = strcmp(report_string(v, "state"), "unfinished") == 0 ? "not finished" : "";
    if (*why)
        element(out, "div", "why", why);
    moments(json_object_get(v, "moments"), out);
    fputs("</td></tr>\n", out);
}

static void items(const json_t *list, FILE *out)
{
    size_t i;
    json_t *v;
    fputs("<section id=\"verdict\">\n<h2>Verdict</h2>\n<table class=\"items\"><thead><tr><th></th><th>lab time</th>"
          "<th>line</th><th>step or expectation, and what was found</th></tr></thead><tbody>\n",
          out);
    json_array_foreach(list, i, v) item(v, i, out);
    fputs("</tbody></table>\n</section>\n", out);
}

/* ---- network ---- */

static void network(const struct topology *t, const struct topology_places *p, FILE *out)
{
    fputs("<section id=\"network\">\n<h2>Network</h2>\n", out);
    if (p->groups)
        topology_svg(t, p, out);
    else if (t->nodes_n)
        fprintf(out, "<p>%zu networks and %zu nodes are too many to be drawn.</p>\n", t->networks_n, t->nodes_n);
    else
        fputs("<p>verdict.json tells of no network.</p>\n", out);
    if (t->groups_n < t->nodes_n)
        fprintf(out, "<p class=\"remark\">%zu nodes; those alike are drawn as one, with their number.</p>\n",
                t->nodes_n);
    fputs("</section>\n", out);
}

/* ---- ladder ---- */

static void dialogs(const struct ladder *l, FILE *out)
{
    if (l->dialogs_n == 0)
        return;
    fprintf(out,
            "<details%s><summary>Call-IDs: %zu</summary>\n<table "
            "class=\"dialogs\"><thead><tr><th>#</th><th>from</th><th>until</th>"
            "<th>begun by</th><th>with</th><th>messages</th><th>lost</th><th>Call-ID</th></tr></thead><tbody>\n",
            l->dialogs_n <= 8 ? " open=\"open\"" : "", l->dialogs_n);
    for (size_t i = 0; i < l->dialogs_n && i < DIALOGS_SHOWN; i++) {
        const struct ladder_dialog *d = &l->dialogs[i];
        fprintf(out, "<tr class=\"c%zu\"><td class=\"id\">#%zu</td>", i % LADDER_COLOURS, i + 1);
        time_cell(out, d->first);
        time_cell(out, d->last);
        element(out, "td", NULL, words_text(&l->names, d->node));
        element(out, "td", NULL, words_text(&l->words, d->text));
        fprintf(out, "<td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"mono\">", d->messages, d->lost);
        report_escape_cut(out, words_text(&l->words, d->call_id), 60);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
    if (l->dialogs_n > DIALOGS_SHOWN)
        fprintf(out, "<p class=\"remark\">The first %d of %zu.</p>\n", DIALOGS_SHOWN, l->dialogs_n);
    fputs("</details>\n", out);
}

static void legend(FILE *out)
{
    fputs("<p class=\"remark\">Time runs downwards, not to scale. #1, #2, … and the colour tell Call-IDs apart; ✗ is "
          "where "
          "a message died, a dashed arrow one of whose arrival nothing tells, <i>again</i> a retransmission. Rest the "
          "pointer on anything for more.</p>\n",
          out);
}

static void limits(const struct ladder *l, const struct ladder_columns *c, FILE *out)
{
    if (l->n > LADDER_SHOWN)
        fprintf(out, "<p class=\"remark\">%zu rows: the first and the last %d are shown.</p>\n", l->n,
                LADDER_SHOWN / 2);
    if (l->beyond)
        fprintf(out, "<p class=\"remark\">The trace goes on with %llu more rows, which are left out.</p>\n",
                (unsigned long long)l->beyond);
    if (c->left_out)
        fprintf(out, "<p class=\"remark\">%zu more nodes speak SIP; there is no column for them.</p>\n", c->left_out);
}

static int ladder(const struct ladder *l, const struct topology_places *p, FILE *out)
{
    struct ladder_columns c;
    int error = ladder_columns(&c, l, p->groups ? p : NULL);
    if (!error) {
        fputs("<section id=\"ladder\">\n<h2>Ladder</h2>\n", out);
        legend(out);
        limits(l, &c, out);
        ladder_svg(l, &c, out);
        dialogs(l, out);
        fputs("</section>\n", out);
    }
    ladder_columns_fini(&c);
    return error;
}

/* ---- what died ---- */

static void deaths(const struct ladder *l, FILE *out)
{
    fputs("<section id=\"died\">\n<h2>What died</h2>\n", out);
    if (l->deaths_n == 0) {
        fputs("<p>No packet.</p>\n</section>\n", out);
        return;
    }
    fputs("<table><thead><tr><th>cause</th><th>where</th><th>packets</th><th>first</th><th>last</th><th>the first "
          "one</th>"
          "</tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < l->deaths_n && i < DEATHS_SHOWN; i++) {
        const struct ladder_death *d = &l->deaths[i];
        fputs("<tr>", out);
        element(out, "td", "cause", words_text(&l->words, d->cause));
        element(out, "td", NULL, words_text(&l->words, d->where));
        fprintf(out, "<td class=\"n\">%llu</td>", (unsigned long long)d->count);
        time_cell(out, d->first);
        time_cell(out, d->last);
        element(out, "td", "mono", words_text(&l->words, d->packet));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
    if (l->deaths_n > DEATHS_SHOWN || l->deaths_beyond)
        fprintf(out, "<p class=\"remark\">The first %d kinds; trace.jsonl has all.</p>\n", DEATHS_SHOWN);
    fputs("</section>\n", out);
}

static const char foot[] =
    "<footer><p>Beside this page: <a href=\"trace.jsonl\">trace.jsonl</a>, what happened, in lab time; "
    "<a href=\"capture.pcapng\">capture.pcapng</a>, every wire, for Wireshark; <a "
    "href=\"verdict.json\">verdict.json</a>; <a href=\"logs/\">logs/</a>.</p></footer>\n</main>\n</body>\n</html>\n";

int report_html(const struct report *r, FILE *out)
{
    struct topology_places p = {0};
    int error = topology_drawable(&r->topology) ? topology_places(&p, &r->topology) : 0;
    if (!error) {
        fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
              "charset=\"utf-8\"/>\n"
              "<meta name=\"viewport\" content=\"width=device-width\"/>\n<meta name=\"color-scheme\" content=\"light "
              "dark\"/>\n<title>",
              out);
        report_escape(out, report_string(r->verdict, "lab"));
        fputs(" · farend</title>\n<style>\n", out);
        for (const char *const *piece = report_style; *piece; piece++)
            fputs(*piece, out);
        fputs("</style>\n</head>\n<body>\n<main>\n", out);
        top(r->verdict, out);
        items(json_object_get(r->verdict, "items"), out);
        network(&r->topology, &p, out);
        error = ladder(&r->ladder, &p, out);
        deaths(&r->ladder, out);
        fputs(foot, out);
    }
    topology_places_fini(&p);
    return error;
}
