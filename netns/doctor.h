/* What this machine can run, and what to do about what it cannot. Each check tries the thing itself, in a child process
 * that leaves nothing behind; no check needs a privilege to be answered. */
#ifndef FAREND_NETNS_DOCTOR_H
#define FAREND_NETNS_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_need {
    DOCTOR_NEEDED, /* without it the netns world does not run */
    DOCTOR_BETTER, /* without it the netns world runs slower, or labs are limited; `why` says how */
};

struct doctor_check {
    const char *name; /* "network namespaces" */
    enum doctor_need need;
    bool ok;
    char why[160];    /* what was found, one phrase */
    char remedy[240]; /* what to do about it; "" when ok */
};

#define DOCTOR_MAX 16

/* Fills up to DOCTOR_MAX checks and returns their number. Takes some tens of milliseconds. */
size_t doctor_examine(struct doctor_check checks[DOCTOR_MAX]);

/* True when no needed thing is missing. */
bool doctor_netns_runs(const struct doctor_check *checks, size_t n);

#endif
