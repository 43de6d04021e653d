/* The socket of a lab that is up: `control` in the run's folder, for its user alone. It is named through a descriptor
 * of the folder, so that paths may be of any length. The folder itself is locked while the lab is up: whatever ends
 * the lab's process ends the lock. */
#ifndef FAREND_CLI_SOCKET_H
#define FAREND_CLI_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/* Locks the folder. A descriptor of it; -1: errno, EWOULDBLOCK when a lab is up there. */
int cli_socket_lock(const char *folder);

/* In the locked folder; what an earlier lab left is replaced. Does not block. -1: errno. */
int cli_socket_listen(int folder);
void cli_socket_remove(int folder);

/* -1: errno: ENOENT when no lab was ever up there, ECONNREFUSED when one was. */
int cli_socket_connect(const char *folder);

/* After ECONNREFUSED: removes what a lab left that is no more. */
void cli_socket_clean(const char *folder);

/* One byte with two descriptors; and what came of a read, which may have brought them: fds[] stay -1 without. */
bool cli_socket_send(int socket, const char *bytes, size_t n, const int fds[2]);
long cli_socket_read(int socket, char *bytes, size_t n, int fds[2]); /* as read() */

#endif
