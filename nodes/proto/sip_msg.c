/* Framing: start line, header lines, body.
 *
 * The ends of lines are found eight bytes at a time; what stands between them is then looked at once. The parser
 * remembers the first fault and goes on, because RFC 3261 wants an answer even to most broken requests, and an answer
 * needs the Via, From, To, Call-ID and CSeq that stand around the fault. */
#include "nodes/proto/sip_msg.h"

#include "nodes/proto/sip_lex.h"
#include "nodes/proto/sip_uri.h"

#include <assert.h>

static_assert(SIP_MAX_HEADERS < UINT8_MAX, "indices of headers are bytes");

struct framing {
    struct sip_msg *m;
    struct sip_problem problem;
    int error;
    const char *start; /* of the message */
    const char *p, *end;
};

static void fault(struct framing *f, int error, enum sip_fault what, struct span about)
{
    if (f->error)
        return;
    f->error = error;
    f->problem.fault = what;
    f->problem.about = about;
    f->problem.offset = (size_t)(about.p - f->start);
}

/* The top bit of each byte of the word that is below `limit` (at most 0x80). Above such a byte there may be false ones,
 * to where its subtraction borrows; the lowest one is always right. */
static inline uint64_t bytes_below(uint64_t word, uint8_t limit)
{
    const uint64_t ones = UINT64_MAX / 255;
    return (word - ones * limit) & ~word & ones * 0x80;
}

/* Eight bytes, the first one lowest. */
static inline uint64_t load_word(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The first CR or LF from p on, or end. Eight bytes at a time; other controls, as tabs, are rare. */
static inline const char *find_line_end(const char *p, const char *end)
{
    while (end - p >= 16) {
        uint64_t below = bytes_below(load_word(p), '\r' + 1);
        if (!below) {
            p += 8;
            below = bytes_below(load_word(p), '\r' + 1);
        }
        if (!below) {
            p += 8;
            continue;
        }
        p += __builtin_ctzll(below) / 8;
        if (*p == '\r' || *p == '\n')
            return p;
        p++;
    }
    while (p < end && *p != '\r' && *p != '\n')
        p++;
    return p;
}

/* Takes a line that does not simply end in CR LF. */
static bool take_odd_line(struct framing *f, struct span *line)
{
    size_t n = (size_t)(f->end - f->p);
    const char *lf = n ? memchr(f->p, '\n', n) : NULL;
    if (!lf)
        return false;
    *line = sip_between(f->p, lf);
    f->p = lf + 1;
    if (line->n == 0 || lf[-1] != '\r') {
        fault(f, FE_ESYNTAX, SIP_FAULT_LINE_END, *line);
        return true;
    }
    line->n--;
    if (line->n && memchr(line->p, '\r', line->n))
        fault(f, FE_ESYNTAX, SIP_FAULT_LINE_END, *line);
    return true;
}

/* Takes one line, without its end. false: there is no line end any more. */
static inline bool take_line(struct framing *f, struct span *line)
{
    const char *at = find_line_end(f->p, f->end);
    if (f->end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return take_odd_line(f, line);
    *line = sip_between(f->p, at);
    f->p = at + 2;
    return true;
}

/* ---- start line ---- */

/* Splits at the first two single blanks; the third part may hold more of them. false: there are fewer. */
static bool split_start_line(struct span line, struct span *first, struct span *second, struct span *third)
{
    struct span rest;
    *first = span_cut(line, ' ', &rest);
    *second = span_cut(rest, ' ', third);
    return third->p != NULL;
}

/* Is it "SIP/2.0", or at least a version? */
static enum sip_fault judge_version(struct span version)
{
    struct sip_lex l = sip_lex_on(version);
    if (SIP_IS(version, "SIP/2.0"))
        return SIP_FINE;
    struct span name = sip_lex_run(&l, SIP_CHAR_TOKEN);
    if (!span_equal_nocase(name, SPAN("SIP")) || !sip_lex_char(&l, '/') || sip_lex_end(&l))
        return SIP_FAULT_START_LINE;
    for (; !sip_lex_end(&l); l.p++)
        if (!sip_is_digit(*l.p) && *l.p != '.')
            return SIP_FAULT_START_LINE;
    return SIP_FAULT_VERSION;
}

static void parse_status_line(struct framing *f, struct span line)
{
    struct sip_msg *m = f->m;
    struct span version;
    struct span status;
    uint64_t value;
    if (!split_start_line(line, &version, &status, &m->reason)) {
        fault(f, FE_ESYNTAX, SIP_FAULT_START_LINE, line);
        return;
    }
    if (judge_version(version))
        fault(f, FE_ESYNTAX, judge_version(version), version);
    if (status.n != 3 || span_u64(status, 699, &value) || value < 100)
        fault(f, FE_ESYNTAX, SIP_FAULT_STATUS, status);
    else
        m->status = (unsigned)value;
}

static void parse_request_line(struct framing *f, struct span line)
{
    struct sip_msg *m = f->m;
    struct span version = {0};
    struct sip_uri uri;
    m->request = true;
    bool whole = split_start_line(line, &m->method_text, &m->uri, &version);
    m->method = sip_method_id(m->method_text);
    if (m->method == SIP_EXTENSION_METHOD && !sip_is_token(m->method_text))
        fault(f, FE_ESYNTAX, SIP_FAULT_METHOD, m->method_text);
    if (!whole || m->uri.n == 0) {
        fault(f, FE_ESYNTAX, SIP_FAULT_START_LINE, line);
        return;
    }
    if (judge_version(version))
        fault(f, FE_ESYNTAX, judge_version(version), version);
    if (sip_uri_parse(m->uri, &uri) || uri.headers.p)
        fault(f, FE_ESYNTAX, SIP_FAULT_URI, m->uri);
}

static void parse_start_line(struct framing *f, struct span line)
{
    f->m->start_line = line;
    if (line.n >= 4 && span_alike((struct span){line.p, 4}, SPAN("SIP/")))
        parse_status_line(f, line);
    else
        parse_request_line(f, line);
}

/* ---- header lines ---- */

/* Room for one more header. It is filled in place: a copy of a struct that has just been written costs more than all
 * the rest of its line. NULL: there are too many. */
static struct sip_header *add_header(struct framing *f, enum sip_header_id id)
{
    struct sip_msg *m = f->m;
    if (m->n_headers == SIP_MAX_HEADERS)
        return NULL;
    struct sip_header *h = &m->headers[m->n_headers++];
    h->id = (uint8_t)id;
    h->next = 0;
    if (id == SIP_H_OTHER)
        return h;
    uint8_t number = (uint8_t)m->n_headers;
    if (!m->first[id])
        m->first[id] = number;
    struct sip_header *first = &m->headers[m->first[id] - 1];
    if (first != h)
        m->headers[first->last - 1].next = number;
    first->last = number;
    return h;
}

/* The continuation lines of a folded header belong to it (§7.3.1). */
static struct span take_folds(struct framing *f, struct span line)
{
    struct span more;
    while (f->p < f->end && sip_is_blank(*f->p) && take_line(f, &more))
        line = sip_between(line.p, more.p + more.n);
    return line;
}

/* The token at the start of a line; the line's end stops it, which is behind the span and no token. */
static struct span header_name(struct span line)
{
    const char *p = line.p;
    while (sip_char_is(*p, SIP_CHAR_TOKEN))
        p++;
    return sip_between(line.p, p);
}

static void parse_header(struct framing *f, struct span line)
{
    struct span name = header_name(line);
    struct sip_lex l = sip_lex_on(line);
    l.p += name.n;
    while (!sip_lex_end(&l) && sip_is_blank(*l.p))
        l.p++;
    if (name.n == 0 || !sip_lex_char(&l, ':')) {
        fault(f, FE_ESYNTAX, SIP_FAULT_HEADER_NAME, line);
        return;
    }
    struct sip_header *h = add_header(f, sip_header_id(name));
    if (!h) {
        fault(f, FE_ERANGE, SIP_FAULT_TOO_MANY, line);
        return;
    }
    h->name = name;
    h->value = sip_lex_trim(sip_lex_rest(&l));
    h->bytes = sip_between(line.p, f->p);
}

/* Everything up to the empty line. false: it never comes. */
static bool parse_head(struct framing *f)
{
    struct span line;
    if (!take_line(f, &line))
        return false;
    parse_start_line(f, line);
    while (take_line(f, &line)) {
        if (line.n == 0) {
            f->m->blank = sip_between(line.p, f->p);
            return true;
        }
        parse_header(f, take_folds(f, line));
    }
    return false;
}

/* ---- what the headers mean for framing ---- */

static void read_content_length(struct framing *f, uint32_t *length)
{
    const struct sip_header *h = sip_find(f->m, SIP_H_CONTENT_LENGTH);
    *length = 0;
    if (!h)
        return;
    if (sip_number_parse(h->value, UINT32_MAX, length))
        fault(f, FE_ESYNTAX, SIP_FAULT_CONTENT_LENGTH, h->bytes);
    else if (h->next)
        fault(f, FE_ESYNTAX, SIP_FAULT_CONTENT_LENGTH, f->m->headers[h->next - 1].bytes);
    else
        f->m->has_length = true;
}

static void read_response_method(struct sip_msg *m)
{
    struct sip_cseq cseq;
    if (m->request || sip_cseq_parse(sip_value(m, SIP_H_CSEQ), &cseq))
        return;
    m->method = cseq.method;
    m->method_text = cseq.method_text;
}

static void skip_line_ends(struct framing *f)
{
    while (f->end - f->p >= 2 && f->p[0] == '\r' && f->p[1] == '\n')
        f->p += 2;
}

/* Who is answered, and how (§8.2, §18.3): requests with a Via, except ACK. */
static unsigned answer(const struct framing *f)
{
    const struct sip_msg *m = f->m;
    if (!m->request || m->method == SIP_ACK || !m->blank.p || !m->first[SIP_H_VIA])
        return 0;
    if (f->problem.fault == SIP_FAULT_TOO_MANY)
        return 513;
    return f->problem.fault == SIP_FAULT_VERSION ? 505 : 400;
}

static int report(struct framing *f, struct sip_problem *why)
{
    if (f->error)
        f->problem.status = answer(f);
    if (why)
        *why = f->problem;
    return f->error;
}

/* Only what is always read is cleared: the headers beyond n_headers stay as they are. */
static void clear(struct sip_msg *m)
{
    memset(m, 0, offsetof(struct sip_msg, headers));
}

static struct framing framing_on(struct span bytes, struct sip_msg *m)
{
    struct span some = bytes.n ? bytes : SPAN("");
    struct framing f = {.m = m, .p = some.p, .end = some.p + some.n};
    clear(m);
    skip_line_ends(&f);
    f.start = f.p;
    return f;
}

int sip_parse(struct span datagram, struct sip_msg *m, struct sip_problem *why)
{
    struct framing f = framing_on(datagram, m);
    uint32_t length;
    m->bytes = sip_between(f.start, f.end);
    if (f.p == f.end) {
        fault(&f, FE_ESHORT, SIP_FAULT_EMPTY, m->bytes);
        return report(&f, why);
    }
    if (!parse_head(&f)) {
        fault(&f, FE_ESHORT, SIP_FAULT_TRUNCATED, sip_between(f.end, f.end));
        return report(&f, why);
    }
    read_content_length(&f, &length);
    read_response_method(m);
    m->body = sip_between(f.p, f.end);
    if (m->has_length && length > m->body.n)
        fault(&f, FE_ESYNTAX, SIP_FAULT_BODY_SHORT, sip_find(m, SIP_H_CONTENT_LENGTH)->bytes);
    else if (m->has_length)
        m->body.n = length;
    m->bytes = sip_between(f.start, m->body.p + m->body.n);
    return report(&f, why);
}

/* The message is not whole yet: wait, unless it will never fit. */
static int need_more(struct framing *f, struct span stream, size_t max, size_t *used)
{
    size_t before = stream.n ? (size_t)(f->start - stream.p) : 0;
    if (stream.n - before < max) {
        *used = before;
        return FE_EAGAIN;
    }
    *used = 0;
    return FE_ERANGE;
}

int sip_parse_stream(struct span stream, size_t max, struct sip_msg *m, struct sip_problem *why, size_t *used)
{
    struct framing f = framing_on(stream, m);
    uint32_t length;
    if (why)
        *why = (struct sip_problem){0};
    m->bytes = sip_between(f.start, f.end);
    if (f.p == f.end || !parse_head(&f))
        return need_more(&f, stream, max, used);
    read_content_length(&f, &length);
    read_response_method(m);
    m->body = sip_between(f.p, f.p);
    m->bytes = sip_between(f.start, f.p);
    *used = 0;
    if (!m->has_length) {
        fault(&f, FE_ESYNTAX, SIP_FAULT_CONTENT_LENGTH, m->blank);
        return report(&f, why);
    }
    size_t head = m->bytes.n;
    if (head > max || length > max - head) {
        fault(&f, FE_ERANGE, SIP_FAULT_CONTENT_LENGTH, sip_find(m, SIP_H_CONTENT_LENGTH)->bytes);
        return report(&f, why);
    }
    if ((size_t)(f.end - f.p) < length)
        return need_more(&f, stream, max, used);
    m->body.n = length;
    m->bytes.n += length;
    *used = (size_t)(m->bytes.p - stream.p) + m->bytes.n;
    return report(&f, why);
}
