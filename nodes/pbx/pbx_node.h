/* The PBX's parts know each other by this; private to nodes/pbx/. */
#ifndef FAREND_PBX_NODE_H
#define FAREND_PBX_NODE_H

#include "nodes/host.h"
#include "nodes/pbx/pbx_cdr.h"
#include "nodes/pbx/pbx_location.h"
#include "nodes/pbx/pbx_mwi.h"
#include "nodes/pbx/pbx_service.h"
#include "nodes/pbx/pbx_settings.h"
#include "nodes/proto/sip_uri.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_proxy.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

struct pbx {
    struct host *host;
    const struct pbx_settings *settings;
    struct pbx_location *location; /* the only thing that a restart may keep */
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_proxy *proxy;
    struct sip_realm *realm;
    struct pbx_cdrs *cdrs;
    struct tls_context *tls; /* NULL: no TLS */
    unsigned sockets_n;      /* socket 0 is where requests leave whose URI does not say otherwise */
    struct pbx_mwi *mwi;     /* a restart keeps the mailboxes */
    struct pbx_service service;
};

/* The option tags that this PBX understands, comma separated. */
static inline struct span pbx_extensions(const struct pbx *pbx)
{
    return pbx->settings->outbound ? SPAN("path, outbound") : SPAN("path");
}

/* ---- pbx_transport.c ---- */
/* The layer and its sockets. Errors as sip_transport_open() and sip_identity_context(); `why` may be NULL. */
int pbx_transport_open(struct pbx *pbx, struct text *why);
/* "<sip:10.0.1.10:5061;transport=tls": for the caller to finish. */
void pbx_put_address(const struct pbx *pbx, struct text *t, unsigned socket);
const char *pbx_transport_conflict(const struct pbx_settings *s, struct text *why); /* as node_kind.conflict */

/* ---- pbx_registrar.c ---- */
void pbx_registrar_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in);

/* ---- pbx_auth.c ---- */
enum pbx_passport {
    PBX_PASSED,
    PBX_ANSWERED, /* challenged or refused: the transaction has its answer */
};

/* Who sends this, and is it the line? `line` is whom the request claims to be from. */
enum pbx_passport pbx_authenticate(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in,
                                   const struct pbx_line *line);

/* The line that a URI names at this PBX: NULL when its host is another one's, or no line has this name. */
struct pbx_line *pbx_line_of(const struct pbx *pbx, const struct sip_uri *uri);
struct pbx_line *pbx_line_of_text(const struct pbx *pbx, struct span uri);
/* Is the host of the URI the domain, or an address of this PBX? */
bool pbx_is_ours(const struct pbx *pbx, const struct sip_uri *uri);

/* ---- pbx_call.c ---- */
extern const struct sip_proxy_hooks pbx_call_hooks;
void pbx_call_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in);
void pbx_call_ack(struct pbx *pbx, const struct sip_incoming *in);

#endif
