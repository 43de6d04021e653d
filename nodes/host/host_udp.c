/* UDP on the real machine's sockets.
 *
 * One recvmmsg takes all that a socket has, as a rule one datagram, without a second call to learn that there is no
 * more. ICMP errors come from the socket's error queue (IP_RECVERR). The kernel also returns a pending error from the
 * next call on the socket, whatever that call is about; such a send is repeated, so that only its own result is seen.
 */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH = 8,
    DATAGRAM = 65536,
    RECEIVE_BUFFER = 4 << 20, /* bytes: a burst of a whole turn must fit */
    DEFAULT_TTL = 64,
    HEADERS = 28, /* bytes: IPv4 and UDP */
};

struct host_udp {
    struct host_input input; /* first: the two are one block */
    struct endpoint local;
    struct host_udp_events events;
    void *arg;
};

/* ---- receiving ---- */

/* Whole datagrams of one recvmmsg; used by one socket at a time, since callbacks do not nest. */
static struct {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in from[BATCH];
    struct {
        _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(int))];
    } control[BATCH];
    char data[BATCH][DATAGRAM];
} batch;

static int batch_receive(int fd, int most)
{
    for (int i = 0; i < most; i++) {
        batch.parts[i] = (struct iovec){batch.data[i], DATAGRAM};
        batch.messages[i].msg_hdr = (struct msghdr){.msg_name = &batch.from[i],
                                                    .msg_namelen = sizeof batch.from[i],
                                                    .msg_iov = &batch.parts[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = batch.control[i].bytes,
                                                    .msg_controllen = sizeof batch.control[i]};
    }
    return recvmmsg(fd, batch.messages, (unsigned)most, MSG_DONTWAIT, NULL);
}

static uint8_t ttl_of(struct msghdr *m)
{
    int ttl = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
            memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
    return (uint8_t)ttl;
}

static void take_datagrams(struct host_udp *u)
{
    int most = u->input.host->single ? 1 : BATCH;
    int n;
    do {
        n = batch_receive(u->input.fd, most);
        u->input.host->received += n > 0 ? (uint32_t)n : 0;
        for (int i = 0; i < n && u->input.fd >= 0; i++) {
            struct span data = {batch.data[i], batch.messages[i].msg_len};
            u->events.received(u->arg, host_endpoint(&batch.from[i]), ttl_of(&batch.messages[i].msg_hdr), data);
        }
    } while (n == BATCH && u->input.fd >= 0);
}

/* The kernel also queues its own errors (a datagram above the MTU); the sender has seen those already. */
static bool icmp_of(struct msghdr *m, struct host_icmp *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct {
            struct sock_extended_err error;
            struct sockaddr_in offender;
        } e;
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR || c->cmsg_len < CMSG_LEN(sizeof e))
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        if (e.error.ee_origin != SO_EE_ORIGIN_ICMP)
            continue;
        out->from = ntohl(e.offender.sin_addr.s_addr);
        out->type = e.error.ee_type;
        out->code = e.error.ee_code;
        if (e.error.ee_type == ICMP_DEST_UNREACH && e.error.ee_code == ICMP_FRAG_NEEDED)
            out->mtu = e.error.ee_info;
        return true;
    }
    return false;
}

static void take_errors(struct host_udp *u)
{
    while (u->input.fd >= 0) {
        struct sockaddr_in to = {0};
        char data[1];
        _Alignas(struct cmsghdr) char control[512];
        struct iovec part = {data, sizeof data};
        struct msghdr m = {.msg_name = &to,
                           .msg_namelen = sizeof to,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        struct host_icmp icmp = {0};
        if (recvmsg(u->input.fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        icmp.to = host_endpoint(&to);
        if (icmp_of(&m, &icmp) && u->events.refused)
            u->events.refused(u->arg, &icmp);
    }
}

static void udp_ready(struct host_input *input)
{
    struct host_udp *u = (struct host_udp *)input;
    uint32_t events = input->events;
    if (events & EPOLLERR)
        take_errors(u);
    if (events & EPOLLIN && input->fd >= 0)
        take_datagrams(u);
}

/* ---- opening ---- */

static void udp_free(struct host_input *input)
{
    free(input);
}

static bool option_set(int fd, int option, int value)
{
    return setsockopt(fd, IPPROTO_IP, option, &value, sizeof value) == 0;
}

static int socket_make(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!option_set(fd, IP_TTL, DEFAULT_TTL) || !option_set(fd, IP_RECVTTL, 1) || !option_set(fd, IP_RECVERR, 1) ||
        !option_set(fd, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)) {
        close(fd);
        return -1;
    }
    int size = RECEIVE_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as an ordinary user may have */
    return fd;
}

int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out)
{
    struct host_udp *u = malloc(sizeof *u);
    if (!u)
        return FE_EMEM;
    *u = (struct host_udp){.input = {.ready = udp_ready, .free = udp_free}, .events = *events, .arg = arg};
    int fd = socket_make();
    int error = fd < 0 ? FE_EOS : 0;
    if (!error)
        error = host_bind_some(h, fd, &local);
    if (!error)
        error = host_input_add(h, &u->input, fd);
    if (error) {
        if (fd >= 0)
            close(fd);
        free(u);
        return error;
    }
    u->local = local;
    u->input.arrival = turn_arrival_udp(local);
    *out = u;
    return 0;
}

struct endpoint host_udp_local(const struct host_udp *u)
{
    return u->local;
}

void host_udp_set_df(struct host_udp *u, bool df)
{
    /* PROBE: the kernel sets DF and does not remember path MTUs of its own. */
    option_set(u->input.fd, IP_MTU_DISCOVER, df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
}

void host_udp_close(struct host_udp *u)
{
    host_input_close(&u->input);
}

/* ---- sending ---- */

static ssize_t send_once(int fd, struct sockaddr_in to, uint8_t ttl, struct span data)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    int value = ttl;
    struct iovec part = {(void *)data.p, data.n};
    struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
    if (ttl == 0 || ttl == DEFAULT_TTL)
        return sendto(fd, data.p, data.n, 0, (const struct sockaddr *)&to, sizeof to);
    memcpy(control, &header, sizeof header);
    memcpy(control + CMSG_LEN(0), &value, sizeof value);
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    return sendmsg(fd, &m, 0);
}

static int send_error(int os_error)
{
    switch (os_error) {
    case ENETUNREACH:
    case EHOSTUNREACH: return FE_EUNREACH;
    case EMSGSIZE: return FE_ERANGE;
    case EAGAIN:
    case ENOBUFS: return FE_EAGAIN;
    default: return FE_EOS;
    }
}

int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data)
{
    struct host *h = u->input.host;
    struct sockaddr_in address = host_sockaddr(to);
    if (to.addr == 0 || to.port == 0) /* Linux would take 0.0.0.0 for itself */
        return FE_EUNREACH;
    ssize_t sent = send_once(u->input.fd, address, ttl, data);
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS)
        sent = send_once(u->input.fd, address, ttl, data);
    if (sent < 0 && errno == EMSGSIZE)
        h->looped = true; /* the kernel has queued that error: it is no input of the next turn */
    if (sent < 0)
        return send_error(errno);
    if (host_is_own(h, to.addr))
        h->looped = true;
    else
        host_count_sent(h, data.n + HEADERS);
    return 0;
}
