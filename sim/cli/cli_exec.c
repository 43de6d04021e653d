/* `farend exec`: the caller's own process goes into the node's network namespace and becomes the command. */
#define _GNU_SOURCE
#include "sim/cli/cli.h"
#include "sim/cli/cli_ask.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CANNOT_RUN = 126, NO_SUCH_COMMAND = 127 }; /* as shells say it */

static bool is_here(int user)
{
    struct stat here;
    struct stat there;
    return stat("/proc/self/ns/user", &here) == 0 && fstat(user, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* An ordinary user's lab lives in a user namespace of its own, whose root its user is (user_namespaces(7)). */
static bool enter(const int fds[2])
{
    int space = fds[0];
    int user = fds[1];
    return (is_here(user) || setns(user, CLONE_NEWUSER) == 0) && setns(space, CLONE_NEWNET) == 0;
}

static int become(char **command)
{
    execvp(command[0], command);
    int error = errno;
    fprintf(stderr, "farend: %s: %s\n", command[0], strerror(error));
    return error == ENOENT ? NO_SUCH_COMMAND : CANNOT_RUN;
}

static int usage(void)
{
    fputs("farend: usage: farend exec [LAB] NODE COMMAND…, as: farend exec alice ping -c1 203.0.113.10\n", stderr);
    return CLI_WRONG;
}

/* The lab may be left out: the first word is then a node's. */
int cli_exec(char **argv)
{
    char folder[CLI_PATH];
    int fds[2];
    char **words = argv + 1;
    int socket = words[0] && words[0][0] != '-' ? cli_ask_named(words[0], folder) : -1;
    if (socket >= 0)
        words++;
    if (!words[0] || !words[1] || words[0][0] == '-') {
        if (socket >= 0)
            close(socket);
        return usage();
    }
    if (socket < 0)
        socket = cli_ask_open(NULL, folder);
    if (socket < 0)
        return CLI_WRONG;
    const struct cli_request r = {.verb = CLI_ASK_SPACE, .text = span_of(words[0])};
    int status = cli_ask(socket, &r, fds);
    if (status != CLI_HELD || fds[0] < 0)
        return status;
    if (enter(fds))
        return become(words + 1);
    fprintf(stderr, "farend: the namespace of %s cannot be entered: %s\n", words[0], strerror(errno));
    return CLI_MACHINE;
}
