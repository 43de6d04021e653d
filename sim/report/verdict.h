/* The verdict on a run: what was done, what held, and of what did not hold, the events that explain it. Made from the
 * lines of the trace and nothing else, so the same trace has the same verdict. */
#ifndef FAREND_REPORT_VERDICT_H
#define FAREND_REPORT_VERDICT_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "sim/report/moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct lab;

enum verdict_state { VERDICT_RUNNING, VERDICT_HELD, VERDICT_FAILED };

/* What an outage cost a phone, and the storm after it: times since the fault in ns, NEVER: it has not come to that; and
 * numbers of calls, registrations and phones. */
enum verdict_measure {
    VERDICT_NOTICED,
    VERDICT_RECOVERED,
    VERDICT_UNREACHABLE,
    VERDICT_CALLS_LOST,
    VERDICT_PEAK,
    VERDICT_PEAK_AT,
    VERDICT_REGISTRATIONS,
    VERDICT_PHONES,
    VERDICT_AWAY,
    VERDICT_BACK,
    VERDICT_MEASURES,
};
extern const char *const verdict_measure_words[VERDICT_MEASURES]; /* in the trace and in JSON */

/* A step or an expectation. */
struct verdict_item {
    bool expectation;
    unsigned n, line;
    char *text;
    enum verdict_state state;
    lab_time started, ended;
    char *why;     /* what was found; NULL: nothing to say */
    bool measured; /* it is about an outage or a storm, and `why` says these in words: */
    lab_time measures[VERDICT_MEASURES];
    struct moment *moments; /* of what failed */
    size_t moments_n;
};

struct verdict {
    struct verdict_item *items;
    size_t n;
    size_t held, failed;
    lab_time now; /* of the latest line */
    struct moments *recent;
    bool no_memory;
};

/* What the trace does not say of itself. All borrowed. */
struct verdict_run {
    const char *lab, *file, *world;
    uint64_t seed;
    const char *error;           /* farend or the machine failed: why; NULL: it ran to its end */
    const struct lab *described; /* its title, networks and nodes go into the JSON; NULL: they do not */
};

int verdict_init(struct verdict *v); /* 0 or FE_EMEM */
void verdict_fini(struct verdict *v);

/* A line of the trace, in their order. */
void verdict_line(struct verdict *v, struct span line);

/* A whole trace. 0, FE_EOS when it cannot be read. */
int verdict_read(struct verdict *v, FILE *trace);

bool verdict_all_held(const struct verdict *v);

/* The first step or expectation that came to another end in the other run; its times, and what was found, may differ.
 * NULL: the verdicts are the same. */
const struct verdict_item *verdict_parting(const struct verdict *v, const struct verdict *other);

/* For people: a line for each item, the moments below what failed, a sentence at the end. */
void verdict_print(const struct verdict *v, const struct verdict_run *run, bool colour, FILE *out);

/* One item of it: number `item`, from 0. For a step that stands in no lab file, and perhaps is under way; `brief`:
 * without the moments. */
void verdict_print_item(const struct verdict *v, size_t item, bool brief, bool colour, FILE *out);

/* For machines. FE_EMEM, FE_EOS. */
int verdict_json(const struct verdict *v, const struct verdict_run *run, FILE *out);

/* JUnit XML: a test suite for each run, a test case for each item. Times are lab time, so that equal runs give equal
 * files. */
void verdict_junit_begin(FILE *out);
void verdict_junit(const struct verdict *v, const struct verdict_run *run, FILE *out);
void verdict_junit_end(FILE *out);

#endif
