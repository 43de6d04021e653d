#include "nodes/nat/nat_settings.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/proto/ip.h"

#include <assert.h>

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
static const char *const pooling_choices[] = {"paired", "arbitrary", NULL};
static const char *const hairpin_choices[] = {"external", "internal", NULL};
static const char *const refuse_choices[] = {"silently", "prohibited", "host-unreachable", NULL};
static const char *const syn_choices[] = {"hold", "drop", NULL};
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

#define AT(field)    OPTION_AT(struct nat_settings, field)
#define GIVEN(field) .given = offsetof(struct nat_settings, given.field)

static const struct option public_each = {"", OPT_ADDR, 0, sizeof(ipv4), .own = true};
static const struct option exempt_each = {"", OPT_SUBNET, .size = sizeof(struct subnet)};

const struct option nat_options[] = {
    {"preset", OPT_CHOICE, AT(preset), .choices = nat_preset_names, .choices_help = nat_preset_settings, .def = "none",
     .help = "settings of a kind of NAT, for all that is not set by itself"},
    {"mapping", OPT_CHOICE, AT(mapping), GIVEN(mapping), .choices = dependences, .def = "endpoint-independent",
     .help = "what an inside port's mapping depends on (RFC 4787 4.1)"},
    {"filtering", OPT_CHOICE, AT(filtering), GIVEN(filtering), .choices = dependences,
     .def = "address-and-port-dependent", .help = "whom a mapping lets in (RFC 4787 5)"},
    {"ports", OPT_CHOICE, AT(ports), GIVEN(ports), .choices = port_choices, .def = "preserve",
     .help = "how a mapping gets its outside port"},
    {"port range", OPT_PORTS, AT(port_range), GIVEN(port_range), .def = "1024-65535",
     .help = "outside ports and ICMP identifiers to use"},
    {"parity", OPT_FLAG, AT(parity), GIVEN(parity), .def = "no", .help = "even inside ports get even outside ports"},
    {"contiguity", OPT_FLAG, AT(contiguity), GIVEN(contiguity), .def = "no",
     .help = "the port after a mapped even one (RTCP) gets the next outside port"},
    {"overload", OPT_FLAG, AT(overload), GIVEN(overload), .def = "no",
     .help = "mappings to different remotes may share an outside port; needs address-and-port-dependent mapping"},
    {"pooling", OPT_CHOICE, AT(pooling), GIVEN(pooling), .choices = pooling_choices, .def = "paired",
     .help = "with several public addresses: an inside host keeps to one of them, or not (RFC 4787 4.1)"},
    {"quota", OPT_COUNT, AT(quota), GIVEN(quota), .def = "0",
     .help = "mappings of one inside address at a time; 0: no bound"},
    {"block size", OPT_COUNT, AT(block), GIVEN(block), .def = "0", .max = 32768,
     .help = "an inside address gets its ports in blocks of so many (RFC 6888 4); 0: one by one"},
    {"blocks", OPT_COUNT, AT(blocks), GIVEN(blocks), .def = "1", .min = 1, .max = NAT_BLOCKS,
     .help = "blocks of one inside address at a time"},
    {"reuse delay", OPT_TIME, AT(reuse_delay), GIVEN(reuse_delay), .def = "0",
     .help = "a port waits so long before somebody else gets it (RFC 6888 REQ-8)"},
    {"reuse ports", OPT_COUNT, AT(reuse_ports), GIVEN(reuse_ports), .def = "0",
     .help = "so many ports wait at most; 0: no bound"},
    {"refuse", OPT_CHOICE, AT(refuse), GIVEN(refuse), .choices = refuse_choices, .def = "prohibited",
     .help = "what ICMP tells who gets no port: RFC 5508 REQ-8's code, RFC 6888 REQ-11's, or nothing"},
    {"hairpin", OPT_FLAG, AT(hairpin), GIVEN(hairpin), .def = "no",
     .help = "inside hosts reach each other by the public address"},
    {"hairpin source", OPT_CHOICE, AT(hairpin_source), GIVEN(hairpin_source), .choices = hairpin_choices,
     .def = "external", .help = "the source that a hairpinned packet shows (RFC 4787 REQ-9 a: external)"},
    {"unsolicited syn", OPT_CHOICE, AT(syn), GIVEN(syn), .choices = syn_choices, .def = "hold",
     .help = "a TCP opening for nobody is held for 6 s and then refused (RFC 5382 REQ-4), or dropped in silence"},
    {"mss clamp", OPT_COUNT, AT(mss), GIVEN(mss), .def = "0", .max = 65495,
     .help = "the largest TCP segment that an opening may announce, bytes; 0: as it is"},
    {"refresh", OPT_CHOICE, AT(refresh), GIVEN(refresh), .choices = refresh_choices, .def = "outbound",
     .help = "which packets keep a mapping alive"},
    {"udp timeout", OPT_TIME, AT(udp_timeout), GIVEN(udp_timeout), .def = "300s", .min = 1,
     .help = "a UDP mapping ends after this silence"},
    {"udp unreplied timeout", OPT_TIME, AT(udp_unreplied), GIVEN(udp_unreplied), .min = 1,
     .help = "the same while nothing has come back; without it, the udp timeout"},
    {"icmp timeout", OPT_TIME, AT(icmp_timeout), GIVEN(icmp_timeout), .def = "60s", .min = 1, .help = "of pings"},
    {"tcp timeout", OPT_TIME, AT(tcp_timeout), GIVEN(tcp_timeout), .def = "124min", .min = 1,
     .help = "of established connections"},
    {"tcp transitory timeout", OPT_TIME, AT(tcp_transitory), GIVEN(tcp_transitory), .def = "4min", .min = 1,
     .help = "of connections that open"},
    {"tcp closing timeout", OPT_TIME, AT(tcp_closing), GIVEN(tcp_closing), .min = 1,
     .help = "of connections that were closed or reset; without it, the tcp transitory timeout"},
    {"boot leak", OPT_TIME, AT(leak), .def = "0", .max = HOUR,
     .help = "so long after a start new flows pass untranslated, as in routers that forward before their rules load"},
    {"forward", OPT_MAP, AT(forward), .each = forward_options, .each_size = sizeof(struct nat_forward_settings),
     .help = "ports of the public address that lead inside for everybody"},
    {"one-to-one", OPT_ADDR, AT(one_to_one), .node = "*",
     .help = "inside address that has the public address for itself, all ports kept"},
    {"engine", OPT_CHOICE, AT(engine), .choices = engine_choices, .def = "farend",
     .help = "farend's own NAT, or the Linux kernel's (--world netns only)"},
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
    {"pcp", OPT_FLAG, AT(pcp), GIVEN(pcp), .def = "no",
     .help = "inside hosts may ask for mappings by the Port Control Protocol (RFC 6887, RFC 6888 REQ-9)"},
    {"pcp least lifetime", OPT_TIME, AT(pcp_least), .def = "120s", .min = SEC, .max = 86400 * SEC,
     .help = "a mapping that was asked for by PCP is granted for so long at least, in whole seconds"},
    {"pcp most lifetime", OPT_TIME, AT(pcp_most), .def = "86400s", .min = SEC, .max = 30 * 86400 * SEC,
     .help = "and for so long at most"},
    {"dmz", OPT_ADDR, AT(dmz), .node = "*", .help = "inside address that gets what is for no mapping"},
    {"public", OPT_LIST, AT(pool), .each = &public_each, .each_size = sizeof(ipv4), .own = true,
     .help = "outside address to translate to, or a list of them; without it, that of the outside port"},
    {"untranslated", OPT_LIST, AT(exempt), .each = &exempt_each, .each_size = sizeof(struct subnet),
     .help = "networks outside that packets go to and come from as they are, as through a router (RFC 6888 REQ-6)"},
    {"reserve", OPT_LIST, AT(reserve), .each = &public_each, .each_size = sizeof(ipv4), .own = true,
     .help = "addresses that \"set public\" may change to"},
    {0}};

/* Those that nat_configure() takes, and the ALG's. */
static const char *const changeable[] = {"filtering",
                                         "hairpin",
                                         "hairpin source",
                                         "unsolicited syn",
                                         "refuse",
                                         "mss clamp",
                                         "refresh",
                                         "udp timeout",
                                         "udp unreplied timeout",
                                         "icmp timeout",
                                         "tcp timeout",
                                         "tcp transitory timeout",
                                         "pcp",
                                         "pcp least lifetime",
                                         "pcp most lifetime",
                                         "sip alg",
                                         "alg port",
                                         "alg via",
                                         "alg contact",
                                         "alg sdp",
                                         "alg restores",
                                         "alg content length",
                                         "alg pinholes",
                                         "alg pinhole timeout",
                                         "alg too big",
                                         "tcp closing timeout"};

void nat_settings_behaviour(const struct nat_settings *s, struct nat_config *config)
{
    config->filtering = (enum nat_dependence)s->filtering;
    config->hairpin = s->hairpin;
    config->hairpin_internal = s->hairpin_source == 1;
    config->hold_syn = s->syn == 0;
    config->refuse = (enum nat_refusal)s->refuse;
    config->mss = (uint16_t)s->mss;
    config->refresh_inbound = s->refresh == 1;
    config->udp_timeout = s->udp_timeout;
    config->udp_unreplied = s->udp_unreplied ? s->udp_unreplied : s->udp_timeout;
    config->icmp_timeout = s->icmp_timeout;
    config->tcp_established = s->tcp_timeout;
    config->tcp_transitory = s->tcp_transitory;
    config->tcp_closing = s->tcp_closing ? s->tcp_closing : s->tcp_transitory;
}

static int refuse(struct text *why, const char *reason)
{
    text_str(why, reason);
    return FE_ERANGE;
}

void nat_settings_pcp(const struct nat_settings *s, struct nat_pcp_config *config)
{
    *config = (struct nat_pcp_config){.least = s->pcp_least, .most = s->pcp_most};
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
static void one_to_one_address(const struct nat_settings *s, struct nat_config *config)
{
    ipv4 own = config->own[NAT_OUTSIDE];
    if (s->one_to_one == 0)
        return;
    config->one_to_one.inside = s->one_to_one;
    config->one_to_one.outside = config->pool[0];
    config->pool_n = config->pool[0] == own ? 0 : 1;
    config->pool[0] = own;
}

static int public_addresses(const struct nat_settings *s, struct nat_config *config, struct text *why)
{
    const ipv4 *pool = s->pool.items;
    config->pool[0] = config->own[NAT_OUTSIDE];
    config->pool_n = 1;
    if (s->pool.n > NAT_POOL)
        return refuse(why, "public: there are 16 public addresses at most");
    if (s->pool.n > 1 && s->one_to_one)
        return refuse(why, "one-to-one: a one-to-one host has one public address, not a list");
    for (unsigned i = 0; i < s->pool.n; i++) {
        for (unsigned j = 0; j < i; j++)
            if (pool[i] == pool[j])
                return refuse(why, "public: an address stands twice in the list of public ones");
        config->pool[i] = pool[i];
        config->pool_n = i + 1;
    }
    one_to_one_address(s, config);
    return 0;
}

static int exempt_networks(const struct nat_settings *s, struct nat_config *config, struct text *why)
{
    const struct subnet *exempt = s->exempt.items;
    if (s->exempt.n > NAT_EXEMPT)
        return refuse(why, "untranslated: 8 networks at most are reached untranslated");
    for (size_t i = 0; i < s->exempt.n; i++)
        config->exempt[i] = exempt[i];
    config->exempt_n = (unsigned)s->exempt.n;
    return 0;
}

static int check_together(const struct nat_config *c, const struct nat_settings *s, struct text *why)
{
    if (c->pool_n == 0 && s->forward.n > 0)
        return refuse(why, "forward: the public address belongs to the one-to-one host alone; give another as "
                           "\"public\"");
    if (c->pool_n == 0 && c->dmz)
        return refuse(why, "dmz: the public address belongs to the one-to-one host alone; give another as \"public\"");
    if (c->overload && c->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT)
        return refuse(why, "overload: ports can be overloaded only with \"mapping: address-and-port-dependent\", which "
                           "tells them apart");
    if (c->overload && (c->block || c->reuse_delay))
        return refuse(why, "overload: overloaded ports have no blocks and no reuse delay");
    if (c->overload && s->pcp)
        return refuse(why, "pcp: what is asked for by PCP needs a port of its own; expected overload: no");
    if (s->pcp_least > s->pcp_most)
        return refuse(why, "pcp least lifetime: it is longer than the pcp most lifetime");
    if (c->block > c->range.high - c->range.low + 1u)
        return refuse(why, "block size: a block is larger than the port range");
    return 0;
}

int nat_settings_config(const struct nat_settings *s, struct nat_config *config, struct text *why)
{
    config->mapping = (enum nat_dependence)s->mapping;
    config->ports = (enum nat_ports)s->ports;
    config->range = s->port_range;
    config->parity = s->parity;
    config->contiguity = s->contiguity;
    config->overload = s->overload;
    config->paired = s->pooling == 0;
    config->quota = s->quota;
    config->block = (uint16_t)s->block;
    config->blocks = (uint16_t)s->blocks;
    config->reuse_delay = s->reuse_delay;
    config->reuse_ports = s->reuse_ports;
    config->dmz = s->dmz;
    config->leak = s->leak;
    nat_settings_behaviour(s, config);
    int error = public_addresses(s, config, why);
    if (!error)
        error = exempt_networks(s, config, why);
    return error ? error : check_together(config, s, why);
}

static bool is_among(const struct option_items *list, ipv4 addr)
{
    const ipv4 *items = list->items;
    for (size_t i = 0; i < list->n; i++)
        if (items[i] == addr)
            return true;
    return false;
}

int nat_settings_public(const struct nat_settings *s, ipv4 own, struct span text, ipv4 *out, struct text *why)
{
    if (addr_parse(span_trim(text), out)) {
        text_str(why, "public: an IPv4 address was expected");
        return FE_ESYNTAX;
    }
    if (s->one_to_one)
        return refuse(why, "public: a one-to-one address stays what it is");
    if (*out != own && !is_among(&s->pool, *out) && !is_among(&s->reserve, *out))
        return refuse(why, "public: not one of the addresses in \"public\" or \"reserve\"");
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

/* "udp timeout 30s": the last word is the value. */
static struct span cut_value(struct span assignment, struct span *value)
{
    struct span line = span_trim(assignment);
    size_t last = line.n;
    while (last > 0 && line.p[last - 1] != ' ')
        last--;
    *value = span_make(line.p + last, line.n - last);
    return span_trim(span_make(line.p, last));
}

int nat_settings_change(struct nat_settings *s, struct span assignment, struct text *why)
{
    struct span value;
    struct span name = cut_value(assignment, &value);
    if (!is_changeable(name, why))
        return FE_EUNKNOWN;
    return options_set(nat_options, s, name, value, why);
}

void nat_settings_preset(struct nat_settings *s)
{
    struct span rest = span_of(nat_preset_settings[s->preset]);
    if (s->preset == 0)
        return;
    while (rest.n) {
        struct span value;
        struct span name = cut_value(span_cut(rest, ',', &rest), &value);
        const struct option *o = options_find(nat_options, name);
        assert(o && o->given);
        bool *given = (bool *)((char *)s + o->given);
        if (*given)
            continue;
        int error = options_set(nat_options, s, name, value, NULL);
        assert(!error); /* the table holds valid values */
        (void)error;
        *given = false;
    }
}
