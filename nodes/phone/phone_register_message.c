/* What a REGISTER says, and what its answers mean. */
#include "nodes/phone/phone.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/proto/sip_uri.h"

#define LONGEST 4294967295u /* seconds that Expires can say */

struct span phone_register_headers(const struct phone *p, unsigned server, uint32_t expires, struct text *room)
{
    text_str(room, "Contact: ");
    phone_contact_write(p, phone_server_by(p, server), room);
    text_str(room, "\r\nExpires: ");
    text_u64(room, expires);
    text_str(room, "\r\n");
    return text_span(room);
}

uint32_t phone_register_granted(const struct phone *p, const struct sip_msg *response, enum sip_transport by,
                                uint32_t asked)
{
    struct sip_list list = sip_list(response, SIP_H_CONTACT);
    struct endpoint own = phone_socket(p, by)->contact;
    struct span value;
    uint32_t expires;
    while (sip_list_next(&list, &value)) {
        struct sip_contact contact;
        struct sip_uri uri;
        struct endpoint at;
        if (sip_contact_parse(value, &contact) || !contact.has_expires || sip_uri_parse(contact.addr.uri, &uri))
            continue;
        if (sip_uri_endpoint(&uri, &at) == 0 && endpoint_equal(at, own))
            return contact.expires;
    }
    if (sip_number_parse(sip_value(response, SIP_H_EXPIRES), LONGEST, &expires) == 0)
        return expires;
    return asked;
}

/* `renewal` before the expiry, or at half of it when that comes later. */
lab_time phone_refresh_after(const struct phone *p, lab_time expires)
{
    lab_time early = expires - p->settings->renewal;
    return early > expires / 2 ? early : expires / 2;
}

bool phone_interval_raised(const struct sip_msg *response, uint32_t *expires)
{
    uint32_t least;
    if (response->status != 423 || sip_number_parse(sip_value(response, SIP_H_MIN_EXPIRES), LONGEST, &least) ||
        least <= *expires)
        return false;
    *expires = least;
    return true;
}
