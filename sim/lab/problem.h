/* What is wrong with a lab file: every finding with its place, so that several mistakes are told at once. */
#ifndef FAREND_LAB_PROBLEM_H
#define FAREND_LAB_PROBLEM_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdio.h>

/* Where text came from: a file, or a --set of the command line. */
struct source {
    const char *name;
    struct span text;
};

struct place {
    const struct source *source;
    unsigned line, column; /* from 1, in characters; line 0: the source as a whole */
};

enum { PROBLEM_TEXT = 400, PROBLEMS_MAX = 24 };

struct problem {
    struct place at;
    char text[PROBLEM_TEXT];
};

/* Zero-initialise. Findings beyond PROBLEMS_MAX are only counted. */
struct problems {
    struct problem items[PROBLEMS_MAX];
    size_t n;
    size_t more;
};

/* The pieces, one after the other, are the sentence. */
void problem_add(struct problems *list, struct place at, const char *const *pieces);
#define problem(list, at, ...) problem_add((list), (at), (const char *const[]){__VA_ARGS__, NULL})

/* In the order of the places. Each as
 *     double-nat.yaml:12:18: there is no network "hom"; did you mean "home"?
 *        12 |   alice: {kind: phone, on: hom.20}
 *           |                            ^                 */
void problems_write(struct problems *list, FILE *out);

#endif
