/* Texts that come again and again, each kept once: a number stands for it. Numbers count from 0 in the order of their
 * first coming, so equal input gives equal numbers. */
#ifndef FAREND_REPORT_WORDS_H
#define FAREND_REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise. */
struct words {
    char **texts;
    size_t n;
    int *slots; /* number + 1; 0: free */
    size_t slots_n;
    bool no_memory;
};

void words_fini(struct words *w);

/* The text's number; -1 without memory, which is remembered. NULL counts as "". */
int words_add(struct words *w, const char *text);

/* The number of a text that is there already; -1: it is not. */
int words_find(const struct words *w, const char *text);

/* "" for a number that there is not. Lives as long as `w`. */
const char *words_text(const struct words *w, int number);

#endif
