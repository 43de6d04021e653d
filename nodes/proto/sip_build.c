#include "nodes/proto/sip_build.h"

#include "nodes/proto/sip_lex.h"

static void put_line_end(struct text *t)
{
    text_str(t, "\r\n");
}

void sip_put_request_line(struct text *t, struct span method, struct span uri)
{
    text_put(t, method);
    text_char(t, ' ');
    text_put(t, uri);
    text_str(t, " SIP/2.0\r\n");
}

void sip_put_status_line(struct text *t, unsigned status, struct span reason)
{
    text_str(t, "SIP/2.0 ");
    text_u64(t, status);
    text_char(t, ' ');
    text_put(t, reason.n ? reason : sip_reason_phrase(status));
    put_line_end(t);
}

void sip_put_named(struct text *t, struct span name, struct span value)
{
    text_put(t, name);
    text_str(t, ": ");
    text_put(t, value);
    put_line_end(t);
}

void sip_put(struct text *t, enum sip_header_id id, struct span value)
{
    sip_put_named(t, sip_header_name(id), value);
}

void sip_put_number(struct text *t, enum sip_header_id id, uint64_t value)
{
    text_put(t, sip_header_name(id));
    text_str(t, ": ");
    text_u64(t, value);
    put_line_end(t);
}

void sip_put_cseq(struct text *t, uint32_t number, struct span method)
{
    text_str(t, "CSeq: ");
    text_u64(t, number);
    text_char(t, ' ');
    text_put(t, method);
    put_line_end(t);
}

void sip_put_via(struct text *t, enum sip_transport transport, struct endpoint sent_by, struct span branch, bool rport,
                 bool alias, bool keep)
{
    text_str(t, "Via: SIP/2.0/");
    text_put(t, sip_transport_name(transport));
    text_char(t, ' ');
    text_endpoint(t, sent_by);
    text_str(t, ";branch=");
    text_put(t, branch);
    if (rport)
        text_str(t, ";rport");
    if (alias)
        text_str(t, ";alias");
    if (keep)
        text_str(t, ";keep");
    put_line_end(t);
}

/* A display name as quoted-string: quotes and backslashes escaped, line ends become blanks. */
static void put_quoted(struct text *t, struct span s)
{
    text_char(t, '"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\')
            text_char(t, '\\');
        text_char(t, c == '\r' || c == '\n' ? ' ' : c);
    }
    text_char(t, '"');
}

void sip_put_addr(struct text *t, enum sip_header_id id, struct span display, struct span uri, struct span tag)
{
    text_put(t, sip_header_name(id));
    text_str(t, ": ");
    if (display.n) {
        put_quoted(t, display);
        text_char(t, ' ');
    }
    text_char(t, '<');
    text_put(t, uri);
    text_char(t, '>');
    if (tag.n) {
        text_str(t, ";tag=");
        text_put(t, tag);
    }
    put_line_end(t);
}

void sip_put_copy(struct text *t, const struct sip_msg *m, enum sip_header_id id)
{
    for (const struct sip_header *h = sip_find(m, id); h; h = sip_find_next(m, h))
        text_put(t, h->bytes);
}

void sip_put_end(struct text *t)
{
    sip_put_number(t, SIP_H_CONTENT_LENGTH, 0);
    put_line_end(t);
}

void sip_put_body(struct text *t, struct span type, struct span body)
{
    if (body.n == 0) {
        sip_put_end(t);
        return;
    }
    sip_put(t, SIP_H_CONTENT_TYPE, type);
    sip_put_number(t, SIP_H_CONTENT_LENGTH, body.n);
    put_line_end(t);
    text_put(t, body);
}

/* ---- responses ---- */

/* All Vias; the topmost as the transport completes it, when it can be read. */
static void put_vias(struct text *t, const struct sip_msg *request, struct endpoint from)
{
    const struct sip_header *h = sip_find(request, SIP_H_VIA);
    struct sip_list vias = sip_list(request, SIP_H_VIA);
    struct sip_edit edit;
    struct sip_via top;
    struct span value;
    sip_edit_begin(&edit, request);
    if (from.addr && sip_list_next(&vias, &value) && vias.header == h && sip_via_parse(value, &top) == 0)
        sip_edit_received(&edit, &top, from);
    if (h)
        splices_write(&edit.splices, h->bytes, t);
    while (h && (h = sip_find_next(request, h)))
        text_put(t, h->bytes);
}

/* To, with this end's tag when it had none. One that cannot be read is given back as it came. */
static void put_to(struct text *t, const struct sip_msg *request, struct span tag)
{
    const struct sip_header *h = sip_find(request, SIP_H_TO);
    struct sip_addr to;
    if (!h || h->next || tag.n == 0 || sip_addr_parse(h->value, &to) || to.tag.n) {
        sip_put_copy(t, request, SIP_H_TO);
        return;
    }
    const char *end = h->value.p + h->value.n;
    text_put(t, sip_between(h->bytes.p, end));
    text_str(t, ";tag=");
    text_put(t, tag);
    text_put(t, sip_between(end, h->bytes.p + h->bytes.n));
}

/* §12.1, RFC 6665 §4.4.1, RFC 3515 §2.4.4 */
static bool forms_dialog(enum sip_method method)
{
    return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_NOTIFY || method == SIP_REFER;
}

void sip_put_response(struct text *t, const struct sip_msg *request, unsigned status, struct span reason,
                      struct span to_tag, struct endpoint from)
{
    sip_put_status_line(t, status, reason);
    put_vias(t, request, from);
    if (status > 100 && status < 300 && forms_dialog(request->method))
        sip_put_copy(t, request, SIP_H_RECORD_ROUTE);
    sip_put_copy(t, request, SIP_H_FROM);
    put_to(t, request, status > 100 ? to_tag : (struct span){NULL, 0});
    sip_put_copy(t, request, SIP_H_CALL_ID);
    sip_put_copy(t, request, SIP_H_CSEQ);
    if (status == 100)
        sip_put_copy(t, request, SIP_H_TIMESTAMP);
}

int sip_response_target(const struct sip_via *top, struct endpoint *out)
{
    struct span host = top->received.n ? top->received : top->host;
    if (top->maddr.n)
        host = top->maddr;
    if (addr_parse(host, &out->addr))
        return FE_EUNKNOWN;
    out->port = top->port ? top->port : sip_transport_port(top->transport);
    if (top->rport && !top->maddr.n)
        out->port = top->rport;
    return 0;
}

/* ---- requests that follow from an INVITE ---- */

/* Request line to CSeq of ACK and CANCEL, which have the INVITE's topmost Via and no other. */
static void put_companion(struct text *t, const struct sip_msg *invite, enum sip_method method,
                          const struct sip_msg *to)
{
    struct sip_list vias = sip_list(invite, SIP_H_VIA);
    struct sip_cseq cseq = {0};
    struct span via;
    sip_put_request_line(t, sip_method_name(method), invite->uri);
    if (sip_list_next(&vias, &via))
        sip_put(t, SIP_H_VIA, via);
    sip_put_copy(t, invite, SIP_H_ROUTE);
    sip_put_number(t, SIP_H_MAX_FORWARDS, SIP_MAX_FORWARDS);
    sip_put_copy(t, invite, SIP_H_FROM);
    sip_put_copy(t, to, SIP_H_TO);
    sip_put_copy(t, invite, SIP_H_CALL_ID);
    sip_cseq_parse(sip_value(invite, SIP_H_CSEQ), &cseq);
    sip_put_cseq(t, cseq.number, sip_method_name(method));
    sip_put_end(t);
}

void sip_put_ack(struct text *t, const struct sip_msg *invite, const struct sip_msg *response)
{
    put_companion(t, invite, SIP_ACK, response);
}

void sip_put_cancel(struct text *t, const struct sip_msg *invite)
{
    put_companion(t, invite, SIP_CANCEL, invite);
}
