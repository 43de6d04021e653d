/* Other people's programs in a lab: what the plan says of a node whose role is PLAN_FOREIGN, and of a command that a
 * step runs beside it. They are ordinary processes in the node's namespace, on the real clock: they know nothing of
 * turns, and only the netns world has them.
 *
 * What becomes of them is told in the trace ("program", "run", "output"), and nowhere else.
 *
 * In every text of arguments, environment and files, "{{dir}}" stands for the program's own working folder, which is
 * only known when the lab runs. All memory belongs to the plan. */
#ifndef FAREND_ENGINE_FOREIGN_H
#define FAREND_ENGINE_FOREIGN_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREIGN_DIR "{{dir}}"

/* A name with its text: a file of the working folder, a variable of the environment. */
struct foreign_text {
    const char *name, *text;
};

/* A command: the words as they are given to the program, the first of which is looked for in $PATH. */
struct foreign_command {
    const char **words; /* ends with NULL; NULL: there is no command */
};

enum foreign_ready {
    FOREIGN_READY_STARTED, /* as soon as it was started */
    FOREIGN_READY_PORT,    /* once it has a UDP socket, or a listening TCP socket, on `port` */
    FOREIGN_READY_LINE,    /* once a line of its output contains `line` */
};

struct plan_foreign {
    struct foreign_command command; /* may be absent: the node is a host on which steps run commands */
    struct foreign_text *files;
    size_t files_n;
    struct foreign_text *environment;
    size_t environment_n;
    enum foreign_ready ready;
    uint16_t port;
    const char *line;
    lab_time within; /* to become ready */
    int stop_signal; /* enum foreign_signal */
};

/* The signals by which a program is asked to end. */
enum foreign_signal { FOREIGN_TERM, FOREIGN_INT, FOREIGN_HUP, FOREIGN_QUIT, FOREIGN_KILL };

/* A command that a step runs; `number` tells its lines of the trace from those of others. */
struct foreign_run {
    unsigned number;
    const struct foreign_command *command;
};

#endif
