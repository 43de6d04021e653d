/* report.html from a folder: whole, escaped, and the same again; what is no run, or a wrong line of it, is told. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/report/ladder_svg.h"
#include "sim/report/report.h"
#include "tests/cmocka.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/farend-report-XXXXXX";
static char why[600];

static FILE *create(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    return f;
}

static void file(const char *name, const char *text)
{
    FILE *f = create(name);
    fputs(text, f);
    fclose(f);
}

/* The caller's to free. */
static char *page(void)
{
    char path[200];
    size_t cap = 8 << 20;
    char *text = malloc(cap);
    snprintf(path, sizeof path, "%s/report.html", folder);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_non_null(text);
    size_t n = fread(text, 1, cap - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

static int write_report(void)
{
    struct text t = text_on(why, sizeof why);
    return report_write(folder, &t);
}

/* ---- well-formed: tags match, attributes are quoted, entities are known ---- */

enum { DEPTH = 64 };

static const char *attributes(const char *p)
{
    for (;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (*p == '>' || *p == '/')
            return p;
        const char *equals = p + strcspn(p, "=<>\"' ");
        assert_true(*equals == '=' && equals[1] == '"');
        const char *end = strchr(equals + 2, '"');
        assert_non_null(end);
        assert_null(memchr(equals, '<', (size_t)(end - equals)));
        p = end + 1;
    }
}

static void assert_entity(const char *p)
{
    static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(p, known[i], strlen(known[i])) == 0)
            return;
    fail_msg("an ampersand: %.40s", p);
}

static void assert_well_formed(const char *text)
{
    struct span open[DEPTH];
    size_t depth = 0;
    const char *p = strchr(text, '\n') + 1; /* after the document type */
    for (; *p; p++) {
        assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
        if (*p == '&')
            assert_entity(p);
        if (*p != '<')
            continue;
        bool closes = p[1] == '/';
        const char *name = p + 1 + closes;
        struct span tag = {name, strcspn(name, " />\n")};
        assert_true(tag.n > 0);
        p = closes ? name + tag.n : attributes(name + tag.n);
        if (closes) {
            assert_true(depth > 0);
            if (!span_equal(open[--depth], tag))
                fail_msg("<%.*s> ends as </%.*s>", SPAN_ARG(open[depth]), SPAN_ARG(tag));
        } else if (*p == '/') {
            p++;
        } else {
            assert_true(depth < DEPTH);
            open[depth++] = tag;
        }
        assert_int_equal(*p, '>');
    }
    assert_int_equal(depth, 0);
}

/* ---- */

static const char plain_verdict[] =
    "{\"lab\":\"small\",\"title\":\"A lab. And the\",\"file\":\"small.yaml\",\"world\":"
    "\"sim\",\"seed\":1,\"held\":true,\"held_count\":1,\"failed_count\":0,\"lab_time\":5,"
    "\"items\":[{\"kind\":\"step\",\"line\":3,\"text\":\"sleep: 1s\",\"state\":\"held\","
    "\"ended\":0}]}";
#define STEP "{\"t\":0,\"ev\":\"step\",\"n\":1,\"line\":3,\"text\":\"sleep: 1s\",\"state\":\"started\"}\n"

static void a_run_becomes_a_page(void **state)
{
    (void)state;
    file("verdict.json", plain_verdict);
    file("trace.jsonl", STEP);
    assert_int_equal(write_report(), 0);
    char *first = page();
    assert_well_formed(first);
    assert_non_null(strstr(first, "all 1 held"));
    assert_non_null(strstr(first, "<p class=\"title\">A lab.</p>"));
    assert_non_null(strstr(first, "id=\"i0\""));
    assert_null(strstr(first, "://cdn"));
    assert_null(strstr(first, "<script"));
    assert_int_equal(write_report(), 0);
    char *second = page();
    assert_string_equal(first, second);
    free(first);
    free(second);
}

#define EVIL "<script>alert('\\\"&\\u0001\\uffff')</script>"

static void hostile_names_are_text(void **state)
{
    (void)state;
    file("verdict.json",
         "{\"lab\":\"" EVIL "\",\"title\":\"" EVIL "\",\"file\":\"" EVIL "\",\"world\":\"" EVIL "\",\"held\":false,"
         "\"failed_count\":1,\"error\":\"" EVIL "\",\"items\":[{\"text\":\"" EVIL "\",\"why\":\"" EVIL
         "\",\"moments\":[{"
         "\"who\":\"" EVIL "\",\"what\":\"" EVIL "\",\"count\":2}]}],\"networks\":[{\"name\":\"" EVIL
         "\",\"subnet\":\"" EVIL "\",\"hops\":3}],\"nodes\":[{\"name\":\"" EVIL "\",\"kind\":\"" EVIL
         "\",\"ports\":[{\"name\":\"" EVIL "\",\"network\":\"" EVIL "\",\"address\":\"" EVIL "\"}]}]}");
    FILE *trace = create("trace.jsonl");
    static const char *const events[] = {"sip", "drop", "icmp", "step", "expect", "fault", "call", "registration"};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        fprintf(trace,
                "{\"t\":%zu,\"node\":\"" EVIL "\",\"ev\":\"%s\",\"state\":\"" EVIL "\",\"msg\":\"" EVIL
                "\",\"peer\":\"" EVIL "\",\"call_id\":\"" EVIL "\",\"cause\":\"" EVIL "\",\"packet\":\"" EVIL
                "\",\"text\":\"" EVIL "\",\"why\":\"" EVIL "\",\"reason\":\"" EVIL "\",\"dir\":\"out\"}\n",
                i, events[i]);
    fclose(trace);
    assert_int_equal(write_report(), 0);
    char *text = page();
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)"));
    assert_well_formed(text);
    free(text);
}

static void a_wrong_line_is_told_with_its_number(void **state)
{
    (void)state;
    char expected[300];
    file("verdict.json", plain_verdict);
    file("trace.jsonl", STEP STEP "{\"t\":1,\n");
    assert_int_equal(write_report(), FE_ESYNTAX);
    snprintf(expected, sizeof expected, "%s/trace.jsonl:3: ", folder);
    assert_memory_equal(why, expected, strlen(expected));
    file("trace.jsonl", STEP);
    file("verdict.json", "{\n\"lab\":\n}");
    assert_int_equal(write_report(), FE_ESYNTAX);
    snprintf(expected, sizeof expected, "%s/verdict.json:3: ", folder);
    assert_memory_equal(why, expected, strlen(expected));
    file("verdict.json", "[]");
    assert_int_equal(write_report(), FE_ESYNTAX);
}

static void what_is_no_run_is_unknown(void **state)
{
    (void)state;
    struct text t = text_on(why, sizeof why);
    assert_int_equal(report_write("/nowhere", &t), FE_EUNKNOWN);
    assert_string_equal(why, "/nowhere/verdict.json: No such file or directory");
}

/* Of a long trace the beginning and the end are shown; links to the steps between lead to where they are left out. */
static void a_long_trace_is_cut(void **state)
{
    (void)state;
    file("verdict.json", plain_verdict);
    FILE *trace = create("trace.jsonl");
    for (int i = 0; i < 3 * LADDER_SHOWN; i++)
        fprintf(trace,
                "{\"t\":%d,\"node\":\"a%d\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"OPTIONS\",\"peer\":\"1.2.3.4:5\","
                "\"call_id\":\"%d\",\"cseq\":%d}\n%s",
                i, i % 50, i % 9, i, i == LADDER_SHOWN + 1 ? STEP : "");
    fclose(trace);
    assert_int_equal(write_report(), 0);
    char *text = page();
    size_t shown = 0;
    for (const char *p = text; (p = strstr(p, "class=\"m c")); p++)
        shown++;
    assert_true(shown > LADDER_SHOWN / 4 && shown <= LADDER_SHOWN);
    assert_non_null(strstr(text, "are left out here"));
    assert_non_null(strstr(text, "<i id=\"i0\"></i>"));
    assert_non_null(strstr(text, "30 more nodes speak SIP"));
    assert_well_formed(text);
    free(text);
}

static void any_verdict_is_survived(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{}", "{\"items\":7,\"networks\":{},\"nodes\":[1,null,[],{\"name\":4},{\"name\":\"a\",\"ports\":3}]}",
        "{\"lab\":[],\"items\":[1,{\"moments\":[2,{}],\"line\":-1e9}],\"lab_time\":-5,\"seed\":\"x\",\"held\":\"yes\"}",
        "{\"networks\":[{\"name\":\"n\",\"hops\":99999999999}],\"nodes\":[{\"name\":\"a\",\"ports\":[{\"network\":"
        "\"x\"},"
        "{\"network\":\"n\"},{\"network\":\"n\"}]},{\"name\":\"a\",\"kind\":\"pbx\"}]}"};
    file("trace.jsonl", STEP "{\"t\":1,\"node\":\"a\",\"ev\":\"sip\",\"dir\":\"in\",\"peer\":\"\",\"msg\":\"X\"}\n");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        file("verdict.json", wrong[i]);
        assert_int_equal(write_report(), 0);
        char *text = page();
        assert_well_formed(text);
        free(text);
    }
}

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
    static const char *const names[] = {"verdict.json", "trace.jsonl", "report.html"};
    char path[200];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_becomes_a_page),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(a_wrong_line_is_told_with_its_number),
        cmocka_unit_test(what_is_no_run_is_unknown),
        cmocka_unit_test(a_long_trace_is_cut),
        cmocka_unit_test(any_verdict_is_survived),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
