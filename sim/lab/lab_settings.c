/* Settings of nodes: checked against the kind's table, names turned into addresses, and what can be known from the rest
 * of the lab filled in: a phone's proxy and password, an SBC's PBX. */
#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "sim/lab/lab_certificate.h"
#include "sim/lab/lab_config.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

/* The few nodes that all others are looked up against, found once: a lab may have ten thousand phones. */
struct node_list {
    const struct lab_node **items;
    size_t n;
};

struct landmarks {
    struct node_list pbx, sbc;
    struct node_list mapping; /* NATs with `one-to-one` */
};

struct setting_reader {
    struct lab *lab;
    const struct landmarks *known;
    struct lab_node *node;
    void *settings; /* the kind's struct, to check values with */
    int error;      /* FE_EMEM */
};

const char *lab_setting(const struct lab_node *node, const char *path)
{
    for (size_t i = 0; i < node->settings_n; i++)
        if (strcmp(node->settings[i].path, path) == 0)
            return node->settings[i].value;
    return NULL;
}

const struct lab_node *lab_phone(const struct lab *lab, const char *line)
{
    for (size_t i = 0; i < lab->nodes_n; i++) {
        const char *has = lab_is_phone(&lab->nodes[i]) ? lab_setting(&lab->nodes[i], "line") : NULL;
        if (has && strcmp(has, line) == 0)
            return &lab->nodes[i];
    }
    return NULL;
}

/* ---- where a node is found by another ---- */

static const struct lab_port *port_on(const struct lab_node *node, unsigned network)
{
    for (size_t i = 0; i < node->ports_n; i++)
        if (node->ports[i].network == network)
            return &node->ports[i];
    return NULL;
}

/* The address that a 1:1 NAT shows for the node, as text; NULL when none stands before it. */
static const char *mapped_address(const struct setting_reader *r, const struct lab_node *node)
{
    for (size_t i = 0; i < r->known->mapping.n; i++) {
        const struct lab_node *nat = r->known->mapping.items[i];
        const char *inside = doc_get(nat->doc, "one-to-one")->text;
        const struct doc *public = doc_get(nat->doc, "public");
        char buf[ENDPOINT_TEXT];
        bool same = strcmp(inside, node->name) == 0;
        for (size_t j = 0; j < node->ports_n; j++)
            same = same || strcmp(inside, addr_text(node->ports[j].addr, buf)) == 0;
        if (same && public && public->type == DOC_TEXT)
            return public->text;
        if (same)
            return arena_text(&r->lab->arena, addr_text(nat->ports[1].addr, buf));
    }
    return NULL;
}

/* Where `from` reaches `to`: on a network of both; else where the outside world sees it. */
static const char *address_for(const struct setting_reader *r, const struct lab_node *to)
{
    struct arena *arena = &r->lab->arena;
    const struct lab_node *from = r->node;
    char buf[ENDPOINT_TEXT];
    for (size_t i = 0; i < from->ports_n; i++) {
        const struct lab_port *p = port_on(to, from->ports[i].network);
        if (p)
            return arena_text(arena, addr_text(p->addr, buf));
    }
    const char *mapped = mapped_address(r, to);
    const struct doc *public = doc_get(to->doc, "public address");
    if (mapped)
        return mapped;
    if (public && public->type == DOC_TEXT)
        return public->text;
    const struct lab_port *p = &to->ports[0];
    for (size_t i = 0; i < to->ports_n; i++)
        if (strcmp(to->ports[i].name, "outside") == 0)
            p = &to->ports[i];
    return arena_text(arena, addr_text(p->addr, buf));
}

/* A node's name in place of an address, with or without a port: the address. Other texts come back as they are; NULL
 * after a problem. */
static const char *name_resolve(struct setting_reader *r, const struct option *o, const struct doc *value)
{
    const char *setting = o ? o->name : NULL;
    if (o && o->type == OPT_LIST)
        o = o->each;
    if (!o || !o->node || (o->type != OPT_ADDR && o->type != OPT_ENDPOINT))
        return value->text;
    struct lab *lab = r->lab;
    struct span port;
    struct span name = span_cut(span_of(value->text), ':', &port);
    int index = names_find(&lab->node_names, name);
    ipv4 addr;
    if (index < 0 && addr_parse(name, &addr) && !(o->host && span_contains(name, SPAN(".")))) {
        problem(&lab->problems, value->at, setting, ": \"", value->text, "\" is neither a node nor an address",
                names_hint(&lab->arena, &lab->node_names, value->text));
        return NULL;
    }
    if (index < 0)
        return value->text;
    const struct lab_node *to = &lab->nodes[index];
    if (to->ports_n == 0)
        return NULL; /* its own problem was told */
    if (strcmp(o->node, "*") != 0 && to->kind && !lab_is_program(to) && strcmp(o->node, to->kind->name) != 0) {
        problem(&lab->problems, value->at, setting, ": \"", to->name, "\" is a ", to->kind->name, "; expected a ",
                o->node);
        return NULL;
    }
    const struct doc *own_port = o->type == OPT_ENDPOINT ? doc_get(to->doc, "port") : NULL;
    const char *port_text = port.p ? port.p : own_port && own_port->type == DOC_TEXT ? own_port->text : NULL;
    const char *text = address_for(r, to);
    if (!text)
        r->error = FE_EMEM;
    return text && port_text ? arena_text(&lab->arena, text, ":", port_text) : text;
}

/* ---- one setting ---- */

static void setting_keep(struct setting_reader *r, const char *path, const char *value, struct place at)
{
    struct lab_setting *s = arena_push(&r->lab->arena, &r->node->settings, &r->node->settings_n, sizeof *s);
    if (s)
        *s = (struct lab_setting){path, value, at};
    else
        r->error = FE_EMEM;
}

static void text_set(struct setting_reader *r, const char *path, const char *text, const struct place *key,
                     const struct place *at)
{
    const struct option *table = r->node->kind->options;
    char buf[PROBLEM_TEXT];
    struct text why = text_on(buf, sizeof buf);
    int error = options_set(table, r->settings, span_of(path), span_of(text), &why);
    if (error == FE_EMEM)
        r->error = error;
    else if (error)
        problem(&r->lab->problems, error == FE_EUNKNOWN && !options_find(table, span_of(path)) ? *key : *at, buf);
    else
        setting_keep(r, path, text, *at);
}

static void text_read(struct setting_reader *r, const char *path, const struct place *key, const struct doc *value)
{
    const char *text = name_resolve(r, options_find(r->node->kind->options, span_of(path)), value);
    if (text)
        text_set(r, path, text, key, &value->at);
}

static void certificate_read(struct setting_reader *r, const char *path, const struct option *o,
                             const struct doc *value)
{
    const char *text = lab_certificate_text(r->lab, o, value);
    if (text)
        text_set(r, path, text, &value->at, &value->at);
    else
        r->error = FE_EMEM;
}

/* A value under `path`: texts are set, lists item by item, maps by longer paths. */
static void value_read(struct setting_reader *r, const char *path, const struct place *key, const struct doc *value)
{
    const struct option *o = options_find(r->node->kind->options, span_of(path));
    bool map = value->type == DOC_MAP;
    if (o && o->type == OPT_CERTIFICATE) {
        certificate_read(r, path, o, value);
        return;
    }
    if (value->type == DOC_TEXT) {
        text_read(r, path, key, value);
        return;
    }
    if (o && (map ? o->type != OPT_MAP : o->type != OPT_LIST)) {
        problem(&r->lab->problems, value->at, o->name, ": expected ", option_expects(o));
        return;
    }
    if (map && value->n == 0 && strchr(path, '.')) { /* {104: {}}: an element with its defaults */
        const struct doc empty = {.type = DOC_TEXT, .at = value->at, .text = ""};
        text_read(r, path, key, &empty);
    }
    for (size_t i = 0; i < value->n; i++) {
        const struct doc_entry *e = &value->entries[i];
        const char *longer = map ? arena_text(&r->lab->arena, path, ".", e->key->text) : path;
        if (!longer) {
            r->error = FE_EMEM;
        } else if (map && strchr(e->key->text, '.') && !(o && o->dotted)) {
            problem(&r->lab->problems, e->key->at, "\"", e->key->text, "\": a name without dots was expected");
        } else if (o && o->dotted && !strchr(path, '.') && (e->value->type != DOC_MAP || e->value->n == 0)) {
            problem(&r->lab->problems, e->value->at, path, ": expected what \"", e->key->text, "\" has, as {",
                    o->each[1].name, ": …}");
        } else {
            value_read(r, longer, map ? &e->key->at : key, e->value);
        }
    }
}

/* The words of a node's mapping that are not settings. */
static bool is_structure(const struct lab_node *node, const char *key)
{
    if (form_field(node_form, key) || (lab_is_program(node) && form_field(lab_program_form, key)))
        return true;
    for (const char *const *port = node->kind->ports; *port; port++)
        if (strcmp(*port, key) == 0)
            return true;
    return node->router && strcmp(key, "ports") == 0;
}

static void unknown_key(struct lab *lab, const struct lab_node *node, const struct doc *key)
{
    struct nearest best = {0};
    struct span wrong = span_of(key->text);
    for (const struct field *f = node_form; f->name; f++)
        nearest_offer(&best, wrong, span_of(f->name));
    for (const char *const *port = node->kind->ports; *port; port++)
        nearest_offer(&best, wrong, span_of(*port));
    for (const struct field *f = lab_program_form; lab_is_program(node) && f->name; f++)
        nearest_offer(&best, wrong, span_of(f->name));
    for (const struct option *o = node->kind->options; o && o->name && !node->router; o++)
        nearest_offer(&best, wrong, span_of(o->name));
    bool near = !span_empty(best.name);
    problem(&lab->problems, key->at, "a ", node->kind->name, " has no \"", key->text, "\"",
            near ? "; did you mean \"" : "", near ? best.name.p : "", near ? "\"?" : "");
}

/* ---- defaults ---- */

static bool is_kind(const struct lab_node *node, const char *kind)
{
    return node->kind && strcmp(node->kind->name, kind) == 0;
}

static const struct lab_node *only(const struct node_list *list)
{
    return list->n == 1 ? list->items[0] : NULL;
}

static const struct lab_node *only_of_kind(const struct setting_reader *r, const char *kind)
{
    const struct lab_node *found = NULL;
    if (strcmp(kind, "pbx") == 0)
        return only(&r->known->pbx);
    for (size_t i = 0; i < r->lab->nodes_n; i++)
        if (is_kind(&r->lab->nodes[i], kind)) {
            if (found)
                return NULL;
            found = &r->lab->nodes[i];
        }
    return found;
}

/* Through whom a phone registers when the lab does not say: a PBX on its own network, else the only SBC, else the only
 * PBX. */
static const struct lab_node *nearest_server(const struct setting_reader *r)
{
    for (size_t i = 0; i < r->known->pbx.n; i++)
        for (size_t j = 0; j < r->node->ports_n; j++)
            if (port_on(r->known->pbx.items[i], r->node->ports[j].network))
                return r->known->pbx.items[i];
    return r->known->sbc.n ? only(&r->known->sbc) : only(&r->known->pbx);
}

static void default_node(struct setting_reader *r, const struct option *o)
{
    struct lab *lab = r->lab;
    bool any = strcmp(o->node, "*") == 0;
    const struct lab_node *to = any ? nearest_server(r) : only_of_kind(r, o->node);
    if (!to || to->ports_n == 0) {
        problem(&lab->problems, r->node->at, "\"", r->node->name, "\" needs \"", o->name, "\": ", o->help,
                to ? "" : "; the lab has not just one to choose from");
        return;
    }
    const struct doc value = {.type = DOC_TEXT, .at = r->node->at, .text = to->name};
    text_read(r, o->name, &value.at, &value);
}

/* A line's password is written once, at the PBX. */
static void default_password(struct setting_reader *r)
{
    const char *line = lab_setting(r->node, "line");
    for (size_t i = 0; i < r->known->pbx.n && line; i++) {
        const struct doc *lines = doc_get(r->known->pbx.items[i]->doc, "lines");
        const struct doc *password = doc_get(doc_get(lines, line), "password");
        if (password && password->type == DOC_TEXT) {
            text_read(r, "password", &password->at, password);
            return;
        }
    }
}

/* A key belongs to its certificate: option.with. */
static void default_certificate(struct setting_reader *r, const struct option *o)
{
    const struct doc *value = doc_get(r->node->doc, o->with);
    if (value)
        certificate_read(r, o->name, o, value);
}

static void defaults_add(struct setting_reader *r)
{
    const struct option *table = r->node->kind->options;
    for (const struct option *o = table; o->name; o++)
        if (o->type == OPT_CERTIFICATE && o->with && !doc_get(r->node->doc, o->name))
            default_certificate(r, o);
    for (const struct option *o = table; o->name; o++)
        if (o->needed && o->node && !doc_get(r->node->doc, o->name) && !lab_setting(r->node, o->name))
            default_node(r, o);
    if (lab_is_phone(r->node) && options_find(table, SPAN("password")) && !doc_get(r->node->doc, "password") &&
        !lab_setting(r->node, "password"))
        default_password(r);
}

/* ---- nodes ---- */

static void missing_add(struct setting_reader *r)
{
    const struct option *o = options_missing(r->node->kind->options, r->settings);
    if (o && !doc_get(r->node->doc, o->name) && !o->node)
        problem(&r->lab->problems, r->node->at, "\"", r->node->name, "\" needs \"", o->name, "\": ", o->help);
}

/* Where a setting was given; else the node's own place. */
static struct place place_of(const struct lab_node *node, const char *path)
{
    for (size_t i = 0; i < node->settings_n; i++)
        if (strcmp(node->settings[i].path, path) == 0)
            return node->settings[i].at;
    return node->at;
}

static void conflict_add(struct setting_reader *r)
{
    const struct node_kind *kind = r->node->kind;
    char buf[PROBLEM_TEXT];
    struct text why = text_on(buf, sizeof buf);
    const char *path = kind->conflict ? kind->conflict(r->settings, &why) : NULL;
    if (path)
        problem(&r->lab->problems, place_of(r->node, path), path, ": ", buf);
    r->node->forwards = kind->forwards && kind->forwards(r->settings);
}

bool lab_check_simulated(struct lab *lab, bool all)
{
    bool ok = true;
    for (size_t i = 0; i < lab->nodes_n; i++) {
        const struct lab_node *node = &lab->nodes[i];
        if (!node->forwards || !(all || node->sim))
            continue;
        problem(&lab->problems, place_of(node, "engine"), "\"", node->name,
                "\" is the kernel's own NAT, which a simulated node has not; run it with --world netns, or with ",
                "--set nodes.", node->name, ".engine=farend");
        ok = false;
    }
    return ok;
}

static bool is_config(const struct lab_node *node, const char *key)
{
    return node->kind->read_config && strcmp(key, "config") == 0;
}

/* What the lab itself says goes over what the maker's file says. */
static void config_read(struct setting_reader *r)
{
    const struct doc *name = is_config(r->node, "config") ? doc_get(r->node->doc, "config") : NULL;
    struct lab_config config;
    if (!name)
        return;
    if (lab_read_config(r->lab, r->node->kind, name, &config)) {
        r->error = FE_EMEM;
        return;
    }
    for (size_t i = 0; i < config.n; i++) {
        const struct lab_config_entry *e = &config.entries[i];
        if (!doc_get(r->node->doc, e->path))
            value_read(r, e->path, &e->value.at, &e->value);
    }
}

static int node_settings(struct lab *lab, const struct landmarks *known, struct lab_node *node)
{
    const struct node_kind *kind = node->kind;
    struct setting_reader r = {.lab = lab, .known = known, .node = node};
    r.settings = node->router ? NULL : options_new(kind->options, kind->settings_size);
    if (!node->router && !r.settings)
        return FE_EMEM;
    config_read(&r);
    for (size_t i = 0; i < node->doc->n; i++) {
        const struct doc_entry *e = &node->doc->entries[i];
        if (is_structure(node, e->key->text) || is_config(node, e->key->text))
            continue;
        if (node->router || !options_find(kind->options, span_of(e->key->text)))
            unknown_key(lab, node, e->key);
        else
            value_read(&r, e->key->text, &e->key->at, e->value);
    }
    if (!node->router) {
        defaults_add(&r);
        missing_add(&r);
        conflict_add(&r);
        options_free(kind->options, r.settings);
    }
    return r.error;
}

static int list_add(struct lab *lab, struct node_list *list, const struct lab_node *node)
{
    const struct lab_node **place = arena_push(&lab->arena, &list->items, &list->n, sizeof *place);
    if (place)
        *place = node;
    return place ? 0 : FE_EMEM;
}

static int landmarks_find(struct lab *lab, struct landmarks *known)
{
    for (size_t i = 0; i < lab->nodes_n; i++) {
        const struct lab_node *node = &lab->nodes[i];
        const struct doc *inside = node->kind ? doc_get(node->doc, "one-to-one") : NULL;
        bool mapping = inside && inside->type == DOC_TEXT && node->ports_n == 2;
        if ((is_kind(node, "pbx") && list_add(lab, &known->pbx, node)) ||
            (is_kind(node, "sbc") && list_add(lab, &known->sbc, node)) ||
            (mapping && list_add(lab, &known->mapping, node)))
            return FE_EMEM;
    }
    return 0;
}

int lab_read_settings(struct lab *lab)
{
    struct landmarks known = {0};
    if (landmarks_find(lab, &known))
        return FE_EMEM;
    for (size_t i = 0; i < lab->nodes_n; i++)
        if (lab->nodes[i].kind && node_settings(lab, &known, &lab->nodes[i]))
            return FE_EMEM;
    for (size_t i = 0; i < lab->nodes_n; i++) /* their texts may name the settings of all others */
        if (lab_is_program(&lab->nodes[i]) && lab_read_program(lab, &lab->nodes[i]))
            return FE_EMEM;
    return 0;
}
