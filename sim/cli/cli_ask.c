#define _GNU_SOURCE
#include "sim/cli/cli_ask.h"

#include "sim/cli/cli.h"
#include "sim/cli/cli_socket.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- which one ---- */

/* -1: none is up there, and nothing is left of one that was. */
static int connect_or_clean(const char *folder)
{
    int fd = cli_socket_connect(folder);
    if (fd < 0 && errno == ECONNREFUSED)
        cli_socket_clean(folder);
    return fd;
}

static bool folder_add(struct cli_ups *ups, const char *socket)
{
    char *folder = strndup(socket, strlen(socket) - strlen("/control"));
    int fd = folder ? connect_or_clean(folder) : -1;
    if (fd < 0) {
        free(folder);
        return folder != NULL;
    }
    close(fd);
    ups->folders[ups->n++] = folder;
    return true;
}

void cli_ups_free(struct cli_ups *ups)
{
    for (size_t i = 0; i < ups->n; i++)
        free(ups->folders[i]);
    free(ups->folders);
}

bool cli_ups_find(struct cli_ups *ups)
{
    glob_t found;
    *ups = (struct cli_ups){0};
    if (glob("runs/*/control", 0, NULL, &found) != 0)
        return true;
    ups->folders = calloc(found.gl_pathc + 1, sizeof(char *));
    bool ok = ups->folders != NULL;
    for (size_t i = 0; ok && i < found.gl_pathc; i++)
        ok = folder_add(ups, found.gl_pathv[i]);
    globfree(&found);
    if (!ok)
        cli_ups_free(ups);
    return ok;
}

/* "topologies/calls/double-nat.yaml" is the lab double-nat. */
static struct span lab_name(const char *word)
{
    const char *slash = strrchr(word, '/');
    struct span name = span_of(slash ? slash + 1 : word);
    if (name.n > 5 && memcmp(name.p + name.n - 5, ".yaml", 5) == 0)
        name.n -= 5;
    return name;
}

int cli_ask_named(const char *word, char folder[CLI_PATH])
{
    struct span name = lab_name(word);
    int n = snprintf(folder, CLI_PATH, "%s", word);
    int fd = n > 0 && n < CLI_PATH ? connect_or_clean(folder) : -1;
    if (fd >= 0)
        return fd;
    n = snprintf(folder, CLI_PATH, "runs/%.*s-up", SPAN_ARG(name));
    return n < CLI_PATH ? connect_or_clean(folder) : -1;
}

static void say_none(const char *word, const struct cli_ups *ups)
{
    if (word)
        fprintf(stderr, "farend: no lab \"%s\" is up here", word);
    else
        fputs(ups->n ? "farend: several labs are up, so say which" : "farend: no lab is up here", stderr);
    fputs(ups->n ? "; these are:" : "; farend up LAB starts one", stderr);
    for (size_t i = 0; i < ups->n; i++)
        fprintf(stderr, " %s", ups->folders[i]);
    fputc('\n', stderr);
}

int cli_ask_open(const char *word, char folder[CLI_PATH])
{
    struct cli_ups ups;
    int fd = word ? cli_ask_named(word, folder) : -1;
    if (fd >= 0)
        return fd;
    if (word && errno == EACCES) {
        fprintf(stderr, "farend: the lab \"%s\" is another user's\n", word);
        return -1;
    }
    if (!cli_ups_find(&ups)) {
        fputs("farend: out of memory\n", stderr);
        return -1;
    }
    bool only = !word && ups.n == 1;
    if (only) {
        snprintf(folder, CLI_PATH, "%s", ups.folders[0]);
        fd = cli_socket_connect(folder);
    }
    if (fd < 0 && only)
        fputs("farend: the lab has ended\n", stderr); /* just now */
    else if (fd < 0)
        say_none(word, &ups);
    cli_ups_free(&ups);
    return fd;
}

/* ---- asking ---- */

static bool send_all(int socket, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(socket, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool request_send(int socket, const struct cli_request *r)
{
    char line[CLI_REQUEST_MAX + 1];
    struct text text = text_on(line, sizeof line);
    if (cli_request_write(r, &text))
        return send_all(socket, line, text.n);
    fputs("farend: that is too long to be given to a lab\n", stderr);
    return false;
}

/* What is printed, and the status, which is -1 until it has come. */
static void line_take(struct span line, int *status)
{
    struct cli_answer a;
    if (!cli_answer_read(&a, line))
        return;
    switch (a.part) {
    case CLI_SAY: printf("%.*s\n", SPAN_ARG(a.text)); break;
    case CLI_COMPLAIN: fprintf(stderr, "%.*s\n", SPAN_ARG(a.text)); break;
    case CLI_END: *status = a.status; break;
    }
}

/* Takes the whole lines; returns how many bytes are left at the front. */
static size_t lines_take(char *buf, size_t n, int *status)
{
    struct span rest = {buf, n};
    for (char *end; (end = memchr(rest.p, '\n', rest.n));) {
        size_t line = (size_t)(end - rest.p);
        line_take((struct span){rest.p, line}, status);
        rest = (struct span){end + 1, rest.n - line - 1};
    }
    memmove(buf, rest.p, rest.n);
    return rest.n;
}

static int answer_read(int socket, int fds[2])
{
    char buf[16384];
    size_t n = 0;
    int status = -1;
    for (;;) {
        int came[2] = {-1, -1};
        long got = cli_socket_read(socket, buf + n, sizeof buf - n, came);
        if (came[0] >= 0 && fds)
            memcpy(fds, came, sizeof came);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return status;
        n = lines_take(buf, n + (size_t)got, &status);
        if (n == sizeof buf)
            n = 0; /* no line of ours is as long */
        fflush(stdout);
    }
}

int cli_ask(int socket, const struct cli_request *r, int fds[2])
{
    int status = CLI_WRONG;
    if (fds)
        fds[0] = fds[1] = -1;
    if (request_send(socket, r)) {
        status = answer_read(socket, fds);
        if (status < 0) {
            fputs("farend: the lab has ended\n", stderr);
            status = CLI_FAILED;
        }
    }
    close(socket);
    return status;
}
