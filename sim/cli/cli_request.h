/* What is asked of a lab that is up, and what it answers: lines of text, one request a connection.
 *
 *     status plain|colour          all about it
 *     brief                        the same in one line
 *     inject plain|colour STEP     runs a step of the lab language, or a list of them
 *     space NODE                   descriptors of the node's network namespace and of the user namespace that owns it
 *     down                         ends it
 *
 * In STEP "\n" stands for the end of a line and "\\" for a backslash. The answer is any number of lines
 *
 *     say TEXT                     for standard output
 *     complain TEXT                for standard error
 *
 * and then "end STATUS", an enum cli_status; the descriptors come with the answer's first byte. Nothing here touches a
 * socket: cli_socket.h does. */
#ifndef FAREND_CLI_REQUEST_H
#define FAREND_CLI_REQUEST_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum cli_verb { CLI_ASK_STATUS, CLI_ASK_BRIEF, CLI_ASK_INJECT, CLI_ASK_SPACE, CLI_ASK_DOWN };

enum { CLI_REQUEST_MAX = 16384 }; /* bytes of a line, its end included */

struct cli_request {
    enum cli_verb verb;
    bool colour;      /* STATUS, INJECT */
    struct span text; /* INJECT: the step; SPACE: the node; else empty. Borrowed */
};

/* The line with its end. False when it does not fit. */
bool cli_request_write(const struct cli_request *r, struct text *out);

/* A line without its end, which is changed: r->text lies in it. False when it is no request. */
bool cli_request_read(struct cli_request *r, char *line, size_t n);

enum cli_answer_part { CLI_SAY, CLI_COMPLAIN, CLI_END };

struct cli_answer {
    enum cli_answer_part part;
    struct span text; /* SAY, COMPLAIN */
    int status;       /* END */
};

/* Each line of the text as a line of the answer; nothing for an empty text. `part` is CLI_SAY or CLI_COMPLAIN. */
void cli_answer_text(FILE *out, enum cli_answer_part part, const char *text);
void cli_answer_end(FILE *out, int status);

/* A line without its end. False when it is no line of an answer. */
bool cli_answer_read(struct cli_answer *a, struct span line);

#endif
