#define _GNU_SOURCE
#include "netns/doctor.h"
#include "sim/cli/cli.h"

int cli_doctor(const struct cli_args *args)
{
    struct doctor_check checks[DOCTOR_MAX];
    size_t n = doctor_examine(checks);
    (void)args;
    for (size_t i = 0; i < n; i++) {
        const struct doctor_check *c = &checks[i];
        const char *mark = c->ok ? "✓" : c->need == DOCTOR_NEEDED ? "✗" : "–";
        printf("  %s %-24s %s\n", mark, c->name, c->why);
        if (!c->ok && *c->remedy)
            printf("    %-24s %s\n", "", c->remedy);
    }
    puts("  ✓ simulated world          always: --world sim");
    if (doctor_netns_runs(checks, n))
        return CLI_HELD;
    puts("this machine cannot run --world netns; --world sim runs everywhere");
    return CLI_MACHINE;
}
