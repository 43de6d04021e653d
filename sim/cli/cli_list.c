#include "sim/cli/cli_labs.h"

#include <string.h>
#include <unistd.h>

/* "calls/double-nat   Alice works from home, …" */
static void lab_print(void *arg, const char *path, const char *name)
{
    char text[512];
    FILE *f = fopen(path, "rb");
    (void)arg;
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    size_t length = strlen(name) - strlen(".yaml");
    printf("%-36.*s %.*s\n", (int)length, name, SPAN_ARG(lab_headline((struct span){text, n})));
}

int cli_list(const struct cli_args *args)
{
    char folder[4096];
    if (args->names_n)
        snprintf(folder, sizeof folder, "%s", args->names[0]);
    else if (!cli_library(folder, sizeof folder))
        folder[0] = '\0';
    if (access(folder, F_OK) != 0) {
        fprintf(stderr, "farend: no library of labs%s%s; name its folder, or set FAREND_LABS\n", *folder ? " at " : "",
                folder);
        return CLI_WRONG;
    }
    return cli_labs_in(folder, lab_print, NULL) ? CLI_FAILED : CLI_HELD;
}
