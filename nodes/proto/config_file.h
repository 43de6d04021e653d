/* The configuration files that phone makers' phones fetch, line by line; what a parameter means is not known here.
 * Pure.
 *
 *   CONFIG_COLON   Aastra, Mitel (aastra.cfg, startup.cfg)      CONFIG_WORDS   Avaya (46xxsettings.txt, 1200 series)
 *     # a comment                                                 ## a comment; "# NAME" is the target of a GOTO
 *     sip proxy ip: 192.168.0.101   # as well                     SET SIPDOMAIN lab.example
 *     !sip line1 password: "a#1"                                  SERVER_IP1_1 192.168.0.101
 *
 * '!' locks a parameter against changes at the phone. Quotes keep a value that holds '#' or blanks at its ends. */
#ifndef FAREND_PROTO_CONFIG_FILE_H
#define FAREND_PROTO_CONFIG_FILE_H

#include "nodes/base/span.h"

#include <stdbool.h>

enum config_format { CONFIG_COLON, CONFIG_WORDS };

struct config_reader {
    struct span rest;
    enum config_format format;
    unsigned line;   /* of the last item or mistake, from 1 */
    unsigned column; /* of the last mistake, in characters, from 1 */
    const char *why; /* of the last mistake: what was expected */
};

struct config_item {
    struct span name, value; /* into the text; the value without its quotes, perhaps empty */
    unsigned line;
    unsigned name_column, value_column; /* in characters, from 1 */
    bool locked;                        /* '!' */
};

/* The format is the first line's that is neither empty nor a comment. The text is borrowed. */
void config_begin(struct config_reader *r, struct span text);

/* 1: the next item; 0: the end; FE_ESYNTAX: a line that is none, told in r->line, column, why; the next call goes on
 * behind it. */
int config_next(struct config_reader *r, struct config_item *out);

#endif
