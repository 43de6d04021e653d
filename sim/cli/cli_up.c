/* `farend up`: the lab lives in one process in the background, which is a run (cli_child.h) without steps of its own
 * that hears a socket (cli_serve.h). The command waits until every node had its first turn, or for what went wrong. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_ask.h"
#include "sim/cli/cli_child.h"
#include "sim/cli/cli_folder.h"
#include "sim/cli/cli_nodes.h"
#include "sim/cli/cli_serve.h"
#include "sim/cli/cli_socket.h"
#include "sim/engine/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR = 600 };

struct up {
    const struct cli_args *args;
    struct lab *lab;
    char folder[CLI_PATH];
    int lock; /* the folder */
    int news; /* a pipe from the lab's process: CLI_SERVE_READY, or what went wrong */
    pid_t pid;
};

/* ---- the lab's process ---- */

/* Whoever waits for the end of a pipe that the caller has open is not to wait for this process too. */
static void close_others(int a, int b)
{
    int low = a < b ? a : b;
    int high = a < b ? b : a;
    if (low > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0u, 0);
}

/* Away from the caller's terminal; what a program prints on its way down stays in the folder. */
static bool leave_terminal(int folder)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = openat(folder, "up.log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    bool left = setsid() > 0 && null >= 0 && log >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
                dup2(null, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    int error = errno;
    if (null > STDERR_FILENO)
        close(null);
    if (log > STDERR_FILENO)
        close(log);
    errno = error;
    return left;
}

static void log_remove_empty(int folder)
{
    if (lseek(STDERR_FILENO, 0, SEEK_END) == 0)
        unlinkat(folder, "up.log", 0);
}

static int lab_live(const struct up *up, int news, struct text *error)
{
    const struct cli_serve_config config = {up->lab, up->args->world->name, up->folder, up->lock, news};
    struct cli_child c = {
        .args = up->args, .lab = up->lab, .folder = up->folder, .capture = true, .report = true, .real = true};
    bool signalled;
    close_others(up->lock, news);
    unlinkat(up->lock, "verdict.json", 0); /* of an earlier lab */
    if (!leave_terminal(up->lock) || cli_serve_new(&c.serve, &config)) {
        text_str(error, strerror(errno));
        return CLI_FAILED;
    }
    int status = cli_child_run(&c, error, &signalled);
    log_remove_empty(up->lock);
    cli_serve_end(c.serve, status, error->p);
    return status;
}

/* Until it is ready it dies with the command. Its connections end with it, so they are not freed before. */
static _Noreturn void lab_main(const struct up *up, int news, pid_t parent)
{
    char buf[ERROR];
    struct text error = text_on(buf, sizeof buf);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(CLI_FAILED);
    int status = lab_live(up, news, &error);
    if (error.n && write(news, buf, error.n) < 0)
        status = CLI_FAILED;
    fflush(NULL);
    _exit(status);
}

static int lab_start(struct up *up)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return FE_EOS;
    fflush(NULL);
    pid_t parent = getpid();
    up->pid = fork();
    if (up->pid == 0) {
        close(pipes[0]);
        lab_main(up, pipes[1], parent);
    }
    close(pipes[1]);
    up->news = pipes[0];
    return up->pid > 0 ? 0 : FE_EOS;
}

/* ---- the command ---- */

static bool has_calls(const struct lab *lab, const char **from, const char **to)
{
    *from = *to = NULL;
    for (size_t i = 0; i < lab->nodes_n && !*to; i++)
        if (lab_is_phone(&lab->nodes[i]))
            *(*from ? to : from) = lab->nodes[i].name;
    return *to != NULL;
}

/* A node on whose kernel commands can be run; NULL: there is none. */
static const char *has_kernel(const struct up *up)
{
    for (size_t i = 0; up->args->world == &netns_world && i < up->lab->nodes_n; i++)
        if (!up->lab->nodes[i].sim)
            return up->lab->nodes[i].name;
    return NULL;
}

/* What to type next, with the lab's own names. */
static void print_hints(const struct up *up)
{
    const struct lab *lab = up->lab;
    const char *from;
    const char *to;
    const char *where = up->args->out ? up->folder : "";
    const char *blank = up->args->out ? " " : "";
    printf("next, for example:\n  farend status%s%s\n", blank, where);
    const char *kernel = has_kernel(up);
    if (kernel)
        printf("  farend exec%s%s %s ip address\n", blank, where, kernel);
    if (has_calls(lab, &from, &to))
        printf("  farend inject%s%s 'call: {from: %s, to: %s, talk: 5s}'\n", blank, where, from, to);
    printf("  farend inject%s%s 'fault: {on: %s, do: cut}'\n", blank, where, lab->nodes[0].name);
    printf("  tail -f %s/trace.jsonl\n  farend down%s%s\n", up->folder, blank, where);
}

static int lab_await(struct up *up)
{
    char news[ERROR] = "";
    int wait_status;
    ssize_t n = read(up->news, news, sizeof news - 1);
    if (n > 0 && news[0] == CLI_SERVE_READY) {
        printf("%s is up: %s, seed %llu, %s\n", up->lab->name, up->args->world->name, (unsigned long long)up->lab->seed,
               up->folder);
        cli_nodes_print(up->lab, NULL, stdout);
        print_hints(up);
        return CLI_HELD;
    }
    int status = CLI_FAILED;
    if (waitpid(up->pid, &wait_status, 0) == up->pid && WIFEXITED(wait_status))
        status = WEXITSTATUS(wait_status);
    fprintf(stderr, "%s: %s\n", up->lab->name, *news ? news : "it ended before it was up");
    return status ? status : CLI_FAILED;
}

static int refuse(const struct up *up)
{
    if (errno != EWOULDBLOCK) {
        fprintf(stderr, "farend: %s: %s\n", up->folder, strerror(errno));
        return CLI_FAILED;
    }
    fprintf(stderr,
            "farend: a lab is up in %s already; look at it: farend status %s, end it: farend down %s, or start another "
            "elsewhere: --out FOLDER\n",
            up->folder, up->folder, up->folder);
    return CLI_WRONG;
}

static bool folder_name(struct up *up)
{
    int n = up->args->out ? snprintf(up->folder, CLI_PATH, "%s", up->args->out)
                          : snprintf(up->folder, CLI_PATH, "runs/%s-up", up->lab->name);
    return n > 0 && n < CLI_PATH - 64;
}

static int up_named(struct up *up)
{
    if (!folder_name(up) || cli_folder_make(up->folder)) {
        fprintf(stderr, "farend: %s: %s\n", up->folder, strerror(errno));
        return CLI_FAILED;
    }
    up->lock = cli_socket_lock(up->folder);
    if (up->lock < 0)
        return refuse(up);
    int status = CLI_FAILED;
    if (lab_start(up) == 0)
        status = lab_await(up);
    else
        fprintf(stderr, "farend: %s\n", strerror(errno));
    close(up->lock);
    return status;
}

int cli_up(const struct cli_args *args)
{
    struct up up = {.args = args, .lab = cli_lab_load(args, args->names[0])};
    if (!up.lab)
        return CLI_WRONG;
    int status = up_named(&up);
    lab_free(up.lab);
    return status;
}
