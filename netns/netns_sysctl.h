/* The kernel's settings of a namespace, so that its stack behaves as RFCs and lab files say, and nothing of it depends
 * on the machine's own settings: a new namespace inherits IPv4's from the machine's first. */
#ifndef FAREND_NETNS_SYSCTL_H
#define FAREND_NETNS_SYSCTL_H

#include "nodes/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What the namespaces of this run are born with; they are all born alike, so what is right in the first needs no
 * writing in the others. */
struct netns_sysctl {
    int folder;     /* sys/net of the machine's /proc or of an instance of our own */
    unsigned seen;  /* namespaces that came by since it was opened */
    bool looked;    /* `right` is valid */
    uint64_t right; /* one bit a setting: new namespaces have this value already */
};

/* FE_EOS and a sentence. */
int netns_sysctl_open(struct netns_sysctl *s, struct text *why);
void netns_sysctl_close(struct netns_sysctl *s);

enum netns_manner {
    NETNS_ROUTER,
    NETNS_HOST,    /* of a program with a clock of its own, or without an IP stack */
    NETNS_STEPPED, /* its TCP runs in lab time: netns_tcp.h does what the kernel's timers would */
};

/* In the namespace where this thread is, before it has interfaces of ours. FE_EOS and a sentence. */
int netns_sysctl_apply(struct netns_sysctl *s, enum netns_manner manner, struct text *why);

#endif
