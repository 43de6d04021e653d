/* Headers and description are read first, so that a message that turns out to be unreadable has opened no media port;
 * the edits are collected (sip_edit.h, sdp.h) and written in one go. */
#include "nodes/nat/nat_alg_message.h"

#include "nodes/proto/sdp.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_uri.h"

enum {
    NAME_CAP = 64,     /* of a message in the notes */
    METHOD_SHOWN = 40, /* bytes of it there; extension methods may be long */
    NOTES_CAP = 2048,  /* bytes of endpoints, before and after */
    CHANGES_MAX = SPLICE_MAX,
};

struct rewriting {
    const struct nat_alg_config *config;
    const struct nat_alg_way *way;
    const struct sip_msg *msg;
    struct sip_edit edit;
    char notes_room[NOTES_CAP];
    struct text notes; /* what edits and changes borrow */
    struct change {
        const char *what;
        struct span from, to;
    } changes[CHANGES_MAX];
    size_t changes_n;
    bool failed; /* something cannot be read, or is too much */
};

/* ---- notes ---- */

static void note(struct rewriting *r, const char *what, struct span from, struct span to)
{
    if (r->changes_n == CHANGES_MAX)
        r->failed = true;
    else
        r->changes[r->changes_n++] = (struct change){what, from, to};
}

static struct span noted_since(const struct rewriting *r, size_t before)
{
    return span_make(r->notes.p + before, r->notes.n - before);
}

static void tell(const struct rewriting *r)
{
    char room[NAME_CAP];
    struct text name = text_on(room, sizeof room);
    if (!r->way->noted)
        return;
    if (!r->msg->request) {
        text_u64(&name, r->msg->status);
        text_char(&name, ' ');
    }
    struct span method = r->msg->method_text;
    text_put(&name, span_make(method.p, method.n < METHOD_SHOWN ? method.n : METHOD_SHOWN));
    for (size_t i = 0; i < r->changes_n; i++) {
        const struct change *c = &r->changes[i];
        r->way->noted(r->way->noted_arg, &(struct nat_alg_note){text_span(&name), c->what, c->from, c->to});
    }
}

/* ---- host and port ---- */

static bool resolve(const struct rewriting *r, struct endpoint written, struct endpoint *shown)
{
    const struct nat_alg_way *way = r->way;
    if (written.addr != way->own.addr || (way->from == NAT_OUTSIDE && !r->config->restores))
        return false;
    if (written.port != way->own.port)
        return way->signalling(way->arg, written, shown);
    *shown = way->shown;
    return true;
}

/* From the host to the last digit of the port behind it; the parser has seen that it is there when port is not 0. */
static struct span host_and_port(struct span host, uint16_t port)
{
    const char *end = host.p + host.n;
    if (port == 0)
        return host;
    while (*end < '0' || *end > '9')
        end++;
    while (end < host.p + host.n + 16 && *end >= '0' && *end <= '9')
        end++;
    return span_make(host.p, (size_t)(end - host.p));
}

/* A port that was not written stays unwritten while it says the same. */
static void rewrite_place(struct rewriting *r, const char *what, struct span host, uint16_t port)
{
    struct endpoint written = {0, port ? port : SIP_DEFAULT_PORT};
    struct endpoint shown;
    if (addr_parse(host, &written.addr) || !resolve(r, written, &shown) || endpoint_equal(written, shown))
        return;
    size_t before = r->notes.n;
    if (port == 0 && shown.port == SIP_DEFAULT_PORT)
        text_addr(&r->notes, shown.addr);
    else
        text_endpoint(&r->notes, shown);
    struct span where = host_and_port(host, port);
    sip_edit_replace(&r->edit, where, noted_since(r, before));
    note(r, what, where, noted_since(r, before));
}

/* ---- headers ---- */

static void rewrite_vias(struct rewriting *r)
{
    struct sip_list list = sip_list(r->msg, SIP_H_VIA);
    struct span value;
    struct sip_via via;
    while (sip_list_next(&list, &value)) {
        if (sip_via_parse(value, &via))
            r->failed = true;
        else
            rewrite_place(r, "via", via.host, via.port);
    }
}

static void rewrite_uri(struct rewriting *r, const char *what, struct span text)
{
    struct sip_uri uri;
    if (sip_uri_parse(text, &uri))
        r->failed = true;
    else if (uri.scheme == SIP_SCHEME_SIP)
        rewrite_place(r, what, uri.host, uri.port);
}

static void rewrite_contacts(struct rewriting *r)
{
    struct sip_list list = sip_list(r->msg, SIP_H_CONTACT);
    struct span value;
    struct sip_contact contact;
    while (sip_list_next(&list, &value)) {
        if (sip_contact_parse(value, &contact))
            r->failed = true;
        else if (!contact.star)
            rewrite_uri(r, "contact", contact.addr.uri);
    }
}

/* ---- the session description ---- */

static bool has_sdp(const struct rewriting *r)
{
    if (r->way->from == NAT_OUTSIDE || r->config->sdp == NAT_ALG_SDP_NONE)
        return false;
    if (r->config->sdp == NAT_ALG_SDP_REQUESTS && !r->msg->request)
        return false;
    return r->msg->body.n > 0 && sip_body_is(r->msg, "application", "sdp");
}

static void note_media(struct rewriting *r, struct endpoint from, struct endpoint to)
{
    size_t before = r->notes.n;
    text_endpoint(&r->notes, from);
    struct span from_text = noted_since(r, before);
    before = r->notes.n;
    text_endpoint(&r->notes, to);
    note(r, "media", from_text, noted_since(r, before));
}

/* A refused stream has no port to open, but its c= names an inside address all the same. */
static void rewrite_stream(struct rewriting *r, struct sdp_edit *edit, const struct sdp *sdp, size_t i)
{
    const struct sdp_media *m = &sdp->media[i];
    struct endpoint rtp = sdp_rtp(m);
    struct endpoint shown = {r->way->shown.addr, 0};
    if (!m->connection.is_ipv4 || rtp.addr != r->way->own.addr)
        return;
    if (m->port != 0 && !r->way->media(r->way->arg, rtp, sdp_rtcp(m), &shown))
        return;
    sdp_edit_media(edit, i, shown);
    note_media(r, rtp, shown);
}

static void rewrite_origin(struct rewriting *r, struct sdp_edit *edit, const struct sdp *sdp)
{
    ipv4 addr;
    size_t before = r->notes.n;
    if (addr_parse(sdp->origin_addr, &addr) || addr != r->way->own.addr)
        return;
    sdp_edit_origin(edit, r->way->shown.addr);
    text_addr(&r->notes, r->way->shown.addr);
    note(r, "origin", sdp->origin_addr, noted_since(r, before));
}

/* `body` is what the message's edit then borrows. */
static void rewrite_sdp(struct rewriting *r, const struct sdp *sdp, struct text *body)
{
    struct sdp_edit edit;
    size_t before = r->changes_n;
    sdp_edit_begin(&edit, sdp);
    rewrite_origin(r, &edit, sdp);
    for (size_t i = 0; i < sdp->n_media; i++)
        rewrite_stream(r, &edit, sdp, i);
    if (r->changes_n == before)
        return;
    if (sdp_edit_write(&edit, body))
        r->failed = true;
    else if (r->config->fixes_length && r->msg->has_length)
        sip_edit_body(&r->edit, (struct span){0}, text_span(body));
    else
        sip_edit_replace(&r->edit, r->msg->body, text_span(body));
}

/* ---- the whole ---- */

/* Only what it has to read is read: what it does not rewrite may be as odd as it likes. */
static void rewrite_headers(struct rewriting *r)
{
    if (r->config->via)
        rewrite_vias(r);
    if (r->config->contact)
        rewrite_contacts(r);
    if (r->config->contact && r->way->from == NAT_OUTSIDE && r->msg->request)
        rewrite_uri(r, "request-uri", r->msg->uri);
}

/* Line ends before the message and bytes behind its body go with it as they came. */
static void write_message(struct rewriting *r, struct span payload, struct text *out)
{
    struct span m = r->msg->bytes;
    const char *end = m.p + m.n;
    text_put(out, span_make(payload.p, (size_t)(m.p - payload.p)));
    if (sip_edit_write(&r->edit, out))
        r->failed = true;
    text_put(out, span_make(end, (size_t)(payload.p + payload.n - end)));
}

enum nat_alg_result nat_alg_message(const struct nat_alg_config *config, const struct nat_alg_way *way,
                                    struct span payload, struct text *scratch, struct text *out)
{
    struct sip_msg msg;
    struct sdp sdp;
    struct rewriting r = {.config = config, .way = way, .msg = &msg};
    if (sip_parse(payload, &msg, NULL))
        return NAT_ALG_UNPARSED;
    r.notes = text_on(r.notes_room, sizeof r.notes_room);
    sip_edit_begin(&r.edit, &msg);
    rewrite_headers(&r);
    bool described = has_sdp(&r);
    if (r.failed || (described && sdp_parse(msg.body, &sdp, NULL)))
        return NAT_ALG_UNPARSED;
    if (described)
        rewrite_sdp(&r, &sdp, scratch);
    if (r.changes_n == 0)
        return NAT_ALG_SAME;
    write_message(&r, payload, out);
    if (r.failed || !text_ok(&r.notes) || !text_ok(out))
        return NAT_ALG_UNPARSED;
    tell(&r);
    return NAT_ALG_REWRITTEN;
}

bool nat_alg_is_keep_alive(struct span payload)
{
    return payload.n < sizeof "SIP/2.0 200" - 1;
}
