/* `farend nat-probe on=WHERE server=ADDRESS …`: what are the NATs before this machine like? The node `prober` as a
 * program of its own, farend-prober, found beside this one and given the same words. */
#define _GNU_SOURCE
#include "sim/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int cli_nat_probe(char **argv)
{
    static const char prober[] = "farend-prober";
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof prober);
    if (n <= 0)
        return CLI_FAILED;
    path[n] = '\0';
    strcpy(strrchr(path, '/') + 1, prober);
    fflush(stdout);
    execv(path, argv);
    fprintf(stderr, "farend: %s: %s\n", path, strerror(errno));
    return CLI_FAILED;
}
