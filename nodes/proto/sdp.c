/* Parsing: line by line, strict in the lines that are understood, indifferent to the others. */
#include "nodes/proto/sdp.h"

/* One "x=value" line. */
struct line {
    struct span whole; /* with its end */
    struct span text;  /* without it */
    struct span value; /* behind the "=" */
    char type;
};

/* 1: got one; 0: no more; FE_ESYNTAX: not of that form. */
static int take_line(struct span *rest, struct line *out)
{
    if (rest->n == 0)
        return 0;
    const char *lf = memchr(rest->p, '\n', rest->n);
    size_t n = lf ? (size_t)(lf - rest->p) + 1 : rest->n;
    out->whole = (struct span){rest->p, n};
    *rest = (struct span){rest->p + n, rest->n - n};
    out->text = out->whole;
    if (lf)
        out->text.n--;
    if (out->text.n && out->text.p[out->text.n - 1] == '\r')
        out->text.n--;
    if (out->text.n < 2 || out->text.p[0] < 'a' || out->text.p[0] > 'z' || out->text.p[1] != '=')
        return FE_ESYNTAX;
    out->type = out->text.p[0];
    out->value = (struct span){out->text.p + 2, out->text.n - 2};
    return 1;
}

bool sdp_attribute_next(struct span *block, struct sdp_attribute *out)
{
    struct line line;
    while (take_line(block, &line) == 1) {
        if (line.type != 'a')
            continue;
        out->line = line.whole;
        out->name = span_cut(line.value, ':', &out->value);
        return true;
    }
    return false;
}

bool sdp_attribute(struct span block, const char *name, struct span *value)
{
    struct sdp_attribute attribute;
    struct span wanted = span_of(name);
    while (sdp_attribute_next(&block, &attribute)) {
        if (!span_equal(attribute.name, wanted))
            continue;
        if (value)
            *value = attribute.value;
        return true;
    }
    return false;
}

/* ---- lines ---- */

/* The part before the next blank; false when it is empty. */
static bool take_word(struct span *rest, struct span *word)
{
    *word = span_cut(*rest, ' ', rest);
    return word->n > 0;
}

/* "IN IP4 192.0.2.1[/ttl]" */
static int parse_connection(struct span value, struct sdp_connection *out)
{
    struct span net;
    struct span type;
    struct span ttl;
    if (!take_word(&value, &net) || !take_word(&value, &type) || value.n == 0 || memchr(value.p, ' ', value.n))
        return FE_ESYNTAX;
    out->given = true;
    out->text = span_cut(value, '/', &ttl);
    out->is_ipv4 = span_is(net, "IN") && span_is(type, "IP4") && addr_parse(out->text, &out->addr) == 0;
    if (!out->is_ipv4)
        out->addr = 0;
    return out->text.n ? 0 : FE_ESYNTAX;
}

/* "user id version IN IP4 address" */
static int parse_origin(struct span value, struct sdp *out)
{
    struct sdp_connection where;
    if (!take_word(&value, &out->origin_user) || !take_word(&value, &out->origin_id) ||
        !take_word(&value, &out->origin_version_text))
        return FE_ESYNTAX;
    int error = span_u64(out->origin_version_text, UINT64_MAX, &out->origin_version);
    if (error)
        return error;
    error = parse_connection(value, &where);
    out->origin_addr = where.text;
    return error;
}

static enum sdp_type type_of(struct span text)
{
    if (span_is(text, "audio"))
        return SDP_AUDIO;
    return span_is(text, "video") ? SDP_VIDEO : SDP_OTHER_TYPE;
}

static int parse_port(struct span text, uint16_t *port)
{
    uint64_t value;
    int error = span_u64(text, UINT16_MAX, &value);
    if (!error)
        *port = (uint16_t)value;
    return error;
}

/* "audio 49170[/count] RTP/AVP 8 0" */
static int parse_media_line(const struct line *line, struct sdp_media *out)
{
    struct span rest = line->value;
    struct span port;
    struct span count;
    *out = (struct sdp_media){.bytes = line->whole, .line = line->text};
    if (!take_word(&rest, &out->type_text) || !take_word(&rest, &port) || !take_word(&rest, &out->protocol) ||
        rest.n == 0)
        return FE_ESYNTAX;
    out->type = type_of(out->type_text);
    out->formats = rest;
    out->port_text = span_cut(port, '/', &count);
    return parse_port(out->port_text, &out->port);
}

/* RFC 3605: "53020" or "53020 IN IP4 126.16.64.4" */
static int parse_rtcp(struct span value, struct sdp_media *m)
{
    struct sdp_connection where = {0};
    if (!take_word(&value, &m->rtcp_port_text))
        return FE_ESYNTAX;
    int error = parse_port(m->rtcp_port_text, &m->rtcp_port);
    if (!error && value.p)
        error = parse_connection(value, &where);
    m->has_rtcp = true;
    m->rtcp_addr_text = where.text;
    m->rtcp_addr = where.addr;
    return error;
}

static bool parse_direction(struct span name, enum sdp_direction *out)
{
    for (int d = SDP_SENDRECV; d <= SDP_INACTIVE; d++) {
        if (span_equal(name, sdp_direction_name((enum sdp_direction)d))) {
            *out = (enum sdp_direction)d;
            return true;
        }
    }
    return false;
}

static int parse_media_attribute(struct span value, struct sdp_media *m)
{
    uint64_t number;
    struct span name = span_cut(value, ':', &value);
    if (span_is(name, "rtcp"))
        return parse_rtcp(value, m);
    if (span_is(name, "rtcp-mux"))
        m->rtcp_mux = true;
    if (span_is(name, "ptime") && span_u64(value, UINT32_MAX, &number) == 0)
        m->ptime = (uint32_t)number;
    m->has_direction = parse_direction(name, &m->direction) || m->has_direction;
    return 0;
}

static int parse_media_part(const struct line *line, struct sdp_media *m)
{
    m->bytes.n += line->whole.n;
    if (line->type == 'c' && !m->own.given)
        return parse_connection(line->value, &m->own);
    return line->type == 'a' ? parse_media_attribute(line->value, m) : 0;
}

static int parse_session_part(const struct line *line, struct sdp *out)
{
    out->session.n += line->whole.n;
    if (line->type == 'c' && !out->connection.given)
        return parse_connection(line->value, &out->connection);
    if (line->type == 'a')
        out->has_direction = parse_direction(line->value, &out->direction) || out->has_direction;
    return 0;
}

/* ---- the whole ---- */

/* v=, o= and s= come first, in this order (RFC 4566 §5). */
static int parse_head(const struct line *line, unsigned number, struct sdp *out)
{
    static const char order[] = "vos";
    out->session.n += line->whole.n;
    if (line->type != order[number])
        return FE_ESYNTAX;
    if (line->type == 'v')
        return span_is(line->value, "0") ? 0 : FE_ESYNTAX;
    if (line->type == 'o')
        return parse_origin(line->value, out);
    out->name = line->value;
    return 0;
}

static int parse_line(const struct line *line, unsigned number, struct sdp *out)
{
    if (number < 3)
        return parse_head(line, number, out);
    if (line->type != 'm')
        return out->n_media ? parse_media_part(line, &out->media[out->n_media - 1]) : parse_session_part(line, out);
    if (out->n_media == SDP_MAX_MEDIA)
        return FE_ERANGE;
    return parse_media_line(line, &out->media[out->n_media++]);
}

/* What a stream does not say itself it takes from the session. A refused stream needs no address. */
static int inherit(const struct sdp *sdp, struct sdp_media *m)
{
    m->connection = m->own.given ? m->own : sdp->connection;
    if (!m->has_direction)
        m->direction = sdp->direction;
    return m->connection.given || m->port == 0 ? 0 : FE_ESYNTAX;
}

int sdp_parse(struct span body, struct sdp *out, size_t *offset)
{
    struct span rest = body;
    struct line line;
    unsigned number = 0;
    int got;
    int error = 0;
    memset(out, 0, offsetof(struct sdp, media));
    out->bytes = body;
    out->session = (struct span){body.p, 0};
    while (!error && (got = take_line(&rest, &line)) != 0)
        error = got < 0 ? got : parse_line(&line, number++, out);
    if (offset)
        *offset = error ? (size_t)(line.whole.p - body.p) : body.n;
    if (!error && number < 3)
        error = FE_ESYNTAX;
    for (size_t i = 0; !error && i < out->n_media; i++)
        error = inherit(out, &out->media[i]);
    return error;
}
