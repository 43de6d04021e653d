/* The settings of a phone, by the words of the lab file and of the phones' own configuration files (FACTS PH-25). */
#ifndef FAREND_PHONE_OPTIONS_H
#define FAREND_PHONE_OPTIONS_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/media/tone.h"
#include "nodes/resolve/resolver_options.h"

#include <stdbool.h>
#include <stdint.h>

/* What it speaks; of two, what PH-12 and PH-26 say is tried first. */
enum phone_by {
    PHONE_BY_UDP,
    PHONE_BY_TCP,
    PHONE_BY_TLS,
    PHONE_BY_UDP_TCP,
    PHONE_BY_TCP_TLS,
    PHONE_BY_UDP_TLS, /* no phone does (PH-16) */
};
enum phone_keep_alive {
    PHONE_KEEP_ALIVE_NONE,
    PHONE_KEEP_ALIVE_CRLF,
    PHONE_KEEP_ALIVE_OPTIONS,
    PHONE_KEEP_ALIVE_STUN,
    PHONE_KEEP_ALIVE_NEGOTIATED, /* RFC 6223 */
};
enum phone_answer { PHONE_ANSWER_AUTO, PHONE_ANSWER_MANUAL, PHONE_ANSWER_NEVER, PHONE_ANSWER_BUSY };
enum phone_codec { PHONE_PCMU, PHONE_PCMA };
enum phone_hold { PHONE_HOLD_SENDONLY, PHONE_HOLD_INACTIVE };
enum phone_refresh { PHONE_REFRESH_UPDATE, PHONE_REFRESH_INVITE, PHONE_REFRESH_NEVER };

struct phone_settings {
    char line[TONE_DIGITS + 1];
    char password[64];
    char domain[64];
    char config[256];               /* for whoever reads the settings: node_kind.read_config */
    struct endpoint proxy;          /* needed */
    struct endpoint registrar;      /* port 0, here and below: none */
    struct endpoint outbound_proxy; /* stands before the others */
    struct endpoint backup_proxy, backup_registrar, backup_outbound_proxy;
    char proxy_name[OPTION_HOST]; /* in place of the address, here and below; empty: none */
    char registrar_name[OPTION_HOST], outbound_proxy_name[OPTION_HOST];
    char backup_proxy_name[OPTION_HOST], backup_registrar_name[OPTION_HOST], backup_outbound_proxy_name[OPTION_HOST];
    struct resolver_settings dns;
    int dns_each;                                             /* bool: the second choice */
    uint32_t proxy_port, registrar_port, outbound_proxy_port; /* 0: as written above */
    uint32_t backup_proxy_port, backup_registrar_port, backup_outbound_proxy_port;
    char backup_aor[128];      /* "101@backup.example"; empty: as the primary's */
    lab_time blacklist;        /* 0: no blacklist */
    lab_time probe_interval;   /* 0: no probes */
    bool unregister_on_return; /* from the backup */
    bool heed_retry_after;     /* of 503 */
    bool heed_icmp;
    uint32_t port; /* local, of SIP over UDP */

    int transport; /* enum phone_by */
    uint32_t tcp_port, tls_port;
    bool persistent_tls;
    lab_time persistent_keep_alive; /* 0: none */
    lab_time connect_timeout;
    bool reopen; /* a connection that is closed, by registering */
    lab_time reopen_after;
    bool drop_silent; /* a connection without an answer */
    bool send_sips;
    bool outbound;                                   /* RFC 5626 */
    lab_time outbound_keep_alive;                    /* 0: the RFC's intervals */
    int in_dialog_udp;                               /* bool: the second choice */
    char *certificate, *intermediates, *key, *trust; /* NULL: none */
    bool verify_name;
    int least_tls, most_tls; /* enum tls_version */

    struct endpoint stun; /* port 0: none */

    bool registers;
    lab_time expires;       /* asked for */
    lab_time renewal;       /* refresh so long before the expiry */
    lab_time retry;         /* after a rejection */
    lab_time timeout_retry; /* after no answer */
    lab_time retry_limit;   /* both double up to this; 0: they stay */
    lab_time spread;        /* a move waits a random part of this */

    bool message_waiting;
    lab_time message_waiting_period;

    lab_time t1, t2;
    lab_time transaction; /* timers B and F; 0: 64·T1 */
    bool rport;
    int keep_alive; /* enum phone_keep_alive */
    lab_time keep_alive_interval;
    lab_time pong; /* on streams: so long may the answer to CR LF CR LF take; 0: nobody waits for it */

    int pcp;                    /* enum phone_pcp_choice */
    struct endpoint pcp_server; /* port 0: none */
    lab_time pcp_lifetime;      /* asked for */
    lab_time pcp_check;         /* 0: never */

    int answer; /* enum phone_answer */
    lab_time answer_after;
    lab_time ring_timeout; /* of an incoming call that nobody answers */
    lab_time dial_timeout; /* of an own call that nobody answers */
    int hold;              /* enum phone_hold */

    lab_time session_timer; /* RFC 4028; 0: it knows none */
    lab_time least_session;
    int refresher; /* enum sip_refresher */
    int refresh;   /* enum phone_refresh */

    uint32_t media_ttl;
    struct port_range media_ports;
    int codec; /* enum phone_codec: the preferred one; both are spoken */
    lab_time playout;
    bool concealment;
    bool symmetric_rtp;
};

extern const struct option phone_options[];

#endif
