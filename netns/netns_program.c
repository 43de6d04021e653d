#define _GNU_SOURCE
#include "netns/netns_program.h"

#include "nodes/base/error.h"
#include "nodes/base/prng.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FIRST_FREE_FD = 16, /* of ours: below are those that the program gets */
    SLICE = 100000,     /* ns; the kernel takes no less */
};

void netns_programs_folder(char *dst, size_t cap)
{
    const char *told = getenv("FAREND_BIN");
    if (told) {
        snprintf(dst, cap, "%s", told);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", dst, cap - 1);
    dst[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(dst, '/');
    if (slash)
        *slash = '\0';
}

/* ---- its words ---- */

struct words {
    char **argv;
    size_t n;
    bool no_memory;
};

static void word_add(struct words *w, const char *before, const char *between, const char *after)
{
    size_t n = strlen(before) + strlen(between) + strlen(after) + 1;
    char *word = malloc(n);
    if (!word) {
        w->no_memory = true;
        return;
    }
    snprintf(word, n, "%s%s%s", before, between, after);
    w->argv[w->n++] = word;
}

/* "outside=outside:203.0.113.7/24": a port, its interface of the same name, its address. */
static void word_port(struct words *w, const struct plan_port *port)
{
    char buf[96];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, port->name);
    text_char(&t, ':');
    text_addr(&t, port->addr);
    text_char(&t, '/');
    text_u64(&t, port->bits);
    word_add(w, port->name, "=", buf);
}

static void words_free(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->argv[i]);
    free(w->argv);
}

static int words_make(struct words *w, const char *path, const struct plan_node *node, uint64_t seed)
{
    char digits[24];
    struct text t = text_on(digits, sizeof digits);
    text_u64(&t, seed);
    *w = (struct words){.argv = calloc(7 + node->ports_n + node->settings_n, sizeof *w->argv)};
    if (!w->argv)
        return FE_EMEM;
    word_add(w, path, "", "");
    word_add(w, "--lab", "", "");
    word_add(w, "--name", "", "");
    word_add(w, node->name, "", "");
    word_add(w, "--seed", "", "");
    word_add(w, digits, "", "");
    for (size_t i = 0; i < node->ports_n; i++)
        word_port(w, &node->ports[i]);
    for (size_t i = 0; i < node->settings_n; i++)
        word_add(w, node->settings[i].path, "=", node->settings[i].value);
    if (w->no_memory)
        words_free(w);
    return w->no_memory ? FE_EMEM : 0;
}

/* ---- starting ---- */

/* The same descriptor with a number that no program gets. */
static int raise_fd(int fd)
{
    if (fd < 0 || fd >= FIRST_FREE_FD)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    close(fd);
    return high;
}

static int log_open(const struct netns_programs *all, const char *name)
{
    char file[80];
    if (all->logs < 0)
        return raise_fd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE_FD));
    snprintf(file, sizeof file, "%s.log", name);
    return raise_fd(openat(all->logs, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
}

/* posix_spawn shares our memory until exec, so that a large engine starts programs as fast as a small one. */
static int spawn(pid_t *pid, char **argv, int page, int input, int log)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&files);
    if (error)
        return error;
    error = posix_spawnattr_init(&how);
    if (!error) {
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
        posix_spawn_file_actions_adddup2(&files, page, TURN_PAGE_FD);
        posix_spawn_file_actions_adddup2(&files, input, TURN_EPOLL_FD);
        posix_spawn_file_actions_addclosefrom_np(&files, TURN_EPOLL_FD + 1);
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
        error = posix_spawn(pid, argv[0], &files, &how, argv, environ);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static int complain(struct text *why, const char *what, const char *name, int os_error)
{
    text_str(why, what);
    text_str(why, " ");
    text_str(why, name);
    text_str(why, ": ");
    text_str(why, strerror(os_error));
    return FE_EOS;
}

/* As linux/sched/types.h has it, which cannot be included beside sched.h. */
struct sched_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_low, clamp_high;
};

/* The shortest slice that the scheduler knows: a program that is woken for its turn then takes the CPU from the engine
 * within the call that wakes it, and the engine need not go to sleep (EEVDF, Linux 6.12). An older kernel ignores the
 * wish, or refuses it: turns are the same and a little slower. */
static void be_preferred(pid_t pid)
{
    struct sched_attributes how = {.size = sizeof how};
    if (syscall(SYS_sched_getattr, pid, &how, sizeof how, 0) || how.policy != SCHED_OTHER)
        return;
    how.runtime = SLICE;
    syscall(SYS_sched_setattr, pid, &how, 0);
}

static int run(struct netns_program *p, char **argv, int page, int log, struct text *why)
{
    int error = spawn(&p->pid, argv, page, p->input, log);
    if (error) {
        complain(why, "cannot start", argv[0], error);
        if (error == ENOENT)
            text_str(why, "; the programs stand beside farend, or in the folder that $FAREND_BIN names");
        return FE_EOS;
    }
    be_preferred(p->pid);
    p->process = (int)syscall(SYS_pidfd_open, p->pid, 0);
    return p->process < 0 ? complain(why, "pidfd of", p->node->name, errno) : 0;
}

int netns_program_start(struct netns_program *p, const struct plan_node *node, const struct netns_programs *all,
                        struct text *why)
{
    char path[4096];
    struct words words;
    int page = -1;
    snprintf(path, sizeof path, "%s/farend-%s", all->folder, node->kind->name);
    *p = (struct netns_program){.node = node, .process = -1, .input = -1, .starts = p->starts};
    if (words_make(&words, path, node, prng_seed_again(all->seed, p->starts))) {
        text_str(why, "out of memory");
        return FE_EMEM;
    }
    int log = log_open(all, node->name);
    p->input = raise_fd(epoll_create1(EPOLL_CLOEXEC));
    p->page = netns_turn_map(&page);
    page = raise_fd(page);
    int error = 0;
    if (log < 0 || p->input < 0 || !p->page || page < 0)
        error = complain(why, "descriptors of", node->name, errno);
    else
        error = run(p, words.argv, page, log, why);
    if (log >= 0)
        close(log);
    if (page >= 0)
        close(page);
    words_free(&words);
    if (error)
        netns_program_kill(p);
    return error;
}

/* ---- ending ---- */

void netns_program_signal(struct netns_program *p)
{
    if (p->pid > 0)
        kill(p->pid, SIGKILL);
}

void netns_program_kill(struct netns_program *p)
{
    netns_program_signal(p);
    if (p->pid > 0)
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    if (p->process >= 0)
        close(p->process);
    if (p->input >= 0)
        close(p->input);
    if (p->page)
        netns_turn_unmap(p->page);
    free(p->commands);
    *p = (struct netns_program){.node = p->node, .process = -1, .input = -1, .starts = p->starts};
}

void netns_program_epitaph(const struct netns_program *p, struct text *out)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)p->process, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == 0) {
        text_str(out, "ended");
    } else if (info.si_code == CLD_EXITED) {
        text_str(out, "ended with status ");
        text_i64(out, info.si_status);
    } else {
        const char *name = sigabbrev_np(info.si_status);
        text_str(out, "was killed by SIG");
        text_str(out, name ? name : "?");
    }
}

/* ---- commands ---- */

int netns_program_command(struct netns_program *p, struct span line)
{
    size_t n = p->commands_n + line.n + 1;
    if (line.n >= TURN_COMMANDS)
        return FE_ERANGE;
    if (n > p->commands_cap) {
        char *commands = realloc(p->commands, 2 * n);
        if (!commands)
            return FE_EMEM;
        p->commands = commands;
        p->commands_cap = 2 * n;
    }
    memcpy(p->commands + p->commands_n, line.p, line.n);
    p->commands[n - 1] = '\n';
    p->commands_n = n;
    return 0;
}

void netns_program_hand_over(struct netns_program *p)
{
    size_t room = sizeof p->page->commands - p->page->commands_n;
    size_t n = p->commands_n < room ? p->commands_n : room;
    while (n > 0 && p->commands[n - 1] != '\n')
        n--;
    if (n == 0)
        return;
    memcpy(p->page->commands + p->page->commands_n, p->commands, n);
    p->page->commands_n += (uint32_t)n;
    p->commands_n -= n;
    memmove(p->commands, p->commands + n, p->commands_n);
}
