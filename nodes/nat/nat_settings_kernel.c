/* Settings that do not go together; and `engine: kernel`: what of the nat's settings Linux can do, and what it is told.
 *
 * Linux translates flow by flow. It leaves a flow the sender's port as long as no other flow to the same remote has it:
 * what the remotes see is endpoint-independent mapping (RFC 4787 §4.1) with port preservation. With random ports each
 * flow gets one of its own: address-and-port-dependent. There is nothing in between. Its filter is its table of flows:
 * address-and-port-dependent (RFC 4787 §5). */
#include "nodes/base/error.h"
#include "nodes/host.h"
#include "nodes/nat/nat_settings.h"
#include "nodes/proto/ip.h"

#include <assert.h>

bool nat_settings_forwards_itself(const void *settings)
{
    const struct nat_settings *s = settings;
    return s->engine == NAT_BY_KERNEL;
}

/* What the user did not set comes from the preset, and it is the preset then that does not fit. */
static const char *blame(const struct nat_settings *s, struct text *why, const char *setting, const char *sentence)
{
    const struct option *o = options_find(nat_options, span_of(setting));
    bool by_preset = s->preset && o->given && !*(const bool *)((const char *)s + o->given);
    if (by_preset) {
        text_str(why, setting);
        text_str(why, ": ");
    }
    text_str(why, sentence);
    return by_preset ? "preset" : setting;
}

/* With `overload` mapping by remote is what Linux does with preserved ports too: so says the preset. */
static const char *mapping_conflict(const struct nat_settings *s, struct text *why)
{
    if (s->mapping == NAT_ADDRESS_DEPENDENT)
        return blame(s, why, "mapping", "Linux has no address-dependent mapping; expected another, or engine: farend");
    if (s->ports == NAT_PORTS_SEQUENTIAL)
        return blame(s, why, "ports",
                     "Linux gives no sequential ports; expected preserve or random, or engine: farend");
    if (s->ports == NAT_PORTS_RANDOM && s->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT)
        return blame(s, why, "ports",
                     "Linux gives every flow a random port of its own; add mapping: address-and-port-dependent");
    if (s->overload && s->given.overload)
        return blame(s, why, "overload", "Linux shares ports by itself; leave it out, or use preset: linux");
    if (s->ports == NAT_PORTS_PRESERVE && s->mapping == NAT_ADDRESS_AND_PORT_DEPENDENT && !s->overload)
        return blame(s, why, "mapping", "Linux maps so only with random ports; add ports: random");
    if (s->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT)
        return blame(s, why, "filtering",
                     "Linux filters by flows; expected address-and-port-dependent, or engine: farend");
    return NULL;
}

static const char *port_conflict(const struct nat_settings *s, struct text *why)
{
    if (s->parity)
        return blame(s, why, "parity", "Linux keeps no parity of ports; expected no, or engine: farend");
    if (s->contiguity)
        return blame(s, why, "contiguity", "Linux gives no pairs of ports; expected no, or engine: farend");
    if (s->quota)
        return blame(s, why, "quota", "Linux counts no mappings of a subscriber; expected 0, or engine: farend");
    if (s->block)
        return blame(s, why, "block size", "Linux gives no blocks of ports; expected 0, or engine: farend");
    if (s->reuse_delay)
        return blame(s, why, "reuse delay", "Linux lets no port rest; expected 0, or engine: farend");
    return NULL;
}

static const char *address_conflict(const struct nat_settings *s, struct text *why)
{
    if (s->pool.n > 1)
        return blame(s, why, "public", "engine: kernel gives Linux one address; expected one, or engine: farend");
    if (s->reserve.n)
        return blame(s, why, "reserve", "engine: kernel leaves Linux its address; leave it out, or engine: farend");
    if (s->pooling == 1)
        return blame(s, why, "pooling", "Linux has one public address here; expected paired, or engine: farend");
    if (s->dmz)
        return blame(s, why, "dmz", "engine: kernel gives Linux no DMZ host; leave it out, or engine: farend");
    return NULL;
}

/* The defaults of `unsolicited syn` and `refuse` are what RFCs ask for; that Linux does otherwise is no conflict until
 * somebody asks for it. */
static const char *packet_conflict(const struct nat_settings *s, struct text *why)
{
    if (s->hairpin_source == 1)
        return blame(s, why, "hairpin source", "Linux translates it; expected external, or engine: farend");
    if (s->given.syn && s->syn == 0)
        return blame(s, why, "unsolicited syn", "Linux holds no TCP opening; expected drop, or engine: farend");
    if (s->given.refuse && s->refuse != NAT_REFUSE_SILENTLY)
        return blame(s, why, "refuse", "Linux tells nobody that it has no port; expected silently, or engine: farend");
    if (s->mss)
        return blame(s, why, "mss clamp",
                     "engine: kernel lets Linux clamp no TCP openings; expected 0, or engine: farend");
    if (s->exempt.n)
        return blame(s, why, "untranslated", "Linux translates for all networks; leave it out, or use engine: farend");
    if (s->pcp)
        return blame(s, why, "pcp", "Linux's own NAT has no PCP server; expected no, or engine: farend");
    if (s->leak)
        return blame(s, why, "boot leak", "Linux has its rules before it forwards; expected 0, or engine: farend");
    return NULL;
}

static const char *kernel_conflict(const struct nat_settings *s, struct text *why)
{
    static const char *(*const conflicts[])(const struct nat_settings *, struct text *) = {
        mapping_conflict, port_conflict, address_conflict, packet_conflict};
    const char *setting = NULL;
    if (s->alg.mode != NAT_ALG_OFF && s->alg.mode != NAT_ALG_KERNEL)
        return blame(s, why, "sip alg", "that ALG is farend's own; expected off or kernel, or engine: farend");
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0] && !setting; i++)
        setting = conflicts[i](s, why);
    if (!setting && s->forward.n > HOST_KNAT_FORWARDS)
        return blame(s, why, "forward", "so many forwards are too many for engine: kernel; expected up to 256");
    return setting;
}

/* What is refused by either engine, as far as it can be known before the node has its addresses. */
static const char *together_conflict(const struct nat_settings *s, struct text *why)
{
    struct nat_config config = {.own = {IPV4(10, 0, 0, 1), IPV4(192, 0, 2, 1)}};
    char buf[256];
    struct text sentence = text_on(buf, sizeof buf);
    struct span reason;
    if (nat_settings_config(s, &config, &sentence) == 0)
        return NULL;
    const struct option *o = options_find(nat_options, span_cut(text_span(&sentence), ':', &reason));
    assert(o); /* each such sentence begins with a setting */
    return blame(s, why, o->name, span_trim(reason).p);
}

const char *nat_settings_conflict(const void *settings, struct text *why)
{
    struct nat_settings s = *(const struct nat_settings *)settings;
    nat_settings_preset(&s);
    const char *setting = NULL;
    if (s.engine == NAT_BY_KERNEL)
        setting = kernel_conflict(&s, why);
    else if (s.alg.mode == NAT_ALG_KERNEL)
        setting = blame(&s, why, "sip alg", "the kernel's SIP ALG needs engine: kernel");
    return setting ? setting : together_conflict(&s, why);
}

static int read_forward(const struct nat_forward_settings *f, struct host_knat_forward *out, struct text *why)
{
    *out = (struct host_knat_forward){.protocol = f->proto == 0 ? IP_UDP : IP_TCP, .port = (uint16_t)f->port};
    out->inside = (struct endpoint){f->to.addr, f->to.port ? f->to.port : (uint16_t)f->port};
    if (f->port != 0 && f->to.addr != 0)
        return 0;
    text_str(why, "forward ");
    text_str(why, f->name);
    text_str(why, f->port == 0 ? ": its port is missing" : ": where it leads to is missing");
    return FE_ERANGE;
}

int nat_settings_kernel(const struct nat_settings *s, const struct nat_config *config, struct host_knat_config *out,
                        struct text *why)
{
    const struct nat_forward_settings *forwards = s->forward.items;
    int error = 0;
    out->public_addr = config->pool_n ? config->pool[0] : 0;
    out->one_to_one.inside = config->one_to_one.inside;
    out->one_to_one.outside = config->one_to_one.outside;
    out->low = config->range.low;
    out->high = config->range.high;
    out->random = config->ports == NAT_PORTS_RANDOM;
    out->hairpin = config->hairpin;
    out->sip_alg = s->alg.mode == NAT_ALG_KERNEL;
    out->forwards_n = s->forward.n;
    for (size_t i = 0; i < s->forward.n && !error; i++)
        error = read_forward(&forwards[i], &out->forwards[i], why);
    return error;
}
