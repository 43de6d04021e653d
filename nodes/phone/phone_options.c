#include "nodes/phone/phone_options.h"

#include "nodes/secure/tls.h"

#include <stddef.h>

#define FIELD(field) OPTION_AT(struct phone_settings, field)

#define NAME(field) offsetof(struct phone_settings, field)

#define PORT_HELP "instead of the port written there; 0: that one, or 5060, over TLS 5061"

static const char *const transports[] = {"udp", "tcp", "tls", "udp+tcp", "tcp+tls", "udp+tls", NULL};
static const char *const dns_choices[] = {"kept", "each request", NULL};
static const char *const in_dialog[] = {"same", "udp", NULL};
static const char *const keep_alives[] = {"none", "crlf", "options", "stun", "negotiated", NULL};
static const char *const pcp_choices[] = {"no", "peer", "map", NULL};
static const char *const answers[] = {"auto", "manual", "never", "busy", NULL};
static const char *const codecs[] = {"pcmu", "pcma", NULL};
static const char *const holds[] = {"sendonly", "inactive", NULL};
static const char *const refreshers[] = {"negotiated", "uac", "uas", NULL};
static const char *const refreshes[] = {"update", "re-invite", "never", NULL};

const struct option phone_options[] = {
    {"line", OPT_TEXT, FIELD(line), .help = "extension number, 1 to 12 digits; also what its voice says",
     .needed = true},
    {"password", OPT_TEXT, FIELD(password), .help = "of the line, for digest authentication"},
    {"domain", OPT_TEXT, FIELD(domain), .def = "lab.example", .help = "SIP domain of the lines"},
    {"config", OPT_TEXT, FIELD(config),
     .help = "a maker's own configuration file (Aastra, Mitel, Avaya); what is set here goes over it"},
    {"proxy", OPT_ENDPOINT, FIELD(proxy), .host = NAME(proxy_name), .node = "*", .needed = true,
     .help = "where calls are sent: the SBC, or the PBX"},
    {"proxy port", OPT_COUNT, FIELD(proxy_port), .def = "0", .max = 65535, .help = PORT_HELP},
    {"registrar", OPT_ENDPOINT, FIELD(registrar), .host = NAME(registrar_name), .node = "*",
     .help = "where the phone registers; the proxy unless said"},
    {"registrar port", OPT_COUNT, FIELD(registrar_port), .def = "0", .max = 65535, .help = PORT_HELP},
    {"outbound proxy", OPT_ENDPOINT, FIELD(outbound_proxy), .host = NAME(outbound_proxy_name), .node = "*",
     .help = "everything goes through it, whatever proxy and registrar say"},
    {"outbound proxy port", OPT_COUNT, FIELD(outbound_proxy_port), .def = "0", .max = 65535, .help = PORT_HELP},
    {"backup proxy", OPT_ENDPOINT, FIELD(backup_proxy), .host = NAME(backup_proxy_name), .node = "*",
     .help = "takes the proxy's place while that does not answer (PH-20)"},
    {"backup proxy port", OPT_COUNT, FIELD(backup_proxy_port), .def = "0", .max = 65535, .help = PORT_HELP},
    {"backup registrar", OPT_ENDPOINT, FIELD(backup_registrar), .host = NAME(backup_registrar_name), .node = "*",
     .help = "takes the registrar's place while that does not answer (PH-20)"},
    {"backup registrar port", OPT_COUNT, FIELD(backup_registrar_port), .def = "0", .max = 65535, .help = PORT_HELP},
    {"backup outbound proxy", OPT_ENDPOINT, FIELD(backup_outbound_proxy), .host = NAME(backup_outbound_proxy_name),
     .node = "*", .help = "everything goes through it while the primary one does not answer (PH-22, PH-23)"},
    {"backup outbound proxy port", OPT_COUNT, FIELD(backup_outbound_proxy_port), .def = "0", .max = 65535,
     .help = PORT_HELP},
    {"backup AOR", OPT_TEXT, FIELD(backup_aor),
     .help = "the line's address of record at the backup proxy, as 101@backup.example; the same unless said (PH-20)"},
    RESOLVER_OPTIONS(struct phone_settings, dns),
    {"dns choice", OPT_CHOICE, FIELD(dns_each), .def = "kept", .choices = dns_choices,
     .help = "of several servers that DNS names, the one that was drawn is kept while it works; or it is drawn anew "
             "for each "
             "request, as wrong phones do"},
    {"blacklist duration", OPT_TIME, FIELD(blacklist), .def = "300s", .min = 0, .max = 86400 * SEC,
     .help = "a server that failed, or an address of one, is asked last for so long; 0: every request tries the "
             "primary first (PH-25)"},
    {"probe interval", OPT_TIME, FIELD(probe_interval), .def = "30s", .min = 0, .max = 86400 * SEC,
     .help = "while a backup is used the primary is asked so often whether it is back; 0: it is tried again by the "
             "first request after the blacklist duration"},
    {"unregister on return", OPT_FLAG, FIELD(unregister_on_return), .def = "yes",
     .help = "takes its registration at the backup back when it is registered at the primary again"},
    {"heed retry-after", OPT_FLAG, FIELD(heed_retry_after), .def = "yes",
     .help = "a server that answers 503 is asked again when its Retry-After says; no: as after any rejection"},
    {"heed ICMP", OPT_FLAG, FIELD(heed_icmp), .def = "no",
     .help = "an ICMP error ends a request at once (RFC 3261 18.4); no: it waits for the transaction timer"},
    {"port", OPT_COUNT, FIELD(port), .def = "5060", .min = 1, .max = 65535, .help = "local SIP port over UDP"},

    {"transport", OPT_CHOICE, FIELD(transport), .def = "udp", .choices = transports,
     .help =
         "how it speaks with its servers (PH-12 to PH-16): udp+tcp tries TCP, then UDP; tcp+tls tries TLS, then TCP; "
         "udp+tls is not supported"},
    {"tcp port", OPT_COUNT, FIELD(tcp_port), .def = "5060", .min = 1, .max = 65535, .help = "local SIP port over TCP"},
    {"tls port", OPT_COUNT, FIELD(tls_port), .def = "5061", .min = 1, .max = 65535,
     .help = "local SIP port over TLS; persistent TLS connects from it (PH-4)"},
    {"connect timeout", OPT_TIME, FIELD(connect_timeout), .def = "30s", .min = SEC, .max = HOUR,
     .help = "a connection that is not up by then has failed (PH-13)"},
    {"reopen connection", OPT_FLAG, FIELD(reopen), .def = "yes",
     .help = "a connection that is closed is opened again by registering (PH-18); no: by the next request"},
    {"reopen after", OPT_TIME, FIELD(reopen_after), .def = "1s", .min = 10 * MS, .max = HOUR,
     .help = "so long after it was closed"},
    {"drop silent connection", OPT_FLAG, FIELD(drop_silent), .def = "no",
     .help =
         "a connection by which a REGISTER or a keep-alive OPTIONS is not answered in time is given up; no: it is kept "
         "until TCP finds out"},
    {"persistent tls", OPT_FLAG, FIELD(persistent_tls), .def = "no",
     .help =
         "one TLS connection, from the local TLS port, carries the registration and all calls (PH-2, PH-4); no: each "
         "call that it makes has a connection of its own"},
    {"persistent tls keep alive", OPT_TIME, FIELD(persistent_keep_alive), .def = "0", .min = 0, .max = 86400 * SEC,
     .help = "CR LF CR LF on that connection after 80 to 100 % of this; 0: none (PH-5)"},
    {"send sips over tls", OPT_FLAG, FIELD(send_sips), .def = "no",
     .help = "writes sips: in place of sip: over TLS (PH-9)"},
    {"local certificate", OPT_CERTIFICATE, FIELD(certificate), .part = OPTION_CHAIN,
     .help = "what it shows to servers that ask for one (PH-15)"},
    {"private key", OPT_CERTIFICATE, FIELD(key), .part = OPTION_KEY, .with = "local certificate",
     .help = "of this certificate"},
    {"root and intermediate certificates", OPT_CERTIFICATE, FIELD(intermediates), .part = OPTION_ISSUERS,
     .help = "whoever issued the local certificate; plain TLS cannot do without (PH-3)"},
    {"trusted certificates", OPT_CERTIFICATE, FIELD(trust), .part = OPTION_TRUST,
     .help = "whose servers it believes; no TLS without (PH-3)"},
    {"verify server name", OPT_FLAG, FIELD(verify_name), .def = "yes",
     .help = "the server's certificate must name what the phone was told to connect to"},
    {"least tls version", OPT_CHOICE, FIELD(least_tls), .choices = tls_version_words, .def = "1.2",
     .help = "that it speaks"},
    {"most tls version", OPT_CHOICE, FIELD(most_tls), .choices = tls_version_words, .def = "1.2",
     .help = "that it speaks"},
    {"outbound support", OPT_FLAG, FIELD(outbound), .def = "no",
     .help =
         "registers by flows that it keeps open and opens again (RFC 5626): to the primary and to the backup at once "
         "(PH-10, PH-11)"},
    {"outbound keep alive", OPT_TIME, FIELD(outbound_keep_alive), .def = "0", .min = 0, .max = 86400 * SEC,
     .help = "keep-alives on such flows after 80 to 100 % of this, unless the server says how often; 0: as RFC 5626 "
             "says"},
    {"in-dialog transport", OPT_CHOICE, FIELD(in_dialog_udp), .def = "same", .choices = in_dialog,
     .help = "udp: requests inside of calls leave by UDP whatever the call came by, as wrong phones do"},

    {"register", OPT_FLAG, FIELD(registers), .def = "yes", .help = "registers when it starts"},
    {"expires", OPT_TIME, FIELD(expires), .def = "3600s", .min = SEC, .max = 86400 * SEC,
     .help = "registration period asked for"},
    {"renewal", OPT_TIME, FIELD(renewal), .def = "15s", .min = 0, .max = 86400 * SEC,
     .help = "registers again so long before the expiry, or at half of it when that is later (PH-25)"},
    {"registration retry timer", OPT_TIME, FIELD(retry), .def = "1800s", .min = SEC, .max = 86400 * SEC,
     .help = "pause after a rejected registration (PH-25)"},
    {"registration timeout retry timer", OPT_TIME, FIELD(timeout_retry), .def = "120s", .min = SEC, .max = 86400 * SEC,
     .help = "pause after a registration without an answer (PH-25)"},
    {"registration retry limit", OPT_TIME, FIELD(retry_limit), .def = "0", .min = 0, .max = 86400 * SEC,
     .help = "both pauses double with every failure in a row, up to this (PH-26: 30s up to 1800s); 0: they stay"},
    {"failover spread", OPT_TIME, FIELD(spread), .def = "0", .min = 0, .max = HOUR,
     .help =
         "the registration moves to another server after a random part of this, so that not all phones come at once"},

    {"message waiting", OPT_FLAG, FIELD(message_waiting), .def = "no",
     .help = "subscribes to its message waiting indication (RFC 3842)"},
    {"message waiting period", OPT_TIME, FIELD(message_waiting_period), .def = "86400s", .min = SEC,
     .max = 7 * 86400 * SEC, .help = "subscription period asked for"},

    {"T1", OPT_TIME, FIELD(t1), .def = "500ms", .min = MS, .max = MINUTE, .help = "round-trip estimate of RFC 3261"},
    {"T2", OPT_TIME, FIELD(t2), .def = "4s", .min = MS, .max = HOUR, .help = "longest retransmission interval"},
    {"transaction timer", OPT_TIME, FIELD(transaction), .def = "0", .min = 0, .max = HOUR,
     .help = "a request without an answer fails after this, counted from when its connection is up; 0: 64 times T1 "
             "(RFC 3261). 69xx phones: 4s (PH-25)"},
    {"rport", OPT_FLAG, FIELD(rport), .def = "yes", .help = "asks for answers to its source port (RFC 3581)"},
    {"keep-alive", OPT_CHOICE, FIELD(keep_alive), .def = "none", .choices = keep_alives,
     .help = "what keeps the NAT's mapping open: sent to the proxy, or (stun) to the STUN server; negotiated: as often "
             "as the server asks when the phone offers it (RFC 6223), else none"},
    {"stun", OPT_ENDPOINT, FIELD(stun), .port = 3478, .node = "*",
     .help = "STUN server: what it sees is written into Contact, Via and SDP"},
    {"keep-alive interval", OPT_TIME, FIELD(keep_alive_interval), .def = "30s", .min = 100 * MS, .max = 86400 * SEC,
     .help = "between two keep-alives"},
    {"keep-alive pong", OPT_TIME, FIELD(pong), .def = "0", .min = 0, .max = HOUR,
     .help = "over TCP and TLS: a connection by which CR LF CR LF is not answered within this is given up (RFC 5626: "
             "10s); 0: no answer is needed"},

    {"pcp", OPT_CHOICE, FIELD(pcp), .def = "no", .choices = pcp_choices,
     .help = "asks its router by the Port Control Protocol (RFC 6887) to keep the mapping of its SIP port over UDP: "
             "that to "
             "its server (peer), or one for everybody (map)"},
    {"pcp server", OPT_ENDPOINT, FIELD(pcp_server), .port = 5351, .node = "*", .help = "the router that it asks"},
    {"pcp lifetime", OPT_TIME, FIELD(pcp_lifetime), .def = "1h", .min = SEC, .max = 86400 * SEC,
     .help = "for so long it asks, in whole seconds; it asks again when half of what was granted is over"},
    {"pcp check", OPT_TIME, FIELD(pcp_check), .def = "0", .min = 0, .max = 86400 * SEC,
     .help = "asks so often whether the router has lost its mappings; 0: it learns that when it asks again"},

    {"answer", OPT_CHOICE, FIELD(answer), .def = "auto", .choices = answers, .help = "what it does when it is called"},
    {"answer after", OPT_TIME, FIELD(answer_after), .def = "1s", .min = 0, .max = HOUR,
     .help = "how long it rings before answer: auto answers"},
    {"ring timeout", OPT_TIME, FIELD(ring_timeout), .def = "180s", .min = SEC, .max = 24 * HOUR,
     .help = "an incoming call that nobody answers is refused with 480 after this"},
    {"dial timeout", OPT_TIME, FIELD(dial_timeout), .def = "180s", .min = SEC, .max = 24 * HOUR,
     .help = "an own call that nobody answers is cancelled after this"},
    {"hold", OPT_CHOICE, FIELD(hold), .def = "sendonly", .choices = holds, .help = "how it writes a call on hold"},

    {"session timer", OPT_TIME, FIELD(session_timer), .def = "0", .min = 0, .max = 86400 * SEC,
     .help = "calls end unless they are refreshed in this time (RFC 4028), which is what it asks for; 0: it knows no "
             "session timers (PH-25)"},
    {"min session", OPT_TIME, FIELD(least_session), .def = "90s", .min = 90 * SEC, .max = 86400 * SEC,
     .help = "a call that is to be refreshed more often is refused with 422"},
    {"session refresher", OPT_CHOICE, FIELD(refresher), .def = "negotiated", .choices = refreshers,
     .help =
         "who refreshes: uac, whoever calls; uas, whoever is called; negotiated: the phone that is called says, and "
         "leaves it to the caller"},
    {"session refresh", OPT_CHOICE, FIELD(refresh), .def = "update", .choices = refreshes,
     .help =
         "by UPDATE if the other side knows it (RFC 4028 7.4), else by re-INVITE; always by re-INVITE; or never, as "
         "wrong phones do that promise it"},

    {"media ttl", OPT_COUNT, FIELD(media_ttl), .def = "64", .min = 1, .max = 255,
     .help = "IP time to live of the media it sends (PH-17)"},
    {"media ports", OPT_PORTS, FIELD(media_ports), .def = "10000-10999",
     .help = "local ports of RTP (even) and RTCP (odd)"},
    {"codec", OPT_CHOICE, FIELD(codec), .def = "pcmu", .choices = codecs, .help = "preferred codec; it speaks both"},
    {"playout", OPT_TIME, FIELD(playout), .def = "60ms", .min = 0, .max = 1200 * MS,
     .help = "delay of the playout buffer"},
    {"plc", OPT_FLAG, FIELD(concealment), .def = "no", .help = "conceals lost packets: counts in the MOS (G.107)"},
    {"symmetric rtp", OPT_FLAG, FIELD(symmetric_rtp), .def = "yes",
     .help = "sends media from the port that it receives on (RFC 4961)"},
    {0}};
