/* REGISTER (RFC 3261 §10.3, RFC 5626 §6). The request is read whole before anything changes: either all of its contacts
 * are taken, or none (§10.3 step 7). */
#include "nodes/base/error.h"
#include "nodes/pbx/pbx_node.h"
#include "nodes/pbx/pbx_outbound.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/sip/sip_outbound.h"

enum {
    CONTACTS_MAX = 16,    /* of one REGISTER */
    REPLY_MAX = 16384,    /* bytes of Contact and Path lines of a 200 */
    SHORT_EXPIRES = 3600, /* s; a registrar may refuse only less than an hour as too brief (§10.3 step 7) */
    Q_DEFAULT = 1000,
};

struct registration {
    struct pbx_line *line;
    struct span call_id;
    uint32_t cseq;
    struct span path; /* all values, comma separated */
    bool all;         /* "*": everything goes */
    bool outbound;    /* RFC 5626 governs: contacts with instance and reg-id are known by them */
    unsigned n;
    struct {
        struct sip_contact contact;
        struct sip_uri uri;
        uint32_t expires; /* s; 0: goes */
    } contacts[CONTACTS_MAX];
    char path_text[2048];
};

/* A reg-id without an instance, or where outbound does not govern, is ignored (RFC 5626 §6). */
static bool is_flow(const struct registration *r, const struct sip_contact *contact)
{
    return r->outbound && contact->reg_id && !span_empty(contact->instance);
}

static struct pbx_key key_of(const struct registration *r, unsigned i)
{
    const struct sip_contact *contact = &r->contacts[i].contact;
    struct pbx_key key = {.uri = &r->contacts[i].uri};
    if (is_flow(r, contact)) {
        key.instance = contact->instance;
        key.reg_id = contact->reg_id;
    }
    return key;
}

/* ---- reading: each returns 0 or the status to refuse with ---- */

static unsigned read_path(struct registration *r, const struct sip_msg *msg)
{
    struct text path = text_on(r->path_text, sizeof r->path_text);
    struct sip_list list = sip_list(msg, SIP_H_PATH);
    struct span value;
    while (sip_list_next(&list, &value)) {
        if (path.n)
            text_str(&path, ", ");
        text_put(&path, value);
    }
    r->path = text_span(&path);
    return text_ok(&path) ? 0 : 400;
}

/* Seconds granted to a contact: its own wish, or the request's, or ours (§10.3 step 7). */
static uint32_t grant(const struct pbx_settings *s, const struct sip_msg *msg, const struct sip_contact *contact)
{
    uint32_t longest = (uint32_t)(s->max_expires / SEC);
    uint32_t wish = (uint32_t)(s->default_expires / SEC);
    struct span header = sip_value(msg, SIP_H_EXPIRES);
    if (contact->has_expires)
        wish = contact->expires;
    else if (header.p)
        sip_number_parse(header, UINT32_MAX, &wish);
    return wish < longest ? wish : longest;
}

static unsigned read_contact(struct pbx *pbx, struct registration *r, const struct sip_msg *msg, struct span value)
{
    if (r->n == CONTACTS_MAX)
        return 400;
    struct sip_contact contact;
    if (sip_contact_parse(value, &contact))
        return 400;
    if (contact.star) {
        r->all = true;
        return 0;
    }
    if (sip_uri_parse(contact.addr.uri, &r->contacts[r->n].uri))
        return 400;
    uint32_t expires = grant(pbx->settings, msg, &contact);
    if (expires > 0 && expires < SHORT_EXPIRES && expires < pbx->settings->min_expires / SEC)
        return 423;
    r->contacts[r->n].contact = contact;
    r->contacts[r->n].expires = expires;
    r->n++;
    return 0;
}

/* "*" stands alone and only with Expires: 0 (§10.2.2). */
static unsigned check_star(const struct registration *r, const struct sip_msg *msg)
{
    uint32_t expires = 1;
    if (!r->all)
        return 0;
    struct span header = sip_value(msg, SIP_H_EXPIRES);
    if (header.p)
        sip_number_parse(header, UINT32_MAX, &expires);
    return r->n == 0 && expires == 0 ? 0 : 400;
}

/* A REGISTER that was overtaken by a later one of the same phone changes nothing (§10.3 steps 6 and 7). */
static unsigned check_order(const struct registration *r)
{
    for (const struct pbx_binding *b = pbx_line_bindings(r->line); b; b = b->next) {
        bool concerned = r->all;
        for (unsigned i = 0; i < r->n && !concerned; i++) {
            struct pbx_key key = key_of(r, i);
            concerned = pbx_line_find(r->line, &key) == b;
        }
        if (concerned && span_equal(b->contact.call_id, r->call_id) && r->cseq <= b->contact.cseq)
            return 500;
    }
    return 0;
}

/* One REGISTER comes by one flow, so it can register but one (RFC 5626 §6). */
static unsigned check_flows(const struct registration *r)
{
    unsigned flows = 0;
    for (unsigned i = 0; i < r->n; i++)
        flows += is_flow(r, &r->contacts[i].contact) && r->contacts[i].expires > 0;
    return flows > 1 ? 400 : 0;
}

static unsigned read_outbound(const struct pbx *pbx, struct registration *r, const struct sip_msg *msg)
{
    enum pbx_outbound governs = pbx->settings->outbound ? pbx_outbound_judge(msg) : PBX_OUTBOUND_NO;
    r->outbound = governs == PBX_OUTBOUND_YES;
    return governs == PBX_OUTBOUND_LACKING ? 439 : 0;
}

static unsigned read_registration(struct pbx *pbx, struct registration *r, const struct sip_incoming *in)
{
    const struct sip_msg *msg = in->msg;
    r->cseq = in->core->cseq.number;
    r->call_id = in->core->call_id;
    unsigned status = read_path(r, msg);
    if (!status)
        status = read_outbound(pbx, r, msg);
    struct sip_list list = sip_list(msg, SIP_H_CONTACT);
    struct span value;
    while (!status && sip_list_next(&list, &value))
        status = read_contact(pbx, r, msg, value);
    if (!status)
        status = check_star(r, msg);
    if (!status)
        status = check_flows(r);
    return status ? status : check_order(r);
}

/* ---- storing ---- */

/* Where calls to a contact go first: its Path (RFC 3327 §5.4), else itself, else where the REGISTER came from. */
static struct endpoint first_hop(const struct registration *r, const struct sip_uri *contact, struct endpoint source)
{
    struct endpoint hop = source;
    struct span rest;
    struct sip_addr addr;
    struct sip_uri uri;
    if (span_empty(r->path)) {
        sip_uri_endpoint(contact, &hop);
        return hop;
    }
    struct span first = span_trim(span_cut(r->path, ',', &rest));
    if (sip_addr_parse(first, &addr) == 0 && sip_uri_parse(addr.uri, &uri) == 0)
        sip_uri_endpoint(&uri, &hop);
    return hop;
}

/* The flow that a phone keeps open to this PBX itself: by RFC 5626 §6, and any connection (PB-5). Behind a Path it is
 * the SBC's. */
static bool keeps_flow(const struct registration *r, const struct sip_contact *contact, struct sip_flow source)
{
    return span_empty(r->path) && (is_flow(r, contact) || sip_flow_is_reliable(source));
}

static int store_contact(struct pbx *pbx, const struct registration *r, unsigned i, struct sip_flow source)
{
    const struct sip_contact *contact = &r->contacts[i].contact;
    struct pbx_key key = key_of(r, i);
    struct pbx_contact binding = {
        .uri = contact->addr.uri,
        .path = r->path,
        .call_id = r->call_id,
        .cseq = r->cseq,
        .q = contact->has_q ? contact->q : Q_DEFAULT,
        .hop = first_hop(r, &r->contacts[i].uri, source.remote),
        .expires = host_now(pbx->host) + r->contacts[i].expires * SEC,
        .instance = key.instance,
        .reg_id = key.reg_id,
    };
    if (keeps_flow(r, contact, source)) {
        binding.flow = source;
        binding.hop = source.remote;
    }
    return pbx_line_set(r->line, &binding);
}

static int store(struct pbx *pbx, const struct registration *r, struct sip_flow source)
{
    if (r->all)
        pbx_line_remove_all(r->line);
    for (unsigned i = 0; i < r->n; i++) {
        struct pbx_key key = key_of(r, i);
        int error = 0;
        if (r->contacts[i].expires == 0)
            pbx_line_remove(r->line, &key);
        else
            error = store_contact(pbx, r, i, source);
        if (error)
            return error;
    }
    return 0;
}

/* ---- answering ---- */

static void put_bindings(const struct pbx *pbx, const struct pbx_line *line, struct text *headers)
{
    for (const struct pbx_binding *b = pbx_line_bindings(line); b; b = b->next) {
        lab_time left = b->contact.expires - host_now(pbx->host);
        text_str(headers, "Contact: <");
        text_put(headers, b->contact.uri);
        text_str(headers, ">;expires=");
        text_u64(headers, (uint64_t)((left + SEC - 1) / SEC));
        if (b->contact.reg_id) {
            text_str(headers, ";+sip.instance=\"");
            text_put(headers, b->contact.instance);
            text_str(headers, "\";reg-id=");
            text_u64(headers, b->contact.reg_id);
        }
        text_str(headers, "\r\n");
    }
}

/* RFC 6223 §4.2.1: the phone itself, whose Via is the topmost, is told how often. What came through a proxy has that
 * one's Via there. */
static int reply_and_keep(const struct pbx *pbx, struct sip_txn *txn, const struct sip_reply *reply)
{
    char buf[REPLY_MAX + 1024];
    char edited_buf[REPLY_MAX + 1024];
    char value_buf[16];
    struct text bytes = text_on(buf, sizeof buf);
    struct text edited = text_on(edited_buf, sizeof edited_buf);
    struct text value = text_on(value_buf, sizeof value_buf);
    struct sip_msg msg;
    struct sip_via via;
    struct span where;
    struct sip_edit edit;
    int error = sip_txn_write_reply(txn, reply, &bytes);
    if (error || sip_parse(text_span(&bytes), &msg, NULL) || sip_via_parse(sip_value(&msg, SIP_H_VIA), &via) ||
        !sip_outbound_keep_offered(&via, &where))
        return error ? error : sip_txn_respond(txn, text_span(&bytes));
    text_char(&value, '=');
    text_u64(&value, (uint64_t)(pbx->settings->keep_timer / SEC));
    sip_edit_begin(&edit, &msg);
    sip_edit_replace(&edit, where, text_span(&value));
    error = sip_edit_write(&edit, &edited);
    return error ? error : sip_txn_respond(txn, text_span(&edited));
}

static void accept_registration(struct pbx *pbx, struct sip_txn *txn, const struct registration *r)
{
    char buf[REPLY_MAX];
    struct text headers = text_on(buf, sizeof buf);
    put_bindings(pbx, r->line, &headers);
    if (!span_empty(r->path))
        sip_put(&headers, SIP_H_PATH, r->path); /* RFC 3327 §5.3 */
    if (r->outbound)
        sip_put(&headers, SIP_H_REQUIRE, SPAN("outbound")); /* RFC 5626 §6: the phone may count on it */
    struct sip_reply ok = {.status = 200, .headers = text_span(&headers)};
    int error = text_ok(&headers) ? 0 : FE_ERANGE;
    if (!error)
        error = pbx->settings->keep_timer ? reply_and_keep(pbx, txn, &ok) : sip_txn_reply(txn, &ok);
    if (error)
        sip_txn_reply_status(txn, 500);
}

/* §10.3 step 2: extensions that the phone insists on. */
static bool understands(const struct pbx *pbx, struct sip_txn *txn, const struct sip_msg *msg)
{
    char buf[256];
    struct text headers = text_on(buf, sizeof buf);
    struct sip_problem why;
    if (sip_check_uas(msg, pbx_extensions(pbx), &why) == 0)
        return true;
    if (why.status == 420)
        sip_put(&headers, SIP_H_UNSUPPORTED, why.about);
    sip_txn_reply(txn, &(struct sip_reply){.status = why.status, .headers = text_span(&headers)});
    return false;
}

static void refuse(struct pbx *pbx, struct sip_txn *txn, unsigned status)
{
    char buf[64];
    struct text headers = text_on(buf, sizeof buf);
    if (status == 423) /* §21.4.17 */
        sip_put_number(&headers, SIP_H_MIN_EXPIRES, (uint64_t)(pbx->settings->min_expires / SEC));
    sip_txn_reply(txn, &(struct sip_reply){.status = status, .headers = text_span(&headers)});
}

void pbx_registrar_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct registration r = {.line = pbx_line_of_text(pbx, in->core->to.uri)};
    if (!understands(pbx, txn, in->msg))
        return;
    if (!r.line) { /* PB-1; §10.3 step 5 */
        sip_txn_reply_status(txn, 404);
        return;
    }
    if (pbx->settings->challenge_register && pbx_authenticate(pbx, txn, in, r.line) == PBX_ANSWERED)
        return;
    unsigned status = read_registration(pbx, &r, in);
    if (status)
        refuse(pbx, txn, status);
    else if (store(pbx, &r, in->flow))
        sip_txn_reply_status(txn, 500);
    else
        accept_registration(pbx, txn, &r);
}
