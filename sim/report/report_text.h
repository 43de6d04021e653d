/* Pieces of text that the verdict for people, JUnit and the report share. */
#ifndef FAREND_REPORT_TEXT_H
#define FAREND_REPORT_TEXT_H

#include "nodes/base/lab_time.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum { REPORT_TIME = 40 };

/* 62.043s, or 1:02:03.4 from an hour on. */
const char *report_time(lab_time t, char buf[REPORT_TIME]);

/* The text of that name in a JSON object, borrowed; "" when it is not there, or no text. */
const char *report_string(const json_t *object, const char *key);

/* How long something took, for the eye: 40 ms, 7.5 s, 5 min, 2 h 10 min. */
const char *report_duration(lab_time t, char buf[REPORT_TIME]);

/* Text between tags or in quotes of XML and HTML. Controls and noncharacters, which XML cannot have, are left out. NULL
 * is nothing. */
void report_escape(FILE *out, const char *text);

/* The same, of at most `most` characters; "…" stands for the rest. */
void report_escape_cut(FILE *out, const char *text, size_t most);

/* Characters of UTF-8, not bytes. */
size_t report_length(const char *text);

#endif
