#include "sim/engine/trace.h"

#include <assert.h>

void trace_init(struct trace *t, const struct engine_config *config)
{
    *t = (struct trace){.file = config->trace, .observe = config->observe, .arg = config->arg};
}

struct record *trace_begin(struct trace *t, lab_time now, const char *node, const char *event)
{
    assert(t->open < TRACE_NESTING);
    struct record *r = &t->records[t->open];
    record_begin(r, t->lines[t->open], RECORD_MAX);
    t->open++;
    record_i64(r, "t", now);
    record_str(r, "node", node);
    record_str(r, "ev", event);
    return r;
}

void trace_end(struct trace *t)
{
    assert(t->open > 0);
    trace_line(t, record_end(&t->records[t->open - 1]));
    t->open--;
}

void trace_line(struct trace *t, struct span line)
{
    if (t->file && (fwrite(line.p, 1, line.n, t->file) != line.n || putc('\n', t->file) == EOF))
        t->failed = true;
    if (t->observe)
        t->observe(t->arg, line);
}
