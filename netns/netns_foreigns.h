/* All of other people's programs in a netns world: those of its nodes, and those that steps run beside them. What they
 * say and what becomes of them goes into the trace, in netns_foreigns_work(), so in order and at the engine's time. */
#ifndef FAREND_NETNS_FOREIGNS_H
#define FAREND_NETNS_FOREIGNS_H

#include "nodes/base/text.h"
#include "sim/engine/engine.h"

#include <stdbool.h>

/* Where their commands are looked for: `programs` (farend's own), $PATH, and where servers stand, which is not in an
 * ordinary user's path. */
void netns_foreigns_path(char *dst, size_t cap, const char *programs);

struct netns_foreigns;

struct netns_foreigns_config {
    struct engine *engine;
    const char *work;     /* folder in which each node gets its own; absolute */
    int logs;             /* folder; -1: none are kept */
    const char *programs; /* farend's own programs, for the $PATH */
};

/* `config` and what it points to outlive the set. FE_EOS, FE_EMEM and a sentence. */
int netns_foreigns_new(struct netns_foreigns **out, const struct netns_foreigns_config *config, struct text *why);
void netns_foreigns_free(struct netns_foreigns *set); /* kills them all; NULL is fine */

/* Readable when netns_foreigns_work() has something to do. */
int netns_foreigns_epoll(const struct netns_foreigns *set);

/* Writes the node's files and starts its program, if it has one, in the namespace where this thread is. */
int netns_foreigns_start(struct netns_foreigns *set, unsigned node, struct text *why);

/* Waits until programs that are ready by a port have it, each for so long as the lab says. Whether they have is traced
 * later. */
void netns_foreigns_await(struct netns_foreigns *set);

/* Traces what they have written, and who has ended. True when there was something to trace. */
bool netns_foreigns_work(struct netns_foreigns *set);

/* world_ops.run, in the node's namespace, and world_ops.halt. */
void netns_foreigns_run(struct netns_foreigns *set, unsigned node, const struct foreign_run *run);
void netns_foreigns_halt(struct netns_foreigns *set, unsigned node);

#endif
