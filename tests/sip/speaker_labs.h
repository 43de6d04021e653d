/* Two elements on a wire that speak SIP (speaker.h), what they are told, and what must come of it: the tests of a
 * program that says in which world they run, by defining speaker_trace(). RFC 3261 §18, RFC 5626, RFC 5923; PH-2, PH-5,
 * PH-13, PH-18, PB-3, CT-1. */
#ifndef FAREND_TESTS_SIP_SPEAKER_LABS_H
#define FAREND_TESTS_SIP_SPEAKER_LABS_H

#include "tests/sip/speaker.h"
#include "tests/world/probe.h"

#define SPEAKER_ALICE IPV4(192, 168, 1, 20)
#define SPEAKER_BOB   IPV4(192, 168, 1, 30)

typedef void speaker_script(struct lab *lab); /* gives the commands */

/* The trace of a lab in which Alice and Bob do that. The caller frees it. */
static char *speaker_trace(speaker_script *commands);

static void speaker_draw(struct lab *lab)
{
    unsigned alice = build_node(&lab->plan, "alice", &speaker_kind);
    unsigned bob = build_node(&lab->plan, "bob", &speaker_kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", SPEAKER_ALICE, 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", SPEAKER_BOB, 24);
    lab->plan.seed = 7;
    build_wire(&lab->plan, "alice.home", a, b, (struct wire_spec){.delay = 10 * MS});
}

static unsigned speaker_count(const char *trace, const char *text)
{
    unsigned n = 0;
    for (const char *at = trace; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* What is to be in the trace, so many times. */
struct speaker_line {
    unsigned times;
    const char *text;
};

static void speaker_runs(speaker_script *commands, const struct speaker_line *lines)
{
    char *trace = speaker_trace(commands);
    for (; lines->text; lines++)
        if (speaker_count(trace, lines->text) != lines->times)
            fail_msg("not %u times %s in\n%s", lines->times, lines->text, trace);
    free(trace);
}

/* ---- TCP ---- */

static void one_after_the_other(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tcp 192.168.1.30 OPTIONS");
    lab_command(lab, 2 * SEC, 0, "request tcp 192.168.1.30 MESSAGE 3000");
    lab_command(lab, 3 * SEC, 1, "request-on 1 OPTIONS"); /* back by the connection that Alice opened */
    lab_command(lab, 4 * SEC, 0, "ping 1");
    lab_command(lab, 5 * SEC, 1, "close 1");
    lab_command(lab, 6 * SEC, 0, "request-on 1 OPTIONS");
    lab_command(lab, 7 * SEC, 0, "request tcp 192.168.1.30 OPTIONS");
}

static void a_connection_is_reused_until_it_is_closed(void **state)
{
    static const struct speaker_line lines[] = {
        {2, "\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"up\""},
        {2, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"up\""},
        {4, "\"what\":\"200\""},
        {1, "\"node\":\"bob\",\"ev\":\"heard\",\"what\":\"ping\""},
        {1, "\"node\":\"alice\",\"ev\":\"heard\",\"what\":\"pong\""},
        {1, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"closed\",\"transport\":\"TCP\""},
        {1, "\"remote\":\"192.168.1.30:5060\",\"reason\":\"closed\""},
        {1, "\"reason\":\"local\""},
        {1, "\"node\":\"alice\",\"ev\":\"heard\",\"what\":\"failed\""}, /* never by another connection */
        {0, NULL},
    };
    (void)state;
    speaker_runs(one_after_the_other, lines);
}

static void to_nobody(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tcp 192.168.1.30:5090 OPTIONS");
}

static void a_port_where_nobody_listens_refuses(void **state)
{
    static const struct speaker_line lines[] = {
        {1, "\"state\":\"failed\",\"transport\":\"TCP\",\"remote\":\"192.168.1.30:5090\",\"reason\":\"refused\""},
        {1, "\"what\":\"failed\""},
        {0, NULL},
    };
    (void)state;
    speaker_runs(to_nobody, lines);
}

/* §18.1.1 */
static void too_large(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request udp 192.168.1.30 MESSAGE 800");
    lab_command(lab, 2 * SEC, 0, "request udp 192.168.1.30 MESSAGE 1300");
    lab_command(lab, 3 * SEC, 0, "request udp 192.168.1.30:5090 MESSAGE 1300");
}

static void a_large_request_takes_tcp_and_comes_back_when_it_is_refused(void **state)
{
    static const struct speaker_line lines[] = {
        {2, "\"what\":\"200\""},
        {1, "\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TCP\""},
        {1, "\"remote\":\"192.168.1.30:5090\",\"reason\":\"refused\""},
        {11, "\"dir\":\"out\",\"msg\":\"MESSAGE\",\"peer\":\"192.168.1.30:5090\""}, /* timer E, to nobody */
        {1, "\"timer\":\"F\""},
        {0, NULL},
    };
    (void)state;
    speaker_runs(too_large, lines);
}

/* PH-4: the same local port again, first while the last FIN is still on its way. */
static void from_one_port(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "connect-fixed 192.168.1.30");
    lab_command(lab, 2 * SEC, 1, "close 1");
    lab_command(lab, 2 * SEC + 15 * MS, 0, "connect-fixed 192.168.1.30");
    lab_command(lab, 3 * SEC, 0, "connect-fixed 192.168.1.30");
}

static void a_fixed_local_port_is_free_again_after_the_good_bye(void **state)
{
    static const struct speaker_line lines[] = {
        {1, "\"t\":2015000000,\"node\":\"alice\",\"ev\":\"did\",\"what\":\"connect-fixed 192.168.1.30\",\"result\":-6"},
        {2, "\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TCP\","
            "\"remote\":\"192.168.1.30:5060\",\"local\":5062"},
        {2, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TCP\",\"remote\":\"192.168.1.20:5062\""},
        {0, NULL},
    };
    (void)state;
    speaker_runs(from_one_port, lines);
}

/* ---- TLS ---- */

static void in_secret(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tls 192.168.1.30 OPTIONS"); /* verified by the address (PB-3) */
    lab_command(lab, 2 * SEC, 1, "request-on 1 OPTIONS");
    lab_command(lab, 3 * SEC, 0, "ping 1");
    lab_command(lab, 4 * SEC, 0, "close 1");
    lab_command(lab, 5 * SEC, 0, "connect tls 192.168.1.30 bob.lab");
    lab_command(lab, 6 * SEC, 0, "close 2");
    lab_command(lab, 7 * SEC, 0, "connect tls 192.168.1.30 bob.lab");
    lab_command(lab, 8 * SEC, 0, "request-on 3 MESSAGE 6000");
}

static void tls_carries_both_ways_and_is_resumed(void **state)
{
    static const struct speaker_line lines[] = {
        {3, "\"what\":\"200\""},
        {1, "\"what\":\"pong\""},
        {3, "\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"established\",\"peer\":\"192.168.1.30:5061\",\"version\":"
            "\"1.2\""},
        {2, "\"resumed\":true"}, /* the third handshake, seen from both ends */
        {1, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TLS\",\"remote\":\"192.168.1.20:40"},
        {0, NULL},
    };
    (void)state;
    speaker_runs(in_secret, lines);
}

static void as_somebody_else(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "connect tls 192.168.1.30 carol.lab");
    lab_command(lab, 1 * SEC, 0, "request tls 192.168.1.30 OPTIONS");      /* waits for that one */
    lab_command(lab, 2 * SEC, 0, "request tls 192.168.1.30:5060 OPTIONS"); /* speaks TLS to a TCP port */
}

static void a_wrong_name_and_a_wrong_port_fail(void **state)
{
    static const struct speaker_line lines[] = {
        {1, "\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"failed\",\"peer\":\"192.168.1.30:5061\""},
        {1, "\"node\":\"bob\",\"ev\":\"tls\",\"state\":\"failed\""},
        {2, "\"what\":\"failed\""},
        {1, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"closed\",\"transport\":\"TCP\""},
        {0, NULL},
    };
    (void)state;
    speaker_runs(as_somebody_else, lines);
}

/* PH-13: a host that is not there. */
static void to_an_empty_house(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tcp 192.168.1.40 OPTIONS");
}

static void a_host_that_is_not_there_costs_the_time_of_a_connection(void **state)
{
    static const struct speaker_line lines[] = {
        {1, "{\"t\":31000000000,\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"failed\",\"transport\":\"TCP\","
            "\"remote\":\"192.168.1.40:5060\",\"reason\":\"timed-out\"}"},
        {1, "\"t\":31000000000,\"node\":\"alice\",\"ev\":\"heard\",\"what\":\"failed\""},
        {0, NULL},
    };
    (void)state;
    speaker_runs(to_an_empty_house, lines);
}

static const struct CMUnitTest speaker_tests[] = {
    cmocka_unit_test(a_connection_is_reused_until_it_is_closed),
    cmocka_unit_test(a_port_where_nobody_listens_refuses),
    cmocka_unit_test(a_large_request_takes_tcp_and_comes_back_when_it_is_refused),
    cmocka_unit_test(a_host_that_is_not_there_costs_the_time_of_a_connection),
    cmocka_unit_test(a_fixed_local_port_is_free_again_after_the_good_bye),
    cmocka_unit_test(tls_carries_both_ways_and_is_resumed),
    cmocka_unit_test(a_wrong_name_and_a_wrong_port_fail),
};

#endif
