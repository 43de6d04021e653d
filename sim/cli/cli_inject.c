/* `farend inject`: one step, which the lab does and judges. */
#include "sim/cli/cli.h"
#include "sim/cli/cli_ask.h"

#include <unistd.h>

int cli_inject(const struct cli_args *args)
{
    char folder[CLI_PATH];
    const char *lab = args->names_n > 1 ? args->names[0] : NULL;
    const struct cli_request r = {
        .verb = CLI_ASK_INJECT, .colour = isatty(STDOUT_FILENO) == 1, .text = span_of(args->names[args->names_n - 1])};
    int socket = cli_ask_open(lab, folder);
    return socket < 0 ? CLI_WRONG : cli_ask(socket, &r, NULL);
}
