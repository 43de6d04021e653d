/* A node program: a process of its own in the node's namespace. It dies with the engine (turn.h). */
#ifndef FAREND_NETNS_PROGRAM_H
#define FAREND_NETNS_PROGRAM_H

#include "netns/netns_turn.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct netns_program {
    const struct plan_node *node;
    struct turn_page *page; /* NULL: not running */
    pid_t pid;
    int process;    /* pidfd; readable when the program has ended */
    int input;      /* the epoll descriptor it waits with; readable when it has something to do */
    char *commands; /* lines that wait for the next turn */
    size_t commands_n, commands_cap;
    unsigned starts; /* how often it was started before */
};

struct netns_programs {
    const char *folder; /* of the executables */
    int logs;           /* folder; -1: standard error */
    uint64_t seed;
};

/* Where the programs are when nobody says: $FAREND_BIN, else the folder of this executable. */
void netns_programs_folder(char *dst, size_t cap);

/* Starts the node's program in the namespace where this thread is; it has its first turn when the engine grants it.
 * FE_EOS, FE_EMEM and a sentence; then nothing runs. */
int netns_program_start(struct netns_program *p, const struct plan_node *node, const struct netns_programs *all,
                        struct text *why);

/* The power switch: SIGKILL; returns when it is gone with all its sockets. Fine on one that does not run. */
void netns_program_kill(struct netns_program *p);

/* Its first half, for many at once: all are signalled first, then killed one by one. */
void netns_program_signal(struct netns_program *p);

/* A line for the next turn. FE_EMEM; FE_ERANGE: longer than a page's room for commands. */
int netns_program_command(struct netns_program *p, struct span line);

/* Moves waiting commands into the page, as many whole lines as it has room for. */
void netns_program_hand_over(struct netns_program *p);

/* "ended with status 1", "was killed by SIGSEGV": how a program that is dead died. */
void netns_program_epitaph(const struct netns_program *p, struct text *out);

#endif
