/* The DNS server: an authority for the names in its settings, over UDP and TCP; what an inside and an outside server
 * tell different clients is two nodes. It fails when it is told to. */
#include "nodes/base/error.h"
#include "nodes/base/units.h"
#include "nodes/dns/dns_server.h"
#include "nodes/node.h"
#include "nodes/resolve/dns_trace.h"

#include <stdlib.h>

static const char *const dns_ports[] = {"on", NULL};

/* ---- out ---- */

void dns_server_send(struct dns_server *s, const struct dns_client *to, struct span message)
{
    struct dns_msg msg;
    if (dns_parse(message, &msg))
        return;
    dns_trace(s->host, true, to->line ? DNS_BY_TCP : DNS_BY_UDP, to->at, &msg);
    if (to->line)
        dns_line_send(to->line, message);
    else
        (void)host_udp_send(s->udp, to->at, 0, message);
}

void dns_server_refuse(struct dns_server *s, const struct dns_client *to, uint16_t id,
                       const struct dns_question *question, bool edns, enum dns_rcode rcode)
{
    uint8_t room[DNS_UDP_MAX];
    struct dns_writer w;
    struct dns_head head = {.id = id, .response = true, .rcode = (uint8_t)rcode};
    head.recursion_available = s->upstream != NULL;
    dns_begin(&w, room, sizeof room, &head);
    if (question->name.n)
        dns_put_question(&w, question);
    if (edns)
        (void)dns_put_edns(&w, DNS_MESSAGE_MAX);
    dns_server_send(s, to, dns_end(&w));
}

/* ---- in ---- */

/* What is wrong with the question, or with the server; DNS_NOERROR: nothing. */
static enum dns_rcode trouble(const struct dns_server *s, const struct dns_msg *query)
{
    if (query->head.opcode != DNS_QUERY)
        return DNS_NOTIMP;
    if (query->questions != 1)
        return DNS_FORMERR;
    switch (s->answers) {
    case DNS_ANSWERS_YES:
    case DNS_ANSWERS_SILENT: break;
    case DNS_ANSWERS_SERVFAIL: return DNS_SERVFAIL;
    case DNS_ANSWERS_NXDOMAIN: return DNS_NXDOMAIN;
    case DNS_ANSWERS_REFUSED: return DNS_REFUSED;
    }
    return query->question.class == DNS_IN ? DNS_NOERROR : DNS_REFUSED;
}

static size_t room_of(const struct dns_client *client, const struct dns_msg *query)
{
    if (client->line)
        return DNS_STREAM_MAX;
    size_t room = query->udp_room ? query->udp_room : DNS_UDP_MAX;
    return room < DNS_MESSAGE_MAX ? room : DNS_MESSAGE_MAX;
}

static void answer(struct dns_server *s, const struct dns_client *from, const struct dns_msg *query)
{
    uint8_t room[DNS_STREAM_MAX];
    enum dns_rcode rcode = trouble(s, query);
    if (s->answers == DNS_ANSWERS_SILENT)
        return;
    if (rcode != DNS_NOERROR)
        dns_server_refuse(s, from, query->head.id, &query->question, query->udp_room > 0, rcode);
    else if (dns_zone_apex(&s->zone, &query->question.name))
        dns_server_send(s, from, dns_reply_write(s, query, room, room_of(from, query)));
    else if (s->upstream)
        dns_forward_query(s, from, query);
    else
        dns_server_refuse(s, from, query->head.id, &query->question, query->udp_room > 0, DNS_REFUSED);
}

void dns_server_take(struct dns_server *s, const struct dns_client *from, struct span message)
{
    struct dns_msg query;
    int error = dns_parse(message, &query);
    if (error || query.head.response) {
        dns_trace_drop(s->host, error ? "bad-dns" : "not-ours", from->at);
        return;
    }
    dns_trace(s->host, false, from->line ? DNS_BY_TCP : DNS_BY_UDP, from->at, &query);
    answer(s, from, &query);
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    const struct dns_client client = {from, NULL};
    (void)ttl;
    dns_server_take(arg, &client, data);
}

/* ---- commands ---- */

static const char grammar[] =
    "expected: set NAME TYPE VALUE, set NAME ttl TIME, set answers HOW, or remove NAME [TYPE]";

static const char *result_text(int error)
{
    switch (error) {
    case 0: return NULL;
    case FE_EUNKNOWN: return "no such name, type or zone here";
    case FE_ESYNTAX: return "the value is not one of this type";
    default: return fe_error_text(error);
    }
}

static const char *set_answers(struct dns_server *s, struct span how)
{
    for (int i = 0; dns_answers_words[i]; i++)
        if (span_is(how, dns_answers_words[i])) {
            s->answers = (enum dns_answers)i;
            return NULL;
        }
    return "answers: expected yes, servfail, silent, nxdomain or refused";
}

static const char *set_ttl(struct dns_server *s, const struct dns_name *name, struct span value)
{
    lab_time ttl;
    if (units_time(value, &ttl) || ttl < 0 || ttl > DNS_TTL_MAX || ttl % SEC)
        return "ttl: expected whole seconds, as 60s";
    return result_text(dns_zone_set_ttl(&s->zone, name, (uint32_t)(ttl / SEC)));
}

/* "records.sbc.example.com.a": the name of a setting, as the steps' `set` has it; the same in two words. */
static struct span setting_cut(struct span host, struct span *what)
{
    static const struct span prefix = {"records.", 8};
    size_t dot = host.n;
    if (!span_starts(host, prefix))
        return host;
    while (host.p[dot - 1] != '.')
        dot--;
    *what = (struct span){host.p + dot, host.n - dot};
    return dot > prefix.n ? (struct span){host.p + prefix.n, dot - 1 - prefix.n} : (struct span){0};
}

static const char *set(struct dns_server *s, struct span words)
{
    struct dns_name name;
    uint16_t type;
    struct span what = {0};
    struct span host = span_cut(words, ' ', &words);
    if (span_is(host, "answers"))
        return set_answers(s, words);
    host = setting_cut(host, &what);
    if (!what.p)
        what = span_cut(words, ' ', &words);
    if (span_empty(words) || dns_name_parse(host, &name))
        return grammar;
    if (span_is(what, "ttl"))
        return set_ttl(s, &name, words);
    return result_text(dns_type_parse(what, &type) ? FE_EUNKNOWN : dns_zone_set(&s->zone, &name, type, words));
}

static const char *unset(struct dns_server *s, struct span words)
{
    struct dns_name name;
    uint16_t type = 0;
    struct span host = span_cut(words, ' ', &words);
    if (dns_name_parse(host, &name))
        return grammar;
    if (words.n && dns_type_parse(words, &type))
        return result_text(FE_EUNKNOWN);
    return result_text(dns_zone_remove(&s->zone, &name, type));
}

static void command(void *arg, struct span line)
{
    struct dns_server *s = arg;
    struct span words;
    struct span verb = span_cut(line, ' ', &words);
    const char *wrong = span_is(verb, "set") ? set(s, words) : span_is(verb, "remove") ? unset(s, words) : grammar;
    if (!wrong)
        return;
    struct record *r = host_trace(s->host, "bad-command");
    record_text(r, "line", line);
    record_str(r, "reason", wrong);
    host_trace_end(s->host);
}

/* ---- life ---- */

static void stop(void *arg)
{
    struct dns_server *s = arg;
    dns_line_close(s);
    dns_forward_close(s);
    if (s->udp)
        host_udp_close(s->udp);
    dns_zone_fini(&s->zone);
    free(s);
}

static int open_sockets(struct dns_server *s, struct text *why)
{
    static const struct host_udp_events events = {.received = received};
    struct endpoint local = {host_port(s->host, "on")->addr, (uint16_t)s->settings->port};
    int error = host_udp_open(s->host, local, &events, s, &s->udp);
    if (!error)
        error = dns_line_open(s, local);
    if (!error)
        error = dns_forward_open(s);
    if (error) {
        text_str(why, "DNS at ");
        text_endpoint(why, local);
        text_str(why, ": ");
        text_str(why, fe_error_text(error));
    }
    return error;
}

static int start(struct host *h, const void *settings, void **out, struct text *why)
{
    if (!host_port(h, "on")) {
        text_str(why, "a DNS server needs one network: on");
        return FE_ERANGE;
    }
    if (dns_settings_conflict(settings, why)) /* by hand nobody has checked them */
        return FE_ERANGE;
    struct dns_server *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->host = h;
    s->settings = settings;
    s->answers = (enum dns_answers)s->settings->answers;
    int error = dns_zone_init(&s->zone, s->settings);
    if (error)
        text_str(why, fe_error_text(error));
    else
        error = open_sockets(s, why);
    if (error)
        stop(s);
    else
        *out = s;
    return error;
}

extern const struct node_kind dns_kind;
const struct node_kind dns_kind = {
    .name = "dns",
    .help = "a DNS server: addresses, servers (SRV) and services (NAPTR) of names, and failures when told to",
    .ports = dns_ports,
    .far = true,
    .options = dns_options,
    .settings_size = sizeof(struct dns_settings),
    .conflict = dns_settings_conflict,
    .start = start,
    .command = command,
    .stop = stop,
    .commands = "set NAME TYPE VALUE[, VALUE…]   (TYPE: a, srv, naptr, cname, ptr, txt)\n"
                "set NAME ttl TIME\n"
                "set answers yes|servfail|silent|nxdomain|refused\n"
                "remove NAME [TYPE]",
};
