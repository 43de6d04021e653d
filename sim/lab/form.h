/* A form is the table of the fields that a mapping of the lab file may have. It is declared once; the checker, the
 * reader and the JSON Schema all come from it. (A node's settings have such a table too: nodes/base/option.h.) */
#ifndef FAREND_LAB_FORM_H
#define FAREND_LAB_FORM_H

#include "nodes/base/lab_time.h"
#include "sim/lab/doc.h"

#include <stdint.h>

enum field_type {
    FIELD_FLAG,   /* bool */
    FIELD_COUNT,  /* uint32_t, from min to max */
    FIELD_TIME,   /* lab_time, not "never" */
    FIELD_RATIO,  /* uint32_t, ppm */
    FIELD_RATE,   /* uint64_t, bits a second */
    FIELD_SIZE,   /* uint32_t, bytes */
    FIELD_CHOICE, /* int, index into `choices` */
    FIELD_TEXT,   /* const char * */
    FIELD_NAME,   /* const struct doc *, a text: the name of a node, network or wire, resolved by the reader of the form
                   */
    FIELD_ANY,    /* const struct doc *: read by somebody else, of the schema's definition `means` */
};

struct field {
    const char *name; /* NULL ends a form */
    enum field_type type;
    size_t at; /* offset in the struct that is read into */
    const char *help;
    const char *const *choices; /* FIELD_CHOICE; FIELD_TEXT with the words that it is checked against */
    const char *means;          /* FIELD_ANY: a definition of the schema */
    int64_t min, max;           /* FIELD_COUNT, FIELD_SIZE, FIELD_TIME; max 0: no bound */
    bool needed;
};

struct form_reader {
    struct arena *arena;
    struct problems *problems;
};

/* Reads a mapping. Fields that are absent leave *out as it is. Returns a set of the fields that were given, bit i for
 * form[i]; FORM_BAD is in it after a problem. A form has at most 31 fields. */
#define FORM_BAD 0x80000000u
uint32_t form_read(const struct form_reader *r, const struct doc *d, const struct field *form, void *out);

/* One field. False after a problem. */
bool form_value(const struct form_reader *r, const struct doc *value, const struct field *field, void *out);

/* The field, or NULL. */
const struct field *form_field(const struct field *form, const char *name);

/* Complains about a key that no form has, with the nearest spelling among both (either may be NULL). */
void form_unknown(const struct form_reader *r, const struct doc *key, const struct field *form,
                  const struct field *more);

/* "a time with its unit, as 30s": what a field is, for messages. */
const char *field_expects(const struct field *field);

#endif
