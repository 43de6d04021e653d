#include "nodes/sbc/sbc_ports.h"

static const struct sbc_port_settings *row_at(const struct sbc_settings *s, size_t i)
{
    return &((const struct sbc_port_settings *)s->ports.items)[i];
}

/* 0: the row neither says nor is named by a port. */
static uint16_t port_of(const struct sbc_port_settings *row)
{
    uint64_t named = 0;
    if (row->port)
        return (uint16_t)row->port;
    return span_u64(span_of(row->name), UINT16_MAX, &named) == 0 ? (uint16_t)named : 0;
}

/* ---- reading ---- */

static unsigned row_read(const struct sbc_port_settings *row, struct sbc_port out[2])
{
    struct sbc_port port = {.port = port_of(row), .allow = &row->allow};
    switch ((enum sbc_port_transport)row->transport) {
    case SBC_PORT_UDP: port.transport = SIP_UDP; break;
    case SBC_PORT_TCP: port.transport = SIP_TCP; break;
    case SBC_PORT_TLS: port.transport = SIP_TLS; break;
    case SBC_PORT_UDP_TCP:
        port.transport = SIP_TCP;
        out[1] = port;
        port.transport = SIP_UDP;
        out[0] = port;
        return 2;
    }
    out[0] = port;
    return 1;
}

unsigned sbc_ports_read(const struct sbc_settings *s, struct sbc_port out[SBC_PORTS_MAX])
{
    unsigned n = 0;
    if (s->ports.n == 0) {
        out[0] = (struct sbc_port){.transport = SIP_UDP, .port = (uint16_t)s->port};
        return 1;
    }
    for (size_t i = 0; i < s->ports.n && n + 2 <= SBC_PORTS_MAX; i++)
        n += row_read(row_at(s, i), out + n);
    return n;
}

bool sbc_port_admits(const struct sbc_port *port, ipv4 from)
{
    const struct option_items *allow = port->allow;
    for (size_t i = 0; allow && i < allow->n; i++)
        if (subnet_has(((const struct subnet *)allow->items)[i], from))
            return true;
    return !allow || allow->n == 0;
}

/* ---- conflicts ---- */

static bool uses_udp(const struct sbc_port_settings *row)
{
    return row->transport == SBC_PORT_UDP || row->transport == SBC_PORT_UDP_TCP;
}

/* TLS is TCP to the machine. */
static bool uses_tcp(const struct sbc_port_settings *row)
{
    return row->transport != SBC_PORT_UDP;
}

static bool collide(const struct sbc_port_settings *a, const struct sbc_port_settings *b)
{
    return port_of(a) == port_of(b) && ((uses_udp(a) && uses_udp(b)) || (uses_tcp(a) && uses_tcp(b)));
}

static void put_rows(struct text *why, const struct sbc_port_settings *a, const struct sbc_port_settings *b)
{
    text_str(why, "\"");
    text_str(why, a->name);
    text_str(why, "\" and \"");
    text_str(why, b->name);
    text_str(why, "\" both listen on port ");
    text_u64(why, port_of(a));
    text_str(why, "; one of them has to take another one");
}

const char *sbc_ports_conflict(const struct sbc_settings *s, struct text *why)
{
    if (s->ports.n > SBC_PORTS_MAX / 2) {
        text_str(why, "at most ");
        text_u64(why, SBC_PORTS_MAX / 2);
        text_str(why, " rows");
        return "ports";
    }
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct sbc_port_settings *row = row_at(s, i);
        if (port_of(row) == 0) {
            text_str(why, "\"");
            text_str(why, row->name);
            text_str(why, "\" is not a port, and has no setting \"port\"");
            return "ports";
        }
        for (size_t k = 0; k < i; k++)
            if (collide(row, row_at(s, k))) {
                put_rows(why, row_at(s, k), row);
                return "ports";
            }
    }
    return NULL;
}
