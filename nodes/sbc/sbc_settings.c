#include "nodes/sbc/sbc_settings.h"

static const char *const rport_words[] = {"force", "asked", "ignore", NULL};
static const char *const latching_words[] = {"lock", "several", NULL};
static const char *const ttl_words[] = {"carry", "reset", NULL};
static const char *const same_nat_words[] = {"relay", "direct", "auto", NULL};

#define AT(field) OPTION_AT(struct sbc_settings, field)

static const struct option pbx_option = {"pbx",         OPT_ENDPOINT,   0, sizeof(struct endpoint), .port = 5060,
                                         .node = "pbx", .help = "a PBX"};

const struct option sbc_options[] = {
    {"pbx", OPT_LIST, AT(pbx), .each = &pbx_option, .each_size = sizeof(struct endpoint), .node = "pbx", .needed = true,
     .help = "the PBX that phones register with and call through; more: its backups, in their order"},
    {"domain", OPT_TEXT, AT(domain), .def = "lab.example", .help = "requests for this domain go to the PBX"},
    {"port", OPT_COUNT, AT(port), .def = "5060", .min = 1, .max = 65535, .help = "SIP port on both sides"},
    {"public address", OPT_ADDR, AT(public_address),
     .help = "written into Via, Record-Route and SDP outside, when a 1:1 NAT stands before the SBC"},
    {"unregistered callers", OPT_FLAG, AT(unregistered_callers), .def = "no",
     .help = "calls from outside pass without a registration, as of load generators; otherwise 403"},
    {"rport", OPT_CHOICE, AT(rport), .choices = rport_words, .def = "force",
     .help = "answer to the source of a request: always, when its Via asks (RFC 3581), or never"},
    {"media ports", OPT_PORTS, AT(media_ports), .def = "20000-29999",
     .help = "UDP ports of the media relay, each side"},
    {"media latching", OPT_CHOICE, AT(media_latching), .choices = latching_words, .def = "lock",
     .help = "senders of a media stream: the first address and port only, or up to 10"},
    {"late source change", OPT_FLAG, AT(late_source_change), .def = "no",
     .help = "follow a stream that starts to come from elsewhere"},
    {"media ttl", OPT_CHOICE, AT(media_ttl), .choices = ttl_words, .def = "carry",
     .help = "TTL of relayed media: counted on from what arrived, or reset to 64"},
    {"same nat media", OPT_CHOICE, AT(same_nat_media), .choices = same_nat_words, .def = "auto",
     .help = "media between phones seen at one public address: relay, direct, or direct unless double-NATed"},
    {"media timeout", OPT_TIME, AT(media_timeout), .def = "1h", .min = 1 * SEC,
     .help = "a relay that carries nothing for so long is closed"},
    {"max forwards", OPT_COUNT, AT(max_forwards), .def = "70", .min = 1, .max = 255,
     .help = "Max-Forwards of a request that has none, and the most that is passed on"},
    {"register expires", OPT_TIME, AT(register_expires),
     .help = "longest registration granted to phones; shorter ones keep their NATs open"},
    {"base retransmission", OPT_TIME, AT(base_retransmission), .def = "500ms", .min = 1 * MS,
     .help = "timer T1 (RFC 3261 §17): 6 retransmissions of INVITE, 10 of other requests"},
    {"longest retransmission", OPT_TIME, AT(longest_retransmission), .def = "4s", .min = 1 * MS,
     .help = "timer T2 (RFC 3261 §17)"},
    {"options ping", OPT_TIME, AT(options_ping), .help = "sends OPTIONS to registered phones so often"},
    {"monitor servers", OPT_TIME, AT(monitor_servers),
     .help = "asks each PBX by OPTIONS so often whether it is there; 0: a failed request tells"},
    {"blacklist duration", OPT_TIME, AT(blacklist), .def = "41s",
     .help = "a PBX that failed is tried last for so long, if it is not monitored"},
    {"invite timeout", OPT_TIME, AT(invite_timeout), .def = "180s", .min = 1 * SEC, .max = 300 * SEC,
     .help = "a call that rings for longer is given up (timer C)"},
    {"flow timer", OPT_TIME, AT(flow_timer), .max = 24 * HOUR,
     .help = "phones with outbound support (RFC 5626) are told to send keep-alives so often, and a flow that is silent "
             "for 10s longer has failed; 0: they choose themselves"},
    {0}};
