/* Every edit comes down to splices on the bytes of the message, so what no splice names cannot change. */
#include "nodes/proto/sip_edit.h"

#include "nodes/proto/sip_lex.h"

void sip_edit_begin(struct sip_edit *e, const struct sip_msg *m)
{
    e->m = m;
    splices_init(&e->splices);
    e->text = text_on(e->notes, sizeof e->notes);
}

void sip_edit_replace(struct sip_edit *e, struct span where, struct span with)
{
    splices_add(&e->splices, where, with);
}

static void insert(struct sip_edit *e, const char *at, struct span with)
{
    splices_add(&e->splices, (struct span){at, 0}, with);
}

static void erase(struct sip_edit *e, struct span where)
{
    splices_add(&e->splices, where, (struct span){NULL, 0});
}

static void insert_line(struct sip_edit *e, const char *at, enum sip_header_id id, struct span value)
{
    insert(e, at, sip_header_name(id));
    insert(e, at, SPAN(": "));
    insert(e, at, value);
    insert(e, at, SPAN("\r\n"));
}

/* What has been written to the notes since they were `before` bytes long. */
static struct span noted(struct sip_edit *e, size_t before)
{
    if (!text_ok(&e->text))
        e->splices.full = true;
    return (struct span){e->notes + before, e->text.n - before};
}

static struct span note_number(struct sip_edit *e, uint64_t number)
{
    size_t before = e->text.n;
    text_u64(&e->text, number);
    return noted(e, before);
}

static struct span note_addr(struct sip_edit *e, ipv4 addr)
{
    size_t before = e->text.n;
    text_addr(&e->text, addr);
    return noted(e, before);
}

void sip_edit_uri(struct sip_edit *e, struct span uri)
{
    sip_edit_replace(e, e->m->uri, uri);
}

static const struct sip_header *last_with(const struct sip_msg *m, enum sip_header_id id)
{
    const struct sip_header *first = sip_find(m, id);
    return first ? &m->headers[first->last - 1] : NULL;
}

static const char *end_of(struct span s)
{
    return s.p + s.n;
}

void sip_edit_prepend(struct sip_edit *e, enum sip_header_id id, struct span value)
{
    const struct sip_msg *m = e->m;
    const struct sip_header *same = sip_find(m, id);
    const struct sip_header *via = id == SIP_H_VIA ? NULL : last_with(m, SIP_H_VIA);
    const char *at = m->n_headers ? m->headers[0].bytes.p : m->blank.p;
    if (same)
        at = same->bytes.p;
    else if (via)
        at = end_of(via->bytes);
    insert_line(e, at, id, value);
}

void sip_edit_append(struct sip_edit *e, enum sip_header_id id, struct span value)
{
    const char *at = e->m->blank.p;
    const struct sip_header *last = last_with(e->m, id);
    if (last)
        at = end_of(last->bytes);
    insert_line(e, at, id, value);
}

void sip_edit_set(struct sip_edit *e, enum sip_header_id id, struct span value)
{
    const struct sip_header *h = sip_find(e->m, id);
    if (!h) {
        sip_edit_append(e, id, value);
        return;
    }
    sip_edit_replace(e, h->value, value);
    while ((h = sip_find_next(e->m, h)))
        erase(e, h->bytes);
}

void sip_edit_number(struct sip_edit *e, enum sip_header_id id, uint32_t value)
{
    sip_edit_set(e, id, note_number(e, value));
}

void sip_edit_remove(struct sip_edit *e, enum sip_header_id id)
{
    for (const struct sip_header *h = sip_find(e->m, id); h; h = sip_find_next(e->m, h))
        erase(e, h->bytes);
}

void sip_edit_pop(struct sip_edit *e, enum sip_header_id id, size_t count)
{
    struct sip_list list = sip_list(e->m, id);
    struct span value;
    while (count && sip_list_next(&list, &value)) {
        count--;
        if (!list.rest.p) {
            erase(e, list.header->bytes);
        } else if (count == 0) {
            const char *start = list.header->value.p;
            sip_list_next(&list, &value);
            erase(e, sip_between(start, value.p));
        }
    }
}

/* ---- the topmost Via ---- */

/* "rport" becomes "rport=port". */
static void fill_rport(struct sip_edit *e, const struct sip_via *top, uint16_t port)
{
    struct span params = top->params;
    struct sip_param param;
    while (sip_param_next(&params, &param) == 1) {
        if (!span_equal_nocase(param.name, SPAN("rport")))
            continue;
        if (param.value.p) {
            sip_edit_replace(e, param.value, note_number(e, port));
            return;
        }
        insert(e, end_of(param.bytes), SPAN("="));
        insert(e, end_of(param.bytes), note_number(e, port));
        return;
    }
}

void sip_edit_received(struct sip_edit *e, const struct sip_via *top, struct endpoint from)
{
    ipv4 sent_by;
    bool same = addr_parse(top->host, &sent_by) == 0 && sent_by == from.addr;
    if (top->has_rport)
        fill_rport(e, top, from.port);
    if (top->received.p) {
        sip_edit_replace(e, top->received, note_addr(e, from.addr));
    } else if (top->has_rport || !same) {
        insert(e, end_of(top->bytes), SPAN(";received="));
        insert(e, end_of(top->bytes), note_addr(e, from.addr));
    }
}

/* ---- body ---- */

void sip_edit_body(struct sip_edit *e, struct span type, struct span body)
{
    if (body.n == 0)
        sip_edit_remove(e, SIP_H_CONTENT_TYPE);
    else if (type.n)
        sip_edit_set(e, SIP_H_CONTENT_TYPE, type);
    sip_edit_set(e, SIP_H_CONTENT_LENGTH, note_number(e, body.n));
    sip_edit_replace(e, e->m->body, body);
}

int sip_edit_write(struct sip_edit *e, struct text *t)
{
    return splices_write(&e->splices, e->m->bytes, t);
}
