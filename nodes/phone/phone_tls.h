/* The phone's certificates, by the makers' four names (FACTS PH-3, PH-15). */
#ifndef FAREND_PHONE_TLS_H
#define FAREND_PHONE_TLS_H

#include "nodes/base/text.h"
#include "nodes/secure/tls.h"

struct phone;
struct phone_settings;

/* The context of the phone in one role. Errors as tls_context_new(). */
int phone_tls_open(struct phone *p, enum tls_role role, struct tls_context **out, struct text *why);

/* The name of the first setting that is missing or contradicts another, with a sentence in `why`; NULL: fine. */
const char *phone_tls_conflict(const struct phone_settings *s, struct text *why);

#endif
