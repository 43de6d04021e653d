/* The settings of a node that asks DNS: its kind's struct has a struct resolver_settings, its table the lines
 *
 *     RESOLVER_OPTIONS(struct phone_settings, dns),
 *
 * and in a lab file stands `dns: [inside-dns, public-dns]`: nodes or addresses, in the order in which they are asked.
 */
#ifndef FAREND_RESOLVE_RESOLVER_OPTIONS_H
#define FAREND_RESOLVE_RESOLVER_OPTIONS_H

#include "nodes/base/option.h"

struct resolver_settings {
    struct option_items servers; /* of struct endpoint */
    lab_time timeout;            /* of one try */
    uint32_t rounds;             /* how often each server is tried */
    bool tcp;                    /* what came truncated is asked again over TCP */
};

extern const struct option resolver_server_option;

#define RESOLVER_OPTIONS(type, field)                                                                                  \
    {"dns",                                                                                                            \
     OPT_LIST,                                                                                                         \
     OPTION_AT(type, field.servers),                                                                                   \
     .each = &resolver_server_option,                                                                                  \
     .each_size = sizeof(struct endpoint),                                                                             \
     .help = "DNS servers, in the order in which they are asked"},                                                     \
        {"dns timeout",                                                                                                \
         OPT_TIME,                                                                                                     \
         OPTION_AT(type, field.timeout),                                                                               \
         .def = "2s",                                                                                                  \
         .min = 10 * MS,                                                                                               \
         .max = MINUTE,                                                                                                \
         .help = "a DNS server that does not answer within this is given up for the next one"},                        \
        {"dns rounds",                                                                                                 \
         OPT_COUNT,                                                                                                    \
         OPTION_AT(type, field.rounds),                                                                                \
         .def = "2",                                                                                                   \
         .min = 1,                                                                                                     \
         .max = 10,                                                                                                    \
         .help = "how often each DNS server is tried"},                                                                \
    {                                                                                                                  \
        "dns tcp", OPT_FLAG, OPTION_AT(type, field.tcp), .def = "yes",                                                 \
                                                         .help = "an answer that came truncated is asked for again "   \
                                                                 "over TCP; no: that server is given up"               \
    }

#endif
