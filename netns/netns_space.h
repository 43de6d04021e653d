/* Network namespaces without names: each is a descriptor, and is gone when the last descriptor and process are. */
#ifndef FAREND_NETNS_SPACE_H
#define FAREND_NETNS_SPACE_H

#include "nodes/base/text.h"

#include <stdbool.h>

/* The namespace this thread is in. A descriptor, or -1. */
int netns_space_here(void);

/* A new, empty namespace; this thread is in it afterwards. A descriptor, or -1 (errno). */
int netns_space_new(void);

/* Moves this thread. false: errno says why. */
bool netns_space_enter(int space);

/* Makes sure that this process may make namespaces: it may already, or it becomes root of a new user namespace (when
 * `user` allows that), which only a process with one thread can. FE_EOS and a sentence with the remedy. */
int netns_space_permit(bool user, struct text *why);

#endif
