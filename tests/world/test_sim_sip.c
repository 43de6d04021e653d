/* SIP over UDP, TCP and TLS in the simulated world. */
#include "tests/sip/speaker_labs.h"

static char *trace_over(struct wire_spec wire, speaker_script *commands)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    speaker_draw(lab);
    lab->plan.wires[0].spec[0] = lab->plan.wires[0].spec[1] = wire;
    lab_open(lab);
    commands(lab);
    return lab_finish(lab);
}

static char *speaker_trace(speaker_script *commands)
{
    return trace_over((struct wire_spec){.delay = 10 * MS, .mtu = BUILD_MTU}, commands);
}

/* ---- loss: TCP makes it good, and SIP does not notice (§17.1.2.2: no timer E) ---- */

static void much_in_secret(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "request tls 192.168.1.30 OPTIONS");
    lab_command(lab, 12 * SEC, 0, "request tls 192.168.1.30 MESSAGE 8000");
    lab_command(lab, 12 * SEC, 0, "request tls 192.168.1.30 MESSAGE 8000");
    lab_command(lab, 12 * SEC, 0, "request tls 192.168.1.30 MESSAGE 8000");
    lab_command(lab, 24 * SEC, 0, "ping 1");
}

static void nothing_is_lost_on_a_wire_that_loses(void **state)
{
    (void)state;
    char *trace = trace_over((struct wire_spec){.delay = 10 * MS, .mtu = BUILD_MTU, .loss = 100000}, much_in_secret);
    assert_true(speaker_count(trace, "\"cause\":\"lost\"") > 0);
    assert_int_equal(speaker_count(trace, "\"what\":\"200\""), 4);
    assert_int_equal(speaker_count(trace, "\"dir\":\"out\",\"msg\":\"MESSAGE\""), 3);
    assert_int_equal(speaker_count(trace, "\"what\":\"pong\""), 1);
    free(trace);
}

static const struct CMUnitTest more_tests[] = {
    cmocka_unit_test(nothing_is_lost_on_a_wire_that_loses),
};

int main(void)
{
    return cmocka_run_group_tests(speaker_tests, NULL, NULL) + cmocka_run_group_tests(more_tests, NULL, NULL);
}
