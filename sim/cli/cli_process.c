#define _GNU_SOURCE
#include "sim/cli/cli_process.h"

#include "nodes/base/error.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR = 600 };

/* ---- signals ---- */

static volatile sig_atomic_t signal_seen;

static void on_signal(int number)
{
    signal_seen = number;
}

void cli_signals_install(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART: waitpid is to return */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_signal_seen(void)
{
    return signal_seen != 0;
}

void cli_signal_again(void)
{
    if (!signal_seen)
        return;
    fflush(NULL);
    signal(signal_seen, SIG_DFL);
    raise(signal_seen);
}

/* ---- children ---- */

static _Noreturn void child_main(const struct cli_child *c, int errors, pid_t parent)
{
    char buf[ERROR];
    struct text error = text_on(buf, sizeof buf);
    bool signalled = false;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(CLI_FAILED);
    int status = cli_child_run(c, &error, &signalled);
    if (error.n && write(errors, buf, error.n) < 0)
        status = CLI_FAILED;
    fflush(NULL);
    _exit(status);
}

int cli_process_start(struct cli_process *p, const struct cli_child *c)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return FE_EOS;
    fflush(NULL);
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0)
        child_main(c, pipes[1], parent);
    close(pipes[1]);
    p->errors = pipes[0];
    if (p->pid > 0)
        return 0;
    close(pipes[0]);
    p->pid = 0;
    return FE_EOS;
}

int cli_process_ended(struct cli_process *p, int wait_status, char *error, size_t cap)
{
    ssize_t n = read(p->errors, error, cap - 1);
    close(p->errors);
    error[n > 0 ? n : 0] = '\0';
    p->pid = 0;
    if (!WIFSIGNALED(wait_status))
        return WEXITSTATUS(wait_status);
    snprintf(error, cap, "the run was ended by signal %d", WTERMSIG(wait_status));
    return CLI_FAILED;
}

void cli_process_interrupt(const struct cli_process *p)
{
    if (p->pid > 0)
        kill(p->pid, SIGINT);
}
