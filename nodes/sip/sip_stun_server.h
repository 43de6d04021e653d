/* STUN on SIP's own socket, the server's half of keep-alives over UDP (RFC 5626 §8): a Binding request is answered with
 * the address that it came from, so that the phone sees when its NAT has rebound. Without credentials, and nothing of
 * RFC 5780. */
#ifndef FAREND_SIP_STUN_SERVER_H
#define FAREND_SIP_STUN_SERVER_H

#include "nodes/sip/sip_transport.h"

/* Answers what came to the socket. True: it was a Binding request that was answered with success. What is malformed is
 * dropped as "bad-stun", what is no Binding request as "not-ours". */
bool sip_stun_answer(struct sip_transport_layer *t, unsigned socket, struct endpoint from, struct span bytes);

#endif
