/* Edits of a description are splices, as those of a message (sip_edit.c). */
#include "nodes/proto/sdp.h"

void sdp_edit_begin(struct sdp_edit *e, const struct sdp *sdp)
{
    e->sdp = sdp;
    splices_init(&e->splices);
    e->text = text_on(e->notes, sizeof e->notes);
    e->session_done = false;
}

/* What has been written to the notes since they were `before` bytes long. */
static struct span noted(struct sdp_edit *e, size_t before)
{
    if (!text_ok(&e->text))
        e->splices.full = true;
    return (struct span){e->notes + before, e->text.n - before};
}

static void put_addr(struct sdp_edit *e, struct span where, ipv4 addr)
{
    size_t before = e->text.n;
    text_addr(&e->text, addr);
    splices_add(&e->splices, where, noted(e, before));
}

static void put_port(struct sdp_edit *e, struct span where, uint16_t port)
{
    size_t before = e->text.n;
    text_u64(&e->text, port);
    splices_add(&e->splices, where, noted(e, before));
}

/* 0.0.0.0 says "hold" (RFC 3264 §8.4) and must go on saying it; a name or IPv6 is not ours to replace. */
static void edit_connection(struct sdp_edit *e, const struct sdp_connection *c, ipv4 addr)
{
    if (c->is_ipv4 && c->addr != 0)
        put_addr(e, c->text, addr);
}

static void edit_rtcp(struct sdp_edit *e, const struct sdp_media *m, struct endpoint at)
{
    put_port(e, m->rtcp_port_text, m->rtcp_mux ? at.port : (uint16_t)(at.port + 1));
    if (m->rtcp_addr != 0)
        put_addr(e, m->rtcp_addr_text, at.addr);
}

void sdp_edit_media(struct sdp_edit *e, size_t i, struct endpoint at)
{
    const struct sdp_media *m = &e->sdp->media[i];
    if (m->own.given) {
        edit_connection(e, &m->own, at.addr);
    } else if (!e->session_done) {
        edit_connection(e, &e->sdp->connection, at.addr);
        e->session_done = true;
    }
    if (m->port == 0)
        return;
    put_port(e, m->port_text, at.port);
    if (m->has_rtcp)
        edit_rtcp(e, m, at);
}

void sdp_edit_origin(struct sdp_edit *e, ipv4 addr)
{
    put_addr(e, e->sdp->origin_addr, addr);
}

void sdp_edit_refuse(struct sdp_edit *e, size_t i)
{
    put_port(e, e->sdp->media[i].port_text, 0);
}

void sdp_edit_strip(struct sdp_edit *e, const char *attribute)
{
    struct span rest = e->sdp->bytes;
    struct span wanted = span_of(attribute);
    struct span gone = {NULL, 0}; /* lines that follow each other go in one piece */
    struct sdp_attribute found;
    while (sdp_attribute_next(&rest, &found)) {
        if (!span_equal(found.name, wanted))
            continue;
        if (gone.p && gone.p + gone.n == found.line.p) {
            gone.n += found.line.n;
            continue;
        }
        if (gone.p)
            splices_add(&e->splices, gone, (struct span){NULL, 0});
        gone = found.line;
    }
    if (gone.p)
        splices_add(&e->splices, gone, (struct span){NULL, 0});
}

int sdp_edit_write(struct sdp_edit *e, struct text *t)
{
    return splices_write(&e->splices, e->sdp->bytes, t);
}
