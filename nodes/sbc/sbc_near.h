/* SB-4: may two phones send their media to each other directly? Pure.
 *
 * The SBC knows two things of a phone: the address its packets come from, and the address that it writes into its SDP.
 * Phones that come from one public address share a NAT, but perhaps only the outermost one:
 *
 *     A 192.168.1.20 ── router ─┐
 *                               ├── carrier NAT 203.0.113.7 ── SBC        the same public address, no way between them
 *     B 192.168.2.20 ── router ─┘
 *
 * `auto` takes them for neighbours when the written addresses lie in one /24 and differ; homes that number themselves
 * alike cannot be told apart from outside, except that two phones of one home never have the same address. */
#ifndef FAREND_SBC_NEAR_H
#define FAREND_SBC_NEAR_H

#include "nodes/base/addr.h"
#include "nodes/sbc/sbc_settings.h"

#include <stdbool.h>

struct sbc_place {
    ipv4 seen;    /* source of the phone's signalling */
    ipv4 written; /* the address in its SDP */
};

bool sbc_near(enum sbc_same_nat policy, struct sbc_place a, struct sbc_place b);

#endif
