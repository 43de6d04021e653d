/* SB-2: the rows of the SBC's outside, who may use them, and where they cannot stand together. Pure.
 *
 *     ports:
 *       5061:  {transport: tls}
 *       5060:  {transport: udp, allow: [192.0.2.0/24]}
 *       trunk: {port: 5070, transport: tcp, allow: 198.51.100.7/32}
 *
 * A row is named by its port, or by a word and says its port. Without any row the SIP port is open to all over UDP. */
#ifndef FAREND_SBC_PORTS_H
#define FAREND_SBC_PORTS_H

#include "nodes/base/text.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/sbc/sbc_settings.h"

#include <stdbool.h>

enum { SBC_PORTS_MAX = 16 };

/* A socket to open. */
struct sbc_port {
    enum sip_transport transport;
    uint16_t port;
    const struct option_items *allow; /* struct subnet; NULL or empty: everybody */
};

/* Writes the sockets of all rows, in their order, and returns their number. The settings have no conflict. */
unsigned sbc_ports_read(const struct sbc_settings *settings, struct sbc_port out[SBC_PORTS_MAX]);

bool sbc_port_admits(const struct sbc_port *port, ipv4 from);

/* What cannot be: a sentence to `why`, and the setting to change; NULL: all goes together. */
const char *sbc_ports_conflict(const struct sbc_settings *settings, struct text *why);

#endif
