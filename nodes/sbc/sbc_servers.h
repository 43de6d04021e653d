/* The PBXs behind the SBC: a primary and its backups, in the order of the settings (SB-11, SB-12, RFC 3263 §4.3). Pure.
 *
 * A request goes to the first one that is not suspected. One that does not answer, cannot be reached or says 503 is
 * suspected: for the time that its 503 named, else of the blacklist, or where the servers are monitored until it
 * answers again. When all are suspected, the order of the settings holds: something has to be tried. */
#ifndef FAREND_SBC_SERVERS_H
#define FAREND_SBC_SERVERS_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"

#include <stdbool.h>

enum { SBC_SERVERS_MAX = 8 };

struct sbc_server {
    struct endpoint at;
    unsigned entry; /* which of the settings it comes from */
    bool lost;      /* it failed last */
    lab_time until; /* lost: suspected so long */
};

struct sbc_servers {
    lab_time blacklist; /* NEVER: until it answers again */
    unsigned n;
    struct sbc_server items[SBC_SERVERS_MAX];
};

/* n at most SBC_SERVERS_MAX: by entry; address 0: it is not known yet where that is. */
void sbc_servers_init(struct sbc_servers *set, const struct endpoint *at, unsigned n, lab_time blacklist);

/* DNS says where the servers of this entry are: they take its place, as many as there is room for. */
void sbc_servers_locate(struct sbc_servers *set, unsigned entry, const struct endpoint *at, unsigned n);

/* The order in which to try them now; returns n. */
unsigned sbc_servers_order(const struct sbc_servers *set, lab_time now, struct endpoint order[SBC_SERVERS_MAX]);

/* Both: true when the server's state has changed; others than those of the settings change nothing. retry_after: 0:
 * nothing was said. */
bool sbc_servers_failed(struct sbc_servers *set, struct endpoint at, lab_time now, lab_time retry_after);
bool sbc_servers_answered(struct sbc_servers *set, struct endpoint at);

int sbc_servers_entry(const struct sbc_servers *set, struct endpoint at); /* that it comes from; -1: it is none */
bool sbc_servers_have(const struct sbc_servers *set, struct endpoint at);

#endif
