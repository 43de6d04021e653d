/* Folders of runs. */
#ifndef FAREND_CLI_FOLDER_H
#define FAREND_CLI_FOLDER_H

int cli_folder_make(const char *path);    /* with those above it; 0, or FE_EOS and errno */
void cli_folder_remove(const char *path); /* with all that is in it */

#endif
