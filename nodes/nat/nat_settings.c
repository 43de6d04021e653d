#include "nodes/nat/nat_settings.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/proto/ip.h"

static const char *const dependences[] = {"endpoint-independent", "address-dependent", "address-and-port-dependent",
                                          NULL};
static const char *const port_choices[] = {"preserve", "sequential", "random", NULL};
static const char *const refresh_choices[] = {"outbound", "both", NULL};
static const char *const alg_modes[] = {"off", "rewrite", "strict", "kernel", NULL};
static const char *const alg_sdp_choices[] = {"all", "requests", "none", NULL};
static const char *const alg_pinhole_choices[] = {"anyone", "peer", "none", NULL};
static const char *const alg_length_choices[] = {"fix", "keep", NULL};
static const char *const alg_too_big_choices[] = {"fragment", "drop", NULL};
static const char *const engine_choices[] = {"farend", "kernel", NULL};
static const char *const proto_choices[] = {"udp", "tcp", NULL};

static const struct option forward_options[] = {
    {"", OPT_TEXT, OPTION_AT(struct nat_forward_settings, name), .help = "a name of your own"},
    {"proto", OPT_CHOICE, OPTION_AT(struct nat_forward_settings, proto), .choices = proto_choices, .def = "udp",
     .help = "protocol"},
    {"port", OPT_COUNT, OPTION_AT(struct nat_forward_settings, port), .min = 1, .max = 65535, .needed = true,
     .help = "port of the public address"},
    {"to", OPT_ENDPOINT, OPTION_AT(struct nat_forward_settings, to), .node = "*", .needed = true,
     .help = "inside address it leads to; without a port, the same port"},
    {0}};

#define AT(field) OPTION_AT(struct nat_settings, field)

const struct option nat_options[] = {
    {"mapping", OPT_CHOICE, AT(mapping), .choices = dependences, .def = "endpoint-independent",
     .help = "what an inside port's mapping depends on (RFC 4787 4.1)"},
    {"filtering", OPT_CHOICE, AT(filtering), .choices = dependences, .def = "address-and-port-dependent",
     .help = "whom a mapping lets in (RFC 4787 5)"},
    {"ports", OPT_CHOICE, AT(ports), .choices = port_choices, .def = "preserve",
     .help = "how a mapping gets its outside port"},
    {"port range", OPT_PORTS, AT(port_range), .def = "1024-65535", .help = "outside ports and ICMP identifiers to use"},
    {"parity", OPT_FLAG, AT(parity), .def = "no", .help = "even inside ports get even outside ports"},
    {"quota", OPT_COUNT, AT(quota), .def = "0", .help = "mappings of one inside address at a time; 0: no bound"},
    {"hairpin", OPT_FLAG, AT(hairpin), .def = "no", .help = "inside hosts reach each other by the public address"},
    {"refresh", OPT_CHOICE, AT(refresh), .choices = refresh_choices, .def = "outbound",
     .help = "which packets keep a mapping alive"},
    {"udp timeout", OPT_TIME, AT(udp_timeout), .def = "300s", .min = 1,
     .help = "a UDP mapping ends after this silence"},
    {"udp unreplied timeout", OPT_TIME, AT(udp_unreplied), .min = 1,
     .help = "the same while nothing has come back; without it, the udp timeout"},
    {"icmp timeout", OPT_TIME, AT(icmp_timeout), .def = "60s", .min = 1, .help = "of pings"},
    {"tcp timeout", OPT_TIME, AT(tcp_timeout), .def = "124min", .min = 1, .help = "of established connections"},
    {"tcp transitory timeout", OPT_TIME, AT(tcp_transitory), .def = "4min", .min = 1,
     .help = "of connections that open or close"},
    {"forward", OPT_MAP, AT(forward), .each = forward_options, .each_size = sizeof(struct nat_forward_settings),
     .help = "ports of the public address that lead inside for everybody"},
    {"one-to-one", OPT_ADDR, AT(one_to_one), .node = "*",
     .help = "inside address that has the public address for itself, all ports kept"},
    {"engine", OPT_CHOICE, AT(engine), .choices = engine_choices, .def = "farend",
     .help = "farend's own NAT, or the Linux kernel's (--world netns only)"},
    {"public", OPT_ADDR, AT(public_addr),
     .help = "outside address to translate to; without it, that of the outside port"},
    {"sip alg", OPT_CHOICE, AT(alg.mode), .choices = alg_modes, .def = "off",
     .help =
         "looks into SIP over UDP: rewrites addresses in it; strict: and drops what it cannot parse; kernel: Linux's "
         "nf_nat_sip, with engine: kernel"},
    {"alg port", OPT_COUNT, AT(alg.port), .min = 1, .max = 65535, .def = "5060",
     .help = "the remote port whose packets the ALG looks into"},
    {"alg via", OPT_FLAG, AT(alg.via), .def = "yes", .help = "the ALG rewrites Via"},
    {"alg contact", OPT_FLAG, AT(alg.contact), .def = "yes",
     .help = "the ALG rewrites Contact, and the Request-URI of what comes in"},
    {"alg sdp", OPT_CHOICE, AT(alg.sdp), .choices = alg_sdp_choices, .def = "all",
     .help = "session descriptions that the ALG rewrites: requests leaves the answers in responses as they are"},
    {"alg restores", OPT_FLAG, AT(alg.restores), .def = "yes",
     .help = "the ALG puts inside addresses back into what comes in"},
    {"alg content length", OPT_CHOICE, AT(alg.length), .choices = alg_length_choices, .def = "fix",
     .help = "Content-Length when the ALG has changed the body's length"},
    {"alg pinholes", OPT_CHOICE, AT(alg.pinholes), .choices = alg_pinhole_choices, .def = "anyone",
     .help = "whose media the ALG lets in at announced ports; none: it maps no ports"},
    {"alg pinhole timeout", OPT_TIME, AT(alg.pinhole_timeout), .def = "180s", .min = 1,
     .help = "a pinhole closes after this, if no message announces it again"},
    {"alg too big", OPT_CHOICE, AT(alg.too_big), .choices = alg_too_big_choices, .def = "fragment",
     .help = "messages that the ALG has made larger than the MTU"},
    {0}};

/* Those that nat_configure() takes, and the ALG's. */
static const char *const changeable[] = {"filtering",
                                         "hairpin",
                                         "refresh",
                                         "udp timeout",
                                         "udp unreplied timeout",
                                         "icmp timeout",
                                         "tcp timeout",
                                         "tcp transitory timeout",
                                         "sip alg",
                                         "alg port",
                                         "alg via",
                                         "alg contact",
                                         "alg sdp",
                                         "alg restores",
                                         "alg content length",
                                         "alg pinholes",
                                         "alg pinhole timeout",
                                         "alg too big"};

void nat_settings_behaviour(const struct nat_settings *s, struct nat_config *config)
{
    config->filtering = (enum nat_dependence)s->filtering;
    config->hairpin = s->hairpin;
    config->refresh_inbound = s->refresh == 1;
    config->udp_timeout = s->udp_timeout;
    config->udp_unreplied = s->udp_unreplied ? s->udp_unreplied : s->udp_timeout;
    config->icmp_timeout = s->icmp_timeout;
    config->tcp_established = s->tcp_timeout;
    config->tcp_transitory = s->tcp_transitory;
}

void nat_settings_alg(const struct nat_alg_settings *s, struct nat_alg_config *config)
{
    *config = (struct nat_alg_config){
        .port = (uint16_t)s->port,
        .strict = s->mode == NAT_ALG_STRICT,
        .via = s->via,
        .contact = s->contact,
        .sdp = (enum nat_alg_sdp)s->sdp,
        .restores = s->restores,
        .fixes_length = s->length == 0,
        .drops_grown = s->too_big == 1,
        .pinholes = (enum nat_alg_pinholes)s->pinholes,
        .pinhole_timeout = s->pinhole_timeout,
    };
}

/* An address that one host has for itself cannot be shared; the others are then translated to the NAT's own. */
static void public_addresses(const struct nat_settings *s, struct nat_config *config)
{
    ipv4 own = config->own[NAT_OUTSIDE];
    config->public_addr = s->public_addr ? s->public_addr : own;
    if (s->one_to_one == 0)
        return;
    config->one_to_one.inside = s->one_to_one;
    config->one_to_one.outside = config->public_addr;
    config->public_addr = config->public_addr == own ? 0 : own;
}

int nat_settings_config(const struct nat_settings *s, struct nat_config *config, struct text *why)
{
    config->mapping = (enum nat_dependence)s->mapping;
    config->ports = (enum nat_ports)s->ports;
    config->range = s->port_range;
    config->parity = s->parity;
    config->quota = s->quota;
    public_addresses(s, config);
    nat_settings_behaviour(s, config);
    if (config->public_addr == 0 && s->forward.n > 0) {
        text_str(why, "forward: the public address belongs to the one-to-one host alone; give another as \"public\"");
        return FE_ERANGE;
    }
    return 0;
}

static int make_forward(const struct nat_forward_settings *f, struct nat *nat, struct text *why)
{
    struct endpoint to = {f->to.addr, f->to.port ? f->to.port : (uint16_t)f->port};
    if (f->port == 0 || f->to.addr == 0) {
        text_str(why, "forward ");
        text_str(why, f->name);
        text_str(why, f->port == 0 ? ": its port is missing" : ": where it leads to is missing");
        return FE_ERANGE;
    }
    int error = nat_forward(nat, f->proto == 0 ? IP_UDP : IP_TCP, (uint16_t)f->port, to);
    if (error == FE_EUSED) {
        text_str(why, "forward ");
        text_str(why, f->name);
        text_str(why, ": another forward has this port or leads to the same place");
    }
    return error;
}

int nat_settings_forwards(const struct nat_settings *s, struct nat *nat, struct text *why)
{
    const struct nat_forward_settings *forwards = s->forward.items;
    int error = 0;
    for (size_t i = 0; i < s->forward.n && !error; i++)
        error = make_forward(&forwards[i], nat, why);
    return error;
}

static bool is_changeable(struct span name, struct text *why)
{
    struct nearest best = {0};
    for (size_t i = 0; i < sizeof changeable / sizeof changeable[0]; i++) {
        if (span_is(name, changeable[i]))
            return true;
        nearest_offer(&best, name, span_of(changeable[i]));
    }
    text_str(why, "\"");
    text_put(why, name);
    text_str(why, "\" cannot be set while the nat runs");
    if (best.name.n) {
        text_str(why, "; did you mean \"");
        text_put(why, best.name);
        text_str(why, "\"?");
    }
    return false;
}

int nat_settings_change(struct nat_settings *s, struct span assignment, struct text *why)
{
    struct span line = span_trim(assignment);
    size_t last = line.n;
    while (last > 0 && line.p[last - 1] != ' ')
        last--;
    struct span name = span_trim(span_make(line.p, last));
    struct span value = span_make(line.p + last, line.n - last);
    if (!is_changeable(name, why))
        return FE_EUNKNOWN;
    return options_set(nat_options, s, name, value, why);
}
