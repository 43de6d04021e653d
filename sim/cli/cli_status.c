/* `farend status`: one lab with all that is known of it, or several in a line each. */
#include "sim/cli/cli.h"
#include "sim/cli/cli_ask.h"
#include "sim/cli/cli_socket.h"

#include <unistd.h>

static int one(const char *lab)
{
    char folder[CLI_PATH];
    const struct cli_request r = {.verb = CLI_ASK_STATUS, .colour = isatty(STDOUT_FILENO) == 1};
    int socket = cli_ask_open(lab, folder);
    return socket < 0 ? CLI_WRONG : cli_ask(socket, &r, NULL);
}

/* One that goes down meanwhile is no longer one of them. */
static int several(const struct cli_ups *ups)
{
    const struct cli_request r = {.verb = CLI_ASK_BRIEF};
    for (size_t i = 0; i < ups->n; i++) {
        int socket = cli_socket_connect(ups->folders[i]);
        int status = socket < 0 ? CLI_HELD : cli_ask(socket, &r, NULL);
        if (status != CLI_HELD)
            return status;
    }
    return CLI_HELD;
}

int cli_status(const struct cli_args *args)
{
    struct cli_ups ups;
    if (args->names_n)
        return one(args->names[0]);
    if (!cli_ups_find(&ups))
        return CLI_FAILED;
    int status = CLI_HELD;
    if (ups.n == 0)
        puts("no lab is up here; farend up LAB starts one");
    else
        status = ups.n == 1 ? one(ups.folders[0]) : several(&ups);
    cli_ups_free(&ups);
    return status;
}
