/* Other people's programs: can this machine run those of a lab? */
#ifndef FAREND_CLI_PROGRAMS_H
#define FAREND_CLI_PROGRAMS_H

#include "sim/cli/cli.h"

/* CLI_HELD, or CLI_MACHINE when the world has none or one of them is not installed; `why` then says which, and what to
 * install. */
int cli_programs_check(const struct lab *lab, const struct world_ops *world, struct text *why);

#endif
