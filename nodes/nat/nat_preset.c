/* Kinds of NATs that customers have, as settings. */
#include "nodes/nat/nat_settings.h"

const char *const nat_preset_names[] = {"none",
                                        "home-router",
                                        "linux",
                                        "carrier-grade",
                                        "symmetric-firewall",
                                        "full-cone",
                                        "restricted-cone",
                                        "port-restricted",
                                        NULL};

/* RFC 3489 §5 names the cones. Timeouts of home routers: FACTS NW-4; of Linux: nf_conntrack's defaults. A carrier's NAT
 * is what RFC 6888 asks for. */
const char *const nat_preset_settings[] = {
    "what RFC 4787, 5382 and 5508 ask for, filtering by address and port",
    "mapping endpoint-independent, filtering address-and-port-dependent, ports preserve, refresh both, "
    "udp timeout 180s, udp unreplied timeout 30s, icmp timeout 30s, hairpin yes, unsolicited syn drop",
    "mapping address-and-port-dependent, filtering address-and-port-dependent, ports preserve, overload yes, "
    "refresh both, udp timeout 120s, udp unreplied timeout 30s, icmp timeout 30s, tcp timeout 5d, "
    "tcp transitory timeout 2min, tcp closing timeout 2min, hairpin no, unsolicited syn drop, refuse silently",
    "mapping endpoint-independent, filtering endpoint-independent, ports random, pooling paired, block size 256, "
    "blocks 4, reuse delay 120s, udp timeout 300s, tcp timeout 124min, tcp transitory timeout 4min, icmp timeout 60s, "
    "hairpin yes, unsolicited syn hold, refuse host-unreachable, pcp yes",
    "mapping address-and-port-dependent, filtering address-and-port-dependent, ports random, refresh outbound, "
    "udp timeout 60s, udp unreplied timeout 30s, hairpin no, unsolicited syn drop, refuse silently",
    "mapping endpoint-independent, filtering endpoint-independent, ports preserve, hairpin yes",
    "mapping endpoint-independent, filtering address-dependent, ports preserve, hairpin yes",
    "mapping endpoint-independent, filtering address-and-port-dependent, ports preserve, hairpin yes",
    NULL};
