#include "sim/lab/form.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/base/units.h"
#include "sim/lab/names.h"

#include <assert.h>

const char *field_expects(const struct field *field)
{
    switch (field->type) {
    case FIELD_FLAG: return "yes or no";
    case FIELD_COUNT: return "a whole number";
    case FIELD_TIME: return "a time with its unit, as 500ms, 30s or 1.5min";
    case FIELD_RATIO: return "a ratio, as 0.5% or 300ppm";
    case FIELD_RATE: return "a rate, as 64kbit/s or 10Mbit/s";
    case FIELD_SIZE: return "a size, as 1500B or 64kB";
    case FIELD_CHOICE: return "one of the words";
    case FIELD_TEXT: return "a text";
    case FIELD_NAME: return "a name";
    case FIELD_ANY: return "a value";
    }
    return "a value";
}

const struct field *form_field(const struct field *form, const char *name)
{
    for (; form->name; form++)
        if (strcmp(form->name, name) == 0)
            return form;
    return NULL;
}

void form_unknown(const struct form_reader *r, const struct doc *key, const struct field *form,
                  const struct field *more)
{
    struct nearest best = {0};
    for (const struct field *f = form; f && f->name; f++)
        nearest_offer(&best, span_of(key->text), span_of(f->name));
    for (const struct field *f = more; f && f->name; f++)
        nearest_offer(&best, span_of(key->text), span_of(f->name));
    bool near = !span_empty(best.name);
    problem(r->problems, key->at, "\"", key->text, "\" is not known here", near ? "; did you mean \"" : "",
            near ? best.name.p : "", near ? "\"?" : "");
}

/* ---- one value ---- */

static bool words_have(const char *const *words, const char *text)
{
    for (; *words; words++)
        if (strcmp(*words, text) == 0)
            return true;
    return false;
}

static int choice_read(const struct field *f, const char *text, int *out)
{
    for (int i = 0; f->choices[i]; i++)
        if (strcmp(f->choices[i], text) == 0) {
            *out = i;
            return 0;
        }
    return FE_EUNKNOWN;
}

static int bounded(const struct field *f, int64_t value)
{
    return value < f->min || (f->max && value > f->max) ? FE_ERANGE : 0;
}

static int size_read(const struct field *f, struct span s, uint32_t *out)
{
    uint64_t bytes;
    int error = units_size(s, &bytes);
    if (!error && bytes > UINT32_MAX)
        return FE_ERANGE;
    if (!error)
        error = bounded(f, (int64_t)bytes);
    if (!error)
        *out = (uint32_t)bytes;
    return error;
}

static int count_read(const struct field *f, struct span s, uint32_t *out)
{
    uint64_t n;
    int error = span_u64(s, UINT32_MAX, &n);
    if (!error)
        error = bounded(f, (int64_t)n);
    if (!error)
        *out = (uint32_t)n;
    return error;
}

static int time_read(const struct field *f, struct span s, lab_time *out)
{
    lab_time t;
    int error = units_time(s, &t);
    if (!error)
        error = t == NEVER || t > 366 * 24 * HOUR ? FE_ERANGE : bounded(f, t);
    if (!error)
        *out = t;
    return error;
}

static int text_read(const struct field *f, const char *text, const char **out)
{
    if (!*text)
        return FE_ESYNTAX;
    if (f->choices && !words_have(f->choices, text))
        return FE_EUNKNOWN;
    *out = text;
    return 0;
}

static int field_read(const struct field *f, const struct doc *value, void *at)
{
    struct span s = span_of(value->text);
    switch (f->type) {
    case FIELD_FLAG: return units_flag(s, at);
    case FIELD_COUNT: return count_read(f, s, at);
    case FIELD_TIME: return time_read(f, s, at);
    case FIELD_RATIO: return units_ratio(s, at);
    case FIELD_RATE: return units_rate(s, at);
    case FIELD_SIZE: return size_read(f, s, at);
    case FIELD_CHOICE: return choice_read(f, value->text, at);
    case FIELD_TEXT: return text_read(f, value->text, at);
    case FIELD_NAME:
    case FIELD_ANY: *(const struct doc **)at = value; return s.n ? 0 : FE_ESYNTAX;
    }
    return FE_ESYNTAX;
}

static void say_bad(const struct form_reader *r, const struct doc *value, const struct field *f, int error)
{
    if (f->choices) {
        problem(r->problems, value->at, f->name, ": \"", value->text, "\" is not ", words_list(r->arena, f->choices),
                words_hint(r->arena, f->choices, value->text));
        return;
    }
    char buf[80];
    struct text bounds = text_on(buf, sizeof buf);
    if (f->type == FIELD_COUNT && f->max) {
        text_str(&bounds, " from ");
        text_i64(&bounds, f->min);
        text_str(&bounds, " to ");
        text_i64(&bounds, f->max);
    }
    problem(r->problems, value->at, f->name, ": \"", value->text,
            error == FE_ERANGE ? "\" is out of range; expected " : "\" is not ", field_expects(f), buf);
}

bool form_value(const struct form_reader *r, const struct doc *value, const struct field *f, void *out)
{
    void *at = (char *)out + f->at;
    if (f->type == FIELD_ANY) {
        *(const struct doc **)at = value;
        return true;
    }
    if (value->type != DOC_TEXT) {
        problem(r->problems, value->at, f->name, ": expected ",
                f->choices ? words_list(r->arena, f->choices) : field_expects(f));
        return false;
    }
    int error = field_read(f, value, at);
    if (error)
        say_bad(r, value, f, error);
    return !error;
}

/* ---- the whole ---- */

static uint32_t missing(const struct form_reader *r, const struct doc *d, const struct field *form, uint32_t given)
{
    for (unsigned i = 0; form[i].name; i++)
        if (form[i].needed && !(given & 1u << i)) {
            problem(r->problems, d->at, "\"", form[i].name, "\" is missing here: ", form[i].help);
            given |= FORM_BAD;
        }
    return given;
}

uint32_t form_read(const struct form_reader *r, const struct doc *d, const struct field *form, void *out)
{
    uint32_t given = 0;
    if (d->type != DOC_MAP) {
        problem(r->problems, d->at, "expected names with values here, as {", form->name, ": …}");
        return FORM_BAD;
    }
    for (size_t i = 0; i < d->n; i++) {
        const struct field *f = form_field(form, d->entries[i].key->text);
        if (!f) {
            form_unknown(r, d->entries[i].key, form, NULL);
            given |= FORM_BAD;
            continue;
        }
        assert(f - form < 31);
        given |= 1u << (f - form);
        if (!form_value(r, d->entries[i].value, f, out))
            given |= FORM_BAD;
    }
    return missing(r, d, form, given);
}
