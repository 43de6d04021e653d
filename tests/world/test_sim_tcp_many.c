/*     crowd 10.0.0.1 ── 5 ms ── pbx 10.0.0.2
 *
 * Ten thousand phones' connections: they fit, and none is mistaken for another. */
#include "sim/world/sim_tcp.h"
#include "tests/world/probe.h"

enum { MANY = 10000, PORT = 5061 };

/* Of one end of one connection: it says its own number, and expects it back. */
struct one {
    struct host_tcp *tcp;
    uint32_t number;
    bool answered;
};

struct many {
    struct host *host;
    struct host_listener *listener;
    struct one ones[MANY];
    unsigned n, answered;
    bool asks;
};

static struct many sides[2]; /* the crowd, the PBX */

static void say_number(void *arg)
{
    struct one *one = arg;
    assert_int_equal(host_tcp_send(one->tcp, span_make(&one->number, sizeof one->number)), 0);
}

static void ask_answered(void *arg, struct span data)
{
    struct one *one = arg;
    uint32_t number;
    assert_int_equal(data.n, sizeof number);
    memcpy(&number, data.p, sizeof number);
    assert_int_equal(number, one->number);
    one->answered = true;
    sides[0].answered++;
}

static void answer(void *arg, struct span data)
{
    struct one *one = arg;
    assert_int_equal(host_tcp_send(one->tcp, data), 0);
}

static void accepted(void *arg, struct host_tcp *tcp, struct endpoint remote)
{
    static const struct host_tcp_events events = {.received = answer};
    struct many *m = arg;
    (void)remote;
    assert_true(m->n < MANY);
    struct one *one = &m->ones[m->n++];
    one->tcp = tcp;
    host_tcp_own(tcp, &events, one);
}

static int start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_listener_events events = {accepted};
    struct many *m = &sides[strcmp(host_name(h), "pbx") == 0];
    (void)settings;
    (void)why;
    memset(m, 0, sizeof *m);
    m->host = h;
    *node = m;
    return m == &sides[0] ? 0 : host_tcp_listen(h, (struct endpoint){0, PORT}, &events, m, &m->listener);
}

/* Ports in a row: choosing a free one at random among so many is another test's. */
static void open_all(void *node, struct span line)
{
    static const struct host_tcp_events events = {.connected = say_number, .received = ask_answered};
    struct many *m = node;
    (void)line;
    for (; m->n < MANY; m->n++) {
        struct one *one = &m->ones[m->n];
        struct endpoint local = {0, (uint16_t)(20000 + m->n)};
        one->number = m->n;
        assert_int_equal(
            host_tcp_connect(m->host, local, (struct endpoint){IPV4(10, 0, 0, 2), PORT}, &events, one, &one->tcp), 0);
    }
}

static void stop(void *node)
{
    (void)node;
}

static const struct node_kind kind = {
    .name = "many", .options = probe_options, .settings_size = 1, .start = start, .command = open_all, .stop = stop};

static void ten_thousand_connections(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    (void)state;
    assert_non_null(lab);
    struct plan_end a = build_port(&lab->plan, build_node(&lab->plan, "crowd", &kind), "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end b = build_port(&lab->plan, build_node(&lab->plan, "pbx", &kind), "on", IPV4(10, 0, 0, 2), 24);
    build_wire(&lab->plan, "wire", a, b, (struct wire_spec){.delay = 5 * MS});
    lab_open(lab);
    lab_command(lab, 1 * SEC, 0, "open");
    lab_run(lab); /* nothing is held when nothing is on its way */
    assert_int_equal(sides[1].n, MANY);
    assert_int_equal(sides[0].answered, MANY);
    lab_close(lab);
    free(lab);
}

static void an_idle_connection_takes_less_than_a_kilobyte(void **state)
{
    (void)state;
    assert_true(sizeof(struct sim_tcp) + sizeof(struct host_tcp) <= 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_connections),
        cmocka_unit_test(an_idle_connection_takes_less_than_a_kilobyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
