#define _GNU_SOURCE
#include "sim/cli/cli.h"
#include "sim/lab/schema.h"

int cli_schema(const struct cli_args *args)
{
    (void)args;
    return schema_write(stdout) ? CLI_FAILED : CLI_HELD;
}
