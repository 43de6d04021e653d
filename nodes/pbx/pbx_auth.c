#include "nodes/base/error.h"
#include "nodes/pbx/pbx_node.h"

enum { CHALLENGE = 512 };

bool pbx_is_ours(const struct pbx *pbx, const struct sip_uri *uri)
{
    struct endpoint at;
    const char(*others)[PBX_DOMAIN] = pbx->settings->domains.items;
    if (span_equal_nocase(uri->host, span_of(pbx->settings->domain)))
        return true;
    for (size_t i = 0; i < pbx->settings->domains.n; i++)
        if (span_equal_nocase(uri->host, span_of(others[i])))
            return true;
    return sip_uri_endpoint(uri, &at) == 0 && sip_transport_is_own(pbx->transport, at);
}

struct pbx_line *pbx_line_of(const struct pbx *pbx, const struct sip_uri *uri)
{
    char name[PBX_NAME];
    struct text unescaped = text_on(name, sizeof name);
    if (!pbx_is_ours(pbx, uri) || sip_unescape(&unescaped, uri->user))
        return NULL;
    return pbx_location_line(pbx->location, text_span(&unescaped));
}

struct pbx_line *pbx_line_of_text(const struct pbx *pbx, struct span text)
{
    struct sip_uri uri;
    return sip_uri_parse(text, &uri) == 0 ? pbx_line_of(pbx, &uri) : NULL;
}

static bool password_of(void *arg, struct span user, struct span *password)
{
    const struct pbx *pbx = arg;
    const struct pbx_line *line = pbx_location_line(pbx->location, user);
    if (line)
        *password = pbx_line_password(line);
    return line != NULL;
}

static void challenge(struct pbx *pbx, struct sip_txn *txn, bool proxy, bool stale)
{
    char buf[CHALLENGE];
    struct text headers = text_on(buf, sizeof buf);
    sip_realm_challenge(pbx->realm, proxy, stale, &headers);
    sip_txn_reply(txn, &(struct sip_reply){.status = proxy ? 407 : 401, .headers = text_span(&headers)});
}

/* RFC 3261 §22.2 for the registrar (401), §22.3 for the proxy (407). Right credentials of another line are no
 * credentials: 403. */
enum pbx_passport pbx_authenticate(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in,
                                   const struct pbx_line *line)
{
    bool proxy = in->msg->method != SIP_REGISTER && !pbx_mwi_concerns(pbx, in);
    struct span user;
    if (span_empty(pbx_line_password(line)))
        return PBX_PASSED;
    switch (sip_realm_verify(pbx->realm, in->msg, proxy, password_of, pbx, &user)) {
    case SIP_AUTH_PASSED:
        if (span_equal(user, pbx_line_name(line)))
            return PBX_PASSED;
        sip_txn_reply_status(txn, 403);
        return PBX_ANSWERED;
    case SIP_AUTH_MISSING: challenge(pbx, txn, proxy, false); return PBX_ANSWERED;
    case SIP_AUTH_STALE: challenge(pbx, txn, proxy, true); return PBX_ANSWERED;
    case SIP_AUTH_WRONG: sip_txn_reply_status(txn, 403); return PBX_ANSWERED;
    }
    return PBX_ANSWERED;
}
