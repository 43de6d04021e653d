/* One process of another's program: a command in a network namespace, with its output on a pipe.
 *
 * Nothing of it outlives the lab. The command runs in a process namespace of its own, whose first process (pid 1) is a
 * small one of ours: it passes signals on, reaps, and ends with the command's status. When pid 1 ends, the kernel kills
 * everything else there, grandchildren and daemons included; and pid 1 dies with the engine, also when the engine is
 * killed (PR_SET_PDEATHSIG). */
#ifndef FAREND_NETNS_FOREIGN_H
#define FAREND_NETNS_FOREIGN_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "sim/engine/foreign.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { FOREIGN_LINE = 900 /* bytes; longer lines of output come in pieces */ };

struct netns_foreign {
    pid_t pid;   /* of pid 1; 0: does not run */
    int process; /* pidfd; -1 */
    int output;  /* what it writes to its standard output and error; -1 */
    char line[FOREIGN_LINE];
    size_t line_n; /* of the line that is not finished yet */
};

#define NETNS_FOREIGN_NONE ((struct netns_foreign){.process = -1, .output = -1})

struct netns_foreign_how {
    const struct foreign_command *command;
    const struct foreign_text *environment; /* beside PATH, HOME and LC_ALL, which are all that it inherits */
    size_t environment_n;
    const char *folder; /* absolute: where it runs; FOREIGN_DIR in its words and environment */
    const char *path;   /* its $PATH */
};

/* Starts it in the namespace where this thread is. FE_EOS, FE_EMEM and a sentence; then nothing runs. A command that
 * cannot be executed says so in its output and ends with status 127, as from a shell. */
int netns_foreign_start(struct netns_foreign *f, const struct netns_foreign_how *how, struct text *why);

/* The stop signal, to the command alone. */
void netns_foreign_signal(const struct netns_foreign *f, enum foreign_signal number);

/* Kills everything that the command began, and returns when it is gone. Fine on one that does not run. */
void netns_foreign_kill(struct netns_foreign *f);

/* True when it has ended; *status: its exit status, 128 and the signal's number when it was killed by one. */
bool netns_foreign_ended(const struct netns_foreign *f, int *status);

/* Reads what it has written and gives every whole line to `line`; `log` (a descriptor) gets all of it. last: the
 * unfinished line too. */
void netns_foreign_read(struct netns_foreign *f, int log, bool last, void (*line)(void *arg, struct span text),
                        void *arg);

/* Has somebody in the process's network namespace a UDP socket, or a listening TCP socket, on this port? */
bool netns_foreign_listens(const struct netns_foreign *f, uint16_t port);

/* Text with the folder in place of FOREIGN_DIR; to be freed; NULL without memory. */
char *netns_foreign_text(const char *text, const char *folder);

#endif
