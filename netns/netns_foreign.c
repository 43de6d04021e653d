#define _GNU_SOURCE
#include "netns/netns_foreign.h"

#include "nodes/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIPE = 1 << 20, /* bytes that it may write before the engine looks for the first time */
    CANNOT_RUN = 127,
    SIGNALLED = 128
};

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL};

char *netns_foreign_text(const char *text, const char *folder)
{
    size_t n = strlen(text) + 1;
    for (const char *p = text; (p = strstr(p, FOREIGN_DIR)); p += strlen(FOREIGN_DIR))
        n += strlen(folder);
    char *out = malloc(n);
    if (!out)
        return NULL;
    struct text t = text_on(out, n);
    for (const char *p; (p = strstr(text, FOREIGN_DIR)); text = p + strlen(FOREIGN_DIR)) {
        text_put(&t, span_make(text, (size_t)(p - text)));
        text_str(&t, folder);
    }
    text_str(&t, text);
    return out;
}

/* ---- in the new process: pid 1 of its namespace, and the command ---- */

static pid_t command_pid;

static void pass_on(int number)
{
    if (command_pid > 0)
        kill(command_pid, number);
}

static void signals_reset(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
}

static _Noreturn void command_main(char **words)
{
    signals_reset();
    if (words[0])
        execvp(words[0], words);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", words[0] ? words[0] : "nothing", strerror(errno));
    _exit(CANNOT_RUN);
}

/* The engine may have died before this process bound its life to it; its pid cannot tell, as it is 0 in here. */
static bool engine_lives(int engine)
{
    struct pollfd end = {.fd = engine, .events = POLLIN};
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && poll(&end, 1, 0) == 0;
}

static _Noreturn void first_main(char **words)
{
    int status;
    struct sigaction action = {.sa_handler = pass_on};
    command_pid = fork();
    if (command_pid == 0)
        command_main(words);
    if (command_pid < 0)
        _exit(CANNOT_RUN);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL); /* SIGKILL refuses, and needs no help */
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == command_pid)
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status));
        if (pid < 0 && errno != EINTR)
            _exit(CANNOT_RUN);
    }
}

static void environment_set(const struct netns_foreign_how *how)
{
    clearenv();
    setenv("PATH", how->path, 1);
    setenv("HOME", how->folder, 1);
    setenv("LC_ALL", "C", 1);
    for (size_t i = 0; i < how->environment_n; i++) {
        char *value = netns_foreign_text(how->environment[i].text, how->folder);
        if (value)
            setenv(how->environment[i].name, value, 1);
    }
}

static _Noreturn void process_main(const struct netns_foreign_how *how, char **words, int engine, int output)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signals_reset();
    if (!engine_lives(engine) || null < 0 || setsid() < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0u, 0))
        _exit(CANNOT_RUN);
    environment_set(how);
    if (chdir(how->folder) == 0)
        first_main(words);
    dprintf(STDERR_FILENO, "%s: %s\n", how->folder, strerror(errno));
    _exit(CANNOT_RUN);
}

/* ---- starting ---- */

static int complain(struct text *why, const char *what)
{
    text_str(why, what);
    text_str(why, ": ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

static void words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

static char **words_make(const struct netns_foreign_how *how)
{
    size_t n = 0;
    while (how->command->words[n])
        n++;
    char **words = calloc(n + 1, sizeof *words);
    for (size_t i = 0; words && i < n; i++) {
        words[i] = netns_foreign_text(how->command->words[i], how->folder);
        if (!words[i]) {
            words_free(words);
            return NULL;
        }
    }
    return words;
}

/* A fork into a new process namespace. */
static pid_t fork_first(int *process)
{
    *process = -1;
    return (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, 0, process, 0, 0);
}

static int launch(struct netns_foreign *f, const struct netns_foreign_how *how, char **words, int engine, int output,
                  struct text *why)
{
    fflush(NULL);
    f->pid = fork_first(&f->process);
    if (f->pid == 0)
        process_main(how, words, engine, output);
    if (f->pid > 0)
        return 0;
    f->pid = 0;
    f->process = -1;
    return complain(why, "a process namespace");
}

int netns_foreign_start(struct netns_foreign *f, const struct netns_foreign_how *how, struct text *why)
{
    int pipes[2] = {-1, -1};
    *f = NETNS_FOREIGN_NONE;
    char **words = words_make(how);
    if (!words) {
        text_str(why, "out of memory");
        return FE_EMEM;
    }
    int engine = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int error = engine < 0 || pipe2(pipes, O_CLOEXEC) ? complain(why, "descriptors") : 0;
    if (!error) {
        f->output = pipes[0];
        fcntl(pipes[0], F_SETFL, O_NONBLOCK);
        fcntl(pipes[0], F_SETPIPE_SZ, PIPE); /* an ordinary user's limit may be lower: then it stays as it is */
        error = launch(f, how, words, engine, pipes[1], why);
        close(pipes[1]);
    }
    if (engine >= 0)
        close(engine);
    words_free(words);
    if (error)
        netns_foreign_kill(f);
    return error;
}

/* ---- ending ---- */

void netns_foreign_signal(const struct netns_foreign *f, enum foreign_signal number)
{
    if (f->pid > 0)
        kill(f->pid, signals[number]);
}

void netns_foreign_kill(struct netns_foreign *f)
{
    if (f->pid > 0) {
        kill(f->pid, SIGKILL);
        while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (f->process >= 0)
        close(f->process);
    if (f->output >= 0)
        close(f->output);
    *f = NETNS_FOREIGN_NONE;
}

bool netns_foreign_ended(const struct netns_foreign *f, int *status)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)f->process, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == 0)
        return false;
    *status = info.si_code == CLD_EXITED ? info.si_status : SIGNALLED + info.si_status;
    return true;
}

/* ---- its output ---- */

static void lines_cut(struct netns_foreign *f, struct span data, void (*line)(void *arg, struct span text), void *arg)
{
    for (size_t i = 0; i < data.n; i++) {
        bool end = data.p[i] == '\n';
        if (!end)
            f->line[f->line_n++] = data.p[i];
        if (end || f->line_n == sizeof f->line) {
            line(arg, span_make(f->line, f->line_n));
            f->line_n = 0;
        }
    }
}

void netns_foreign_read(struct netns_foreign *f, int log, bool last, void (*line)(void *arg, struct span text),
                        void *arg)
{
    char data[16384];
    ssize_t n;
    while ((n = read(f->output, data, sizeof data)) > 0) {
        if (log >= 0 && write(log, data, (size_t)n) != n)
            log = -1; /* a full disk: the trace has its lines all the same */
        lines_cut(f, span_make(data, (size_t)n), line, arg);
    }
    if (last && f->line_n) {
        line(arg, span_make(f->line, f->line_n));
        f->line_n = 0;
    }
}

/* ---- its ports ---- */

/* "  sl: local_address rem_address st …", an address as hexadecimal ADDRESS:PORT. */
static bool line_has(const char *line, bool listening, unsigned port)
{
    enum { TCP_LISTENING = 0x0A };
    const char *local = strchr(line, ':');
    local = local ? strchr(local + 1, ':') : NULL;
    const char *remote = local ? strchr(local + 1, ':') : NULL;
    const char *state = remote ? strchr(remote, ' ') : NULL;
    return state && strtoul(local + 1, NULL, 16) == port && (!listening || strtoul(state, NULL, 16) == TCP_LISTENING);
}

static bool table_has(const struct netns_foreign *f, const char *table, bool listening, unsigned port)
{
    char path[64];
    char line[512];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/net/%s", (int)f->pid, table);
    FILE *in = fopen(path, "re");
    while (in && !found && fgets(line, sizeof line, in))
        found = line_has(line, listening, port);
    if (in)
        fclose(in);
    return found;
}

bool netns_foreign_listens(const struct netns_foreign *f, uint16_t port)
{
    return table_has(f, "udp", false, port) || table_has(f, "udp6", false, port) || table_has(f, "tcp", true, port) ||
           table_has(f, "tcp6", true, port);
}
