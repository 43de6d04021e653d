/* REGISTER on its way to the PBX (RFC 3327, RFC 5626 §5.1): it gets a Path with the token of the flow that it came by;
 * what the PBX confirms is remembered with this flow, and the phone may be told a shorter expiry than the PBX granted,
 * so that it comes back before its NAT forgets it.
 *
 * It passes by a pair of transactions of its own, not through the proxy core, because the response is edited. */
#include "nodes/base/error.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_uri.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

enum {
    EXPIRES_DEFAULT = 3600, /* s, when a registrar names none (RFC 3261 §10.2.1.1) */
    CONTACTS_MAX = 16,      /* contacts of one response whose expiry is shortened */
};

struct registration {
    struct registration *next, **from; /* in the set */
    struct sbc *sbc;
    struct sip_txn *server, *client;
    struct endpoint flow;
};

struct sbc_registers {
    struct registration *first;
};

/* ---- pairs of transactions ---- */

static struct registration *registration_new(struct sbc *sbc, struct sip_txn *server, struct endpoint flow)
{
    struct registration *r = malloc(sizeof *r);
    if (!r)
        return NULL;
    struct registration **first = &sbc->registers->first;
    *r = (struct registration){.next = *first, .from = first, .sbc = sbc, .server = server, .flow = flow};
    if (r->next)
        r->next->from = &r->next;
    *first = r;
    return r;
}

static void registration_free(struct registration *r)
{
    *r->from = r->next;
    if (r->next)
        r->next->from = r->from;
    if (r->server)
        sip_txn_release(r->server);
    if (r->client)
        sip_txn_release(r->client);
    free(r);
}

static void server_ended(void *arg, struct sip_txn *txn)
{
    (void)txn;
    struct registration *r = arg;
    r->server = NULL;
    registration_free(r);
}

/* ---- the response ---- */

/* The contact of the request that this one of the response equals. */
static bool find_contact(const struct sip_msg *request, const struct sip_uri *uri, struct span *as_written)
{
    struct sip_list list = sip_list(request, SIP_H_CONTACT);
    struct span value;
    struct sip_contact contact;
    struct sip_uri wanted;
    while (sip_list_next(&list, &value)) {
        if (sip_contact_parse(value, &contact) || contact.star || sip_uri_parse(contact.addr.uri, &wanted))
            continue;
        if (sip_uri_equal(&wanted, uri)) {
            *as_written = contact.addr.uri;
            return true;
        }
    }
    return false;
}

static uint32_t granted(const struct sip_msg *response, const struct sip_contact *contact)
{
    uint32_t expires = EXPIRES_DEFAULT;
    struct span header = sip_value(response, SIP_H_EXPIRES);
    if (contact->has_expires)
        return contact->expires;
    if (header.p)
        sip_number_parse(header, UINT32_MAX, &expires);
    return expires;
}

/* What the phone is told of what the PBX granted. */
static uint32_t shortened(const struct sbc *sbc, uint32_t expires)
{
    uint32_t longest = (uint32_t)(sbc->settings.register_expires / SEC);
    return longest && longest < expires ? longest : expires;
}

static void remove_missing(struct sbc *sbc, struct span aor, const struct sip_msg *request,
                           const struct sip_msg *response)
{
    struct sip_list list = sip_list(request, SIP_H_CONTACT);
    struct span value;
    struct span found;
    struct sip_contact contact;
    struct sip_uri uri;
    while (sip_list_next(&list, &value)) {
        if (sip_contact_parse(value, &contact))
            continue;
        if (contact.star)
            sbc_location_remove_all(sbc->location, aor);
        else if (sip_uri_parse(contact.addr.uri, &uri) == 0 && !find_contact(response, &uri, &found))
            sbc_location_remove(sbc->location, aor, contact.addr.uri);
    }
}

/* The PBX's 200 lists all contacts of the line, other phones' too: only the request's own came by this flow. Expiries
 * go into the edits; `digits` holds their text. */
static void note_confirmed(struct registration *r, struct span aor, const struct sip_msg *request,
                           const struct sip_msg *response, struct sip_edit *edit, struct text *digits)
{
    struct sbc *sbc = r->sbc;
    struct sip_list list = sip_list(response, SIP_H_CONTACT);
    struct span value;
    struct span as_written;
    struct span text;
    struct sip_contact contact;
    struct sip_uri uri;
    for (int n = 0; n < CONTACTS_MAX && sip_list_next(&list, &value); n++) {
        if (sip_contact_parse(value, &contact) || contact.star || sip_uri_parse(contact.addr.uri, &uri) ||
            !find_contact(request, &uri, &as_written))
            continue;
        uint32_t expires = granted(response, &contact);
        uint32_t told = shortened(sbc, expires);
        sbc_location_set(sbc->location, aor, as_written, r->flow, host_now(sbc->host) + told * SEC);
        if (told < expires && sip_param(contact.addr.params, "expires", &text) && text.p) {
            size_t start = digits->n;
            text_u64(digits, told);
            sip_edit_replace(edit, text, span_make(digits->p + start, digits->n - start));
        }
    }
}

static void shorten_header(const struct sbc *sbc, const struct sip_msg *response, struct sip_edit *edit)
{
    uint32_t expires;
    struct span header = sip_value(response, SIP_H_EXPIRES);
    if (header.p && sip_number_parse(header, UINT32_MAX, &expires) == 0 && shortened(sbc, expires) < expires)
        sip_edit_number(edit, SIP_H_EXPIRES, shortened(sbc, expires));
}

static void confirm(struct registration *r, const struct sip_msg *response, struct sip_edit *edit, struct text *digits)
{
    struct sip_msg request;
    struct sip_addr to;
    sip_txn_msg(r->server, &request);
    if (sip_addr_parse(sip_value(&request, SIP_H_TO), &to))
        return;
    remove_missing(r->sbc, to.uri, &request, response);
    note_confirmed(r, to.uri, &request, response, edit, digits);
    shorten_header(r->sbc, response, edit);
}

static void response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)txn;
    struct registration *r = arg;
    struct sip_edit edit;
    char digit_room[CONTACTS_MAX * 12];
    struct text digits = text_on(digit_room, sizeof digit_room);
    struct text out = text_on(r->sbc->body, sizeof r->sbc->body);
    if (in->msg->status == 100) /* hop by hop (§16.7 step 5) */
        return;
    sip_edit_begin(&edit, in->msg);
    sip_edit_pop(&edit, SIP_H_VIA, 1);
    if (in->msg->status >= 200 && in->msg->status < 300)
        confirm(r, in->msg, &edit, &digits);
    if (sip_edit_write(&edit, &out) || sip_txn_respond(r->server, text_span(&out)))
        sip_txn_reply_status(r->server, 500);
    if (in->msg->status >= 200)
        registration_free(r);
}

static void failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    struct registration *r = arg;
    if (status == 408) { /* RFC 4320 §4.2: the phone has given up at the same time */
        sip_txn_abandon(r->server);
        r->server = NULL;
    } else {
        sip_txn_reply_status(r->server, status == 503 ? 500 : status); /* §16.7 step 6 */
    }
    registration_free(r);
}

static void client_ended(void *arg, struct sip_txn *txn)
{
    (void)txn;
    struct registration *r = arg;
    r->client = NULL;
}

/* ---- the request ---- */

static void put_path(const struct sbc *sbc, struct endpoint flow, struct text *t)
{
    char token[SBC_TOKEN + 1];
    sbc_token_make(&sbc->key, flow, token);
    text_str(t, "<sip:");
    text_str(t, token);
    text_char(t, '@');
    text_endpoint(t, sip_transport_advertised(sbc->transport, sbc->socket[SBC_INSIDE]));
    text_str(t, ";lr>");
}

static uint32_t hops_left(const struct sbc *sbc, const struct sip_core *core)
{
    uint32_t limit = sbc->settings.max_forwards;
    if (!core->has_max_forwards)
        return limit;
    return core->max_forwards <= limit ? core->max_forwards - 1u : limit;
}

static int write_request(struct sbc *sbc, const struct sip_incoming *in, const struct sip_routing *routing,
                         struct text *out)
{
    char path[128];
    struct text path_text = text_on(path, sizeof path);
    struct sip_edit edit;
    put_path(sbc, in->flow.remote, &path_text);
    sip_edit_begin(&edit, in->msg);
    sip_edit_pop(&edit, SIP_H_ROUTE, routing->own);
    sip_edit_prepend(&edit, SIP_H_PATH, text_span(&path_text));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, hops_left(sbc, in->core));
    return sip_edit_write(&edit, out);
}

static int start(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in, const struct sip_routing *routing)
{
    static const struct sip_client_events client_events = {
        .response = response, .failed = failed, .ended = client_ended};
    static const struct sip_server_events server_events = {.ended = server_ended};
    struct text out = text_on(sbc->body, sizeof sbc->body);
    struct sip_flow to = sip_flow_to(sbc->socket[SBC_INSIDE], sbc->settings.pbx);
    int error = write_request(sbc, in, routing, &out);
    if (error)
        return error;
    struct registration *r = registration_new(sbc, txn, in->flow.remote);
    if (!r)
        return FE_EMEM;
    error = sip_txn_request(sbc->txns, &to, text_span(&out), (struct span){0}, &client_events, r, &r->client);
    if (error) {
        r->server = NULL;
        r->client = NULL;
        registration_free(r);
        return error;
    }
    sip_txn_own(txn, &server_events, r);
    return 0;
}

void sbc_register_request(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                          const struct sip_routing *routing)
{
    if (sbc_side_of(sbc, in->flow) == SBC_INSIDE || !span_empty(routing->next) ||
        sbc_addressee(sbc, routing->uri) == SBC_SOMEBODY_ELSE)
        sip_txn_reply_status(txn, 403);
    else if (start(sbc, txn, in, routing))
        sip_txn_reply_status(txn, 500);
}

/* ---- the set ---- */

int sbc_registers_new(struct sbc_registers **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : FE_EMEM;
}

void sbc_registers_free(struct sbc_registers *set)
{
    if (!set)
        return;
    for (struct registration *r = set->first, *next; r; r = next) {
        next = r->next;
        registration_free(r);
    }
    free(set);
}
