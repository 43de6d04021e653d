#include "nodes/pbx/pbx_outbound.h"

#include "nodes/proto/sip_uri.h"

static unsigned count(const struct sip_msg *msg, enum sip_header_id id, struct span *last)
{
    struct sip_list list = sip_list(msg, id);
    unsigned n = 0;
    while (sip_list_next(&list, last))
        n++;
    return n;
}

/* The phone's own Via is the only one when it came straight here. Else the proxy nearest to the phone, whose Path is
 * the last one, must have said that it will keep the flow. */
static bool first_hop_keeps_flows(const struct sip_msg *reg)
{
    struct span last;
    struct sip_addr addr;
    struct sip_uri uri;
    if (count(reg, SIP_H_VIA, &last) == 1)
        return true;
    return count(reg, SIP_H_PATH, &last) > 0 && sip_addr_parse(last, &addr) == 0 &&
           sip_uri_parse(addr.uri, &uri) == 0 && sip_uri_param(&uri, "ob", NULL);
}

static bool names_a_flow(const struct sip_msg *reg)
{
    struct sip_list list = sip_list(reg, SIP_H_CONTACT);
    struct span value;
    struct sip_contact contact;
    while (sip_list_next(&list, &value))
        if (sip_contact_parse(value, &contact) == 0 && contact.reg_id && !span_empty(contact.instance))
            return true;
    return false;
}

enum pbx_outbound pbx_outbound_judge(const struct sip_msg *reg)
{
    if (!names_a_flow(reg) || !sip_lists(reg, SIP_H_SUPPORTED, "outbound"))
        return PBX_OUTBOUND_NO;
    return first_hop_keeps_flows(reg) ? PBX_OUTBOUND_YES : PBX_OUTBOUND_LACKING;
}
