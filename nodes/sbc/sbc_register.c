/* REGISTER on its way to the PBX (RFC 3327, RFC 5626 §5.1): it gets a Path with the token of the flow that it came by,
 * and "ob" in it when it came straight from the phone; what the PBX confirms is remembered with this flow. The phone
 * may be told a shorter expiry than the PBX granted, so that it comes back before its NAT forgets it, and how often to
 * send keep-alives: by Flow-Timer (§5.4), or where its Via offers `keep` (RFC 6223 §4.3).
 *
 * It passes by a pair of transactions of its own, not through the proxy core, because the response is edited. */
#include "nodes/base/error.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_uri.h"
#include "nodes/sbc/sbc_node.h"
#include "nodes/sip/sip_outbound.h"

#include <stdlib.h>

enum {
    EXPIRES_DEFAULT = 3600, /* s, when a registrar names none (RFC 3261 §10.2.1.1) */
    CONTACTS_MAX = 16,      /* contacts of one response whose expiry is shortened */
    KEY_MAX = 512,          /* what a contact is known by */
};

struct registration {
    struct registration *next, **from; /* in the set */
    struct sbc *sbc;
    struct sip_txn *server, *client;
    struct sip_flow flow;
    unsigned own; /* Routes of the request that name this SBC */
    unsigned next_server, servers;
    struct endpoint order[SBC_SERVERS_MAX]; /* those before next_server have been tried */
};

struct sbc_registers {
    struct registration *first;
};

/* ---- pairs of transactions ---- */

static struct registration *registration_new(struct sbc *sbc, struct sip_txn *server, struct sip_flow flow,
                                             unsigned own)
{
    struct registration *r = malloc(sizeof *r);
    if (!r)
        return NULL;
    struct registration **first = &sbc->registers->first;
    *r = (struct registration){.next = *first, .from = first, .sbc = sbc, .server = server, .flow = flow, .own = own};
    r->servers = sbc_servers_order(&sbc->servers, host_now(sbc->host), r->order);
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

static bool is_flow(const struct sip_contact *contact)
{
    return contact->reg_id && !span_empty(contact->instance);
}

/* Two flows of a phone often have the same URI (RFC 5626 §4.2.1): then instance and reg-id tell. */
static bool same_contact(const struct sip_contact *a, const struct sip_contact *b)
{
    struct sip_uri left;
    struct sip_uri right;
    if (is_flow(a) && is_flow(b))
        return a->reg_id == b->reg_id && span_equal_nocase(a->instance, b->instance);
    return !a->star && !b->star && sip_uri_parse(a->addr.uri, &left) == 0 && sip_uri_parse(b->addr.uri, &right) == 0 &&
           sip_uri_equal(&left, &right);
}

/* The contact of the message that this one of another message equals. */
static bool find_contact(const struct sip_msg *msg, const struct sip_contact *wanted, struct sip_contact *found)
{
    struct sip_list list = sip_list(msg, SIP_H_CONTACT);
    struct span value;
    while (sip_list_next(&list, &value))
        if (sip_contact_parse(value, found) == 0 && same_contact(found, wanted))
            return true;
    return false;
}

/* What the location service knows the contact by: a phone that says which flow it registers may change its URI. */
static struct span key_of(const struct sip_contact *contact, char room[KEY_MAX])
{
    struct text key = text_on(room, KEY_MAX);
    if (!is_flow(contact))
        return contact->addr.uri;
    text_put(&key, contact->instance);
    text_char(&key, ';');
    text_u64(&key, contact->reg_id);
    return text_ok(&key) ? text_span(&key) : contact->addr.uri;
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
    struct sip_contact contact;
    struct sip_contact found;
    char room[KEY_MAX];
    while (sip_list_next(&list, &value)) {
        if (sip_contact_parse(value, &contact))
            continue;
        if (contact.star)
            sbc_location_remove_all(sbc->location, aor);
        else if (!find_contact(response, &contact, &found))
            sbc_location_remove(sbc->location, aor, key_of(&contact, room));
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
    struct span text;
    struct sip_contact contact;
    struct sip_contact own;
    char room[KEY_MAX];
    for (int n = 0; n < CONTACTS_MAX && sip_list_next(&list, &value); n++) {
        if (sip_contact_parse(value, &contact) || !find_contact(request, &contact, &own))
            continue;
        uint32_t expires = granted(response, &contact);
        uint32_t told = shortened(sbc, expires);
        sbc_location_set(sbc->location, aor, key_of(&own, room), r->flow, host_now(sbc->host) + told * SEC);
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

/* ---- keep-alives ---- */

static uint32_t flow_timer(const struct sbc *sbc)
{
    return (uint32_t)(sbc->settings.flow_timer / SEC);
}

/* §5.4: only where the registrar uses outbound may the phone be told; then the SBC counts on what the phone sends. */
static void tell_flow_timer(const struct registration *r, const struct sip_msg *response, struct sip_edit *edit)
{
    struct sbc *sbc = r->sbc;
    if (!flow_timer(sbc) || !sip_lists(response, SIP_H_REQUIRE, "outbound"))
        return;
    sip_edit_number(edit, SIP_H_FLOW_TIMER, flow_timer(sbc));
    if (sbc_location_has_flow(sbc->location, r->flow))
        sbc_watch_begin(sbc->watch, r->flow, sbc->settings.flow_timer);
}

static bool came_straight(const struct sip_msg *request)
{
    struct sip_list list = sip_list(request, SIP_H_VIA);
    struct span value;
    return sip_list_next(&list, &value) && !sip_list_next(&list, &value);
}

/* The Via of a response below the topmost: false when that is not the last one. */
static bool second_and_last_via(const struct sip_msg *response, struct sip_via *via)
{
    struct sip_list list = sip_list(response, SIP_H_VIA);
    struct span values[2];
    struct span more;
    for (int i = 0; i < 2; i++)
        if (!sip_list_next(&list, &values[i]))
            return false;
    return !sip_list_next(&list, &more) && sip_via_parse(values[1], via) == 0;
}

/* RFC 6223 §4.3: an offer to send keep-alives, in the phone's Via, is accepted by giving it a value. In the response
 * that Via is the second one: ours is above it. */
static void accept_keep(const struct registration *r, const struct sip_msg *response, struct sip_edit *edit,
                        struct text *digits)
{
    struct sip_via via;
    struct span where;
    size_t start = digits->n;
    if (!r->sbc->settings.outbound_support || !second_and_last_via(response, &via) ||
        !sip_outbound_keep_offered(&via, &where))
        return;
    text_char(digits, '=');
    text_u64(digits, flow_timer(r->sbc));
    sip_edit_replace(edit, where, span_make(digits->p + start, digits->n - start));
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
    tell_flow_timer(r, response, edit);
    accept_keep(r, response, edit, digits);
}

static struct endpoint server_asked(const struct registration *r)
{
    return r->order[r->next_server - 1];
}

static int ask_next(struct registration *r);

/* RFC 3263 §4.3: the server is busy or gone, and there is another one. */
static bool try_another(struct registration *r)
{
    if (r->next_server == r->servers)
        return false;
    if (r->client)
        sip_txn_release(r->client);
    r->client = NULL;
    return ask_next(r) == 0;
}

static void response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)txn;
    struct registration *r = arg;
    struct sip_edit edit;
    char digit_room[(CONTACTS_MAX + 1) * 12];
    struct text digits = text_on(digit_room, sizeof digit_room);
    struct text out = text_on(r->sbc->body, sizeof r->sbc->body);
    if (in->msg->status == 100) /* hop by hop (§16.7 step 5) */
        return;
    if (in->msg->status == 503) {
        sbc_server_failed(r->sbc, server_asked(r), in->msg);
        if (try_another(r))
            return;
    } else {
        sbc_server_answered(r->sbc, server_asked(r));
    }
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
    sbc_server_failed(r->sbc, server_asked(r), NULL);
    if (status == 503 && try_another(r))
        return;
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
    struct registration *r = arg;
    if (r->client == txn) /* not one that another server has replaced */
        r->client = NULL;
}

/* ---- the request ---- */

/* RFC 5626 §5.1: "ob" promises that the phone's own flow is kept, which only its first hop can, and not every one does.
 */
static void put_path(const struct sbc *sbc, struct sip_flow flow, bool first_hop, struct text *t)
{
    char token[SBC_TOKEN_MAX + 1];
    sbc_token_make(&sbc->key, flow, token);
    sbc_put_route(sbc, t, sbc->inside, token);
    text_str(t, first_hop && sbc->settings.outbound_support ? ";ob>" : ">");
}

static uint32_t hops_left(const struct sbc *sbc, const struct sip_core *core)
{
    uint32_t limit = sbc->settings.max_forwards;
    if (!core->has_max_forwards)
        return limit;
    return core->max_forwards <= limit ? core->max_forwards - 1u : limit;
}

static int write_request(const struct registration *r, struct text *out)
{
    const struct sbc *sbc = r->sbc;
    char path[128];
    struct text path_text = text_on(path, sizeof path);
    struct sip_edit edit;
    struct sip_msg msg;
    struct sip_core core;
    sip_txn_msg(r->server, &msg);
    if (sip_core(&msg, &core, NULL))
        return FE_ESYNTAX;
    put_path(sbc, r->flow, came_straight(&msg), &path_text);
    sip_edit_begin(&edit, &msg);
    sip_edit_pop(&edit, SIP_H_ROUTE, r->own);
    sip_edit_prepend(&edit, SIP_H_PATH, text_span(&path_text));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, hops_left(sbc, &core));
    return sip_edit_write(&edit, out);
}

/* A send that fails is told by `failed`. */
static int ask_next(struct registration *r)
{
    static const struct sip_client_events events = {.response = response, .failed = failed, .ended = client_ended};
    struct text out = text_on(r->sbc->body, sizeof r->sbc->body);
    struct sip_flow to = sbc_flow_inside(r->sbc, r->order[r->next_server++]);
    int error = write_request(r, &out);
    return error ? error
                 : sip_txn_request(r->sbc->txns, &to, text_span(&out), (struct span){0}, &events, r, &r->client);
}

static int start(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in, const struct sip_routing *routing)
{
    static const struct sip_server_events events = {.ended = server_ended};
    struct registration *r = registration_new(sbc, txn, in->flow, routing->own);
    if (!r)
        return FE_EMEM;
    int error = ask_next(r);
    if (error) {
        r->server = NULL;
        r->client = NULL;
        registration_free(r);
        return error;
    }
    sip_txn_own(txn, &events, r);
    return 0;
}

void sbc_register_request(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                          const struct sip_routing *routing)
{
    if (sbc_side_of(sbc, in->flow) == SBC_INSIDE || !span_empty(routing->next) ||
        sbc_addressee(sbc, routing->uri) == SBC_SOMEBODY_ELSE)
        sip_txn_reply_status(txn, 403);
    else if (sbc->servers.n == 0 || start(sbc, txn, in, routing))
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
