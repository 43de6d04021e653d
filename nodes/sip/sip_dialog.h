/* Dialogs (RFC 3261 §12): what two user agents keep about each other for the length of a call.
 *
 * A dialog is memory of its owner; its strings are on the heap until sip_dialog_fini(). It has no timers and hears no
 * messages by itself: the owner looks up the dialog of a message with sip_dialog_has() and tells it what came. */
#ifndef FAREND_SIP_DIALOG_H
#define FAREND_SIP_DIALOG_H

#include "nodes/base/span.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

enum sip_dialog_state {
    SIP_DIALOG_NONE,      /* zeroed memory, or after sip_dialog_fini() */
    SIP_DIALOG_EARLY,     /* made by a 101–199 with a To tag; only a 2xx or its failure comes next */
    SIP_DIALOG_CONFIRMED, /* by a 2xx; requests go both ways */
};

struct sip_dialog {
    enum sip_dialog_state state;
    struct sip_txns *txns;
    struct sip_flow flow; /* from where requests leave (its socket); its remote is the next hop when neither route
                             set nor target names an IPv4 address */
    bool misled;          /* its requests all leave by `wrong`: a fault that phones have */
    struct sip_flow wrong;
    struct span call_id;       /* these six live in one heap block */
    struct span local, remote; /* values of From and To in requests that we send, tags included */
    struct span local_tag, remote_tag;
    struct span local_contact; /* value of our Contact, for target refresh requests; may be empty */
    char *target;              /* the remote target: Request-URI of what we send (§12.2.1.1) */
    char *routes;              /* the route set: "<uri>, <uri>"; "" when empty */
    char *ack;                 /* the last ACK of a 2xx, whole, for the 2xx's repetitions; NULL: none */
    size_t ack_size;
    struct sip_flow ack_flow;
    uint32_t local_cseq;  /* of the last request sent; the INVITE's at first */
    uint32_t remote_cseq; /* of the last request received; 0: none yet */
    char *block;
};

/* UAC (§12.1.2): from the INVITE as sent and a 1xx or 2xx with a To tag. `sent_on` is where the INVITE went. `contact`
 * (may be empty) is the value of our Contact. FE_ESYNTAX: no To tag, or a 2xx without a usable Contact; FE_EMEM. */
int sip_dialog_init_uac(struct sip_dialog *d, struct sip_txns *txns, const struct sip_msg *invite,
                        const struct sip_msg *response, struct sip_flow sent_on, struct span contact);

/* UAS (§12.1.1): from an INVITE received; `local_tag` is sip_txn_tag() of its transaction. The dialog starts early. */
int sip_dialog_init_uas(struct sip_dialog *d, struct sip_txns *txns, const struct sip_incoming *invite,
                        struct span local_tag, struct span contact);

void sip_dialog_fini(struct sip_dialog *d); /* fine on zeroed memory */

/* Does this request or response belong here? Call-ID and both tags (§12.2.2); an early UAC dialog and a response with
 * another To tag: false, that is a fork's. */
bool sip_dialog_has(const struct sip_dialog *d, const struct sip_msg *msg);

/* A 2xx confirms: the route set is taken from it anew (§13.2.2.4), and the target too. Both sides call it; the UAS
 * passes NULL. FE_EMEM. */
int sip_dialog_confirm(struct sip_dialog *d, const struct sip_msg *response);

/* A request came in the dialog (§12.2.2): 0, and the target is refreshed when it is an INVITE or UPDATE with a Contact;
 * FE_ERANGE: CSeq lower than or equal to the last one: answer 500. ACK and CANCEL are not to be shown. */
int sip_dialog_received(struct sip_dialog *d, const struct sip_msg *request);

/* A 2xx to a re-INVITE or UPDATE that we sent refreshes the target too (§12.2.1.2). */
int sip_dialog_refresh(struct sip_dialog *d, const struct sip_msg *msg);

/* ---- sending ---- */
struct sip_dialog_request {
    const char *method;  /* "BYE", "INVITE", "INFO", … */
    struct span headers; /* further header lines, each with its CR LF */
    struct span content_type;
    struct span body;
};

/* Builds the request (§12.2.1.1: target, route set with strict routers, next CSeq, Contact when the method refreshes
 * targets) and starts its transaction. Errors as sip_txn_request. */
int sip_dialog_send(struct sip_dialog *d, const struct sip_dialog_request *request,
                    const struct sip_client_events *events, void *arg, struct sip_txn **out);

/* Acknowledges a 2xx to an INVITE of ours (§13.2.2.4) with that INVITE's CSeq number; the ACK is kept. `headers`: the
 * credentials of the INVITE, or empty. sip_dialog_ack_again() sends it once more, for each repetition of the 2xx. */
int sip_dialog_ack(struct sip_dialog *d, uint32_t cseq, struct span headers, struct span content_type,
                   struct span body);
void sip_dialog_ack_again(struct sip_dialog *d);

/* A 2xx came from a fork that nobody wants (§13.2.2.4): acknowledges it and says BYE, in a dialog of its own. */
void sip_dialog_decline(struct sip_txns *txns, const struct sip_msg *invite, const struct sip_msg *response,
                        struct sip_flow sent_on);

/* Where the dialog's requests go: the first of the route set, else the target, when that is an IPv4 address; else
 * d->flow. */
struct sip_flow sip_dialog_next_hop(const struct sip_dialog *d);

#endif
