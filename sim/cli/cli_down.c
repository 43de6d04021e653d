/* `farend down`: ends labs that are up. It returns when they are gone. */
#include "sim/cli/cli.h"
#include "sim/cli/cli_ask.h"

static int one(const char *lab)
{
    char folder[CLI_PATH];
    const struct cli_request r = {.verb = CLI_ASK_DOWN};
    int socket = cli_ask_open(lab, folder);
    return socket < 0 ? CLI_WRONG : cli_ask(socket, &r, NULL);
}

static int all(void)
{
    struct cli_ups ups;
    int status = CLI_HELD;
    if (!cli_ups_find(&ups))
        return CLI_FAILED;
    if (ups.n == 0)
        puts("no lab is up here");
    for (size_t i = 0; i < ups.n; i++) {
        int end = one(ups.folders[i]);
        status = end > status ? end : status;
    }
    cli_ups_free(&ups);
    return status;
}

int cli_down(const struct cli_args *args)
{
    if (!args->all)
        return one(args->names_n ? args->names[0] : NULL);
    if (args->names_n == 0)
        return all();
    fputs("farend: down: either one lab or --all\n", stderr);
    return CLI_WRONG;
}
