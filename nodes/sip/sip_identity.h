/* TLS of a node from its settings: which certificate it shows, whom it trusts, what it asks of others. The same words
 * in every kind of node that speaks SIP over TLS. */
#ifndef FAREND_SIP_IDENTITY_H
#define FAREND_SIP_IDENTITY_H

#include "nodes/base/text.h"
#include "nodes/host.h"
#include "nodes/secure/tls.h"

#include <stdbool.h>

/* The part of a node's settings; the texts are OPT_CERTIFICATEs, NULL: none. */
struct sip_identity {
    char *certificate; /* with its intermediates */
    char *key;
    char *trust;
    int ask;         /* enum tls_ask: of clients */
    int least, most; /* enum tls_version (CT-2) */
    bool verify_name;
};

/* `purpose` names the stream of random numbers. Errors as tls_context_new(); `why` (may be NULL) holds a sentence. */
int sip_identity_context(struct host *h, const struct sip_identity *identity, enum tls_role role, const char *purpose,
                         struct tls_context **out, struct text *why);

/* What is missing for a server: a sentence to `why` and the name of the setting among those given, or NULL. */
struct sip_identity_words {
    const char *certificate, *trust, *ask, *most; /* as the user knows these settings */
};
const char *sip_identity_conflict(const struct sip_identity *identity, const struct sip_identity_words *words,
                                  struct text *why);

#endif
