/* Settings of the SBC. SB-n name rows of the facts list that the defaults come from. */
#ifndef FAREND_SBC_SETTINGS_H
#define FAREND_SBC_SETTINGS_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/resolve/resolver_options.h"
#include "nodes/sip/sip_identity.h"

#include <stdbool.h>
#include <stdint.h>

enum sbc_rport {
    SBC_RPORT_FORCE,  /* answers go where the request came from, asked or not */
    SBC_RPORT_ASKED,  /* RFC 3581: to the source port only when the Via has "rport" */
    SBC_RPORT_IGNORE, /* to the literal sent-by: what a NAT makes of that is failure "no rport" */
};

enum sbc_latching {
    SBC_LATCHING_LOCK,    /* the first sender of a stream is the only one (SB-6, RFC 7362) */
    SBC_LATCHING_SEVERAL, /* up to SBC_LATCH_SENDERS senders */
};

enum sbc_media_ttl {
    SBC_TTL_CARRY, /* received TTL - 1: "do not reset", keeps loop control (SB-5) */
    SBC_TTL_RESET, /* 64 */
};

enum sbc_same_nat {
    SBC_SAME_NAT_RELAY,
    SBC_SAME_NAT_DIRECT, /* the naive shortcut: the same public address is taken for the same network */
    SBC_SAME_NAT_AUTO,   /* SB-4: direct unless somebody is double-NATed */
};

enum sbc_port_transport { SBC_PORT_UDP, SBC_PORT_TCP, SBC_PORT_UDP_TCP, SBC_PORT_TLS };

/* A row of the outside (SB-2). */
struct sbc_port_settings {
    char name[32];
    uint32_t port;             /* 0: the name is it */
    int transport;             /* enum sbc_port_transport */
    struct option_items allow; /* struct subnet; empty: everybody */
};

/* A PBX: an address, or a name that DNS is asked for. */
struct sbc_pbx_settings {
    struct endpoint at;     /* with a name: address 0, and the port that is written, or 0 (SRV tells) */
    char name[OPTION_HOST]; /* "": it is an address */
};

enum sbc_inside_transport { SBC_INSIDE_UDP, SBC_INSIDE_TCP, SBC_INSIDE_TLS };

struct sbc_settings {
    struct option_items pbx;      /* struct sbc_pbx_settings: the primary, then its backups */
    struct resolver_settings dns; /* DN-1 */
    char domain[128];
    uint32_t port;
    struct option_items ports;           /* struct sbc_port_settings; empty: UDP on `port`, for everybody */
    int inside_transport;                /* enum sbc_inside_transport */
    struct sip_identity outside, inside; /* SB-17 */
    lab_time connect_timeout, idle_timeout;
    ipv4 public_address; /* 0: none */
    bool unregistered_callers;
    int rport; /* enum sbc_rport */
    struct port_range media_ports;
    int media_latching; /* enum sbc_latching */
    bool late_source_change;
    int media_ttl;      /* enum sbc_media_ttl */
    int same_nat_media; /* enum sbc_same_nat */
    lab_time media_timeout;
    uint32_t max_forwards;
    lab_time register_expires; /* 0: as the PBX grants */
    lab_time base_retransmission, longest_retransmission;
    lab_time options_ping;              /* 0: off */
    lab_time monitor_servers;           /* SB-11; 0: off */
    lab_time blacklist, invite_timeout; /* SB-12 */
    lab_time session_timer;             /* RFC 4028 §8, SB-12; 0: it asks for none */
    lab_time least_session;             /* 0: any passes */
    bool outbound_support;              /* RFC 5626 §5.1: it says that it keeps flows */
    lab_time flow_timer;                /* RFC 5626 §5.4: 0: phones are told none */
    char flow_token_secret[64];         /* "": the key of the flow tokens is drawn at each start (§5.2) */
};

extern const struct option sbc_options[];

#endif
