/* The settings of a phone, by the words of the lab file and of the phones' own configuration files (FACTS PH-25). */
#ifndef FAREND_PHONE_OPTIONS_H
#define FAREND_PHONE_OPTIONS_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/media/tone.h"

#include <stdbool.h>
#include <stdint.h>

enum phone_keep_alive { PHONE_KEEP_ALIVE_NONE, PHONE_KEEP_ALIVE_CRLF, PHONE_KEEP_ALIVE_OPTIONS, PHONE_KEEP_ALIVE_STUN };
enum phone_answer { PHONE_ANSWER_AUTO, PHONE_ANSWER_MANUAL, PHONE_ANSWER_NEVER, PHONE_ANSWER_BUSY };
enum phone_codec { PHONE_PCMU, PHONE_PCMA };
enum phone_hold { PHONE_HOLD_SENDONLY, PHONE_HOLD_INACTIVE };

struct phone_settings {
    char line[TONE_DIGITS + 1];
    char password[64];
    char domain[64];
    struct endpoint proxy; /* everything is sent there */
    uint32_t port;         /* local, of SIP */
    struct endpoint stun;  /* port 0: none */

    bool registers;
    lab_time expires;       /* asked for */
    lab_time renewal;       /* refresh so long before the expiry */
    lab_time retry;         /* after a rejection */
    lab_time timeout_retry; /* after no answer */

    lab_time t1, t2;
    lab_time transaction; /* timers B and F; 0: 64·T1 */
    bool rport;
    int keep_alive; /* enum phone_keep_alive */
    lab_time keep_alive_interval;

    int answer; /* enum phone_answer */
    lab_time answer_after;
    lab_time ring_timeout; /* of an incoming call that nobody answers */
    lab_time dial_timeout; /* of an own call that nobody answers */
    int hold;              /* enum phone_hold */

    uint32_t media_ttl;
    struct port_range media_ports;
    int codec; /* enum phone_codec: the preferred one; both are spoken */
    lab_time playout;
    bool concealment;
    bool symmetric_rtp;
};

extern const struct option phone_options[];

#endif
