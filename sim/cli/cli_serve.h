/* The lab's side of the control socket: requests are heard between the instants of the lab (engine_config.attend), on
 * the engine's own thread, so that nothing in the lab happens beside them. A step is given to the script; its answer
 * follows when it is done; when who asked for it goes away it is given up. Steps are run one after the other, in the
 * order in which they came. */
#ifndef FAREND_CLI_SERVE_H
#define FAREND_CLI_SERVE_H

#include "nodes/base/lab_time.h"
#include "sim/engine/engine.h"
#include "sim/lab/lab.h"
#include "sim/lab/script.h"
#include "sim/report/verdict.h"

#include <stdbool.h>

struct cli_serve;

struct cli_serve_config {
    struct lab *lab;
    const char *world;
    const char *folder; /* of the run */
    int lock;           /* the folder, from cli_socket_lock() */
    int ready;          /* receives CLI_SERVE_READY once every node has had its first turn; closed then */
};

#define CLI_SERVE_READY '\n'

/* `config` and what it points to outlive it; lock and ready become its own. FE_EOS and errno; FE_EMEM. */
int cli_serve_new(struct cli_serve **out, const struct cli_serve_config *config);
void cli_serve_free(struct cli_serve *s);

/* Readable when there is something to attend to. */
int cli_serve_descriptor(const struct cli_serve *s);
/* Waits for that, at most so long. */
void cli_serve_wait(const struct cli_serve *s, lab_time at_most);

/* Before engine_run(), which writes the trace to the folder's trace.jsonl. Also has trace and capture flushed from time
 * to time. */
void cli_serve_begin(struct cli_serve *s, struct engine *e, struct script *script, const struct verdict *verdict);
/* As engine_config.attend. */
bool cli_serve_attend(struct cli_serve *s);

/* After engine_run(): keeps what is to be said of the verdict, which may go then. */
void cli_serve_judged(struct cli_serve *s);
/* When all of the lab is gone but its files: gives up socket and folder, and answers all who are still waiting.
 * `status` is that of the run, `error` says why it failed, or is empty. */
void cli_serve_end(struct cli_serve *s, int status, const char *error);

#endif
