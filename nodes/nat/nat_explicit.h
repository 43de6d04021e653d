/* What subscribers have asked for by PCP, beside the sessions that came of it (RFC 6887 §2.2: explicit mappings): whose
 * it is, how long it was promised, whom it lets in. What MAP made is a session with nobody, port 0 and address 0, that
 * lives as long as was promised; what PEER made or prolonged is an ordinary one that does not end before.
 *
 * Found by the session's own key. A session that has an entry here is marked NAT_SEEN_EXPLICIT. */
#ifndef FAREND_NAT_EXPLICIT_H
#define FAREND_NAT_EXPLICIT_H

#include "nodes/nat/nat_table.h"
#include "nodes/proto/pcp.h"

enum { NAT_EXPLICIT_FILTERS = 8 }; /* of one mapping */

struct nat_explicit {
    uint8_t protocol;
    struct endpoint inside, remote; /* the session's; a free slot has protocol 0 */
    struct pcp_nonce nonce;
    lab_time until; /* promised */
    struct pcp_filter filters[NAT_EXPLICIT_FILTERS];
    unsigned filters_n; /* 0: it lets everybody in */
    uint32_t next_free;
};

struct nat_explicits;

void nat_explicits_free(struct nat_explicits *all); /* NULL is fine */

/* NULL: there is none. Entries move when another is added. */
struct nat_explicit *nat_explicit_find(const struct nat_table *t, uint8_t protocol, struct endpoint inside,
                                       struct endpoint remote);
/* The entry of the session, which is marked; `nonce` is its owner. FE_EMEM. */
int nat_explicit_add(struct nat_table *t, uint32_t session, const struct pcp_nonce *nonce, struct nat_explicit **out);
/* The session ends, or becomes one like others. */
void nat_explicit_forget(struct nat_table *t, const struct nat_session *s);
/* One after the other: *at counts the slots, from 0. NULL: no more. The entry given may be forgotten meanwhile. */
const struct nat_explicit *nat_explicit_next(const struct nat_table *t, uint32_t *at);

/* ---- for packets ---- */
static inline bool nat_explicit_is_map(struct endpoint remote)
{
    return remote.addr == 0 && remote.port == 0;
}

/* When a marked session ends, of which the rules for packets say `expires`. A closed connection is over (RFC 6887
 * §12.1 promises no more); traffic does not move what MAP was promised (§15). */
lab_time nat_explicit_end(const struct nat_table *t, const struct nat_session *s, lab_time expires);

/* The mapping that MAP made for all that the inside endpoint sends, or NAT_NONE. */
uint32_t nat_explicit_mapping(const struct nat_table *t, uint8_t protocol, struct endpoint inside);

/* Whether what MAP made of this mapping has the say about a stranger: it lets everybody in (RFC 6887 §11: filtering is
 * endpoint-independent), or those of its filters (§13.3); who does not match any is left to the NAT's own filter, which
 * then does not let in just everybody. */
bool nat_explicit_decides(const struct nat_table *t, const struct nat_record *m, struct endpoint remote,
                          uint32_t *session, bool *passes);

#endif
