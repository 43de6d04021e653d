/* The search for a margin: up to which value of a setting does a lab hold?
 *
 * Pure: it says which values to try next, is told what came of them, and ends when one value that held and one that
 * failed are a step apart. A coarse look over the whole range comes first, so that a setting which holds, fails and
 * holds again is found out; then the edge is narrowed, by as many values at once as there are places to run them. */
#ifndef FAREND_REPORT_MARGIN_H
#define FAREND_REPORT_MARGIN_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MARGIN_AT_ONCE = 64, MARGIN_VALUE_TEXT = 40 };

enum margin_unit {
    MARGIN_COUNT, /* 40 */
    MARGIN_TIME,  /* 20s; ns */
    MARGIN_RATIO, /* 0.5%; ppm */
    MARGIN_RATE,  /* 2Mbit/s; bit/s */
    MARGIN_SIZE,  /* 64kB; bytes */
};

struct margin_point {
    int64_t value;
    bool held;
    unsigned line; /* of the lab file: what failed first; 0: nothing did */
    char *failed;  /* its text, owned; NULL: nothing did */
};

struct margin {
    enum margin_unit unit;
    int64_t low, high, step;     /* values tried are low, high, and low + n × step between them */
    struct margin_point *points; /* by value, each once */
    size_t n;
};

/* A value that held beside one that failed, with nothing tried between them. */
struct margin_edge {
    int64_t held, failed;
};

enum margin_answer {
    MARGIN_HOLDS,   /* wherever it was tried */
    MARGIN_FAILS,   /* wherever it was tried */
    MARGIN_AT_MOST, /* holds from `low` to the edge, fails beyond */
    MARGIN_AT_LEAST,
    MARGIN_UNSTEADY, /* holds and fails by turns: there is more than one edge */
};

/* `between` is "10s..5min"; `to` is the step, empty: one that suits the range. FE_ESYNTAX, FE_ERANGE, and `why` (may be
 * NULL). */
int margin_init(struct margin *m, struct span between, struct span to, struct text *why);
void margin_fini(struct margin *m);

/* The values to be tried now, at most MARGIN_AT_ONCE, none of them tried before; 0: the search is over. Where one value
 * would do, `places` of them (1 or more) shorten the way. All of them are to be told before it is asked again. */
size_t margin_ask(const struct margin *m, size_t places, int64_t values[MARGIN_AT_ONCE]);

/* What came of a value; `failed` is copied, NULL: nothing failed. FE_EMEM. */
int margin_tell(struct margin *m, int64_t value, bool held, unsigned line, const char *failed);

/* The answer so far, and the edge (unless it holds or fails everywhere): in an unsteady range the lowest where `low`
 * held, else the highest where `high` held, else the lowest. */
enum margin_answer margin_answer(const struct margin *m, struct margin_edge *edge);

/* The value as lab files write it: "59.999s". */
void margin_value(struct text *t, enum margin_unit unit, int64_t value);

/* What the search does not know of itself. All borrowed. */
struct margin_run {
    const char *lab, *file, *world, *over, *until;
    uint64_t seed;
};

/* For people: a line for each value, a small plot, the answer in a sentence. */
void margin_print(const struct margin *m, const struct margin_run *run, FILE *out);

/* For machines. FE_EMEM, FE_EOS. */
int margin_json(const struct margin *m, const struct margin_run *run, FILE *out);

#endif
