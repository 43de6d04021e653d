/* A busy loop on every CPU, and one more: a test's setup and teardown. */
#ifndef FAREND_TESTS_NETNS_BUSY_H
#define FAREND_TESTS_NETNS_BUSY_H

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUSY_MAX = 64 };

static pid_t busy[BUSY_MAX];
static int busy_n;

static inline int busy_start(void **state)
{
    (void)state;
    for (busy_n = 0; busy_n <= get_nprocs() && busy_n < BUSY_MAX; busy_n++) {
        busy[busy_n] = fork();
        if (busy[busy_n] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (volatile bool for_ever = true; for_ever;)
                ;
        }
    }
    return 0;
}

static inline int busy_stop(void **state)
{
    (void)state;
    for (int i = 0; i < busy_n; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
    return 0;
}

#endif
