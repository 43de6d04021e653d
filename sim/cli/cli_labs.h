/* Where labs are: files, folders of them, the library. */
#ifndef FAREND_CLI_LABS_H
#define FAREND_CLI_LABS_H

#include "sim/cli/cli.h"

/* Writes the folder of the lab library into path; false when there is none. */
bool cli_library(char *path, size_t cap);

/* A file by its path, or a lab of the library by its name: "calls/double-nat". Malloc'ed; NULL: there is no such file.
 */
char *cli_lab_path(const char *name);

/* Every lab in a folder and below, by its path and by its name from there ("calls/double-nat.yaml"), sorted by name.
 * FE_EOS: errno. */
int cli_labs_in(const char *folder, void (*each)(void *arg, const char *path, const char *name), void *arg);

/* Puts the labs of a folder in the place of the folder's name, here or in the library, wherever one stands among the
 * names. False after it has told on standard error what is wrong. */
bool cli_labs_expand(struct cli_args *args);

#endif
