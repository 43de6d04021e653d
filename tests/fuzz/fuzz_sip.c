/* Any bytes into the SIP parser; what it takes goes through every decoder, and comes out of a copy as it went in. */
#include "nodes/proto/digest.h"
#include "nodes/proto/sip_build.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1 << 17)

static char copy[ROOM];

static void must(bool what)
{
    if (!what)
        abort();
}

static void decode_uri(struct span text)
{
    struct sip_uri uri;
    struct endpoint at;
    struct text t = text_on(copy, sizeof copy);
    if (sip_uri_parse(text, &uri))
        return;
    must(sip_uri_equal(&uri, &uri));
    sip_uri_param(&uri, "transport", NULL);
    sip_uri_endpoint(&uri, &at);
    sip_unescape(&t, uri.user);
}

static void decode_params(struct span params)
{
    struct sip_param param;
    while (sip_param_next(&params, &param) == 1)
        must(param.name.n > 0);
}

static void decode_value(struct span value)
{
    struct sip_addr addr;
    struct sip_contact contact;
    struct sip_via via;
    struct sip_cseq cseq;
    struct sip_media_type type;
    struct digest_challenge challenge;
    struct digest_credentials credentials;
    struct span token;
    struct span params;
    uint32_t number;
    if (sip_addr_parse(value, &addr) == 0) {
        decode_uri(addr.uri);
        decode_params(addr.params);
    }
    if (sip_via_parse(value, &via) == 0)
        decode_params(via.params);
    if (sip_delta_parse(value, &number, &params) == 0 || sip_token_parse(value, &token, &params) == 0)
        decode_params(params);
    sip_contact_parse(value, &contact);
    sip_cseq_parse(value, &cseq);
    sip_media_type_parse(value, &type);
    sip_number_parse(value, 255, &number);
    sip_call_id_ok(value);
    digest_challenge_parse(value, &challenge);
    digest_credentials_parse(value, &credentials);
    sip_unfold(value, copy, sizeof copy);
}

/* One header line after the other is what stands between start line and empty line. */
static void decode_headers(const struct sip_msg *m)
{
    const char *at = m->start_line.p + m->start_line.n + 2;
    for (size_t i = 0; i < m->n_headers; i++) {
        const struct sip_header *h = &m->headers[i];
        must(h->bytes.p == at);
        at += h->bytes.n;
        decode_value(h->value);
        if (h->id == SIP_H_OTHER)
            continue;
        struct sip_list list = sip_list(m, (enum sip_header_id)h->id);
        struct span value;
        while (sip_list_next(&list, &value))
            decode_value(value);
    }
    must(m->blank.p == at);
}

static void copy_unchanged(const struct sip_msg *m)
{
    static struct sip_edit edit;
    struct text t = text_on(copy, sizeof copy);
    sip_edit_begin(&edit, m);
    must(sip_edit_write(&edit, &t) == 0);
    must(span_equal(text_span(&t), m->bytes));
}

/* A forwarded message is again a message, with one Via more and the same body. */
static void forward(const struct sip_msg *m, const struct sip_core *core)
{
    static struct sip_edit edit;
    static struct sip_msg again;
    struct text t = text_on(copy, sizeof copy);
    sip_edit_begin(&edit, m);
    sip_edit_received(&edit, &core->via, (struct endpoint){IPV4(203, 0, 113, 7), 40000});
    sip_edit_pop(&edit, SIP_H_ROUTE, 1);
    sip_edit_prepend(&edit, SIP_H_VIA, SPAN("SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKx"));
    sip_edit_prepend(&edit, SIP_H_RECORD_ROUTE, SPAN("<sip:203.0.113.10;lr>"));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, 69);
    sip_edit_body(&edit, SPAN("application/sdp"), m->body);
    must(sip_edit_write(&edit, &t) == 0);
    if (m->n_headers > SIP_MAX_HEADERS - 4)
        return;
    must(sip_parse(text_span(&t), &again, NULL) == 0);
    must(span_equal(again.body, m->body));
    must(again.method == m->method && again.status == m->status);
}

static void answer(const struct sip_msg *m)
{
    struct text t = text_on(copy, sizeof copy);
    sip_put_response(&t, m, 200, SPAN(""), SPAN("tag"), (struct endpoint){IPV4(192, 0, 2, 1), 5060});
    sip_put_end(&t);
    must(text_ok(&t));
}

static void parse_as_stream(struct span stream)
{
    static struct sip_msg m;
    size_t used;
    while (stream.n && sip_parse_stream(stream, 65536, &m, NULL, &used) != FE_EAGAIN && used) {
        must(used <= stream.n);
        stream = (struct span){stream.p + used, stream.n - used};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sip_msg m;
    struct sip_core core;
    struct sip_problem why;
    struct span input = span_make(data, size);
    if (size > 65536)
        return 0;
    parse_as_stream(input);
    if (sip_parse(input, &m, &why)) {
        if (why.status)
            answer(&m);
        return 0;
    }
    decode_headers(&m);
    copy_unchanged(&m);
    decode_uri(m.uri);
    if (sip_check(&m, &core, &why) == 0)
        forward(&m, &core);
    if (m.request)
        answer(&m);
    return 0;
}
