/* TCP of the simulated world: opening, talking, ending (RFC 9293). See tests/world/tcp_rig.h for the lab. */
#include "tests/world/tcp_rig.h"

/* ---- opening ---- */

static void rfc9293_3_5_three_segments_open_a_connection(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    tcp_rig_run(lab);
    IN_ORDER(
        lab,
        "{\"t\":5000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"S\",\"seq\":0,\"ack\":0,\"n\":0,"
        "\"win\":65535}",
        "{\"t\":15000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"SA\",\"seq\":0,\"ack\":1,\"n\":0,"
        "\"win\":65535}",
        "{\"t\":20000000,\"node\":\"alice\",\"ev\":\"connected\",\"c\":0,",
        "{\"t\":25000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":1,\"ack\":1,\"n\":0,",
        "{\"t\":30000000,\"node\":\"bob\",\"ev\":\"accepted\",\"c\":0,\"l\":0,\"local\":\"10.0.0.2:5060\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rfc9293_3_5_three_segments_open_a_connection, tcp_rig_setup, tcp_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
