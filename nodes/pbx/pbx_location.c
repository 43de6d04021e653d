#include "nodes/pbx/pbx_location.h"

#include "nodes/base/error.h"
#include "nodes/pbx/pbx_keep.h"

#include <assert.h>
#include <stdlib.h>

struct pbx_line {
    struct pbx_location *location;
    const struct pbx_line_settings *settings;
    struct pbx_binding *first;
};

struct pbx_location {
    struct host *host;
    const struct pbx_settings *settings;
    struct pbx_line_settings *range; /* of the lines that the setting `line range` names */
    struct pbx_line *lines;          /* sorted by name */
    size_t lines_n;
    size_t bindings;
};

/* ---- lines ---- */

struct span pbx_line_name(const struct pbx_line *line)
{
    return span_of(line->settings->name);
}

struct span pbx_line_password(const struct pbx_line *line)
{
    return span_of(line->settings->password);
}

const struct pbx_binding *pbx_line_bindings(const struct pbx_line *line)
{
    return line->first;
}

static int by_name(const void *a, const void *b)
{
    const struct pbx_line *left = a;
    const struct pbx_line *right = b;
    return strcmp(left->settings->name, right->settings->name);
}

struct pbx_line *pbx_location_line(const struct pbx_location *location, struct span name)
{
    struct pbx_line_settings wanted;
    if (!span_copy(name, wanted.name, sizeof wanted.name))
        return NULL;
    struct pbx_line key = {.settings = &wanted};
    return location->lines_n ? bsearch(&key, location->lines, location->lines_n, sizeof key, by_name) : NULL;
}

/* ---- bindings ---- */

static void trace(const struct pbx_binding *b, const char *state)
{
    const struct pbx_location *location = b->line->location;
    char buf[PBX_NAME + PBX_DOMAIN + 8];
    struct text aor = text_on(buf, sizeof buf);
    text_str(&aor, "sip:");
    text_put(&aor, pbx_line_name(b->line));
    text_char(&aor, '@');
    text_str(&aor, location->settings->domain);
    struct record *r = host_trace(location->host, "location");
    record_str(r, "state", state);
    record_text(r, "aor", text_span(&aor));
    record_endpoint(r, "contact", b->contact.hop);
    host_trace_end(location->host);
}

/* An instance is a URN, whose letters of a UUID mean the same in both cases (RFC 4122 §3). */
static bool has_key(const struct pbx_binding *b, const struct pbx_key *key)
{
    struct sip_uri known;
    if (!span_empty(key->instance) || !span_empty(b->contact.instance))
        return b->contact.reg_id == key->reg_id && span_equal_nocase(b->contact.instance, key->instance);
    return sip_uri_parse(b->contact.uri, &known) == 0 && sip_uri_equal(&known, key->uri);
}

const struct pbx_binding *pbx_line_find(const struct pbx_line *line, const struct pbx_key *key)
{
    const struct pbx_binding *b = line->first;
    while (b && !has_key(b, key))
        b = b->next;
    return b;
}

const struct pbx_binding *pbx_line_reached(const struct pbx_line *line, const struct sip_uri *uri)
{
    const struct pbx_binding *longest = NULL;
    for (const struct pbx_binding *b = line->first; b; b = b->next) {
        struct sip_uri known;
        if (b->contact.flow.remote.port && (!longest || b->contact.expires > longest->contact.expires) &&
            sip_uri_parse(b->contact.uri, &known) == 0 && sip_uri_equal(&known, uri))
            longest = b;
    }
    return longest;
}

/* The link that points to the binding with this key, or to the end of the list. */
static struct pbx_binding **place(struct pbx_line *line, const struct pbx_key *key)
{
    struct pbx_binding **at = &line->first;
    while (*at && !has_key(*at, key))
        at = &(*at)->next;
    return at;
}

static void unlink_and_free(struct pbx_binding **at)
{
    struct pbx_binding *b = *at;
    *at = b->next;
    b->line->location->bindings--;
    host_timer_stop(b->line->location->host, &b->expiry);
    free(b);
}

static void expired(void *arg)
{
    struct pbx_binding *b = arg;
    struct pbx_binding **at = &b->line->first;
    while (*at != b)
        at = &(*at)->next;
    trace(b, "expired");
    unlink_and_free(at);
}

static struct pbx_binding *binding_new(struct pbx_line *line, const struct pbx_contact *contact)
{
    struct pbx_binding *b =
        malloc(sizeof *b + contact->uri.n + contact->path.n + contact->call_id.n + contact->instance.n);
    if (!b)
        return NULL;
    *b = (struct pbx_binding){.line = line, .contact = *contact};
    char *at = b->text;
    b->contact.uri = pbx_keep(&at, contact->uri);
    b->contact.path = pbx_keep(&at, contact->path);
    b->contact.call_id = pbx_keep(&at, contact->call_id);
    b->contact.instance = pbx_keep(&at, contact->instance);
    timer_init(&b->expiry, expired, b);
    return b;
}

int pbx_line_set(struct pbx_line *line, const struct pbx_contact *contact)
{
    struct sip_uri uri;
    int error = sip_uri_parse(contact->uri, &uri);
    if (error)
        return FE_ESYNTAX;
    struct pbx_binding *b = binding_new(line, contact);
    if (!b)
        return FE_EMEM;
    struct pbx_binding **at =
        place(line, &(struct pbx_key){.uri = &uri, .instance = contact->instance, .reg_id = contact->reg_id});
    bool known = *at != NULL;
    if (known)
        unlink_and_free(at);
    b->next = *at;
    *at = b;
    line->location->bindings++;
    host_timer_start(line->location->host, &b->expiry, contact->expires);
    trace(b, known ? "refreshed" : "added");
    return 0;
}

void pbx_line_remove(struct pbx_line *line, const struct pbx_key *key)
{
    struct pbx_binding **at = place(line, key);
    if (!*at)
        return;
    trace(*at, "removed");
    unlink_and_free(at);
}

void pbx_line_remove_all(struct pbx_line *line)
{
    while (line->first) {
        trace(line->first, "removed");
        unlink_and_free(&line->first);
    }
}

/* ---- the service ---- */

size_t pbx_location_count(const struct pbx_location *location)
{
    return location->bindings;
}

void pbx_location_forget(struct pbx_location *location)
{
    for (size_t i = 0; i < location->lines_n; i++)
        pbx_line_remove_all(&location->lines[i]);
}

/* Removes what was reached by this flow; NULL: by any connection. */
static void remove_reached(struct pbx_line *line, const struct sip_flow *flow)
{
    struct pbx_binding **at = &line->first;
    while (*at) {
        const struct sip_flow *own = &(*at)->contact.flow;
        if (flow ? sip_flow_equal(*own, *flow) : own->connection != 0) {
            trace(*at, "removed");
            unlink_and_free(at);
        } else {
            at = &(*at)->next;
        }
    }
}

void pbx_location_remove_flow(struct pbx_location *location, struct sip_flow flow)
{
    for (size_t i = 0; i < location->lines_n; i++)
        remove_reached(&location->lines[i], &flow);
}

void pbx_location_remove_connections(struct pbx_location *location)
{
    for (size_t i = 0; i < location->lines_n; i++)
        remove_reached(&location->lines[i], NULL);
}

static size_t range_size(const struct port_range *range)
{
    return range->low ? (size_t)range->high - range->low + 1 : 0;
}

/* `lines` first, then those of the range that `lines` does not name. */
static int lines_make(struct pbx_location *location, const struct pbx_settings *s)
{
    const struct pbx_line_settings *named = s->lines.items;
    size_t range_n = range_size(&s->line_range);
    location->range = calloc(range_n + 1, sizeof *location->range);
    location->lines = calloc(s->lines.n + range_n + 1, sizeof *location->lines);
    if (!location->range || !location->lines)
        return FE_EMEM;
    for (size_t i = 0; i < s->lines.n; i++)
        location->lines[i] = (struct pbx_line){.location = location, .settings = &named[i]};
    location->lines_n = s->lines.n;
    qsort(location->lines, location->lines_n, sizeof *location->lines, by_name);
    size_t n = location->lines_n;
    for (size_t i = 0; i < range_n; i++) {
        struct pbx_line_settings *line = &location->range[i];
        struct text name = text_on(line->name, sizeof line->name);
        text_u64(&name, s->line_range.low + i);
        if (!pbx_location_line(location, text_span(&name)))
            location->lines[n++] = (struct pbx_line){.location = location, .settings = line};
    }
    location->lines_n = n;
    qsort(location->lines, n, sizeof *location->lines, by_name);
    return 0;
}

int pbx_location_new(struct pbx_location **out, struct host *h, const struct pbx_settings *settings)
{
    struct pbx_location *location = calloc(1, sizeof *location);
    if (!location)
        return FE_EMEM;
    *location = (struct pbx_location){.host = h, .settings = settings};
    int error = lines_make(location, settings);
    if (error)
        pbx_location_free(location);
    else
        *out = location;
    return error;
}

void pbx_location_free(struct pbx_location *location)
{
    if (!location)
        return;
    for (size_t i = 0; i < location->lines_n; i++)
        while (location->lines[i].first)
            unlink_and_free(&location->lines[i].first);
    free(location->lines);
    free(location->range);
    free(location);
}
