/* Targets that failed a short while ago (PH-25: 300 s; SB-12: 41 s; 0: off), and the walk through a location that
 * passes them by (DN-2: the next target on a timeout, a transport error or 503; RFC 3263 §4.3). */
#ifndef FAREND_RESOLVE_SIP_BLACKLIST_H
#define FAREND_RESOLVE_SIP_BLACKLIST_H

#include "nodes/base/lab_time.h"
#include "nodes/resolve/sip_locate.h"

enum { SIP_BLACKLIST_MAX = 64 }; /* targets; the one that has the least to wait makes room */

struct sip_blacklist {
    lab_time duration; /* 0: nobody is ever on it */
    unsigned n;
    struct sip_blacklist_entry {
        enum sip_transport transport;
        struct endpoint at;
        lab_time until;
    } entries[SIP_BLACKLIST_MAX];
};

static inline void sip_blacklist_init(struct sip_blacklist *b, lab_time duration)
{
    *b = (struct sip_blacklist){.duration = duration};
}

/* The target has failed now: it is passed by until the duration is over; anew when it fails again. */
void sip_blacklist_add(struct sip_blacklist *b, const struct sip_locate_target *t, lab_time now);
void sip_blacklist_remove(struct sip_blacklist *b, const struct sip_locate_target *t); /* it works: fine if not on it */
bool sip_blacklist_has(const struct sip_blacklist *b, const struct sip_locate_target *t, lab_time now);

/* The walk of one request: zero-initialise for every request. */
struct sip_target_walk {
    uint32_t tried; /* bits by number of the target */
};

/* The first target not tried yet that is not on the list; when all that are left are on it, the first of them at the
 * beginning of a walk (somebody has to be asked), and NULL later: the request has failed. The location must be the same
 * all through the walk. */
const struct sip_locate_target *sip_target_next(struct sip_target_walk *w, const struct sip_location *l,
                                                const struct sip_blacklist *b, lab_time now);

#endif
