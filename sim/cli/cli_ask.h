/* The commands' side of a lab that is up: which one is meant, and what it is asked. */
#ifndef FAREND_CLI_ASK_H
#define FAREND_CLI_ASK_H

#include "sim/cli/cli.h"
#include "sim/cli/cli_request.h"

#include <stdbool.h>
#include <stddef.h>

/* Folders of labs that are up, below runs/ of the current directory, in the order of their names. */
struct cli_ups {
    char **folders;
    size_t n;
};
bool cli_ups_find(struct cli_ups *ups); /* false: no memory, and nothing to free */
void cli_ups_free(struct cli_ups *ups);

/* A connection to the lab that `word` means: its folder, its name, or its file's. -1, without a word about it, when
 * there is none. */
int cli_ask_named(const char *word, char folder[CLI_PATH]);

/* The same, or with NULL to the only one that is up. -1 after it has told what is wrong. */
int cli_ask_open(const char *word, char folder[CLI_PATH]);

/* Asks, and passes on what is answered; the socket is closed once the other end is. fds, unless NULL: the descriptors
 * that came, -1 without. An enum cli_status: CLI_FAILED, after it has said so, when the lab ends before it answers. */
int cli_ask(int socket, const struct cli_request *r, int fds[2]);

#endif
