/* `farend report RUN…`: report.html again, or for a run that an older farend left. */
#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/report/report.h"

/* What is no run is the command line's mistake; what cannot be written is not. */
static int folder_report(const char *folder)
{
    char buf[5000];
    struct text why = text_on(buf, sizeof buf);
    int error = report_write(folder, &why);
    if (!error) {
        printf("%s/report.html\n", folder);
        return CLI_HELD;
    }
    if (error == FE_EUNKNOWN)
        fprintf(stderr, "farend: %s is not the folder of a run (%s); `farend run LAB` leaves one, and says where\n",
                folder, buf);
    else
        fprintf(stderr, "farend: %s\n", buf);
    return error == FE_EUNKNOWN || error == FE_ESYNTAX ? CLI_WRONG : CLI_FAILED;
}

int cli_report(const struct cli_args *args)
{
    int status = CLI_HELD;
    for (size_t i = 0; i < args->names_n; i++) {
        int one = folder_report(args->names[i]);
        status = one > status ? one : status;
    }
    return status;
}
