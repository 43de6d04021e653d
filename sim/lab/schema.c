#include "sim/lab/schema.h"

#include "nodes/base/error.h"
#include "sim/lab/expect_outage.h"
#include "sim/lab/expect_storm.h"
#include "sim/lab/lab_certificate.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step.h"

#include <jansson.h>

/* ---- small pieces ---- */

static json_t *ref(const char *definition)
{
    char text[64];
    snprintf(text, sizeof text, "#/$defs/%s", definition);
    return json_pack("{s:s}", "$ref", text);
}

static json_t *pattern(const char *regex)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", regex);
}

static json_t *words(const char *const *list)
{
    json_t *array = json_array();
    for (; *list; list++)
        json_array_append_new(array, json_string(*list));
    return json_pack("{s:o}", "enum", array);
}

static json_t *explained_words(const char *const *list, const char *const *help)
{
    json_t *array = json_array();
    for (size_t i = 0; list[i]; i++)
        json_array_append_new(array, json_pack("{s:s, s:s}", "const", list[i], "description", help[i]));
    return json_pack("{s:o}", "oneOf", array);
}

/* Numbers are written bare in YAML, so a line or an address part may look like one. */
static json_t *scalar(void)
{
    return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

static json_t *either(json_t *a, json_t *b)
{
    return json_pack("{s:[o, o]}", "anyOf", a, b);
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *map_of(json_t *values)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", values);
}

static json_t *flag(void)
{
    return json_pack("{s:[b, b, s, s, s, s]}", "enum", 1, 0, "yes", "no", "on", "off");
}

static json_t *count(int64_t min, int64_t max)
{
    json_t *schema = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)min);
    if (max)
        json_object_set_new(schema, "maximum", json_integer(max));
    return schema;
}

static void described(json_t *schema, const char *help)
{
    if (help)
        json_object_set_new(schema, "description", json_string(help));
}

/* ---- forms ---- */

static json_t *field_schema(const struct field *f)
{
    switch (f->type) {
    case FIELD_FLAG: return flag();
    case FIELD_COUNT: return count(f->min, f->max);
    case FIELD_TIME: return ref("time");
    case FIELD_RATIO: return ref("ratio");
    case FIELD_RATE: return ref("rate");
    case FIELD_SIZE: return ref("size");
    case FIELD_CHOICE: return words(f->choices);
    case FIELD_TEXT: return f->choices ? words(f->choices) : scalar();
    case FIELD_NAME: return scalar();
    case FIELD_ANY: return ref(f->means);
    }
    return NULL;
}

static json_t *object_new(void)
{
    return json_pack("{s:s, s:b, s:{}}", "type", "object", "additionalProperties", 0, "properties");
}

static void property(json_t *object, const char *name, json_t *schema, const char *help, bool needed)
{
    described(schema, help);
    json_object_set_new(json_object_get(object, "properties"), name, schema);
    if (!needed)
        return;
    if (!json_object_get(object, "required"))
        json_object_set_new(object, "required", json_array());
    json_array_append_new(json_object_get(object, "required"), json_string(name));
}

static json_t *form_into(json_t *object, const struct field *form)
{
    for (; form->name; form++)
        property(object, form->name, field_schema(form), form->help, form->needed);
    return object;
}

static json_t *form_schema(const struct field *form)
{
    return form_into(object_new(), form);
}

/* ---- nodes ---- */

static json_t *options_schema(json_t *object, const struct option *table);

/* Of an OPT_MAP; lines can be many at once (lab_count.h). */
static json_t *element_schema(const struct option *o)
{
    json_t *element = options_schema(object_new(), o->each);
    if (strcmp(o->name, "lines") == 0)
        property(element, "count", count(1, 0), "so many lines: the number counts up", false);
    return element;
}

static json_t *option_schema(const struct option *o)
{
    switch (o->type) {
    case OPT_FLAG: return flag();
    case OPT_COUNT: return count(o->min, o->max);
    case OPT_TIME: return ref("time");
    case OPT_RATIO: return ref("ratio");
    case OPT_CHOICE: return o->choices_help ? explained_words(o->choices, o->choices_help) : words(o->choices);
    case OPT_PORTS: return pattern("^[0-9]+ *- *[0-9]+$");
    case OPT_SUBNET: return ref("subnet");
    case OPT_TEXT:
    case OPT_ADDR:
    case OPT_ENDPOINT: return scalar();
    case OPT_LIST: return either(option_schema(o->each), list_of(option_schema(o->each)));
    case OPT_MAP: return map_of(element_schema(o));
    case OPT_CERTIFICATE: return o->part == OPTION_TRUST || o->part == OPTION_ISSUERS ? ref("some") : scalar();
    }
    return NULL;
}

static json_t *options_schema(json_t *object, const struct option *table)
{
    for (; table->name; table++)
        if (table->name[0])
            property(object, table->name, option_schema(table), table->help, false);
    return object;
}

static json_t *kind_schema(const struct node_kind *kind)
{
    bool router = strcmp(kind->name, "router") == 0;
    json_t *object = form_into(object_new(), node_form);
    const char *const only[] = {kind->name, NULL};
    json_object_set_new(json_object_get(object, "properties"), "kind", words(only));
    for (const char *const *port = kind->ports; *port; port++)
        property(object, *port, ref("place"), "where it hangs on a network", !router);
    if (router)
        property(object, "ports", list_of(ref("place")), "the networks it joins", false);
    else
        options_schema(object, kind->options);
    described(object, kind->help);
    return object;
}

static json_t *program_schema(void)
{
    const char *const only[] = {lab_program_kind.name, NULL};
    json_t *object = form_into(object_new(), node_form);
    json_object_set_new(json_object_get(object, "properties"), "kind", words(only));
    for (const char *const *port = lab_program_kind.ports; *port; port++)
        property(object, *port, ref("place"), "where it hangs on a network", port == lab_program_kind.ports);
    form_into(object, lab_program_form);
    described(object, lab_program_kind.help);
    return object;
}

static json_t *node_schema(void)
{
    json_t *kinds = json_array();
    for (const struct node_kind *const *kind = node_kinds; *kind; kind++)
        json_array_append_new(kinds, kind_schema(*kind));
    json_array_append_new(kinds, program_schema());
    return json_pack("{s:o}", "oneOf", kinds);
}

/* ---- expectations and steps ---- */

static json_t *event_schema(const struct event_word *w)
{
    json_t *object = form_into(object_new(), expect_count_form);
    for (size_t i = 0; i < sizeof w->keys / sizeof w->keys[0] && w->keys[i].word; i++) {
        const struct event_key *k = &w->keys[i];
        property(object, k->word, k->value == EVENT_WORDS ? words(k->words) : scalar(), k->help, false);
    }
    static const char *const none[] = {"none", NULL};
    return either(words(none), object);
}

static json_t *statement_schema(void)
{
    json_t *object = form_into(object_new(), expect_time_form);
    property(object, "call", form_schema(expect_call_form), "how a call went", false);
    for (const struct event_word *w = expect_events; w->word; w++)
        property(object, w->word, event_schema(w), w->help, false);
    return json_pack("{s:[o, o, o, o, o]}", "anyOf", pattern("^[^ ]+ +(not +)?(registered|ringing|in call|idle)$"),
                     object, form_schema(expect_media_form), form_schema(expect_outage_form),
                     form_schema(expect_storm_form));
}

static json_t *step_schema(const struct step_word *w)
{
    json_t *brief = NULL;
    json_t *full = w->form ? form_schema(w->form) : NULL;
    if (w->other)
        full = either(full, form_schema(w->other));
    if (w->brief && strcmp(w->brief, "node") == 0)
        brief = scalar();
    else if (w->brief)
        brief = ref(w->brief);
    if (w->form && strcmp(w->word, "wait") == 0)
        brief = either(ref("time"), brief);
    if (strcmp(w->word, "set") == 0)
        json_object_set_new(full, "additionalProperties", scalar()); /* a node's setting */
    return brief && full ? either(brief, full) : brief ? brief : full;
}

static json_t *steps_schema(void)
{
    json_t *object = object_new();
    for (const struct step_word *w = step_words; w->word; w++)
        property(object, w->word, step_schema(w), w->help, false);
    json_object_set_new(object, "minProperties", json_integer(1));
    json_object_set_new(object, "maxProperties", json_integer(1));
    return list_of(object);
}

/* ---- the whole ---- */

static json_t *definitions(void)
{
    json_t *d = json_object();
    json_object_set_new(d, "time", pattern("^(0|[0-9]+(\\.[0-9]+)? *(ns|us|ms|s|min|h|d))$"));
    json_object_set_new(d, "ratio", either(pattern("^(0|[0-9]+(\\.[0-9]+)? *(%|ppm))$"), count(0, 0)));
    json_object_set_new(d, "rate", pattern("^[0-9]+(\\.[0-9]+)? *(bit/s|kbit/s|Mbit/s|Gbit/s)$"));
    json_object_set_new(d, "size", pattern("^[0-9]+(\\.[0-9]+)? *(B|kB|MB|KiB|MiB)$"));
    json_object_set_new(d, "subnet", pattern("^[0-9.]+/[0-9]+$"));
    json_object_set_new(d, "names", list_of(scalar()));
    json_object_set_new(d, "link", form_schema(link_form));
    json_object_set_new(d, "routes", map_of(scalar()));
    json_object_set_new(d, "texts", map_of(scalar()));
    json_object_set_new(d, "some", either(scalar(), list_of(scalar())));
    json_object_set_new(d, "command", either(pattern("[^ ]"), list_of(scalar())));
    json_object_set_new(d, "ready", form_schema(lab_ready_form));
    json_object_set_new(d, "place", either(pattern("^[^.]+(\\.[0-9]+)+$"), form_schema(port_form)));
    json_object_set_new(d, "network", either(ref("subnet"), form_schema(network_form)));
    json_object_set_new(d, "networks", map_of(ref("network")));
    json_object_set_new(d, "certificates", form_schema(lab_certificates_form));
    json_object_set_new(d, "roots", map_of(either(json_pack("{s:s}", "type", "null"), form_schema(lab_root_form))));
    json_object_set_new(d, "issued", map_of(form_schema(lab_issued_form)));
    json_object_set_new(d, "moment", pattern("^-?(0|[0-9]+(\\.[0-9]+)? *(s|min|h|d))$"));
    json_object_set_new(d, "clock",
                        pattern("^(right|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?|"
                                "[-+]?(0|[0-9]+(\\.[0-9]+)? *(ns|us|ms|s|min|h|d)))$"));
    json_object_set_new(d, "jump", pattern("^[-+]?[0-9]+(\\.[0-9]+)? *(ns|us|ms|s|min|h|d)$"));
    json_object_set_new(d, "node", node_schema());
    json_object_set_new(d, "nodes", map_of(ref("node")));
    json_object_set_new(d, "statement", statement_schema());
    json_object_set_new(d, "expectations", list_of(ref("statement")));
    json_object_set_new(d, "steps", steps_schema());
    return d;
}

int schema_write(FILE *out)
{
    json_t *schema = form_schema(lab_form);
    if (!schema)
        return FE_EMEM;
    json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("a farend lab"));
    json_object_set_new(schema, "$defs", definitions());
    int failed = json_dumpf(schema, out, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(schema);
    return failed || fputc('\n', out) == EOF ? FE_EOS : 0;
}
