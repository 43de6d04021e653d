/* What a server knows: names and their records, which commands may change while the lab runs.
 * Records are kept as the text that they were written as, and read when they are asked for. */
#ifndef FAREND_DNS_ZONE_H
#define FAREND_DNS_ZONE_H

#include "nodes/dns/dns_settings.h"
#include "nodes/proto/dns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_data {
    uint16_t type;
    uint8_t bytes[DNS_DATA_MAX + 1]; /* its length and the text: so a TXT is what stands on the wire */
};

struct dns_host {
    struct dns_name name;
    uint32_t ttl; /* s */
    struct dns_data *data;
    size_t n, cap;
    unsigned turn;  /* answers given: where a rotated one begins */
    unsigned added; /* number of the last reply that brought its addresses along */
};

struct dns_zone {
    struct dns_host *hosts; /* in the order in which they came */
    size_t n, cap;
    struct dns_name *apexes; /* the domains that it is the authority for */
    size_t apexes_n, apexes_cap;
    bool fixed; /* the settings named the domains */
    uint32_t ttl;
    uint32_t serial; /* grows with every change */
};

/* FE_EMEM. */
int dns_zone_init(struct dns_zone *z, const struct dns_settings *settings);
void dns_zone_fini(struct dns_zone *z);

const struct dns_name *dns_zone_apex(const struct dns_zone *z, const struct dns_name *name); /* NULL: none of ours */
struct dns_host *dns_zone_find(const struct dns_zone *z, const struct dns_name *name);       /* NULL: no such name */
/* Does the name exist, by itself or because one below it does (RFC 8020)? */
bool dns_zone_has(const struct dns_zone *z, const struct dns_name *name);

/* The records of `type` become these: `values` has them separated by commas. FE_ESYNTAX, FE_ERANGE: one is wrong;
 * FE_EUNKNOWN: a type that has no text, or a name in none of the zones; FE_EMEM. After an error all is as before. */
int dns_zone_set(struct dns_zone *z, const struct dns_name *name, unsigned type, struct span values);
/* FE_EUNKNOWN: no such name. Addresses and the like stay, with a new TTL. */
int dns_zone_set_ttl(struct dns_zone *z, const struct dns_name *name, uint32_t ttl);
/* type 0: all of the name. FE_EUNKNOWN: there is no such record. */
int dns_zone_remove(struct dns_zone *z, const struct dns_name *name, unsigned type);

/* The record as it is sent; *out borrows. */
void dns_zone_record(const struct dns_host *host, const struct dns_data *data, struct dns_record *out);
/* The SOA of a domain, with negative_ttl (s) as its minimum and its own TTL. */
void dns_zone_soa(const struct dns_zone *z, const struct dns_name *apex, uint32_t negative_ttl, struct dns_record *out);

#endif
