/* SIP over UDP, TCP and TLS between two elements, in both worlds: the same bytes of trace. RFC 3261 §18, RFC 5626,
 * RFC 5923; PH-2, PH-5, PH-18, PB-3, CT-1. */
#define _GNU_SOURCE
#include "tests/netns/same.h"
#include "tests/sip/speaker.h"

static void draw_speakers(struct lab *lab)
{
    unsigned alice = build_node(&lab->plan, "alice", &speaker_kind);
    unsigned bob = build_node(&lab->plan, "bob", &speaker_kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", ALICE, 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", BOB, 24);
    lab->plan.seed = 7;
    build_wire(&lab->plan, "alice.home", a, b, (struct wire_spec){.delay = 10 * MS});
}

/* The trace, which is the same in all worlds. */
static char *same_trace(draw *plan, instruct *commands)
{
    struct netns_config tun = rig_config();
    struct netns_config veth = rig_config();
    veth.veth = true;
    char *sim = trace_of(plan, commands, NULL);
    char *on_tun = trace_of(plan, commands, &tun);
    char *on_veth = trace_of(plan, commands, &veth);
    assert_string_equal(on_tun, sim);
    assert_string_equal(on_veth, sim);
    free(on_tun);
    free(on_veth);
    return sim;
}

static unsigned count(const char *trace, const char *text)
{
    unsigned n = 0;
    for (const char *at = trace; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* What is to be in the trace, so many times. */
struct line {
    unsigned times;
    const char *text;
};

static void runs(instruct *commands, const struct line *lines)
{
    char *trace = same_trace(draw_speakers, commands);
    for (; lines->text; lines++)
        if (count(trace, lines->text) != lines->times)
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
    static const struct line lines[] = {
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
    runs(one_after_the_other, lines);
}

static void to_nobody(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tcp 192.168.1.30:5090 OPTIONS");
}

static void a_port_where_nobody_listens_refuses(void **state)
{
    static const struct line lines[] = {
        {1, "\"state\":\"failed\",\"transport\":\"TCP\",\"remote\":\"192.168.1.30:5090\",\"reason\":\"refused\""},
        {1, "\"what\":\"failed\""},
        {0, NULL},
    };
    (void)state;
    runs(to_nobody, lines);
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
    static const struct line lines[] = {
        {2, "\"what\":\"200\""},
        {1, "\"node\":\"alice\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TCP\""},
        {1, "\"remote\":\"192.168.1.30:5090\",\"reason\":\"refused\""},
        {11, "\"dir\":\"out\",\"msg\":\"MESSAGE\",\"peer\":\"192.168.1.30:5090\""}, /* timer E, to nobody */
        {1, "\"timer\":\"F\""},
        {0, NULL},
    };
    (void)state;
    runs(too_large, lines);
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
    static const struct line lines[] = {
        {3, "\"what\":\"200\""},
        {1, "\"what\":\"pong\""},
        {3, "\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"established\",\"peer\":\"192.168.1.30:5061\",\"version\":"
            "\"1.2\""},
        {2, "\"resumed\":true"}, /* the third handshake, seen from both ends */
        {1, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TLS\",\"remote\":\"192.168.1.20:40"},
        {0, NULL},
    };
    (void)state;
    runs(in_secret, lines);
}

static void as_somebody_else(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "connect tls 192.168.1.30 carol.lab");
    lab_command(lab, 1 * SEC, 0, "request tls 192.168.1.30 OPTIONS");      /* waits for that one */
    lab_command(lab, 2 * SEC, 0, "request tls 192.168.1.30:5060 OPTIONS"); /* speaks TLS to a TCP port */
}

static void a_wrong_name_and_a_wrong_port_fail(void **state)
{
    static const struct line lines[] = {
        {1, "\"node\":\"alice\",\"ev\":\"tls\",\"state\":\"failed\",\"peer\":\"192.168.1.30:5061\""},
        {1, "\"node\":\"bob\",\"ev\":\"tls\",\"state\":\"failed\""},
        {2, "\"what\":\"failed\""},
        {1, "\"node\":\"bob\",\"ev\":\"flow\",\"state\":\"closed\",\"transport\":\"TCP\""},
        {0, NULL},
    };
    (void)state;
    runs(as_somebody_else, lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_reused_until_it_is_closed),
        cmocka_unit_test(a_port_where_nobody_listens_refuses),
        cmocka_unit_test(a_large_request_takes_tcp_and_comes_back_when_it_is_refused),
        cmocka_unit_test(tls_carries_both_ways_and_is_resumed),
        cmocka_unit_test(a_wrong_name_and_a_wrong_port_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
