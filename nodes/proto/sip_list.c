/* Finding headers, and walking the values of those that are lists. */
#include "nodes/proto/sip_lex.h"
#include "nodes/proto/sip_msg.h"

#include <assert.h>

const struct sip_header *sip_find(const struct sip_msg *m, enum sip_header_id id)
{
    assert(id != SIP_H_OTHER && id < SIP_HEADERS);
    return m->first[id] ? &m->headers[m->first[id] - 1] : NULL;
}

const struct sip_header *sip_find_next(const struct sip_msg *m, const struct sip_header *h)
{
    return h->next ? &m->headers[h->next - 1] : NULL;
}

const struct sip_header *sip_find_name(const struct sip_msg *m, struct span name)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (span_equal_nocase(m->headers[i].name, name))
            return &m->headers[i];
    return NULL;
}

struct span sip_value(const struct sip_msg *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_find(m, id);
    return h ? h->value : (struct span){NULL, 0};
}

/* What there is to walk in a header: an empty one ("Supported:") has no values. */
static struct span header_values(const struct sip_header *h)
{
    return h && h->value.n ? h->value : (struct span){NULL, 0};
}

struct sip_list sip_list(const struct sip_msg *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_find(m, id);
    return (struct sip_list){.m = m, .header = h, .rest = header_values(h)};
}

/* The first comma that separates values: not in quotes, not in <>. NULL: there is none. */
static const char *find_comma(struct span s)
{
    bool quoted = false;
    bool bracketed = false;
    if (!memchr(s.p, ',', s.n))
        return NULL;
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '\\': i += quoted; break;
        case '"': quoted = !quoted && !bracketed; break;
        case '<': bracketed = bracketed || !quoted; break;
        case '>': bracketed = bracketed && quoted; break;
        case ',':
            if (!quoted && !bracketed)
                return s.p + i;
            break;
        default: break;
        }
    }
    return NULL;
}

bool sip_list_next(struct sip_list *list, struct span *value)
{
    while (!list->rest.p && list->header) {
        list->header = sip_find_next(list->m, list->header);
        list->rest = header_values(list->header);
    }
    if (!list->header)
        return false;
    struct span rest = list->rest;
    const char *comma = rest.n ? find_comma(rest) : NULL;
    if (comma) {
        *value = sip_lex_trim(sip_between(rest.p, comma));
        list->rest = sip_between(comma + 1, rest.p + rest.n);
    } else {
        *value = sip_lex_trim(rest);
        list->rest = (struct span){NULL, 0};
    }
    list->value = *value;
    return true;
}

bool sip_lists(const struct sip_msg *m, enum sip_header_id id, const char *token)
{
    struct sip_list list = sip_list(m, id);
    struct span wanted = span_of(token);
    struct span value;
    while (sip_list_next(&list, &value))
        if (span_equal_nocase(value, wanted))
            return true;
    return false;
}
