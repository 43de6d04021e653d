/* Keyed flow tokens (RFC 5626 §5.2): the user part of the Path and Record-Route URIs that the SBC writes, saying by
 * which flow its phone is reached. Only this SBC can make one that it takes for its own; nothing is stored for it.
 * Pure.
 *
 *     cb007107c3e4 6f1d2e…        the phone's address and port as 12 hexadecimal digits, the authenticator as 20
 *     cb007107c3e4 21 6f1d2e…     and transport and socket as 2, when it is not the first one, of UDP
 *     cb007107c3e4 41 00000000000001a7 6f1d2e…    and the connection as 16, on streams
 */
#ifndef FAREND_SBC_TOKEN_H
#define FAREND_SBC_TOKEN_H

#include "nodes/base/prng.h"
#include "nodes/base/span.h"
#include "nodes/sip/sip_transport.h"

enum { SBC_TOKEN_MAX = 50, SBC_TOKEN_KEY = 16, SBC_TOKEN_SOCKETS = 32 };

struct sbc_token_key {
    uint8_t bytes[SBC_TOKEN_KEY];
};

void sbc_token_key_init(struct sbc_token_key *key, struct prng *rng);

/* Writes the token and a NUL. The socket is below SBC_TOKEN_SOCKETS. */
void sbc_token_make(const struct sbc_token_key *key, struct sip_flow flow, char out[SBC_TOKEN_MAX + 1]);

/* 0; FE_ESYNTAX: not of the form; FE_EREFUSED: not made with this key. */
int sbc_token_read(const struct sbc_token_key *key, struct span token, struct sip_flow *flow);

#endif
