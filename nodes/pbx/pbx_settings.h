/* Settings of the PBX. */
#ifndef FAREND_PBX_SETTINGS_H
#define FAREND_PBX_SETTINGS_H

#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/sip/sip_identity.h"

#include <stdbool.h>
#include <stdint.h>

enum { PBX_NAME = 32, PBX_PASSWORD = 64, PBX_DOMAIN = 128 };

struct pbx_line_settings {
    char name[PBX_NAME];
    char password[PBX_PASSWORD]; /* empty: the line is not asked for one */
};

enum pbx_listen { PBX_LISTEN_UDP, PBX_LISTEN_TCP, PBX_LISTEN_TLS, PBX_LISTENS };
extern const char *const pbx_listen_words[]; /* by enum pbx_listen, NULL-terminated */

struct pbx_settings {
    struct option_items lines;    /* struct pbx_line_settings */
    struct port_range line_range; /* further lines, of these numbers and without a password; 0: none */
    char domain[PBX_DOMAIN];
    struct option_items domains; /* char[PBX_DOMAIN] each: other ones that it serves */
    uint32_t port, tls_port;
    struct option_items listen; /* int, enum pbx_listen; empty: UDP */
    struct sip_identity identity;
    bool answers_pings;    /* keep-alives on streams */
    lab_time idle_timeout; /* of connections; 0: none */
    lab_time min_expires, max_expires, default_expires;
    bool challenge_register, challenge_calls; /* PB-1 */
    lab_time nonce_life;
    lab_time no_answer;                    /* RFC 3261's timer C: a phone that rings for longer is given up */
    lab_time session_timer, least_session; /* RFC 4028 §8; 0: none */
    bool remember;                         /* PB-2: registrations outlive `restart` */
    bool outbound;                         /* RFC 5626: phones are known by instance and reg-id, their flows are used */
    lab_time keep_timer; /* RFC 6223: told to phones that offer keep-alives; 0: they are told nothing */
    int answers;         /* enum pbx_answers */
    lab_time retry_after;
    uint32_t capacity; /* new requests a second, OPTIONS not counted; 0: no limit */
    lab_time patience; /* after `stop`: so long with running calls */
};

extern const char *const pbx_answers_words[]; /* by enum pbx_answers, NULL-terminated */
extern const struct option pbx_options[];

#endif
