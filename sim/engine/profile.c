#include "sim/engine/profile.h"

#include "nodes/base/units.h"

enum { YEAR_DAYS = 366, DAY_HOURS = 24 };

size_t profile_lines(struct span text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static bool says_nothing(struct span line)
{
    return span_empty(line) || line.p[0] == '#' || span_starts(line, SPAN("time"));
}

static bool time_read(struct span s, lab_time *out)
{
    return units_time(span_trim(s), out) == 0 && *out <= YEAR_DAYS * DAY_HOURS * HOUR;
}

/* NULL, or what is wrong. */
static const char *row_read(struct span line, struct profile_row *row)
{
    struct span delay;
    struct span loss;
    struct span at = span_cut(line, ',', &delay);
    delay = span_cut(delay, ',', &loss);
    if (!loss.p)
        return "expected time,delay,loss";
    if (!time_read(at, &row->at))
        return "the time is none; expected one as 30s";
    if (!time_read(delay, &row->delay))
        return "the delay is no time; expected one as 20ms";
    if (units_ratio(span_trim(loss), &row->loss))
        return "the loss is no ratio; expected one as 0.5%";
    return NULL;
}

static struct span line_cut(struct span *text)
{
    struct span line = span_cut(*text, '\n', text);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return span_trim(line);
}

size_t profile_parse(struct span text, struct profile_row *rows, size_t cap, unsigned *line, const char **why)
{
    size_t n = 0;
    *line = 0;
    *why = "it has no line with time,delay,loss";
    while (text.n) {
        struct profile_row row;
        struct span s = line_cut(&text);
        ++*line;
        if (says_nothing(s))
            continue;
        const char *wrong = row_read(s, &row);
        if (!wrong && row.at != 0 && n == 0)
            wrong = "the first line's time has to be 0s";
        if (!wrong && n > 0 && row.at <= rows[n - 1].at)
            wrong = "the time does not lie after the line before";
        if (!wrong && n == cap)
            wrong = "there are too many lines";
        if (wrong) {
            *why = wrong;
            return 0;
        }
        rows[n++] = row;
    }
    if (n == 0)
        *line = 0;
    return n;
}

const struct profile_row *profile_at(const struct profile *p, lab_time now, size_t *row)
{
    lab_time at = p->loop ? now % p->rows[p->n - 1].at : now;
    if (at < p->rows[*row].at)
        *row = 0;
    while (*row + 1 < p->n && p->rows[*row + 1].at <= at)
        ++*row;
    return &p->rows[*row];
}
