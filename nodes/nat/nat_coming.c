/* Packets that will be translated soon. The look-up of a known session waits for memory twice when there are many: for
 * the index, and for the session that it names. A burst of packets waits together: first all ask for their place in
 * the index, then all for their session. */
#include "nodes/nat/nat_engine.h"

enum { AT_ONCE = 16 }; /* as many as a core can wait for at once, and few enough that none is gone again when used */

/* Only what nat_session_out and nat_session_in will be asked for most: that a packet is good is seen later. */
static bool has_session(const struct nat *nat, enum nat_side from, struct span packet, struct ip_view *v)
{
    if (ip_parse_quoted((const uint8_t *)packet.p, packet.n, v) || !v->has_ports)
        return false;
    return from == NAT_INSIDE || nat_is_pooled(&nat->table.config, v->dst);
}

static uint32_t fetch_bucket(const struct nat *nat, enum nat_side from, const struct ip_view *v)
{
    struct nat_ends ends = nat_ends_of(v);
    if (from == NAT_INSIDE)
        return nat_session_fetch_bucket(&nat->table, from, v->protocol, ends.src, nat_remote(v->protocol, ends.dst));
    return nat_session_fetch_bucket(&nat->table, from, v->protocol, ends.dst, nat_remote(v->protocol, ends.src));
}

static void fetch(const struct nat *nat, enum nat_side from, const struct span *packets, size_t n)
{
    uint32_t hashes[AT_ONCE];
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        struct ip_view v;
        if (has_session(nat, from, packets[i], &v))
            hashes[found++] = fetch_bucket(nat, from, &v);
    }
    for (size_t i = 0; i < found; i++)
        nat_session_fetch(&nat->table, from, hashes[i]);
}

void nat_coming(const struct nat *nat, enum nat_side from, const struct span *packets, size_t n)
{
    for (size_t i = 0; i < n; i += AT_ONCE)
        fetch(nat, from, packets + i, n - i < AT_ONCE ? n - i : AT_ONCE);
}
