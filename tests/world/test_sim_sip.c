/* SIP over UDP, TCP and TLS in the simulated world. */
#include "tests/sip/speaker_labs.h"

static char *speaker_trace(speaker_script *commands)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    speaker_draw(lab);
    lab_open(lab);
    commands(lab);
    lab_run(lab);
    char *trace = lab->trace;
    lab->trace = NULL;
    lab_close(lab);
    free(lab);
    return trace;
}

int main(void)
{
    return cmocka_run_group_tests(speaker_tests, NULL, NULL);
}
