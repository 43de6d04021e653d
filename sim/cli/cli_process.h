/* A run as a child process, and the signals of the parent that waits for such children. */
#ifndef FAREND_CLI_PROCESS_H
#define FAREND_CLI_PROCESS_H

#include "sim/cli/cli_child.h"

#include <stdbool.h>
#include <sys/types.h>

struct cli_process {
    pid_t pid;  /* 0: there is none */
    int errors; /* a pipe from it: why it failed */
};

/* Starts the run; what `c` points to need only live during the call. 0, or FE_EOS and errno. */
int cli_process_start(struct cli_process *p, const struct cli_child *c);

/* After waitpid() has told of it: the enum cli_status, and in `error` why it failed ("": it did not). */
int cli_process_ended(struct cli_process *p, int wait_status, char *error, size_t cap);

/* Asks it to end, if there is one. */
void cli_process_interrupt(const struct cli_process *p);

/* SIGINT and SIGTERM are noted, and end waitpid() with EINTR. */
void cli_signals_install(void);
bool cli_signal_seen(void);
/* After a clean end: the caller's shell shall see that a signal was the reason, if one was. */
void cli_signal_again(void);

#endif
