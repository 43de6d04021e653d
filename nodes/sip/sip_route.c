#include "nodes/sip/sip_route.h"

#include "nodes/proto/sip_msg.h"
#include "nodes/proto/sip_uri.h"

bool sip_route_next(struct span *list, struct span *value)
{
    bool inside = false;
    size_t at = 0;
    if (span_trim(*list).n == 0)
        return false;
    for (; at < list->n && (inside || list->p[at] != ','); at++)
        if (list->p[at] == '<' || list->p[at] == '>')
            inside = list->p[at] == '<';
    *value = span_trim(span_make(list->p, at));
    *list = at < list->n ? span_make(list->p + at + 1, list->n - at - 1) : (struct span){0};
    return true;
}

struct span sip_route_uri(struct span value)
{
    struct sip_addr addr;
    return sip_addr_parse(value, &addr) ? (struct span){0} : addr.uri;
}

bool sip_route_is_loose(struct span uri)
{
    struct sip_uri parsed;
    return sip_uri_parse(uri, &parsed) == 0 && sip_uri_param(&parsed, "lr", NULL);
}

bool sip_route_endpoint(struct span uri, struct endpoint *out)
{
    struct sip_uri parsed;
    return sip_uri_parse(uri, &parsed) == 0 && sip_uri_endpoint(&parsed, out) == 0;
}
