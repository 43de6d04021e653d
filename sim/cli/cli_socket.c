#define _GNU_SOURCE
#include "sim/cli/cli_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "control"

enum { WAITING = 16 };

static struct sockaddr_un address(int folder)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" NAME, folder);
    return a;
}

static int folder_open(const char *folder)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* close() that leaves errno. */
static int give_up(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

int cli_socket_lock(const char *folder)
{
    int fd = folder_open(folder);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? fd : give_up(fd);
}

int cli_socket_listen(int folder)
{
    const struct sockaddr_un a = address(folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    cli_socket_remove(folder);
    bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    umask(mask);
    return bound && listen(fd, WAITING) == 0 ? fd : give_up(fd);
}

void cli_socket_remove(int folder)
{
    unlinkat(folder, NAME, 0);
}

int cli_socket_connect(const char *folder)
{
    int dir = folder_open(folder);
    if (dir < 0)
        return -1;
    const struct sockaddr_un a = address(dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
        fd = give_up(fd);
    int error = errno;
    close(dir);
    errno = error;
    return fd;
}

/* Under the lock: a lab that is just coming up has its own. */
void cli_socket_clean(const char *folder)
{
    int dir = cli_socket_lock(folder);
    if (dir < 0)
        return;
    cli_socket_remove(dir);
    close(dir);
}

/* ---- descriptors ---- */

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(2 * sizeof(int))];
};

bool cli_socket_send(int socket, const char *bytes, size_t n, const int fds[2])
{
    union control control = {.room = {0}};
    struct iovec data = {(void *)(size_t)bytes, n};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(&control.head), fds, 2 * sizeof(int));
    return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)n;
}

long cli_socket_read(int socket, char *bytes, size_t n, int fds[2])
{
    union control control = {.room = {0}};
    struct iovec data = {bytes, n};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(2 * sizeof(int)))
        memcpy(fds, CMSG_DATA(head), 2 * sizeof(int));
    return got;
}
