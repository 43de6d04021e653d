/* SIP over UDP, TCP and TLS in both worlds: the same bytes of trace. */
#define _GNU_SOURCE
#include "tests/netns/same.h"
#include "tests/sip/speaker_labs.h"

static char *speaker_trace(speaker_script *commands)
{
    struct netns_config tun = rig_config();
    struct netns_config veth = rig_config();
    veth.veth = true;
    char *sim = trace_of(speaker_draw, commands, NULL);
    char *on_tun = trace_of(speaker_draw, commands, &tun);
    char *on_veth = trace_of(speaker_draw, commands, &veth);
    assert_string_equal(on_tun, sim);
    assert_string_equal(on_veth, sim);
    free(on_tun);
    free(on_veth);
    return sim;
}

int main(void)
{
    return cmocka_run_group_tests(speaker_tests, NULL, NULL);
}
