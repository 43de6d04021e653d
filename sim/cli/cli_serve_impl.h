/* The lab's side of the control socket, inside: what its files share. */
#ifndef FAREND_CLI_SERVE_IMPL_H
#define FAREND_CLI_SERVE_IMPL_H

#include "sim/cli/cli_request.h"
#include "sim/cli/cli_serve.h"

#include <time.h>

enum { GUESTS_MAX = 32 };

enum guest_state {
    GUEST_ASKS,    /* its request is not whole yet */
    GUEST_WAITS,   /* its step is not begun: others came before */
    GUEST_RUNS,    /* its step is under way */
    GUEST_ENDS,    /* has asked for the end of the lab */
    GUEST_LISTENS, /* its answer is on its way; then it is gone */
};

/* A connection. One whose peer has gone away stays until its step is done. */
struct guest {
    int fd; /* -1: the peer has gone away */
    enum guest_state state;
    char line[CLI_REQUEST_MAX];
    size_t n;
    struct cli_request request; /* text: in line */
    size_t first;               /* RUNS: of the verdict's items the first that is its own */
    char *answer;
    size_t answer_n, sent;
    int fds[2]; /* go with the answer; -1: none do */
};

struct cli_serve {
    const struct cli_serve_config *config;
    int epoll, listener;
    struct engine *engine;
    struct script *script;
    const struct verdict *verdict;
    struct guest *guests[GUESTS_MAX]; /* in the order of their coming */
    size_t guests_n;
    bool ready, finishing;
    size_t told; /* FINISHING: items of the verdict before it, which were told */
    time_t since;
    struct timer flush;
    char *last_word; /* what the end brought, and how many steps held */
    size_t last_word_n;
};

/* ---- cli_serve_answer.c ---- */
/* Ends the request: `text` is said, or complained of. Without memory the guest is sent away. */
void cli_serve_answer(struct guest *g, enum cli_answer_part part, const char *text, int status);
void cli_serve_status(const struct cli_serve *s, struct guest *g);
void cli_serve_space(const struct cli_serve *s, struct guest *g);
void cli_serve_inject(struct cli_serve *s, struct guest *g); /* begins its step, or answers what is wrong with it */
void cli_serve_injected(const struct cli_serve *s, struct guest *g); /* its step is done */
void cli_serve_write_end(struct cli_serve *s);                       /* last_word */

#endif
