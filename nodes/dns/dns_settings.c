#include "nodes/dns/dns_settings.h"

#include "nodes/base/error.h"

const char *const dns_answers_words[] = {"yes", "servfail", "silent", "nxdomain", "refused", NULL};
static const char *const answers_help[] = {"what the records say",      "SERVFAIL to every question",
                                           "nothing comes back",        "there is no such name, whatever is asked",
                                           "REFUSED to every question", NULL};
static const char *const order_words[] = {"as written", "rotated", NULL};
static const char *const order_help[] = {"the same for everybody", "each answer begins with the next one", NULL};

/* ---- grammars ---- */

static int name_check(struct span text)
{
    struct dns_name name;
    return dns_name_parse(text, &name);
}

/* Not given, or a name. */
static int alias_check(struct span text)
{
    return text.n ? name_check(text) : 0;
}

static int srv_check(struct span text)
{
    struct dns_srv srv;
    return dns_srv_parse(text, &srv);
}

static int naptr_check(struct span text)
{
    struct dns_naptr naptr;
    return dns_naptr_parse(text, &naptr);
}

/* ---- the table ---- */

#define HOST(field) OPTION_AT(struct dns_host_settings, field)
#define AT(field)   OPTION_AT(struct dns_settings, field)

#define A_NAME "a name, as sbc.example.com"

static const struct option address_each = {.name = "", .type = OPT_ADDR, .size = sizeof(ipv4), .node = "*"};
static const struct option srv_each = {.name = "",
                                       .type = OPT_TEXT,
                                       .size = DNS_DATA_MAX,
                                       .check = srv_check,
                                       .expects = "priority, weight, port and target, as 10 60 5061 sbc1.example.com"};
static const struct option naptr_each = {
    .name = "",
    .type = OPT_TEXT,
    .size = DNS_DATA_MAX,
    .check = naptr_check,
    .expects = "order, preference, flags, services and replacement, as 10 50 s SIPS+D2T _sips._tcp.example.com"};
static const struct option name_each = {
    .name = "", .type = OPT_TEXT, .size = DNS_HOST_TEXT, .check = name_check, .expects = A_NAME};
static const struct option text_each = {.name = "", .type = OPT_TEXT, .size = DNS_DATA_MAX};

static const struct option record_options[] = {
    {"", OPT_TEXT, HOST(name), .check = name_check, .expects = A_NAME, .help = "a name, as sbc.example.com"},
    {"a", OPT_LIST, HOST(a), .each = &address_each, .each_size = sizeof(ipv4),
     .help = "its addresses; nodes may be named"},
    {"srv", OPT_LIST, HOST(srv), .each = &srv_each, .each_size = DNS_DATA_MAX,
     .help = "servers of a service (RFC 2782): priority, weight, port, target"},
    {"naptr", OPT_LIST, HOST(naptr), .each = &naptr_each, .each_size = DNS_DATA_MAX,
     .help = "services of a domain (RFC 3403): order, preference, flags, services, replacement"},
    {"cname", OPT_TEXT, HOST(cname), .check = alias_check, .expects = A_NAME,
     .help = "it is an alias of this name, and has nothing else"},
    {"ptr", OPT_LIST, HOST(ptr), .each = &name_each, .each_size = DNS_DATA_MAX, .help = "names of an address"},
    {"txt", OPT_LIST, HOST(txt), .each = &text_each, .each_size = DNS_DATA_MAX, .help = "texts"},
    {"ttl", OPT_TIME, HOST(ttl), .min = 0, .max = DNS_TTL_MAX, .given = offsetof(struct dns_host_settings, has_ttl),
     .help = "how long its records may be remembered: whole seconds; the server's unless said"},
    {0}};

const struct option dns_options[] = {
    {"records", OPT_MAP, AT(records), .each = record_options, .each_size = sizeof(struct dns_host_settings),
     .dotted = true, .help = "the names that it knows, and what they have"},
    {"zones", OPT_LIST, AT(zones), .each = &name_each, .each_size = DNS_HOST_TEXT,
     .help = "domains that it is the authority for; unless said, the last two labels of each name"},
    {"ttl", OPT_TIME, AT(ttl), .def = "1h", .min = 0, .max = DNS_TTL_MAX,
     .help = "how long records may be remembered: whole seconds"},
    {"negative ttl", OPT_TIME, AT(negative_ttl), .def = "60s", .min = 0, .max = 24 * HOUR,
     .help = "how long it may be remembered that something is not (RFC 2308): whole seconds"},
    {"answers", OPT_CHOICE, AT(answers), .choices = dns_answers_words, .choices_help = answers_help, .def = "yes",
     .help = "what comes back for a question"},
    {"order", OPT_CHOICE, AT(order), .choices = order_words, .choices_help = order_help, .def = "as written",
     .help = "of several records of one name"},
    {"additional", OPT_FLAG, AT(additional), .def = "yes",
     .help = "answers bring along what will be asked next: addresses of servers, servers of services"},
    {"forward", OPT_ENDPOINT, AT(forward), .port = DNS_PORT, .node = "dns",
     .help = "a server to ask about names of other zones; without one they are refused"},
    {"forward timeout", OPT_TIME, AT(forward_timeout), .def = "5s", .min = 1 * MS, .max = HOUR,
     .help = "SERVFAIL when that server does not answer within this"},
    {"port", OPT_COUNT, AT(port), .def = "53", .min = 1, .max = 65535, .help = "UDP and TCP port"},
    {"tcp", OPT_FLAG, AT(tcp), .def = "yes", .help = "answers over TCP too; no: connections are refused"},
    {"tcp idle", OPT_TIME, AT(tcp_idle), .def = "10s", .min = 10 * MS, .max = HOUR,
     .help = "a connection without a question for so long is closed"},
    {0}};

/* ---- together ---- */

static const char *whole_seconds(const char *option, lab_time t, struct text *why)
{
    if (t % SEC == 0)
        return NULL;
    text_str(why, "expected whole seconds");
    return option;
}

/* RFC 1034 §3.6.2. */
static bool is_alias_with_more(const struct dns_host_settings *host)
{
    return host->cname[0] && (host->a.n || host->srv.n || host->naptr.n || host->ptr.n || host->txt.n);
}

static bool in_a_zone(const struct dns_settings *s, const struct dns_host_settings *host)
{
    struct dns_name name;
    struct dns_name zone;
    if (dns_name_parse(span_of(host->name), &name))
        return false;
    for (size_t i = 0; i < s->zones.n; i++)
        if (dns_name_parse(span_of((const char *)s->zones.items + i * DNS_HOST_TEXT), &zone) == 0 &&
            dns_name_within(&name, &zone))
            return true;
    return s->zones.n == 0;
}

static const char *host_conflict(const struct dns_settings *s, const struct dns_host_settings *host, struct text *why)
{
    const char *what = host->ttl % SEC            ? "\": ttl: expected whole seconds"
                       : is_alias_with_more(host) ? "\" is an alias and can have nothing else (RFC 1034 3.6.2)"
                       : in_a_zone(s, host)       ? NULL
                                                  : "\" is in none of the zones";
    if (!what)
        return NULL;
    text_str(why, "\"");
    text_str(why, host->name);
    text_str(why, what);
    return "records";
}

const char *dns_settings_conflict(const void *settings, struct text *why)
{
    const struct dns_settings *s = settings;
    const struct dns_host_settings *hosts = s->records.items;
    const char *bad = whole_seconds("ttl", s->ttl, why);
    if (!bad)
        bad = whole_seconds("negative ttl", s->negative_ttl, why);
    for (size_t i = 0; i < s->records.n && !bad; i++)
        bad = host_conflict(s, &hosts[i], why);
    return bad;
}
