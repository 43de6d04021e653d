#include "nodes/base/calendar.h"

#include "nodes/base/error.h"

enum { DAY = 24 * 3600 };

/* Years begin in March here, so that the leap day is the last of its year; 400 years are an era of 146097 days. */
static int64_t days_before(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468; /* 0000-03-01 is 719468 days before 1970-01-01 */
}

int64_t calendar_seconds(const struct calendar *c)
{
    return days_before(c->year, c->month, c->day) * DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

static int64_t clamped(int64_t seconds)
{
    const int64_t first = days_before(0, 1, 1) * DAY;
    const int64_t last = days_before(10000, 1, 1) * DAY - 1;
    return seconds < first ? first : seconds > last ? last : seconds;
}

struct calendar calendar_of(int64_t seconds)
{
    seconds = clamped(seconds);
    int64_t days = (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
    int rest = (int)(seconds - days * DAY);
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct calendar){.year = (int)(yoe + era * 400) + (month <= 2),
                             .month = month,
                             .day = (int)(doy - (153 * mp + 2) / 5 + 1),
                             .hour = rest / 3600,
                             .minute = rest / 60 % 60,
                             .second = rest % 60};
}

static void digits(struct text *t, int value, int n)
{
    char buf[8];
    for (int i = n; i-- > 0; value /= 10)
        buf[i] = (char)('0' + value % 10);
    text_put(t, span_make(buf, (size_t)n));
}

void calendar_text(struct text *t, int64_t seconds)
{
    struct calendar c = calendar_of(seconds);
    digits(t, c.year, 4);
    text_char(t, '-');
    digits(t, c.month, 2);
    text_char(t, '-');
    digits(t, c.day, 2);
    text_char(t, 'T');
    digits(t, c.hour, 2);
    text_char(t, ':');
    digits(t, c.minute, 2);
    text_char(t, ':');
    digits(t, c.second, 2);
    text_char(t, 'Z');
}

/* ---- reading ---- */

/* As many digits as `form` has, and its other characters as they are. */
static bool has_form(struct span s, const char *form)
{
    if (s.n != strlen(form))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] == '0' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
            return false;
    return true;
}

static int number(struct span s, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++)
        value = 10 * value + (s.p[i] - '0');
    return value;
}

int calendar_parse(struct span s, int64_t *seconds)
{
    bool whole = has_form(s, "0000-00-00T00:00:00Z");
    if (!whole && !has_form(s, "0000-00-00"))
        return FE_ESYNTAX;
    struct calendar c = {.year = number(s, 0, 4), .month = number(s, 5, 2), .day = number(s, 8, 2)};
    if (whole) {
        c.hour = number(s, 11, 2);
        c.minute = number(s, 14, 2);
        c.second = number(s, 17, 2);
    }
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 || c.second > 59)
        return FE_ERANGE;
    int64_t found = calendar_seconds(&c);
    if (calendar_of(found).day != c.day) /* the 30th of February is another month's */
        return FE_ERANGE;
    *seconds = found;
    return 0;
}
