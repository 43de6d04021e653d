/* The real host's loop on this machine's loopback interface: the order of input, closing inside callbacks, datagrams to
 * oneself, and how the results of a send are told apart. No privileges, no waiting: what is sent over loopback is
 * there. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <sys/epoll.h>

#define HERE IPV4(127, 0, 0, 1)

enum { SOCKETS = 3, LOG = 256 };

struct socket {
    struct host_udp *udp;
    char name;
};

/* What happened, one letter a callback. */
static struct {
    struct host host;
    struct socket sockets[SOCKETS];
    char log[LOG];
    size_t n;
    struct host_udp *to_close; /* by the next callback */
    uint8_t ttl;
    struct host_icmp icmp;
    struct timer timers[2];
} rig;

static void note(char what)
{
    assert_true(rig.n + 1 < LOG);
    rig.log[rig.n++] = what;
    rig.log[rig.n] = '\0';
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    const struct socket *s = arg;
    (void)from;
    (void)data;
    rig.ttl = ttl;
    note(s->name);
    if (rig.to_close)
        host_udp_close(rig.to_close);
    rig.to_close = NULL;
}

static void refused(void *arg, const struct host_icmp *error)
{
    const struct socket *s = arg;
    rig.icmp = *error;
    note((char)(s->name - 'a' + 'A'));
}

static const struct host_udp_events events = {received, refused};

static int setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    host_init(&rig.host, "test", 1, epoll_create1(0), &host_hand_sink);
    for (int i = 0; i < SOCKETS; i++) {
        rig.sockets[i].name = (char)('a' + i);
        assert_int_equal(
            host_udp_open(&rig.host, (struct endpoint){HERE, 0}, &events, &rig.sockets[i], &rig.sockets[i].udp), 0);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_fini(&rig.host);
    return 0;
}

static int send_to(int from, struct endpoint to)
{
    return host_udp_send(rig.sockets[from].udp, to, 0, SPAN("hello"));
}

static struct endpoint at(int socket)
{
    return host_udp_local(rig.sockets[socket].udp);
}

static void input_is_worked_off_in_the_order_of_opening(void **state)
{
    (void)state;
    send_to(0, at(2));
    send_to(2, at(1));
    send_to(1, at(0));
    send_to(1, at(0));
    host_work(&rig.host);
    assert_string_equal(rig.log, "aabc");
}

static void only_the_arrival_is_looked_at_when_the_engine_knows_it(void **state)
{
    (void)state;
    send_to(0, at(1));
    send_to(0, at(2));
    rig.host.looped = false; /* as if both had come over a wire */
    rig.host.arrival = turn_arrival_udp(at(2));
    host_work(&rig.host);
    assert_string_equal(rig.log, "c");
    assert_int_equal(rig.host.received, 1);
    host_work(&rig.host);
    assert_string_equal(rig.log, "cb");
}

static void what_a_turn_sends_to_itself_is_found_beside_the_arrival(void **state)
{
    (void)state;
    send_to(0, at(1));
    send_to(0, at(2));
    rig.host.arrival = turn_arrival_udp(at(2));
    host_work(&rig.host);
    assert_string_equal(rig.log, "cb");
}

static void wrong_arrival_misses_nothing(void **state)
{
    (void)state;
    send_to(0, at(1));
    rig.host.looped = false;
    rig.host.arrival = turn_arrival_udp(at(2)); /* nothing there */
    host_work(&rig.host);
    assert_string_equal(rig.log, "b");
    send_to(0, at(2));
    rig.host.looped = false;
    rig.host.received = 0;
    rig.host.arrival = turn_arrival_port(0); /* no such input */
    host_work(&rig.host);
    assert_string_equal(rig.log, "bc");
}

static void more_than_a_batch_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        send_to(0, at(1));
    send_to(0, at(2));
    host_work(&rig.host);
    assert_string_equal(rig.log, "bbbbbbbbbbbbbbbbbbbbc");
}

static void socket_may_close_itself_in_its_callback(void **state)
{
    (void)state;
    send_to(0, at(1));
    send_to(0, at(1));
    send_to(0, at(2));
    rig.to_close = rig.sockets[1].udp;
    host_work(&rig.host);
    assert_string_equal(rig.log, "bc");
}

static void socket_may_close_a_later_one_in_its_callback(void **state)
{
    (void)state;
    send_to(1, at(0));
    send_to(1, at(2));
    rig.to_close = rig.sockets[2].udp;
    host_work(&rig.host);
    assert_string_equal(rig.log, "a");
}

static void ttl_is_told_and_64_unless_said(void **state)
{
    (void)state;
    send_to(0, at(1));
    host_work(&rig.host);
    assert_int_equal(rig.ttl, 64);
    assert_int_equal(host_udp_send(rig.sockets[0].udp, at(1), 9, SPAN("x")), 0);
    host_work(&rig.host);
    assert_int_equal(rig.ttl, 9);
}

static struct endpoint a_closed_port(void)
{
    struct endpoint e = at(2);
    host_udp_close(rig.sockets[2].udp);
    host_work(&rig.host);
    return e;
}

static void icmp_error_is_told_once_and_belongs_to_no_other_send(void **state)
{
    struct endpoint nobody = a_closed_port();
    (void)state;
    assert_int_equal(send_to(0, nobody), 0);
    assert_int_equal(send_to(0, at(1)), 0); /* the kernel would have this one fail with the error of the first */
    host_work(&rig.host);
    assert_string_equal(rig.log, "Ab");
    assert_true(endpoint_equal(rig.icmp.to, nobody));
    assert_int_equal(rig.icmp.from, HERE);
    assert_int_equal(rig.icmp.type, 3);
    assert_int_equal(rig.icmp.code, 3);
}

static void results_of_a_send(void **state)
{
    static char large[65508];
    (void)state;
    assert_int_equal(host_udp_send(rig.sockets[0].udp, (struct endpoint){0, 5060}, 0, SPAN("x")), FE_EUNREACH);
    assert_int_equal(host_udp_send(rig.sockets[0].udp, (struct endpoint){IPV4(127, 0, 0, 1), 0}, 0, SPAN("x")),
                     FE_EUNREACH);
    assert_int_equal(host_udp_send(rig.sockets[0].udp, at(1), 0, span_make(large, 65508)), FE_ERANGE);
    assert_int_equal(host_udp_send(rig.sockets[0].udp, at(1), 0, span_make(large, 65507)), 0);
    host_work(&rig.host);
    assert_string_equal(rig.log, "b"); /* the kernel's own report of the first is no ICMP error */
}

static void results_of_an_open(void **state)
{
    struct host_udp *u;
    (void)state;
    assert_int_equal(host_udp_open(&rig.host, at(0), &events, NULL, &u), FE_EUSED);
    assert_int_equal(host_udp_open(&rig.host, (struct endpoint){IPV4(203, 0, 113, 1), 5060}, &events, NULL, &u),
                     FE_EUNREACH);
}

static void timer_fired(void *arg)
{
    const char *name = arg;
    note(*name);
    if (*name == '1')
        send_to(0, at(1));
}

static void own_datagrams_come_before_the_next_timer(void **state)
{
    (void)state;
    timer_init(&rig.timers[0], timer_fired, (char[]){"1"});
    timer_init(&rig.timers[1], timer_fired, (char[]){"2"});
    host_timer_start(&rig.host, &rig.timers[0], 0);
    host_timer_start(&rig.host, &rig.timers[1], 0);
    host_work(&rig.host);
    assert_string_equal(rig.log, "1b2");
}

static void turn_that_is_for_timers_asks_for_no_input(void **state)
{
    (void)state;
    timer_init(&rig.timers[1], timer_fired, (char[]){"2"});
    host_timer_start(&rig.host, &rig.timers[1], 0);
    send_to(0, at(1));
    rig.host.looped = false; /* as if it had come over a wire */
    rig.host.arrival = TURN_ARRIVAL_NONE;
    host_work(&rig.host);
    assert_string_equal(rig.log, "2");
    timer_init(&rig.timers[0], timer_fired, (char[]){"1"});
    host_timer_start(&rig.host, &rig.timers[0], 0);
    rig.host.arrival = TURN_ARRIVAL_NONE;
    host_work(&rig.host);
    assert_string_equal(rig.log, "21bb"); /* the timer sent itself something */
}

static void timers_wait_when_the_arrival_was_refused(void **state)
{
    (void)state;
    timer_init(&rig.timers[1], timer_fired, (char[]){"2"});
    host_timer_start(&rig.host, &rig.timers[1], 0);
    rig.host.unsure = true;
    rig.host.arrival = turn_arrival_udp(at(2));
    host_work(&rig.host);
    assert_string_equal(rig.log, "");
    assert_int_equal(timers_next(&rig.host.timers), 0);
    send_to(0, at(2));
    rig.host.looped = false;
    rig.host.arrival = turn_arrival_udp(at(2));
    host_work(&rig.host);
    assert_string_equal(rig.log, "c2");
}

static void ephemeral_ports_come_from_the_nodes_stream(void **state)
{
    struct prng rng;
    (void)state;
    host_stream(&rig.host, "ports", &rng);
    for (int i = 0; i < SOCKETS; i++) {
        uint16_t port = at(i).port;
        assert_in_range(port, 32768, 60999);
    }
    uint16_t first = (uint16_t)(32768 + prng_below(&rng, 60999 - 32768 + 1));
    if (at(0).port != first) /* taken by somebody on this machine */
        skip();
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(input_is_worked_off_in_the_order_of_opening),
        test(only_the_arrival_is_looked_at_when_the_engine_knows_it),
        test(what_a_turn_sends_to_itself_is_found_beside_the_arrival),
        test(wrong_arrival_misses_nothing),
        test(more_than_a_batch_is_taken),
        test(socket_may_close_itself_in_its_callback),
        test(socket_may_close_a_later_one_in_its_callback),
        test(ttl_is_told_and_64_unless_said),
        test(icmp_error_is_told_once_and_belongs_to_no_other_send),
        test(results_of_a_send),
        test(results_of_an_open),
        test(own_datagrams_come_before_the_next_timer),
        test(turn_that_is_for_timers_asks_for_no_input),
        test(timers_wait_when_the_arrival_was_refused),
        test(ephemeral_ports_come_from_the_nodes_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
