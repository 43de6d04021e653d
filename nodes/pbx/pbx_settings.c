#include "nodes/pbx/pbx_settings.h"

#define AT(field) OPTION_AT(struct pbx_settings, field)

const char *const pbx_listen_words[] = {"udp", "tcp", "tls", NULL};

static const struct option listen_option = {
    "listen", OPT_CHOICE, 0, sizeof(int), .choices = pbx_listen_words, .help = "a transport"};

static const struct option line_options[] = {
    {"", OPT_TEXT, OPTION_AT(struct pbx_line_settings, name), .help = "the line's number"},
    {"password", OPT_TEXT, OPTION_AT(struct pbx_line_settings, password),
     .help = "of digest authentication; without one the line is not challenged"},
    {0}};

static const struct option domain_each = {"", OPT_TEXT, 0, PBX_DOMAIN, .help = "SIP domain"};

const char *const pbx_answers_words[] = {"normally", "503", "nothing", NULL};

const struct option pbx_options[] = {
    {"lines", OPT_MAP, AT(lines), .each = line_options, .each_size = sizeof(struct pbx_line_settings),
     .help = "the lines that may register and be called"},
    {"line range", OPT_PORTS, AT(line_range),
     .help = "as 1001-1300: lines of these numbers without a password, beside `lines`"},
    {"domain", OPT_TEXT, AT(domain), .def = "lab.example", .help = "SIP domain and realm of the lines"},
    {"other domains", OPT_LIST, AT(domains), .each = &domain_each, .each_size = PBX_DOMAIN,
     .help = "further SIP domains that it serves with the same lines"},
    {"port", OPT_COUNT, AT(port), .def = "5060", .min = 1, .max = 65535, .help = "SIP port"},
    {"listen", OPT_LIST, AT(listen), .each = &listen_option, .each_size = sizeof(int),
     .help = "transports that it listens on: udp, tcp, tls; without any UDP"},
    {"tls port", OPT_COUNT, AT(tls_port), .def = "5061", .min = 1, .max = 65535, .help = "SIP port over TLS"},
    {"tls certificate", OPT_CERTIFICATE, AT(identity.certificate), .part = OPTION_CHAIN, .help = "what it shows"},
    {"tls key", OPT_CERTIFICATE, AT(identity.key), .part = OPTION_KEY, .with = "tls certificate",
     .help = "of this certificate"},
    {"tls trust", OPT_CERTIFICATE, AT(identity.trust), .part = OPTION_TRUST,
     .help = "whose certificates it takes from phones and SBCs"},
    {"ask client certificate", OPT_CHOICE, AT(identity.ask), .choices = tls_ask_words, .def = "no",
     .help = "of phones and SBCs"},
    {"least tls version", OPT_CHOICE, AT(identity.least), .choices = tls_version_words, .def = "1.2",
     .help = "that it speaks"},
    {"most tls version", OPT_CHOICE, AT(identity.most), .choices = tls_version_words, .def = "1.2",
     .help = "that it speaks"},
    {"idle timeout", OPT_TIME, AT(idle_timeout),
     .help = "a connection on which nothing was heard or said for so long is closed; 0: never"},
    {"answers pings", OPT_FLAG, AT(answers_pings), .def = "yes",
     .help = "answers keep-alives on connections (RFC 5626); one that does not looks dead to phones that send them"},
    {"min expires", OPT_TIME, AT(min_expires), .def = "60s", .min = 1 * SEC, .max = 24 * HOUR,
     .help = "a shorter registration is refused with 423"},
    {"max expires", OPT_TIME, AT(max_expires), .def = "3600s", .min = 1 * SEC, .max = 7 * 24 * HOUR,
     .help = "a longer registration is cut to this"},
    {"default expires", OPT_TIME, AT(default_expires), .def = "3600s", .min = 1 * SEC, .max = 7 * 24 * HOUR,
     .help = "of a registration that names no time"},
    {"challenge register", OPT_FLAG, AT(challenge_register), .def = "yes", .help = "REGISTER needs the password"},
    {"challenge calls", OPT_FLAG, AT(challenge_calls), .def = "yes",
     .help = "INVITE, SUBSCRIBE and the like need the password"},
    {"nonce life", OPT_TIME, AT(nonce_life), .def = "5min", .min = 1 * SEC, .help = "an older nonce is stale"},
    {"no answer", OPT_TIME, AT(no_answer), .def = "181s", .min = 1 * SEC,
     .help = "a phone that rings for longer is given up (timer C)"},
    {"session timer", OPT_TIME, AT(session_timer), .max = 24 * HOUR,
     .help = "calls are to be refreshed in this time (RFC 4028): asked for where no phone does, and the longest that "
             "passes; 0: not asked for"},
    {"min session", OPT_TIME, AT(least_session), .max = 24 * HOUR,
     .help = "a phone that wants to refresh more often is refused with 422 (RFC 4028); below 90s: 90s; 0: none is"},
    {"remember registrations", OPT_FLAG, AT(remember), .def = "yes",
     .help = "the command restart keeps the registrations; a power cut never does"},
    {"outbound support", OPT_FLAG, AT(outbound), .def = "yes",
     .help = "phones that register with instance and reg-id replace their old contact, and are called by the flow that "
             "they keep open (RFC 5626)"},
    {"keep timer", OPT_TIME, AT(keep_timer), .max = 24 * HOUR,
     .help = "phones that offer keep-alives (RFC 6223) are told to send them so often; 0: their offer is not taken"},
    {"answers", OPT_CHOICE, AT(answers), .def = "normally", .choices = pbx_answers_words,
     .help = "how it serves: normally, refusing what is new, or not at all; also by command"},
    {"retry after", OPT_TIME, AT(retry_after), .def = "0", .min = 0, .max = 24 * HOUR,
     .help = "what its 503 says in Retry-After; 0: nothing"},
    {"capacity", OPT_COUNT, AT(capacity), .def = "0",
     .help = "so many new requests in a second, OPTIONS not counted, then 503 until the next; 0: no limit"},
    {"patience", OPT_TIME, AT(patience), .def = "30s", .min = 0, .max = 24 * HOUR,
     .help = "after the command stop it waits so long for the running calls to end"},
    {0}};
