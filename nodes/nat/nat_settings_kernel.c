/* `engine: kernel`: what of the nat's settings Linux can do, and what it is told.
 *
 * Linux translates flow by flow. It leaves a flow the sender's port as long as no other flow to the same remote has it:
 * what the remotes see is endpoint-independent mapping (RFC 4787 §4.1) with port preservation. With random ports each
 * flow gets one of its own: address-and-port-dependent. There is nothing in between. Its filter is its table of flows:
 * address-and-port-dependent (RFC 4787 §5). */
#include "nodes/base/error.h"
#include "nodes/host.h"
#include "nodes/nat/nat_settings.h"
#include "nodes/proto/ip.h"

bool nat_settings_forwards_itself(const void *settings)
{
    const struct nat_settings *s = settings;
    return s->engine == NAT_BY_KERNEL;
}

static const char *blame(struct text *why, const char *setting, const char *sentence)
{
    text_str(why, sentence);
    return setting;
}

const char *nat_settings_conflict(const void *settings, struct text *why)
{
    const struct nat_settings *s = settings;
    if (s->engine != NAT_BY_KERNEL)
        return s->alg.mode == NAT_ALG_KERNEL ? blame(why, "sip alg", "the kernel's SIP ALG needs engine: kernel")
                                             : NULL;
    if (s->alg.mode != NAT_ALG_OFF && s->alg.mode != NAT_ALG_KERNEL)
        return blame(why, "sip alg", "that ALG is farend's own; expected off or kernel, or engine: farend");
    if (s->mapping == NAT_ADDRESS_DEPENDENT)
        return blame(why, "mapping", "Linux has no address-dependent mapping; expected another, or engine: farend");
    if (s->ports == NAT_PORTS_SEQUENTIAL)
        return blame(why, "ports", "Linux gives no sequential ports; expected preserve or random, or engine: farend");
    if (s->ports == NAT_PORTS_RANDOM && s->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT)
        return blame(why, "ports",
                     "Linux gives every flow a random port of its own; add mapping: address-and-port-dependent");
    if (s->ports == NAT_PORTS_PRESERVE && s->mapping == NAT_ADDRESS_AND_PORT_DEPENDENT)
        return blame(why, "mapping", "Linux maps so only with random ports; add ports: random");
    if (s->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT)
        return blame(why, "filtering",
                     "Linux filters by flows; expected address-and-port-dependent, or engine: farend");
    if (s->parity)
        return blame(why, "parity", "Linux keeps no parity of ports; expected no, or engine: farend");
    if (s->quota)
        return blame(why, "quota", "Linux counts no mappings of a subscriber; expected 0, or engine: farend");
    if (s->forward.n > HOST_KNAT_FORWARDS)
        return blame(why, "forward", "so many forwards are too many for engine: kernel; expected up to 256");
    return NULL;
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
    out->public_addr = config->public_addr;
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
