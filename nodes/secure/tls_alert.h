/* Alerts: their numbers, their names, and which one answers which error of the library. */
#ifndef FAREND_SECURE_TLS_ALERT_H
#define FAREND_SECURE_TLS_ALERT_H

#include "nodes/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { TLS_NO_ALERT = 255, TLS_ALERT_UNREADABLE = 254 }; /* no alert of any RFC has these numbers */

/* "unknown_ca": RFC 5246 §7.2, RFC 8446 §6; "alert" when no RFC of ours names it. Static storage. */
const char *tls_alert_name(uint8_t alert);

/* The alert for an error of mbedTLS that it sent none for (RFC 5246 §7.2.2). */
uint8_t tls_alert_for(int error);

/* A sentence about an error of mbedTLS that is no verdict on a certificate. Static storage. */
const char *tls_alert_why(int error);

/* Looks at ciphertext that goes out: the alert in its last record, TLS_ALERT_UNREADABLE when that is encrypted,
 * TLS_NO_ALERT when there is none. hidden: records hide their type (TLS 1.3), any of them may be one. */
uint8_t tls_alert_in(struct span records, bool hidden);

#endif
