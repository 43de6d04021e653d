#include "nodes/sbc/sbc_settings.h"

static const char *const rport_words[] = {"force", "asked", "ignore", NULL};
static const char *const latching_words[] = {"lock", "several", NULL};
static const char *const ttl_words[] = {"carry", "reset", NULL};
static const char *const same_nat_words[] = {"relay", "direct", "auto", NULL};

#define AT(field) OPTION_AT(struct sbc_settings, field)

static const char *const port_transport_words[] = {"udp", "tcp", "udp+tcp", "tls", NULL};
static const char *const inside_transport_words[] = {"udp", "tcp", "tls", NULL};

static const struct option allow_option = {"allow", OPT_SUBNET, 0, sizeof(struct subnet), .help = "a subnet"};

#define ROW(field) OPTION_AT(struct sbc_port_settings, field)

static const struct option port_options[] = {
    {"", OPT_TEXT, ROW(name), .help = "the port, or a word"},
    {"port", OPT_COUNT, ROW(port), .min = 0, .max = 65535, .help = "when the row is named by a word"},
    {"transport", OPT_CHOICE, ROW(transport), .choices = port_transport_words, .def = "udp",
     .help = "what is spoken there"},
    {"allow", OPT_LIST, ROW(allow), .each = &allow_option, .each_size = sizeof(struct subnet),
     .help = "only these subnets may use it; what others send is dropped as not-allowed"},
    {0}};

static const struct option pbx_option = {"pbx",
                                         OPT_ENDPOINT,
                                         OPTION_AT(struct sbc_pbx_settings, at),
                                         .host = offsetof(struct sbc_pbx_settings, name),
                                         .port = 5060,
                                         .node = "pbx",
                                         .help = "a PBX; a name without a port is asked for by SRV"};

const struct option sbc_options[] = {
    {"pbx", OPT_LIST, AT(pbx), .each = &pbx_option, .each_size = sizeof(struct sbc_pbx_settings), .node = "pbx",
     .needed = true, .help = "the PBX that phones register with and call through; more: its backups, in their order"},
    RESOLVER_OPTIONS(struct sbc_settings, dns),
    {"domain", OPT_TEXT, AT(domain), .def = "lab.example", .help = "requests for this domain go to the PBX"},
    {"port", OPT_COUNT, AT(port), .def = "5060", .min = 1, .max = 65535, .help = "SIP port on both sides"},
    {"ports", OPT_MAP, AT(ports), .each = port_options, .each_size = sizeof(struct sbc_port_settings),
     .help = "what is open outside, row by row; without any, the SIP port over UDP for everybody"},
    {"inside transport", OPT_CHOICE, AT(inside_transport), .choices = inside_transport_words, .def = "udp",
     .help = "how it speaks with the PBX"},
    {"tls certificate", OPT_CERTIFICATE, AT(outside.certificate), .part = OPTION_CHAIN,
     .help = "what it shows to phones"},
    {"tls key", OPT_CERTIFICATE, AT(outside.key), .part = OPTION_KEY, .with = "tls certificate",
     .help = "of this certificate"},
    {"tls trust", OPT_CERTIFICATE, AT(outside.trust), .part = OPTION_TRUST,
     .help = "whose certificates it takes from phones"},
    {"ask client certificate", OPT_CHOICE, AT(outside.ask), .choices = tls_ask_words, .def = "required",
     .help = "of phones"},
    {"least tls version", OPT_CHOICE, AT(outside.least), .choices = tls_version_words, .def = "1.2",
     .help = "spoken on both sides"},
    {"most tls version", OPT_CHOICE, AT(outside.most), .choices = tls_version_words, .def = "1.2",
     .help = "spoken on both sides"},
    {"inside tls certificate", OPT_CERTIFICATE, AT(inside.certificate), .part = OPTION_CHAIN,
     .help = "what it shows to the PBX"},
    {"inside tls key", OPT_CERTIFICATE, AT(inside.key), .part = OPTION_KEY, .with = "inside tls certificate",
     .help = "of this certificate"},
    {"inside tls trust", OPT_CERTIFICATE, AT(inside.trust), .part = OPTION_TRUST,
     .help = "whose certificates it takes from the PBX"},
    {"verify pbx name", OPT_FLAG, AT(inside.verify_name), .def = "yes",
     .help = "the PBX's certificate must name it as the setting pbx does: its name, or its address"},
    {"connect timeout", OPT_TIME, AT(connect_timeout), .def = "90s", .min = 1 * SEC,
     .help = "a connection that is not up by then is given up"},
    {"idle timeout", OPT_TIME, AT(idle_timeout), .def = "90s",
     .help = "a phone's connection on which nothing was heard or said for so long is closed; 0: never"},
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
    {"session timer", OPT_TIME, AT(session_timer), .max = 24 * HOUR,
     .help = "calls are to be refreshed in this time (RFC 4028): asked for where no phone does, and the longest that "
             "passes. Gateways in the field: 14400s (SB-12); 0: not asked for"},
    {"min session", OPT_TIME, AT(least_session), .max = 24 * HOUR,
     .help = "a phone that wants to refresh more often is refused with 422 (RFC 4028); below 90s: 90s; 0: none is"},
    {"outbound support", OPT_FLAG, AT(outbound_support), .def = "yes",
     .help =
         "it keeps the flows of phones and says so (RFC 5626), and takes keep-alives that they offer (RFC 6223); no: "
         "as gateways of before"},
    {"flow timer", OPT_TIME, AT(flow_timer), .max = 24 * HOUR,
     .help = "phones with outbound support (RFC 5626) are told to send keep-alives so often, and a flow that is silent "
             "for 10s longer has failed; phones that offer keep-alives (RFC 6223) are told too; 0: they choose "
             "themselves"},
    {"flow token secret", OPT_TEXT, AT(flow_token_secret),
     .help = "the key that flow tokens are made with (RFC 5626) comes from this, and so outlives a restart; without it "
             "each start draws another one, and what the PBX knows from before is answered with 403"},
    {0}};
