#include "nodes/phone/phone_config.h"

#include "nodes/base/text.h"
#include "nodes/proto/config_file.h"

enum conversion {
    AS_TEXT,         /* as it stands */
    AS_HOST,         /* an address; empty or 0.0.0.0: none */
    AS_NUMBER,       /* as it stands, from min to max */
    AS_SECONDS,      /* from min to max; 0 and below min: 0 */
    AS_MILLISECONDS, /* likewise */
    AS_FLAG,         /* 0, 1 */
    AS_TRANSPORT,    /* 0, 1, 2, 4 (PH-1) */
    AS_CERTIFICATE,  /* "http://10.0.1.5/certs/public-ca.pem": the certificate public-ca */
    AS_PORT_OF,      /* the local port of a transport, which it also turns on or off: `min` is its bit */
    AS_ADDRESS,      /* "101@lab.example": the line, and its domain */
    AS_SERVERS,      /* "10.0.1.10:5060;transport=udp,10.0.1.11": the proxy, then the backup */
    LATER,           /* `setting` is kept for it; `usual` is what a phone does anyway */
    MEANINGLESS,     /* in a lab */
};

struct parameter {
    const char *name; /* the maker's; "sip lineN …" without its line */
    enum conversion as;
    const char *setting;
    int64_t min, max; /* max 0: no bound */
    const char *usual;
};

enum { PORT_OF_UDP = 1, PORT_OF_TCP = 2, PORT_OF_TLS = 4 };

/* Aastra and Mitel 6xxxi, 67xxi, 68xx, 69xx (FACTS PH-1 … PH-11, PH-25, PV-2). */
static const struct parameter colon_parameters[] = {
    {"sip user name", AS_TEXT, .setting = "line"},
    {"sip auth name", .as = MEANINGLESS},
    {"sip password", AS_TEXT, .setting = "password"},
    {"sip proxy ip", AS_HOST, .setting = "proxy"},
    {"sip proxy port", AS_NUMBER, .setting = "proxy port", .max = 65535},
    {"sip registrar ip", AS_HOST, .setting = "registrar"},
    {"sip registrar port", AS_NUMBER, .setting = "registrar port", .max = 65535},
    {"sip outbound proxy", AS_HOST, .setting = "outbound proxy"},
    {"sip outbound proxy port", AS_NUMBER, .setting = "outbound proxy port", .max = 65535},
    {"sip backup proxy ip", AS_HOST, .setting = "backup proxy"},
    {"sip backup proxy port", AS_NUMBER, .setting = "backup proxy port", .max = 65535},
    {"sip backup registrar ip", AS_HOST, .setting = "backup registrar"},
    {"sip backup registrar port", AS_NUMBER, .setting = "backup registrar port", .max = 65535},
    {"sip backup outbound proxy", AS_HOST, .setting = "backup outbound proxy"},
    {"sip backup outbound proxy port", AS_NUMBER, .setting = "backup outbound proxy port", .max = 65535},
    {"backup outbound proxy", AS_HOST, .setting = "backup outbound proxy"},
    {"sip local port", AS_NUMBER, .setting = "port", .min = 1, .max = 65535},
    {"sip registration period", AS_SECONDS, .setting = "expires", .min = 1, .max = 86400},
    {"sip registration renewal timer", AS_SECONDS, .setting = "renewal", .max = 86400},
    {"sip registration retry timer", AS_SECONDS, .setting = "registration retry timer", .min = 30, .max = 1800},
    {"sip registration timeout retry timer", AS_SECONDS, .setting = "registration timeout retry timer", .min = 30,
     .max = 86400},
    {"sip blacklist duration", AS_SECONDS, .setting = "blacklist duration", .max = 86400},
    {"sip transaction timer", AS_MILLISECONDS, .setting = "transaction timer", .max = 3600000},
    {"sip T1 timer", AS_MILLISECONDS, .setting = "T1", .min = 1, .max = 60000},
    {"sip T2 timer", AS_MILLISECONDS, .setting = "T2", .min = 1, .max = 3600000},
    {"sip rport", AS_FLAG, .setting = "rport"},
    {"sip explicit mwi subscription", AS_FLAG, .setting = "message waiting"},
    {"sip explicit mwi subscription period", AS_SECONDS, .setting = "message waiting period", .min = 1, .max = 604800},
    {"sip transport protocol", AS_TRANSPORT, .setting = "transport"},
    {"sips persistent tls", AS_FLAG, .setting = "persistent tls"},
    {"sip persistent tls keep alive", AS_SECONDS, .setting = "persistent tls keep alive", .max = 86400},
    {"sip send sips over tls", AS_FLAG, .setting = "send sips over tls"},
    {"sips root and intermediate certificates", AS_CERTIFICATE, .setting = "root and intermediate certificates"},
    {"sips local certificate", AS_CERTIFICATE, .setting = "local certificate"},
    {"sips private key", AS_CERTIFICATE, .setting = "private key"},
    {"sips trusted certificates", AS_CERTIFICATE, .setting = "trusted certificates"},
    {"sip outbound support", AS_FLAG, .setting = "outbound support"},
    {"sip session timer", AS_SECONDS, .setting = "session timer", .max = 86400},
    {"sip srtp mode", LATER, .setting = "srtp", .usual = "0"},
    {"mivoice config server", LATER, .setting = "config server", .usual = ""},
    {"tunnel port", LATER, .setting = "tunnel port", .usual = ""},
    {"sip screen name", .as = MEANINGLESS},
    {"sip screen name 2", .as = MEANINGLESS},
    {"sip display name", .as = MEANINGLESS},
    {"sip mode", .as = MEANINGLESS},
    {"sip vmail", .as = MEANINGLESS},
    {0},
};

/* Avaya: 1200 series, and 46xxsettings.txt (FACTS PH-26). The numbers in the 1200's names are the domain and its
 * server. */
static const struct parameter words_parameters[] = {
    {"AUTOLOGIN_ID_KEY01", AS_ADDRESS, .setting = "line"},
    {"AUTOLOGIN_AUTHID_KEY01", .as = MEANINGLESS},
    {"AUTOLOGIN_PASSWD_KEY01", AS_TEXT, .setting = "password"},
    {"AUTOLOGIN_ENABLE", .as = MEANINGLESS},
    {"SIP_DOMAIN1", AS_TEXT, .setting = "domain"},
    {"SERVER_IP1_1", AS_HOST, .setting = "proxy"},
    {"SERVER_PORT1_1", AS_NUMBER, .setting = "proxy port", .max = 65535},
    {"SERVER_IP1_2", AS_HOST, .setting = "backup proxy"},
    {"SERVER_IP1_2", AS_HOST, .setting = "backup registrar"},
    {"SERVER_PORT1_2", AS_NUMBER, .setting = "backup proxy port", .max = 65535},
    {"SERVER_PORT1_2", AS_NUMBER, .setting = "backup registrar port", .max = 65535},
    {"SIP_UDP_PORT", AS_PORT_OF, .setting = "port", .min = PORT_OF_UDP, .max = 65535},
    {"SIP_TCP_PORT", AS_PORT_OF, .setting = "tcp port", .min = PORT_OF_TCP, .max = 65535},
    {"SIP_TLS_PORT", AS_PORT_OF, .setting = "tls port", .min = PORT_OF_TLS, .max = 65535},
    {"SIPDOMAIN", AS_TEXT, .setting = "domain"},
    {"SIP_CONTROLLER_LIST", AS_SERVERS, .setting = "proxy"},
    {"FORCE_SIP_USERNAME", AS_TEXT, .setting = "line"},
    {"FORCE_SIP_PASSWORD", AS_TEXT, .setting = "password"},
    {"REGISTERWAIT", AS_SECONDS, .setting = "expires", .min = 30, .max = 86400},
    {"RECOVERYREGISTERWAIT", AS_SECONDS, .setting = "registration timeout retry timer", .min = 10, .max = 36000},
    {"WAIT_FOR_REGISTRATION_TIMER", AS_SECONDS, .setting = "transaction timer", .min = 4, .max = 3600},
    {"MEDIAENCRYPTION", LATER, .setting = "srtp", .usual = "9"},
    {"VMAIL", .as = MEANINGLESS},
    {"VMAIL_DELAY", .as = MEANINGLESS},
    {0},
};

struct reading {
    const struct node_config_events *events;
    void *arg;
    const struct config_item *item;
    unsigned *ports; /* local ports that are on, by bit; and by bit << 8 those that the file names */
};

/* ---- values ---- */

static void refuse(const struct reading *r, const char *expected, const struct parameter *p)
{
    char buf[256];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, r->item->name);
    text_str(&t, ": expected ");
    text_str(&t, expected);
    if (p && p->max) {
        text_str(&t, " from ");
        text_i64(&t, p->min);
        text_str(&t, " to ");
        text_i64(&t, p->max);
    }
    r->events->refuse(r->arg, r->item->line, r->item->value_column, buf);
}

static void set(const struct reading *r, const char *setting, struct span value)
{
    r->events->set(r->arg, setting, value, r->item->line, r->item->value_column);
}

static void set_number(const struct reading *r, const struct parameter *p, const char *unit, const char *expected)
{
    char buf[32];
    struct text t = text_on(buf, sizeof buf);
    uint64_t value;
    if (span_u64(r->item->value, p->max ? (uint64_t)p->max : INT64_MAX, &value) || (int64_t)value < p->min) {
        refuse(r, expected, p);
        return;
    }
    text_u64(&t, value);
    text_str(&t, unit);
    set(r, p->setting, text_span(&t));
}

static void set_flag(const struct reading *r, const struct parameter *p)
{
    bool yes = span_is(r->item->value, "1");
    if (yes || span_is(r->item->value, "0"))
        set(r, p->setting, yes ? SPAN("yes") : SPAN("no"));
    else
        refuse(r, "0 or 1", NULL);
}

static void set_address(const struct reading *r)
{
    struct span domain;
    struct span line = span_cut(r->item->value, '@', &domain);
    set(r, "line", line);
    if (domain.n)
        set(r, "domain", domain);
}

static void set_transport(const struct reading *r)
{
    static const char *const transports[] = {"udp+tcp", "udp", "tcp", NULL, "tls"};
    uint64_t number;
    if (span_u64(r->item->value, 4, &number) || !transports[number])
        refuse(r, "0 (UDP and TCP), 1 (UDP), 2 (TCP) or 4 (TLS)", NULL);
    else
        set(r, "transport", span_of(transports[number]));
}

/* Where the phone loads it from does not matter: the lab has a certificate of that name. */
static void set_certificate(const struct reading *r, const struct parameter *p)
{
    struct span name = r->item->value;
    size_t end;
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '/') {
            name = (struct span){name.p + i, name.n - i};
            break;
        }
    for (end = name.n; end > 0 && name.p[end - 1] != '.';)
        end--;
    if (end > 0)
        name.n = end - 1;
    if (name.n)
        set(r, p->setting, name);
}

static void set_port_of(const struct reading *r, const struct parameter *p)
{
    unsigned bit = (unsigned)p->min;
    uint64_t port;
    if (span_u64(r->item->value, (uint64_t)p->max, &port)) {
        refuse(r, "a port, or 0", NULL);
        return;
    }
    *r->ports = (*r->ports & ~bit) | bit << 8 | (port ? bit : 0);
    if (port)
        set(r, p->setting, r->item->value);
}

/* PH-26: what is spoken follows from the local ports; one TLS connection serves for everything. */
static void set_by_ports(const struct reading *r)
{
    static const char *const transports[] = {NULL, "udp", "tcp", "udp+tcp", "tls", "udp+tls", "tcp+tls", "udp+tls"};
    const char *transport = transports[*r->ports & 7];
    if ((*r->ports >> 8 & (PORT_OF_TCP | PORT_OF_TLS)) == 0 || !transport)
        return;
    set(r, "transport", span_of(transport));
    if (*r->ports & PORT_OF_TLS)
        set(r, "persistent tls", SPAN("yes"));
}

/* "10.0.1.10:5061;transport=tls": UDP is what a phone speaks unless something else is said. */
static struct span server_of(const struct reading *r, struct span entry)
{
    struct span params;
    struct span server = span_trim(span_cut(entry, ';', &params));
    params = span_trim(params);
    if (span_equal_nocase(params, SPAN("transport=tcp"))) {
        set(r, "transport", SPAN("tcp"));
    } else if (span_equal_nocase(params, SPAN("transport=tls"))) {
        set(r, "transport", SPAN("tls"));
        set(r, "persistent tls", SPAN("yes"));
    } else if (params.n && !span_equal_nocase(params, SPAN("transport=udp"))) {
        r->events->warn(r->arg, r->item->line, r->item->value_column, "this parameter of a server is not used");
    }
    return server;
}

static void set_servers(const struct reading *r)
{
    struct span rest;
    set(r, "proxy", server_of(r, span_cut(r->item->value, ',', &rest)));
    if (!rest.n)
        return;
    struct span backup = server_of(r, span_cut(rest, ',', &rest));
    set(r, "backup proxy", backup);
    set(r, "backup registrar", backup);
    if (rest.n)
        r->events->warn(r->arg, r->item->line, r->item->value_column,
                        "a phone has one backup; the others are not used");
}

static void later(const struct reading *r, const struct parameter *p)
{
    char buf[256];
    struct text t = text_on(buf, sizeof buf);
    if (span_is(r->item->value, p->usual))
        return;
    text_str(&t, "\"");
    text_put(&t, r->item->name);
    text_str(&t, "\" is known, but no phone here does that yet (\"");
    text_str(&t, p->setting);
    text_str(&t, "\")");
    r->events->warn(r->arg, r->item->line, r->item->name_column, buf);
}

static void take(const struct reading *r, const struct parameter *p)
{
    struct span value = r->item->value;
    switch (p->as) {
    case AS_TEXT: set(r, p->setting, value); break;
    case AS_HOST:
        if (value.n && !span_is(value, "0.0.0.0"))
            set(r, p->setting, value);
        break;
    case AS_NUMBER: set_number(r, p, "", "a whole number"); break;
    case AS_SECONDS: set_number(r, p, "s", "a whole number of seconds"); break;
    case AS_MILLISECONDS: set_number(r, p, "ms", "a whole number of milliseconds"); break;
    case AS_FLAG: set_flag(r, p); break;
    case AS_TRANSPORT: set_transport(r); break;
    case AS_CERTIFICATE: set_certificate(r, p); break;
    case AS_PORT_OF: set_port_of(r, p); break;
    case AS_ADDRESS: set_address(r); break;
    case AS_SERVERS: set_servers(r); break;
    case LATER: later(r, p); break;
    case MEANINGLESS: break;
    }
}

/* ---- names ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "sip line2 proxy ip" is line 2's "sip proxy ip", written to `name`; 0: it names no line. */
static unsigned line_of(struct span full, struct text *name)
{
    struct span line = SPAN("sip line");
    size_t n = line.n;
    unsigned number = 0;
    if (span_starts(full, line))
        for (; n < full.n && is_digit(full.p[n]) && number < 100; n++)
            number = 10 * number + (unsigned)(full.p[n] - '0');
    if (number == 0 || n == full.n || full.p[n] != ' ') {
        text_put(name, full);
        return 0;
    }
    text_str(name, "sip");
    text_put(name, (struct span){full.p + n, full.n - n});
    return number;
}

static void warn_named(const struct reading *r, const char *before, const char *after)
{
    char buf[256];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, before);
    text_put(&t, r->item->name);
    text_str(&t, after);
    r->events->warn(r->arg, r->item->line, r->item->name_column, buf);
}

/* `for_line`: only what is said for one line; else only what is said for all. */
static void item_read(const struct reading *r, const struct parameter *table, bool for_line)
{
    char room[128];
    struct text name = text_on(room, sizeof room);
    bool known = false;
    unsigned line = line_of(r->item->name, &name);
    if ((line > 0) != for_line)
        return;
    if (line > 1) {
        warn_named(r, "a phone has one line here: \"", "\" is not used");
        return;
    }
    for (const struct parameter *p = table; p->name && text_ok(&name); p++) {
        if (!span_equal_nocase(text_span(&name), span_of(p->name)))
            continue;
        known = true;
        take(r, p);
    }
    if (!known)
        warn_named(r, "no setting is known for \"", "\"");
}

/* What is said for a line goes over what is said for all, wherever it stands. */
static void pass(struct span text, bool for_line, const struct node_config_events *events, void *arg)
{
    struct config_reader reader;
    struct config_item item;
    unsigned ports = PORT_OF_UDP;
    const struct reading r = {events, arg, &item, &ports};
    int got;
    config_begin(&reader, text);
    while ((got = config_next(&reader, &item)) != 0) {
        char buf[128];
        struct text expected = text_on(buf, sizeof buf);
        if (got == 1) {
            item_read(&r, reader.format == CONFIG_COLON ? colon_parameters : words_parameters, for_line);
            continue;
        }
        if (for_line)
            continue; /* the other pass has told it */
        text_str(&expected, "expected ");
        text_str(&expected, reader.why);
        events->refuse(arg, reader.line, reader.column, buf);
    }
    set_by_ports(&r);
}

void phone_config_read(struct span text, const struct node_config_events *events, void *arg)
{
    pass(text, false, events, arg);
    pass(text, true, events, arg);
}
