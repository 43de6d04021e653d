#define _GNU_SOURCE
#include "nodes/knat/knat.h"

#include "nodes/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 1 << 17, HEARD_BUFFER = 32 << 20 };

/* Longer than any lab takes in real time; in seconds. */
#define NEVER_SECONDS "1000000\n"

struct kernel_setting {
    const char *path; /* below /proc/sys/net/netfilter */
    const char *value;
};

static const struct kernel_setting kernel_settings[] = {
    {"nf_conntrack_events", "1\n"}, /* 2 would tell only of flows that begin while somebody listens */
    {"nf_conntrack_udp_timeout", NEVER_SECONDS},
    {"nf_conntrack_udp_timeout_stream", NEVER_SECONDS},
    {"nf_conntrack_icmp_timeout", NEVER_SECONDS},
    {"nf_conntrack_generic_timeout", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_syn_sent", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_syn_recv", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_established", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_fin_wait", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_close_wait", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_last_ack", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_time_wait", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_close", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_max_retrans", NEVER_SECONDS},
    {"nf_conntrack_tcp_timeout_unacknowledged", NEVER_SECONDS},
};

/* ---- what comes ---- */

/* True as long as there may be more. */
static bool hear(struct host_knat *k)
{
    static _Alignas(struct nlmsghdr) char messages[MESSAGES];
    ssize_t n = recv(k->input.fd, messages, sizeof messages, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        fprintf(stderr, "the kernel's word on its NAT was lost: %s\n", strerror(errno));
        host_exit(k->input.host, 4);
    }
    int left = n > 0 ? (int)n : 0;
    for (const struct nlmsghdr *m = (const void *)messages; mnl_nlmsg_ok(m, left) && k->input.fd >= 0;
         m = mnl_nlmsg_next(m, &left)) {
        unsigned subsystem = NFNL_SUBSYS_ID(m->nlmsg_type);
        if (subsystem == NFNL_SUBSYS_CTNETLINK && knat_flow_message(k, m))
            host_exit(k->input.host, 4);
        else if (subsystem == NFNL_SUBSYS_ULOG)
            knat_log_message(k, m);
    }
    return n > 0;
}

static void heard_ready(struct host_input *input)
{
    struct host_knat *k = (struct host_knat *)input;
    while (input->fd >= 0 && hear(k))
        ;
}

static void heard_free(struct host_input *input)
{
    free(input);
}

/* ---- what is asked ---- */

int knat_ask(struct host_knat *k, const void *request, size_t n, unsigned replies)
{
    _Alignas(struct nlmsghdr) char reply[8192];
    if (mnl_socket_sendto(k->told, request, n) < 0)
        return FE_EOS;
    while (replies > 0) {
        ssize_t got = mnl_socket_recvfrom(k->told, reply, sizeof reply);
        if (got < 0)
            return FE_EOS;
        int left = (int)got;
        for (const struct nlmsghdr *m = (const void *)reply; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
            if (m->nlmsg_type != NLMSG_ERROR)
                continue;
            if (e->error) {
                errno = -e->error;
                return FE_EOS;
            }
            replies = replies > 0 ? replies - 1 : 0;
        }
    }
    return 0;
}

/* ---- opening ---- */

static int complain(struct text *why, const char *what, const char *more)
{
    int error = errno;
    text_str(why, what);
    text_str(why, more);
    text_str(why, ": ");
    text_str(why, strerror(error));
    text_str(why, "; `farend doctor` says what the kernel's own NAT needs");
    return FE_EOS;
}

static int apply_settings(struct text *why)
{
    char path[128];
    for (size_t i = 0; i < sizeof kernel_settings / sizeof kernel_settings[0]; i++) {
        const struct kernel_setting *s = &kernel_settings[i];
        snprintf(path, sizeof path, "/proc/sys/net/netfilter/%s", s->path);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : write(fd, s->value, strlen(s->value));
        int error = errno;
        if (fd >= 0)
            close(fd);
        errno = error;
        if (n < 0)
            return complain(why, path, " cannot be set");
    }
    return 0;
}

static struct mnl_socket *socket_make(unsigned groups)
{
    struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!s || mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) == 0)
        return s;
    int error = errno;
    mnl_socket_close(s);
    errno = error;
    return NULL;
}

static int sockets_open(struct host_knat *k)
{
    const unsigned flows = NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY;
    int size = HEARD_BUFFER;
    k->told = socket_make(0);
    k->heard = k->told ? socket_make(flows) : NULL;
    if (!k->heard)
        return FE_EOS;
    int fd = mnl_socket_get_fd(k->heard);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as an ordinary user may have */
    return 0;
}

static void sockets_close(struct host_knat *k)
{
    if (k->told)
        mnl_socket_close(k->told);
    if (k->heard)
        mnl_socket_close(k->heard);
}

/* The loop closes its descriptors itself, so it gets one of its own. */
static int listen_from_now_on(struct host_knat *k, struct host *h)
{
    int fd = fcntl(mnl_socket_get_fd(k->heard), F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || host_input_add(h, &k->input, fd) == 0)
        return fd < 0 ? FE_EOS : 0;
    int error = errno;
    close(fd);
    errno = error;
    return FE_EOS;
}

/* The rules come first: with them the kernel begins to track, and its settings are there. */
static int set_up(struct host_knat *k, struct host *h, const struct host_knat_config *config, struct text *why)
{
    if (sockets_open(k))
        return complain(why, "netfilter's netlink", "");
    if (knat_log_bind(k))
        return complain(why, "the packet log (nfnetlink_log)", "");
    if (knat_rules_set(k, config))
        return complain(why, "the kernel's NAT (nf_tables)", "");
    int error = apply_settings(why);
    if (!error && (knat_flow_flush(k) || listen_from_now_on(k, h)))
        error = complain(why, "conntrack", "");
    return error;
}

int host_knat_open(struct host *h, const struct host_knat_config *config, const struct host_knat_events *events,
                   void *arg, struct host_knat **out, struct text *why)
{
    struct host_knat *k = malloc(sizeof *k);
    if (!k)
        return FE_EMEM;
    *k = (struct host_knat){
        .input = {.host = h, .fd = -1, .ready = heard_ready, .free = heard_free}, .events = *events, .arg = arg};
    k->ports = h->interfaces_n;
    for (unsigned i = 0; i < h->interfaces_n; i++)
        k->index[i] = (unsigned)h->interfaces[i].index;
    int error = set_up(k, h, config, why);
    if (!error) {
        *out = k;
        return 0;
    }
    sockets_close(k);
    free(k);
    return error;
}

int host_knat_configure(struct host_knat *k, const struct host_knat_config *config)
{
    return knat_rules_set(k, config);
}

void host_knat_end(struct host_knat *k, const struct host_knat_flow *flow)
{
    (void)knat_flow_delete(k, flow); /* ENOENT: it is gone already */
}

void host_knat_flush(struct host_knat *k)
{
    if (knat_flow_flush(k))
        host_exit(k->input.host, 4);
}

void host_knat_close(struct host_knat *k)
{
    (void)knat_rules_clear(k);
    sockets_close(k);
    host_input_close(&k->input);
}
