/* Raw IP: one packet socket for each port. The kernel's own stack sees the packets too, but has no address to take them
 * for, and does not forward. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"
#include "nodes/proto/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 8, PACKET = 65536, RECEIVE_BUFFER = 4 << 20 };

struct raw_port {
    struct host_input input; /* first: the two are one block */
    struct host_raw *raw;
    unsigned port;
};

struct host_raw {
    struct host *host;
    struct host_raw_events events;
    void *arg;
    struct raw_port *ports[HOST_PORTS];
};

/* Whole packets of one recvmmsg; used by one socket at a time, since callbacks do not nest. */
static struct {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct {
        _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control[BATCH];
    uint8_t data[BATCH][PACKET];
} batch;

static int batch_receive(int fd, int most)
{
    for (int i = 0; i < most; i++) {
        batch.parts[i] = (struct iovec){batch.data[i], PACKET};
        batch.messages[i].msg_hdr = (struct msghdr){.msg_iov = &batch.parts[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = batch.control[i].bytes,
                                                    .msg_controllen = sizeof batch.control[i]};
    }
    return recvmmsg(fd, batch.messages, (unsigned)most, MSG_DONTWAIT, NULL);
}

/* A sender on the same machine may leave the checksum to a network card that is not there (veth). */
static bool checksum_missing(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct tpacket_auxdata aux;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        return (aux.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    }
    return false;
}

static void announce(const struct raw_port *p, int n)
{
    struct span packets[BATCH];
    if (!p->raw->events.coming || n < 2)
        return;
    for (int i = 0; i < n; i++)
        packets[i] = span_make(batch.data[i], batch.messages[i].msg_len);
    p->raw->events.coming(p->raw->arg, p->port, packets, (size_t)n);
}

static void raw_ready(struct host_input *input)
{
    struct raw_port *p = (struct raw_port *)input;
    struct host_raw *raw = p->raw;
    int most = raw->host->single ? 1 : BATCH;
    int n;
    do {
        n = batch_receive(input->fd, most);
        raw->host->received += n > 0 ? (uint32_t)n : 0;
        announce(p, n);
        for (int i = 0; i < n && input->fd >= 0; i++) {
            size_t length = batch.messages[i].msg_len;
            if (checksum_missing(&batch.messages[i].msg_hdr))
                ip_transport_sum(batch.data[i], length);
            raw->events.received(raw->arg, p->port, batch.data[i], length);
        }
    } while (n == BATCH && input->fd >= 0);
}

static void raw_port_free(struct host_input *input)
{
    free(input);
}

static int socket_make(const struct host_interface *interface)
{
    struct sockaddr_ll local = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = interface->index};
    int on = 1;
    int size = RECEIVE_BUFFER;
    /* Protocol 0 until bind: otherwise packets of other interfaces could come first. */
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as an ordinary user may have */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) ||
        bind(fd, (const struct sockaddr *)&local, sizeof local)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int port_open(struct host_raw *raw, unsigned port)
{
    struct raw_port *p = malloc(sizeof *p);
    if (!p)
        return FE_EMEM;
    *p = (struct raw_port){.input = {.ready = raw_ready, .free = raw_port_free, .arrival = turn_arrival_port(port)},
                           .raw = raw,
                           .port = port};
    int fd = socket_make(&raw->host->interfaces[port]);
    if (fd < 0 || host_input_add(raw->host, &p->input, fd)) {
        if (fd >= 0)
            close(fd);
        free(p);
        return FE_EOS;
    }
    raw->ports[port] = p;
    return 0;
}

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out)
{
    struct host_raw *raw = malloc(sizeof *raw);
    if (!raw)
        return FE_EMEM;
    *raw = (struct host_raw){.host = h, .events = *events, .arg = arg};
    for (unsigned i = 0; i < h->interfaces_n; i++) {
        int error = port_open(raw, i);
        if (error) {
            host_raw_close(raw);
            return error;
        }
    }
    *out = raw;
    return 0;
}

int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n)
{
    const struct host_interface *interface = &r->host->interfaces[port];
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = interface->index};
    if (n > interface->port.mtu)
        return FE_ERANGE;
    ssize_t sent = sendto(r->ports[port]->input.fd, packet, n, 0, (const struct sockaddr *)&to, sizeof to);
    if (sent < 0)
        return errno == EMSGSIZE ? FE_ERANGE : FE_EAGAIN;
    host_count_sent(r->host, n);
    return 0;
}

void host_raw_close(struct host_raw *r)
{
    for (unsigned i = 0; i < HOST_PORTS; i++)
        if (r->ports[i])
            host_input_close(&r->ports[i]->input);
    free(r);
}
