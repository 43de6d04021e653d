#include "nodes/phone/phone_register.h"

#include "nodes/base/error.h"
#include "nodes/phone/phone.h"
#include "nodes/proto/sip_msg.h"

static void register_send(struct phone *p);

/* ---- states ---- */

static const char *state_name(enum phone_register_state state)
{
    switch (state) {
    case PHONE_UNREGISTERED: return "unregistered";
    case PHONE_TRYING: return "trying";
    case PHONE_REGISTERED: return "registered";
    case PHONE_FAILED: return "failed";
    case PHONE_UNREGISTERING: break; /* passes unseen: it is registered until the answer comes */
    }
    return NULL;
}

static void set_state(struct phone *p, enum phone_register_state state, const struct phone_registered *why)
{
    char room[128];
    struct text aor = text_on(room, sizeof room);
    p->registration.state = state;
    if (state == PHONE_UNREGISTERED || state == PHONE_FAILED)
        phone_keep_stop(p);
    if (!state_name(state))
        return;
    phone_aor_write(p, p->registration.to.aor, SIP_UDP, &aor); /* as it is, whatever the scheme on the wire */
    struct record *r = host_trace(p->host, "registration");
    record_str(r, "state", state_name(state));
    record_text(r, "aor", text_span(&aor));
    record_endpoint(r, "contact", phone_socket(p, phone_server_by(p, p->registration.to.server))->contact);
    record_endpoint(r, "server", phone_server_at(p, p->registration.to.server));
    if (state == PHONE_REGISTERED)
        record_u64(r, "expires", why->expires);
    if (why->status)
        record_u64(r, "status", why->status);
    if (why->reason.n)
        record_text(r, "reason", why->reason);
    host_trace_end(p->host);
}

static void retry_at(struct phone *p, lab_time pause)
{
    host_timer_start(p->host, &p->registration.timer, host_now(p->host) + pause);
}

/* PH-26: the pauses grow while the phone is not wanted. */
static lab_time grown(struct phone *p, lab_time pause)
{
    lab_time limit = p->settings->retry_limit;
    for (unsigned i = 0; i < p->registration.failures && pause < limit; i++)
        pause = 2 * pause < limit ? 2 * pause : limit;
    p->registration.failures++;
    return pause;
}

static void failed(struct phone *p, unsigned status, struct span reason, lab_time pause)
{
    struct phone_registered why = {.status = status, .reason = reason};
    if (p->registration.state == PHONE_UNREGISTERING) {
        set_state(p, PHONE_UNREGISTERED, &why);
        return;
    }
    p->registration.home.known = false;
    set_state(p, PHONE_FAILED, &why);
    retry_at(p, pause);
}

bool phone_register_busy(const struct phone *p)
{
    const struct phone_registration *reg = &p->registration;
    return reg->txn || reg->waiting || reg->locating;
}

/* ---- where ---- */

static bool aors_equal(const struct phone *p, unsigned a, unsigned b)
{
    return span_equal(p->aors[a].user, p->aors[b].user) && span_equal_nocase(p->aors[a].domain, p->aors[b].domain);
}

/* Is it the registrar in use, and the address of record in use? */
static bool is_in_use(const struct phone *p, const struct phone_home *home)
{
    unsigned site = phone_servers_active(&p->servers, PHONE_REGISTRAR);
    return home->known && &p->servers.list[home->server] == phone_servers_hop(&p->servers, PHONE_REGISTRAR, site) &&
           aors_equal(p, home->aor, phone_servers_active(&p->servers, PHONE_PROXY));
}

/* Chooses where the attempt goes next; false: it has failed everywhere. */
static bool route(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    struct phone_request request = {0};
    int site = phone_request_route(p, &request, PHONE_REGISTRAR, reg->tried);
    if (site < 0)
        return false;
    reg->to = (struct phone_home){true, (unsigned)site, request.server, request.aor};
    return true;
}

/* Chooses where to go. `lost`: what was registered is not any more. */
static void attempt(struct phone *p, unsigned tried, bool lost)
{
    struct phone_registered why = {0};
    p->registration.tried = tried;
    p->registration.reconnected = false;
    p->registration.come_back = NEVER;
    (void)route(p);                           /* a new attempt goes somewhere */
    sip_auth_accepted(&p->registration.auth); /* a refusal was of the last attempt, not of this one */
    if (lost || p->registration.state != PHONE_REGISTERED)
        set_state(p, PHONE_TRYING, &why);
}

/* To the site that was chosen, now or after a random part of the spread. */
static void go(struct phone *p)
{
    uint64_t spread = (uint64_t)p->settings->spread;
    if (spread == 0) {
        register_send(p);
        return;
    }
    p->registration.waiting = true;
    retry_at(p, (lab_time)prng_below(&p->spread, spread + 1));
}

/* The pause after an attempt that failed everywhere: whoever said when to come back is believed. */
static lab_time pause_after(struct phone *p)
{
    lab_time at = p->registration.come_back;
    if (at == NEVER)
        return grown(p, p->settings->timeout_retry);
    return at > host_now(p->host) ? at - host_now(p->host) : 0;
}

/* No answer, or the wrong one, from the server: on to the next site, or a pause. */
static void unserved(struct phone *p, unsigned status, struct span reason, const char *because, lab_time retry_after)
{
    struct phone_registration *reg = &p->registration;
    struct phone_registered why = {0};
    bool at_home = reg->home.known && reg->home.server == reg->to.server;
    reg->tried |= 1u << reg->to.site;
    if (retry_after && host_now(p->host) + retry_after < reg->come_back)
        reg->come_back = host_now(p->host) + retry_after;
    reg->deciding = true;
    phone_server_failed(p, reg->to.server, because, retry_after);
    reg->deciding = false;
    if (reg->state == PHONE_UNREGISTERING || !route(p)) {
        failed(p, status, reason, pause_after(p));
        return;
    }
    sip_auth_accepted(&reg->auth); /* the next server has not refused anything */
    if (reg->state == PHONE_REGISTERED && at_home)
        set_state(p, PHONE_TRYING, &why);
    go(p);
}

/* Did the phone leave a binding behind when it went back? Where only the way to the registrar is another one, the
 * binding there has just been refreshed: it is the same address of record and the same contact. */
static bool left_behind(const struct phone *p, const struct phone_home *before, const struct phone_home *now)
{
    bool registrar = before->server != now->server && !p->servers.one_registrar;
    bool back = before->site > now->site || before->aor > now->aor;
    return before->known && back && (registrar || !aors_equal(p, before->aor, now->aor));
}

/* PH-21: registered, perhaps at a better place than before: that is left, and what moved meanwhile is followed. */
static void settle(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    struct phone_home before = reg->home;
    reg->home = reg->to;
    if (p->settings->unregister_on_return && left_behind(p, &before, &reg->home))
        phone_farewell_say(p, before);
    phone_register_moved(p, false);
    phone_subscribe_check(p);
}

static void accepted(struct phone *p, const struct sip_msg *response)
{
    struct phone_registration *reg = &p->registration;
    struct phone_registered why = {.status = response->status, .reason = response->reason};
    if (reg->state == PHONE_UNREGISTERING) {
        set_state(p, PHONE_UNREGISTERED, &why);
        return;
    }
    why.expires = phone_register_granted(p, response, phone_server_by(p, reg->to.server), reg->expires);
    if (why.expires == 0) { /* the registrar dropped us */
        failed(p, response->status, response->reason, p->settings->retry);
        return;
    }
    reg->failures = 0;
    set_state(p, PHONE_REGISTERED, &why);
    phone_keep_registered(p, response, reg->to.server);
    phone_pcp_registered(p);
    retry_at(p, phone_refresh_after(p, (lab_time)why.expires * SEC));
    settle(p);
}

/* §20.33: whoever says when to come back is believed, unless the phone is made otherwise. */
static void rejected(struct phone *p, const struct sip_msg *response)
{
    uint32_t seconds;
    lab_time pause = 0;
    if (p->settings->heed_retry_after && sip_delta_parse(sip_value(response, SIP_H_RETRY_AFTER), &seconds, NULL) == 0)
        pause = (lab_time)seconds * SEC;
    if (pause == 0)
        pause = grown(p, p->settings->retry);
    failed(p, response->status, response->reason, pause);
}

static bool challenge_answered(struct phone *p, const struct sip_msg *response)
{
    struct sip_auth *auth = &p->registration.auth;
    if (response->status == 401 || response->status == 407)
        return sip_auth_challenged(auth, response) == 0;
    sip_auth_accepted(auth); /* whatever else it says, it does not doubt who we are */
    return false;
}

static void txn_drop(struct phone *p)
{
    if (p->registration.txn)
        sip_txn_release(p->registration.txn);
    p->registration.txn = NULL;
}

/* The same server by its next target, which knows nothing of a registration at the last one. */
static bool target_next(struct phone *p, const struct sip_txn *txn, const char *why, bool machine)
{
    struct phone_registration *reg = &p->registration;
    struct phone_registered nothing = {0};
    bool at_home = reg->home.known && reg->home.server == reg->to.server;
    if (!phone_server_again(p, reg->to.server, txn, why, machine))
        return false;
    if (reg->state == PHONE_REGISTERED && at_home)
        set_state(p, PHONE_TRYING, &nothing);
    return true;
}

/* 503 with somewhere else to go: there; else it is a rejection like others. */
static bool refused(struct phone *p, const struct sip_txn *txn, const struct sip_msg *response)
{
    lab_time retry_after;
    if (!phone_server_refuses(p, response, &retry_after))
        return false;
    if (target_next(p, txn, "503", true)) {
        txn_drop(p);
        register_send(p);
        return true;
    }
    if (phone_servers_group(&p->servers, PHONE_REGISTRAR)->n == 1)
        return false;
    txn_drop(p);
    unserved(p, response->status, response->reason, "503", retry_after);
    return true;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    struct phone_registration *reg = &p->registration;
    if (in->msg->status < 200 || refused(p, txn, in->msg))
        return;
    txn_drop(p);
    reg->deciding = true;
    phone_server_answered(p, reg->to.server);
    reg->deciding = false;
    if (challenge_answered(p, in->msg) || phone_interval_raised(in->msg, &reg->expires))
        register_send(p);
    else if (in->msg->status < 300)
        accepted(p, in->msg);
    else
        rejected(p, in->msg);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone *p = arg;
    struct phone_registration *reg = &p->registration;
    bool reconnect = !reg->reconnected && phone_transport_broke(p, txn);
    bool again = reconnect || target_next(p, txn, phone_failure_text(status), false);
    phone_transport_doubt(p, txn, status);
    txn_drop(p);
    reg->reconnected = reg->reconnected || reconnect;
    if (again)
        register_send(p);
    else
        unserved(p, status, sip_reason_phrase(status), phone_failure_text(status), 0);
}

static const struct sip_client_events register_events = {.response = on_response, .failed = on_failed};

/* ---- sending ---- */

static void register_send(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    char room[160];
    struct text headers = text_on(room, sizeof room);
    reg->locating = !phone_locate_known(p, reg->to.server);
    if (reg->locating)
        return;
    if (phone_transport_is_busy(p, reg->to.server)) {
        reg->waiting = true;
        retry_at(p, p->settings->reopen_after);
        return;
    }
    struct phone_request request = {
        .method = "REGISTER",
        .server = reg->to.server,
        .aor = reg->to.aor,
        .call_id = reg->call_id,
        .tag = reg->tag,
        .cseq = ++reg->cseq,
        .auth = &reg->auth,
        .headers =
            phone_register_headers(p, reg->to.server, reg->state == PHONE_UNREGISTERING ? 0 : reg->expires, &headers)};
    if (phone_request_send(p, &request, &register_events, p, &reg->txn)) {
        reg->txn = NULL;
        failed(p, 503, sip_reason_phrase(503), p->settings->timeout_retry);
    }
}

static void timer_fired(void *arg)
{
    struct phone *p = arg;
    bool chosen = p->registration.waiting;
    p->registration.waiting = false;
    if (chosen)
        register_send(p);
    else
        phone_register_start(p);
}

void phone_register_init(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    sip_auth_init(&reg->auth, p->host, "register");
    prng_hex(&p->rng, reg->call_id, PHONE_CALL_ID);
    prng_hex(&p->rng, reg->tag, PHONE_TAG);
    reg->expires = (uint32_t)(p->settings->expires / SEC);
    timer_init(&reg->timer, timer_fired, p);
    phone_farewell_init(p);
    (void)route(p); /* what the first line of the trace says */
}

void phone_register_tell(struct phone *p, enum phone_register_state state, unsigned server,
                         const struct phone_registered *why)
{
    struct phone_registration *reg = &p->registration;
    reg->to = (struct phone_home){true, PHONE_PRIMARY, server, PHONE_PRIMARY};
    reg->home = reg->to;
    reg->home.known = state == PHONE_REGISTERED;
    set_state(p, state, why);
}

void phone_register_start(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    if (p->settings->outbound) {
        phone_outbound_start(p);
        return;
    }
    if (reg->txn)
        return;
    host_timer_stop(p->host, &reg->timer);
    reg->waiting = false;
    attempt(p, 0, false);
    register_send(p);
}

/* Nothing to do when the registration is, or is about to be, where it belongs; else at once, and when a better place
 * has failed not there again. */
void phone_register_moved(struct phone *p, bool away)
{
    struct phone_registration *reg = &p->registration;
    bool wanted = reg->state == PHONE_TRYING || reg->state == PHONE_REGISTERED || reg->state == PHONE_FAILED;
    if (p->settings->outbound || reg->deciding || !wanted ||
        is_in_use(p, phone_register_busy(p) ? &reg->to : &reg->home))
        return;
    txn_drop(p);
    host_timer_stop(p->host, &reg->timer);
    reg->waiting = reg->locating = false;
    unsigned better = (1u << phone_servers_active(&p->servers, PHONE_REGISTRAR)) - 1;
    attempt(p, away ? better : 0, away);
    go(p);
}

void phone_register_located(struct phone *p, unsigned server, bool moved)
{
    struct phone_registration *reg = &p->registration;
    bool known = p->servers.list[server].targets.n > 0;
    bool awaited = reg->locating && reg->to.server == server;
    reg->locating = reg->locating && !awaited;
    if (awaited && known)
        register_send(p);
    else if (awaited)
        unserved(p, 0, SPAN("no such host"), "no such host", 0);
    else if (moved && reg->home.known && reg->home.server == server && reg->state == PHONE_REGISTERED)
        phone_register_start(p);
}

void phone_register_lost(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    uint64_t spread = (uint64_t)p->settings->spread;
    if (p->settings->outbound || reg->state != PHONE_REGISTERED || phone_register_busy(p))
        return;
    reg->waiting = true;
    attempt(p, 0, true);
    retry_at(p, p->settings->reopen_after + (spread ? (lab_time)prng_below(&p->spread, spread + 1) : 0));
}

void phone_register_end(struct phone *p)
{
    struct phone_registered why = {0};
    if (p->settings->outbound) {
        phone_outbound_end(p);
        return;
    }
    txn_drop(p);
    if (p->registration.home.known)
        p->registration.to = p->registration.home;
    host_timer_stop(p->host, &p->registration.timer);
    p->registration.waiting = p->registration.locating = false;
    set_state(p, PHONE_UNREGISTERING, &why);
    register_send(p);
}

void phone_register_stop(struct phone *p)
{
    txn_drop(p);
    phone_farewell_stop(p);
    host_timer_stop(p->host, &p->registration.timer);
}
