/* The trace as it is written: one line after the other to the file and to whoever observes. Inside the engine. */
#ifndef FAREND_ENGINE_TRACE_H
#define FAREND_ENGINE_TRACE_H

#include "nodes/base/record.h"
#include "sim/engine/engine.h"

/* An observer may write lines of its own while it is shown one; each needs memory until it is written. */
enum { TRACE_NESTING = 4 };

struct trace {
    FILE *file; /* may be NULL */
    void (*observe)(void *arg, struct span line);
    void *arg;
    bool failed; /* the file could not be written */
    unsigned open;
    struct record records[TRACE_NESTING];
    char lines[TRACE_NESTING][RECORD_MAX];
};

void trace_init(struct trace *t, const struct engine_config *config);

/* {"t":now,"node":node,"ev":event… without the node when it is NULL. */
struct record *trace_begin(struct trace *t, lab_time now, const char *node, const char *event);
void trace_end(struct trace *t);
void trace_line(struct trace *t, struct span line); /* one made elsewhere */

#endif
