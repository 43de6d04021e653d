#include "sim/report/report_text.h"

#include "nodes/base/text.h"

#include <stdint.h>

const char *report_time(lab_time t, char buf[REPORT_TIME])
{
    struct text text = text_on(buf, REPORT_TIME);
    if (t >= HOUR) {
        lab_time minutes = t / MINUTE % 60;
        lab_time seconds = t / SEC % 60;
        text_i64(&text, t / HOUR);
        text_str(&text, minutes < 10 ? ":0" : ":");
        text_i64(&text, minutes);
        text_str(&text, seconds < 10 ? ":0" : ":");
        text_i64(&text, seconds);
        text_char(&text, '.');
        text_i64(&text, t % SEC / (100 * MS));
    } else {
        text_fixed(&text, t / MS, 3);
        text_char(&text, 's');
    }
    return buf;
}

const char *report_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* 7.5 s; 12 s */
static void tenths(struct text *t, lab_time value, lab_time unit, const char *name)
{
    lab_time whole = value / unit;
    lab_time tenth = value % unit * 10 / unit;
    text_i64(t, whole);
    if (tenth && whole < 10) {
        text_char(t, '.');
        text_i64(t, tenth);
    }
    text_str(t, name);
}

/* 2 h 10 min; 5 min */
static void pair(struct text *t, lab_time value, lab_time unit, const char *name, lab_time lesser, const char *rest)
{
    text_i64(t, value / unit);
    text_str(t, name);
    if (value % unit / lesser) {
        text_char(t, ' ');
        text_i64(t, value % unit / lesser);
        text_str(t, rest);
    }
}

const char *report_duration(lab_time t, char buf[REPORT_TIME])
{
    struct text text = text_on(buf, REPORT_TIME);
    if (t < 0)
        t = 0;
    if (t < SEC)
        tenths(&text, t, MS, " ms");
    else if (t < MINUTE)
        tenths(&text, t, SEC, " s");
    else if (t < HOUR)
        pair(&text, t, MINUTE, " min", SEC, " s");
    else
        pair(&text, t, HOUR, " h", MINUTE, " min");
    return buf;
}

/* ---- XML ---- */

static const char *entity(char c)
{
    switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* U+FFFE or U+FFFF */
static bool is_noncharacter(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return b[0] == 0xef && b[1] == 0xbf && (b[2] == 0xbe || b[2] == 0xbf);
}

static bool continues(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

void report_escape_cut(FILE *out, const char *text, size_t most)
{
    size_t shown = 0;
    for (const char *p = text; p && *p; p++) {
        const char *name = entity(*p);
        if (!continues(*p) && ++shown > most) {
            fputs("…", out);
            return;
        }
        if (name)
            fputs(name, out);
        else if (is_noncharacter(p))
            p += 2;
        else if ((uint8_t)*p >= 0x20 || *p == '\n' || *p == '\t')
            fputc(*p, out);
    }
}

void report_escape(FILE *out, const char *text)
{
    report_escape_cut(out, text, SIZE_MAX);
}

size_t report_length(const char *text)
{
    size_t n = 0;
    for (; text && *text; text++)
        n += !continues(*text);
    return n;
}
