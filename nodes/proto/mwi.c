#include "nodes/proto/mwi.h"

#include "nodes/base/error.h"

static int count_parse(struct span s, uint32_t *out)
{
    uint64_t value;
    int error = span_u64(span_trim(s), UINT32_MAX, &value);
    if (!error)
        *out = (uint32_t)value;
    return error;
}

int mwi_counts_parse(struct span text, uint32_t *new, uint32_t *old)
{
    struct span rest;
    struct span first = span_cut(text, '/', &rest);
    int error = rest.p ? count_parse(first, new) : FE_ESYNTAX;
    return error ? error : count_parse(rest, old);
}

static struct span line_cut(struct span *body)
{
    struct span line = span_cut(*body, '\n', body);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static int line_read(struct span line, struct mwi *out)
{
    struct span value;
    struct span urgent;
    struct span name = span_trim(span_cut(line, ':', &value));
    value = span_trim(value);
    if (span_equal_nocase(name, SPAN("Message-Account")))
        out->account = value;
    if (!span_equal_nocase(name, SPAN("Voice-Message")))
        return 0;
    out->has_counts = true;
    return mwi_counts_parse(span_trim(span_cut(value, '(', &urgent)), &out->new, &out->old);
}

int mwi_parse(struct span body, struct mwi *out)
{
    struct span value;
    *out = (struct mwi){0};
    struct span first = line_cut(&body);
    if (!span_equal_nocase(span_trim(span_cut(first, ':', &value)), SPAN("Messages-Waiting")))
        return FE_ESYNTAX;
    value = span_trim(value);
    out->waiting = span_equal_nocase(value, SPAN("yes"));
    if (!out->waiting && !span_equal_nocase(value, SPAN("no")))
        return FE_ESYNTAX;
    int error = 0;
    while (!error && body.n)
        error = line_read(line_cut(&body), out);
    return error;
}

void mwi_write(const struct mwi *m, struct text *out)
{
    text_str(out, m->waiting ? "Messages-Waiting: yes\r\n" : "Messages-Waiting: no\r\n");
    if (m->account.n) {
        text_str(out, "Message-Account: ");
        text_put(out, m->account);
        text_str(out, "\r\n");
    }
    text_str(out, "Voice-Message: ");
    text_u64(out, m->new);
    text_char(out, '/');
    text_u64(out, m->old);
    text_str(out, " (0/0)\r\n");
}
