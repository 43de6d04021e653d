/* Raw IP: the node owns its ports. Each port is an input of its own, as each is a socket of its own on the real
 * machine. */
#include "sim/world/sim_impl.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdlib.h>

struct raw_port {
    struct sim_input input; /* first: the two are one block */
    struct host_raw *raw;
    unsigned port;
};

struct host_raw {
    struct host *host;
    struct host_raw_events events;
    void *arg;
    size_t ports_n;
    struct raw_port *ports[];
};

static void receive(struct sim_input *input, struct packet *p)
{
    struct raw_port *port = (struct raw_port *)input;
    port->raw->events.received(port->raw->arg, port->port, p->data, p->n);
}

static int port_open(struct host_raw *raw, unsigned i)
{
    struct raw_port *port = calloc(1, sizeof *port);
    if (!port)
        return FE_EMEM;
    port->raw = raw;
    port->port = i;
    port->input.receive = receive;
    sim_input_init(&port->input, raw->host);
    raw->ports[i] = port;
    return 0;
}

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out)
{
    assert(!h->raw);
    struct host_raw *raw = calloc(1, sizeof *raw + h->ports_n * sizeof(struct raw_port *));
    if (!raw)
        return FE_EMEM;
    raw->host = h;
    raw->events = *events;
    raw->arg = arg;
    raw->ports_n = h->ports_n;
    h->raw = raw;
    for (unsigned i = 0; i < h->ports_n; i++)
        if (port_open(raw, i)) {
            host_raw_close(raw);
            return FE_EMEM;
        }
    *out = raw;
    return 0;
}

int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n)
{
    struct host *h = r->host;
    if (n > h->ports[port].is.mtu)
        return FE_ERANGE;
    struct packet *p = packet_copy(h->world->pool, packet, n);
    if (!p)
        return FE_EAGAIN;
    sim_stack_send(h, port, p);
    return 0;
}

void host_raw_close(struct host_raw *r)
{
    r->host->raw = NULL;
    for (size_t i = 0; i < r->ports_n; i++)
        if (r->ports[i])
            sim_input_close(&r->ports[i]->input);
    free(r);
}

void sim_raw_input(struct host *h, unsigned port, struct packet *p)
{
    if (h->raw)
        sim_input_packet(&h->raw->ports[port]->input, p);
    else
        packet_release(p);
}

uint64_t sim_raw_held(const struct host *h)
{
    uint64_t n = 0;
    for (size_t i = 0; h->raw && i < h->raw->ports_n; i++)
        n += h->raw->ports[i]->input.packets.n;
    return n;
}
