#define _GNU_SOURCE
#include "netns/netns_space.h"

#include "nodes/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int netns_space_here(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int netns_space_new(void)
{
    return unshare(CLONE_NEWNET) ? -1 : netns_space_here();
}

bool netns_space_enter(int space)
{
    return setns(space, CLONE_NEWNET) == 0;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text);
}

/* user_namespaces(7): a process without CAP_SETGID may map its group only after giving up setgroups. */
static bool become_root(void)
{
    char uids[64];
    char gids[64];
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", uids) && write_file("/proc/self/gid_map", gids);
}

/* A new namespace of names takes the same right as one of networks (CAP_SYS_ADMIN, namespaces(7)), and no time. */
static bool may_make(void)
{
    int home = open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC);
    bool may = home >= 0 && unshare(CLONE_NEWUTS) == 0 && setns(home, CLONE_NEWUTS) == 0;
    int error = errno;
    if (home >= 0)
        close(home);
    errno = error;
    return may;
}

int netns_space_permit(bool user, struct text *why)
{
    bool may = may_make();
    int error = errno;
    if (may || (user && become_root()))
        return 0;
    if (user)
        error = errno;
    text_str(why, "this process may not make network namespaces (");
    text_str(why, strerror(error));
    text_str(why, user ? "): run as root, or permit user namespaces; farend doctor says how"
                       : "): run as root, or leave user namespaces permitted");
    return FE_EOS;
}
