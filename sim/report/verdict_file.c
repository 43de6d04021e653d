/* The verdict for machines: JSON, and JUnit XML for CI systems. */
#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "sim/lab/lab.h"
#include "sim/report/report_text.h"
#include "sim/report/topology.h"
#include "sim/report/verdict.h"

#include <jansson.h>

/* ---- JSON ---- */

static const char *const state_words[] = {"unfinished", "held", "failed"};

static json_t *moments_json(const struct verdict_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->moments_n; i++) {
        const struct moment *m = &item->moments[i];
        json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:s, s:s}", "first", (json_int_t)m->first, "last",
                                              (json_int_t)m->last, "count", (json_int_t)m->count, "who", m->who, "what",
                                              m->what));
    }
    return list;
}

static json_t *measures_json(const struct verdict_item *item)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < VERDICT_MEASURES; i++)
        if (item->measures[i] != NEVER)
            json_object_set_new(object, verdict_measure_words[i], json_integer((json_int_t)item->measures[i]));
    return object;
}

static json_t *item_json(const struct verdict_item *item)
{
    json_t *object =
        json_pack("{s:s, s:i, s:i, s:s?, s:s, s:I, s:I}", "kind", item->expectation ? "expect" : "step", "n",
                  (int)item->n, "line", (int)item->line, "text", item->text, "state", state_words[item->state],
                  "started", (json_int_t)item->started, "ended", (json_int_t)item->ended);
    if (item->why)
        json_object_set_new(object, "why", json_string(item->why));
    if (item->measured)
        json_object_set_new(object, "measured", measures_json(item));
    if (item->moments_n)
        json_object_set_new(object, "moments", moments_json(item));
    return object;
}

/* What the lab file says of itself in its first line, and what it builds. */
static int described_json(const struct lab *lab, json_t *root)
{
    struct span title = lab_headline(lab->source.text);
    json_t *text = title.n ? json_stringn(title.p, title.n) : NULL; /* NULL also where it is not UTF-8 */
    if (text)
        json_object_set_new(root, "title", text);
    return topology_json(lab, root);
}

int verdict_json(const struct verdict *v, const struct verdict_run *run, FILE *out)
{
    json_t *items = json_array();
    for (size_t i = 0; i < v->n; i++)
        json_array_append_new(items, item_json(&v->items[i]));
    json_t *root = json_pack("{s:s, s:s, s:s, s:I, s:b, s:i, s:i, s:I, s:s*, s:o}", "lab", run->lab, "file", run->file,
                             "world", run->world, "seed", (json_int_t)run->seed, "held",
                             verdict_all_held(v) && !run->error, "held_count", (int)v->held, "failed_count",
                             (int)v->failed, "lab_time", (json_int_t)v->now, "error", run->error, "items", items);
    if (!root) {
        json_decref(items);
        return FE_EMEM;
    }
    if (run->described && described_json(run->described, root)) {
        json_decref(root);
        return FE_EMEM;
    }
    int failed = json_dumpf(root, out, JSON_INDENT(2));
    json_decref(root);
    return failed || fputc('\n', out) == EOF ? FE_EOS : 0;
}

/* ---- JUnit ---- */

static void xml_seconds(FILE *out, lab_time t)
{
    char buf[32];
    struct text text = text_on(buf, sizeof buf);
    text_fixed(&text, t / MS, 3);
    fputs(buf, out);
}

static void junit_failure(const struct verdict_item *item, FILE *out)
{
    fputs("      <failure message=\"", out);
    report_escape(out, item->why ? item->why : "not finished");
    fputs("\">", out);
    for (size_t i = 0; i < item->moments_n; i++) {
        fputc('\n', out);
        xml_seconds(out, item->moments[i].first);
        fputs("s ", out);
        report_escape(out, item->moments[i].who);
        fputc(' ', out);
        report_escape(out, item->moments[i].what);
        if (item->moments[i].count > 1)
            fprintf(out, " (%u times)", item->moments[i].count);
    }
    fputs("</failure>\n", out);
}

static void junit_item(const struct verdict_item *item, const struct verdict_run *run, FILE *out)
{
    fputs("    <testcase classname=\"", out);
    report_escape(out, run->lab);
    fprintf(out, ".%s\" name=\"%u ", run->world, item->n);
    report_escape(out, item->expectation ? "expect: " : "");
    report_escape(out, item->text);
    fputs("\" time=\"", out);
    xml_seconds(out, item->ended - item->started);
    if (item->state == VERDICT_HELD) {
        fputs("\"/>\n", out);
        return;
    }
    fputs("\">\n", out);
    junit_failure(item, out);
    fputs("    </testcase>\n", out);
}

void verdict_junit_begin(FILE *out)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"farend\">\n", out);
}

void verdict_junit(const struct verdict *v, const struct verdict_run *run, FILE *out)
{
    fputs("  <testsuite name=\"", out);
    report_escape(out, run->lab);
    fprintf(out, " (%s)\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"", run->world,
            v->n + (run->error != NULL), v->failed, run->error != NULL);
    xml_seconds(out, v->now);
    fputs("\">\n", out);
    for (size_t i = 0; i < v->n; i++)
        junit_item(&v->items[i], run, out);
    if (run->error) {
        fputs("    <testcase classname=\"", out);
        report_escape(out, run->lab);
        fprintf(out, ".%s\" name=\"run\"><error message=\"", run->world);
        report_escape(out, run->error);
        fputs("\"/></testcase>\n", out);
    }
    fputs("  </testsuite>\n", out);
}

void verdict_junit_end(FILE *out)
{
    fputs("</testsuites>\n", out);
}
