/* report.html: a run's folder as one page for people who rather look. It needs no network, no script and no other file,
 * and is well-formed XML too; the same run gives the same bytes. */
#ifndef FAREND_REPORT_REPORT_H
#define FAREND_REPORT_REPORT_H

#include "nodes/base/text.h"
#include "sim/report/ladder.h"

#include <jansson.h>
#include <stdio.h>

/* A run as it was left. */
struct report {
    json_t *verdict;
    struct topology topology;
    struct ladder ladder;
};

/* Reads verdict.json and trace.jsonl of a run's folder. 0; FE_EUNKNOWN: one of them is not there; FE_ESYNTAX: it is not
 * what it should be; FE_EOS: it cannot be read; FE_EMEM. `why` says which and where ("runs/a-sim/trace.jsonl:17: …").
 * To be freed either way. */
int report_read(struct report *r, const char *folder, struct text *why);
void report_fini(struct report *r);

/* report_html.c: the page. FE_EMEM, FE_EOS. */
int report_html(const struct report *r, FILE *out);
extern const char *const report_style[]; /* report_style.c: its CSS, in pieces; NULL ends them */

/* Both, into report.html of that folder, as report_read() returns it; FE_EOS too when it cannot be written. A page that
 * is there already is replaced only by a whole one. */
int report_write(const char *folder, struct text *why);

#endif
