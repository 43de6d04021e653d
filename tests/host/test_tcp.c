/* TCP of the real host on this machine's loopback interface: what the contract (nodes/host.h) promises of connections
 * and listeners. Both ends are the same host's, so that everything has arrived when it is sent. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HERE IPV4(127, 0, 0, 1)

enum { ENDS = 8, LOG = 512, LARGE = 3 << 20 };

/* One letter of `name` and what happened: + connected, a number of bytes, | finished, d drained, ! failed, @ accepted.
 */
struct end {
    char name;
    struct host_tcp *tcp;
};

static struct {
    struct host host;
    struct host_listener *listener;
    struct endpoint at;
    struct end ends[ENDS];
    unsigned n;
    char log[LOG];
    size_t log_n;
    size_t bytes; /* received, ever */
    int failure;
    bool quiet; /* bytes are counted only */
    bool refuse;
    bool close_on_data;
} rig;

static void note(const struct end *end, const char *what)
{
    int n = snprintf(rig.log + rig.log_n, LOG - rig.log_n, "%s%c%s", rig.log_n ? " " : "", end->name, what);
    rig.log_n += (size_t)n;
    assert_true(rig.log_n < LOG);
}

static void connected(void *arg)
{
    note(arg, "+");
}

static void received(void *arg, struct span data)
{
    const struct end *end = arg;
    char number[16];
    rig.bytes += data.n;
    snprintf(number, sizeof number, "%zu", data.n);
    if (!rig.quiet)
        note(end, number);
    if (rig.close_on_data)
        host_tcp_close(end->tcp);
}

static void drained(void *arg)
{
    note(arg, "d");
}

static void finished(void *arg)
{
    note(arg, "|");
}

static void failed(void *arg, int error)
{
    rig.failure = error;
    note(arg, "!");
}

static const struct host_tcp_events events = {connected, received, drained, finished, failed};

static struct end *end_new(void)
{
    struct end *end = &rig.ends[rig.n];
    assert_true(rig.n < ENDS);
    end->name = (char)('a' + rig.n++);
    return end;
}

static void accepted(void *arg, struct host_tcp *c, struct endpoint remote)
{
    (void)arg;
    assert_true(endpoint_equal(remote, host_tcp_remote(c)));
    if (rig.refuse)
        return;
    struct end *end = end_new();
    end->tcp = c;
    host_tcp_own(c, &events, end);
    note(end, "@");
}

static const struct host_listener_events listening = {accepted};

static int setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    host_init(&rig.host, "test", (uint64_t)getpid(), epoll_create1(0), &host_hand_sink);
    rig.at.addr = HERE;
    int error = FE_EUSED;
    for (rig.at.port = 20000; error == FE_EUSED && rig.at.port < 21000; rig.at.port++)
        error = host_tcp_listen(&rig.host, rig.at, &listening, NULL, &rig.listener);
    rig.at.port--;
    assert_int_equal(error, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_fini(&rig.host);
    return 0;
}

static struct host_tcp *open_to(struct endpoint local, struct endpoint remote)
{
    struct end *end = end_new();
    assert_int_equal(host_tcp_connect(&rig.host, local, remote, &events, end, &end->tcp), 0);
    return end->tcp;
}

/* a connects, b is accepted; the log begins anew. */
static void connect_pair(void)
{
    open_to((struct endpoint){0}, rig.at);
    host_work(&rig.host);
    assert_int_equal(rig.n, 2);
    rig.log_n = 0;
}

static struct host_tcp *tcp(char name)
{
    return rig.ends[name - 'a'].tcp;
}

static void a_connection_is_made_and_accepted(void **state)
{
    (void)state;
    struct host_tcp *c = open_to((struct endpoint){0}, rig.at);
    assert_string_equal(rig.log, "");
    host_work(&rig.host);
    assert_string_equal(rig.log, "b@ a+");
    assert_int_equal(host_tcp_local(c).addr, HERE);
    assert_true(endpoint_equal(host_tcp_local(c), host_tcp_remote(tcp('b'))));
    assert_true(endpoint_equal(host_tcp_local(tcp('b')), rig.at));
}

static void nobody_listens(void **state)
{
    (void)state;
    host_listener_close(rig.listener);
    open_to((struct endpoint){0}, rig.at);
    host_work(&rig.host);
    assert_string_equal(rig.log, "a!");
    assert_int_equal(rig.failure, FE_EREFUSED);
    assert_int_equal(host_tcp_send(tcp('a'), SPAN("x")), FE_ERESET);
    host_tcp_close(tcp('a'));
    host_work(&rig.host);
}

static void what_is_sent_while_connecting_goes_out_then(void **state)
{
    (void)state;
    assert_int_equal(host_tcp_send(open_to((struct endpoint){0}, rig.at), SPAN("hello")), 0);
    host_tcp_finish(tcp('a'));
    assert_int_equal(host_tcp_send(tcp('a'), SPAN("more")), FE_ERESET);
    host_work(&rig.host);
    assert_string_equal(rig.log, "b@ a+ b5 b|");
}

static void closed_while_connecting_what_was_sent_still_goes_out(void **state)
{
    (void)state;
    host_tcp_send(open_to((struct endpoint){0}, rig.at), SPAN("hello"));
    host_tcp_close(tcp('a'));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b@ b5 b|");
}

static void each_side_finishes_by_itself(void **state)
{
    (void)state;
    connect_pair();
    host_tcp_send(tcp('a'), SPAN("hello"));
    host_tcp_finish(tcp('a'));
    host_work(&rig.host);
    host_tcp_send(tcp('b'), SPAN("back"));
    host_work(&rig.host);
    host_tcp_finish(tcp('b'));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b5 b| a4 a|");
    host_tcp_close(tcp('a'));
    host_tcp_close(tcp('b'));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b5 b| a4 a|");
}

static void an_abort_is_a_reset(void **state)
{
    (void)state;
    connect_pair();
    host_tcp_send(tcp('a'), SPAN("hello"));
    host_tcp_abort(tcp('a'));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b5 b!");
    assert_int_equal(rig.failure, FE_ERESET);
}

static void a_reset_after_the_fin_is_told_after_it(void **state)
{
    (void)state;
    connect_pair();
    host_tcp_finish(tcp('a'));
    host_tcp_abort(tcp('a'));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b| b!");
    assert_int_equal(rig.failure, FE_ERESET);
}

static void data_for_a_closed_connection_is_reset(void **state)
{
    (void)state;
    connect_pair();
    host_tcp_close(tcp('a'));
    host_tcp_send(tcp('b'), SPAN("late"));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b| b!");
    assert_int_equal(rig.failure, FE_ERESET);
}

static void who_is_not_owned_is_reset(void **state)
{
    (void)state;
    rig.refuse = true;
    open_to((struct endpoint){0}, rig.at);
    host_work(&rig.host);
    assert_string_equal(rig.log, "a+ a!");
    assert_int_equal(rig.failure, FE_ERESET);
}

static void closing_inside_a_callback_is_fine(void **state)
{
    (void)state;
    connect_pair();
    rig.close_on_data = true;
    host_tcp_send(tcp('a'), SPAN("hello"));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b5 a|");
}

static void a_closed_window_keeps_data_and_drained_tells_when_it_is_gone(void **state)
{
    char *large = calloc(1, LARGE);
    (void)state;
    assert_non_null(large);
    connect_pair();
    rig.quiet = true;
    assert_int_equal(host_tcp_send(tcp('a'), (struct span){large, LARGE}), 0);
    assert_int_equal(host_tcp_send(tcp('a'), (struct span){large, LARGE}), FE_EAGAIN);
    host_work(&rig.host);
    assert_int_equal(rig.bytes, LARGE);
    assert_string_equal(rig.log, "ad");
    free(large);
}

static void a_close_does_not_lose_what_waits(void **state)
{
    char *large = calloc(1, LARGE);
    (void)state;
    assert_non_null(large);
    connect_pair();
    rig.quiet = true;
    assert_int_equal(host_tcp_send(tcp('a'), (struct span){large, LARGE}), 0);
    host_tcp_close(tcp('a'));
    host_work(&rig.host);
    assert_int_equal(rig.bytes, LARGE);
    assert_string_equal(rig.log, "b|");
    free(large);
}

/* nodes/host.h: connections use the listener's port, and one may be opened from it. */
static void a_connection_may_be_opened_from_a_listening_port(void **state)
{
    struct endpoint other = rig.at;
    struct host_listener *second;
    struct host_tcp *c;
    (void)state;
    for (other.port = 21000; host_tcp_listen(&rig.host, other, &listening, NULL, &second) == FE_EUSED; other.port++)
        assert_true(other.port < 22000);
    open_to(rig.at, other);
    host_work(&rig.host);
    assert_string_equal(rig.log, "b@ a+");
    assert_true(endpoint_equal(host_tcp_local(tcp('a')), rig.at));
    assert_int_equal(host_tcp_connect(&rig.host, rig.at, other, &events, &rig.ends[0], &c), FE_EUSED);
    assert_int_equal(host_tcp_listen(&rig.host, other, &listening, NULL, &second), FE_EUSED);
    assert_int_equal(host_tcp_listen(&rig.host, rig.at, &listening, NULL, &second), FE_EUSED);
}

static void a_port_is_listened_to_again_while_its_connections_live(void **state)
{
    (void)state;
    connect_pair();
    host_listener_close(rig.listener);
    assert_int_equal(host_tcp_listen(&rig.host, rig.at, &listening, NULL, &rig.listener), 0);
    host_tcp_send(tcp('a'), SPAN("still"));
    host_work(&rig.host);
    assert_string_equal(rig.log, "b5");
}

static void what_cannot_be_opened(void **state)
{
    struct host_listener *l;
    struct host_tcp *c;
    (void)state;
    assert_int_equal(host_tcp_listen(&rig.host, (struct endpoint){HERE, 0}, &listening, NULL, &l), FE_ERANGE);
    assert_int_equal(host_tcp_listen(&rig.host, (struct endpoint){IPV4(192, 0, 2, 77), 5060}, &listening, NULL, &l),
                     FE_EUNREACH);
    assert_int_equal(host_tcp_connect(&rig.host, (struct endpoint){IPV4(192, 0, 2, 77), 0}, rig.at, &events, NULL, &c),
                     FE_EUNREACH);
}

/* By hand the secrets go to the file that other programs use too. */
static void secrets_are_appended_to_the_key_log_file(void **state)
{
    char name[] = "/tmp/farend-secrets-XXXXXX";
    char line[64] = "";
    int fd = mkstemp(name);
    (void)state;
    assert_true(fd >= 0);
    setenv("SSLKEYLOGFILE", name, 1);
    host_secret(&rig.host, SPAN("CLIENT_RANDOM 00 11"));
    host_secret(&rig.host, SPAN("EXPORTER_SECRET 00 22"));
    assert_int_equal(read(fd, line, sizeof line - 1), 42);
    assert_string_equal(line, "CLIENT_RANDOM 00 11\nEXPORTER_SECRET 00 22\n");
    close(fd);
    unlink(name);
    unsetenv("SSLKEYLOGFILE");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_connection_is_made_and_accepted),
        CASE(nobody_listens),
        CASE(what_is_sent_while_connecting_goes_out_then),
        CASE(closed_while_connecting_what_was_sent_still_goes_out),
        CASE(each_side_finishes_by_itself),
        CASE(an_abort_is_a_reset),
        CASE(a_reset_after_the_fin_is_told_after_it),
        CASE(data_for_a_closed_connection_is_reset),
        CASE(who_is_not_owned_is_reset),
        CASE(closing_inside_a_callback_is_fine),
        CASE(a_closed_window_keeps_data_and_drained_tells_when_it_is_gone),
        CASE(a_close_does_not_lose_what_waits),
        CASE(a_connection_may_be_opened_from_a_listening_port),
        CASE(a_port_is_listened_to_again_while_its_connections_live),
        CASE(what_cannot_be_opened),
        CASE(secrets_are_appended_to_the_key_log_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
