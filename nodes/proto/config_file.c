#include "nodes/proto/config_file.h"

#include "nodes/base/error.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span line_cut(struct span *rest)
{
    struct span line = span_cut(*rest, '\n', rest);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* Columns count characters: bytes that continue one are passed over. */
static unsigned column_of(struct span line, const char *at)
{
    unsigned column = 1;
    for (const char *p = line.p; p < at; p++)
        column += ((unsigned char)*p & 0xc0) != 0x80;
    return column;
}

/* "[DEVICE_CONFIG]" heads a section of the 1200 series' files: of no meaning here. */
static bool says_nothing(struct span trimmed)
{
    return trimmed.n == 0 || trimmed.p[0] == '#' || trimmed.p[0] == '[';
}

/* ---- the format ---- */

/* "NAME value": capitals, digits and underscores, then a blank or the end. */
static bool is_words(struct span trimmed)
{
    size_t n = 0;
    while (n < trimmed.n && ((trimmed.p[n] >= 'A' && trimmed.p[n] <= 'Z') ||
                             (trimmed.p[n] >= '0' && trimmed.p[n] <= '9') || trimmed.p[n] == '_'))
        n++;
    return n > 0 && (n == trimmed.n || is_blank(trimmed.p[n]));
}

static enum config_format format_of(struct span text)
{
    while (text.p) {
        struct span line = span_trim(line_cut(&text));
        if (!says_nothing(line))
            return is_words(line) ? CONFIG_WORDS : CONFIG_COLON;
    }
    return CONFIG_COLON;
}

void config_begin(struct config_reader *r, struct span text)
{
    struct span mark = SPAN("\xef\xbb\xbf"); /* some editors put it in front of UTF-8 */
    if (span_starts(text, mark))
        text = (struct span){text.p + mark.n, text.n - mark.n};
    if (!text.p)
        text = SPAN("");
    *r = (struct config_reader){.rest = text, .format = format_of(text)};
}

/* ---- a line ---- */

static int mistake(struct config_reader *r, struct span line, const char *at, const char *why)
{
    r->column = column_of(line, at);
    r->why = why;
    return FE_ESYNTAX;
}

/* Where a comment begins behind a value: '#' after a blank, in Avaya's files "##". */
static size_t value_end(const struct config_reader *r, struct span s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == '#' && is_blank(s.p[i - 1]) && (r->format == CONFIG_COLON || (i + 1 < s.n && s.p[i + 1] == '#')))
            return i;
    return s.n;
}

/* Only a comment may follow the closing quote. */
static int quoted_read(struct config_reader *r, struct span line, struct span s, struct config_item *out)
{
    struct span inside = {s.p + 1, s.n - 1};
    struct span after;
    out->value = span_cut(inside, '"', &after);
    if (!after.p)
        return mistake(r, line, s.p, "a quote that closes this one");
    struct span rest = span_trim(after);
    if (rest.n && rest.p[0] != '#')
        return mistake(r, line, rest.p, "nothing but a comment behind the closing quote");
    return 1;
}

static int value_read(struct config_reader *r, struct span line, struct span s, struct config_item *out)
{
    s = span_trim(s);
    out->value_column = column_of(line, s.p);
    if (s.n && s.p[0] == '"')
        return quoted_read(r, line, s, out);
    if (s.n && s.p[0] == '#') /* an empty value, and a comment */
        s.n = 0;
    out->value = span_trim((struct span){s.p, value_end(r, s)});
    return 1;
}

static int colon_read(struct config_reader *r, struct span line, struct span s, struct config_item *out)
{
    struct span value;
    out->locked = s.p[0] == '!';
    if (out->locked)
        s = span_trim((struct span){s.p + 1, s.n - 1});
    out->name = span_trim(span_cut(s, ':', &value));
    out->name_column = column_of(line, s.p);
    if (!value.p || out->name.n == 0)
        return mistake(r, line, s.p, "a parameter and its value, as: sip proxy ip: 192.168.0.101");
    return value_read(r, line, value, out);
}

static int words_read(struct config_reader *r, struct span line, struct span s, struct config_item *out)
{
    struct span set = SPAN("SET");
    if (span_starts(s, set) && (s.n == set.n || is_blank(s.p[set.n])))
        s = span_trim((struct span){s.p + set.n, s.n - set.n});
    size_t n = 0;
    while (n < s.n && !is_blank(s.p[n]))
        n++;
    out->name = (struct span){s.p, n};
    out->name_column = column_of(line, s.p);
    if (n == 0 || !is_words(out->name))
        return mistake(r, line, s.p, "a parameter and its value, as: SET SIPDOMAIN lab.example");
    return value_read(r, line, (struct span){s.p + n, s.n - n}, out);
}

int config_next(struct config_reader *r, struct config_item *out)
{
    while (r->rest.p) {
        struct span line = line_cut(&r->rest);
        struct span s = span_trim(line);
        r->line++;
        if (says_nothing(s))
            continue;
        *out = (struct config_item){.line = r->line};
        return r->format == CONFIG_COLON ? colon_read(r, line, s, out) : words_read(r, line, s, out);
    }
    return 0;
}
