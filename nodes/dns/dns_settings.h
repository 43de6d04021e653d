/* The settings of a DNS server. */
#ifndef FAREND_DNS_SETTINGS_H
#define FAREND_DNS_SETTINGS_H

#include "nodes/base/option.h"
#include "nodes/proto/dns.h"

#include <stdbool.h>
#include <stdint.h>

enum { DNS_HOST_TEXT = 254, DNS_DATA_MAX = 254 }; /* bytes with NUL: of a name, of a record's data as text */

#define DNS_TTL_MAX (7 * 24 * HOUR)

/* What comes back for a question, whatever the records say. */
enum dns_answers {
    DNS_ANSWERS_YES, /* what the records say */
    DNS_ANSWERS_SERVFAIL,
    DNS_ANSWERS_SILENT, /* nothing */
    DNS_ANSWERS_NXDOMAIN,
    DNS_ANSWERS_REFUSED
};
extern const char *const dns_answers_words[];

enum dns_order { DNS_AS_WRITTEN, DNS_ROTATED };

/* What one name has. */
struct dns_host_settings {
    char name[DNS_HOST_TEXT];
    struct option_items a;                    /* of ipv4 */
    struct option_items srv, naptr, txt, ptr; /* of char[DNS_DATA_MAX] */
    char cname[DNS_HOST_TEXT];
    lab_time ttl;
    bool has_ttl;
};

struct dns_settings {
    struct option_items records; /* of struct dns_host_settings */
    struct option_items zones;   /* of char[DNS_HOST_TEXT] */
    lab_time ttl, negative_ttl;
    int answers, order; /* enum dns_answers, enum dns_order */
    bool additional;
    struct endpoint forward; /* port 0: none */
    lab_time forward_timeout;
    uint32_t port;
    bool tcp;
    lab_time tcp_idle;
};

extern const struct option dns_options[];
const char *dns_settings_conflict(const void *settings, struct text *why);

#endif
