#include "nodes/prober/prober.h"

#include "nodes/base/error.h"
#include "nodes/node.h"

#include <stdlib.h>

#define AT(field) OPTION_AT(struct prober_settings, field)

static const struct option prober_options[] = {
    {"server", OPT_ENDPOINT, AT(server), .port = STUN_PORT, .node = "*", .needed = true,
     .help = "STUN server; one with two addresses finds out everything (RFC 5780)"},
    {"at start", OPT_FLAG, AT(at_start), .def = "yes", .help = "probes when it starts"},
    {"lifetime", OPT_FLAG, AT(lifetime), .def = "yes", .help = "finds out how long a mapping lives: takes long"},
    {"lifetime limit", OPT_TIME, AT(lifetime_limit), .def = "2h", .min = SEC, .max = 240 * HOUR,
     .help = "the search for the lifetime ends here"},
    {"lifetime resolution", OPT_TIME, AT(resolution), .def = "1s", .min = SEC, .max = HOUR,
     .help = "of the lifetime; the round trip to the server must be shorter"},
    {"RTO", OPT_TIME, AT(rto), .def = "500ms", .min = 10 * MS, .max = MINUTE,
     .help = "an unanswered request is sent again after this (RFC 8489 6.2.1)"},
    {"transmissions", OPT_COUNT, AT(transmissions), .def = "7", .min = 1, .max = 12,
     .help = "of an unanswered request in all (RFC 8489's Rc)"},
    {0}};

static const char *const prober_ports[] = {"on", NULL};

/* ---- sockets ---- */

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct prober_socket *s = arg;
    (void)ttl;
    prober_received(s->prober, (enum prober_socket_name)(s - s->prober->sockets), from, data);
}

void prober_sockets_close(struct prober *p)
{
    for (unsigned i = 0; i < PROBER_SOCKETS; i++) {
        if (p->sockets[i].udp)
            host_udp_close(p->sockets[i].udp);
        p->sockets[i].udp = NULL;
    }
}

/* Ports that nobody chose: they tell whether the NATs keep them, and are new to the NATs with every probe. */
int prober_sockets_open(struct prober *p, struct text *why)
{
    static const struct host_udp_events events = {.received = received};
    struct endpoint local = {host_port(p->host, "on")->addr, 0};
    int error = 0;
    for (unsigned i = 0; i < PROBER_SOCKETS && !error; i++) {
        p->sockets[i].prober = p;
        error = host_udp_open(p->host, local, &events, &p->sockets[i], &p->sockets[i].udp);
    }
    if (error) {
        text_str(why, "a UDP port: ");
        text_str(why, fe_error_text(error));
        prober_sockets_close(p);
    }
    return error;
}

/* ---- commands ---- */

static int begin(struct prober *p, struct text *why)
{
    int error = prober_sockets_open(p, why);
    if (!error)
        prober_tests_begin(p);
    return error;
}

static void bad_command(struct prober *p, struct span line, struct span reason)
{
    struct record *r = host_trace(p->host, "bad-command");
    record_text(r, "line", line);
    record_text(r, "reason", reason);
    host_trace_end(p->host);
}

static void command(void *arg, struct span line)
{
    struct prober *p = arg;
    char buf[128];
    struct text why = text_on(buf, sizeof buf);
    if (!span_is(line, "probe"))
        bad_command(p, line, SPAN("a prober understands probe"));
    else if (p->step != PROBER_IDLE)
        bad_command(p, line, SPAN("a probe is under way"));
    else if (begin(p, &why))
        bad_command(p, line, text_span(&why));
}

/* ---- life ---- */

static void stop(void *arg)
{
    struct prober *p = arg;
    prober_query_stop(p);
    host_timer_stop(p->host, &p->silence);
    prober_sockets_close(p);
    free(p);
}

static int start(struct host *h, const void *settings, void **out, struct text *why)
{
    const struct prober_settings *s = settings;
    if (!host_port(h, "on") || s->resolution % SEC) {
        text_str(why, s->resolution % SEC ? "lifetime resolution: expected whole seconds"
                                          : "a prober needs one network: on");
        return FE_ERANGE;
    }
    struct prober *p = calloc(1, sizeof *p);
    if (!p)
        return FE_EMEM;
    p->host = h;
    p->settings = s;
    host_stream(h, "stun", &p->rng);
    prober_query_init(p);
    timer_init(&p->silence, prober_life_silent, p);
    int error = s->at_start ? begin(p, why) : 0;
    if (error)
        stop(p);
    else
        *out = p;
    return error;
}

extern const struct node_kind prober_kind;
const struct node_kind prober_kind = {
    .name = "prober",
    .help = "finds out what the NATs on the way to a STUN server do (RFC 5780)",
    .ports = prober_ports,
    .options = prober_options,
    .settings_size = sizeof(struct prober_settings),
    .start = start,
    .command = command,
    .stop = stop,
    .commands = "probe                  finds out anew; the finding is traced as nat-probe\n",
};
