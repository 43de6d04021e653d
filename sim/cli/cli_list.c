#define _GNU_SOURCE
#include "sim/cli/cli.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* $FAREND_LABS; topologies/ here; beside the build; where it was installed. */
bool cli_library(char *path, size_t cap)
{
    static const char *const beside[] = {"../topologies", "../../topologies", "../share/farend/topologies"};
    char self[2048];
    const char *named = getenv("FAREND_LABS");
    if (named || is_folder("topologies")) {
        snprintf(path, cap, "%s", named ? named : "topologies");
        return is_folder(path);
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        snprintf(path, cap, "%s/%s", self, beside[i]);
        if (is_folder(path))
            return true;
    }
    return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* "calls/double-nat   Alice works from home, …" */
static void lab_print(const char *path, const char *name)
{
    char text[512];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    size_t length = strlen(name) - strlen(".yaml");
    printf("%-36.*s %.*s\n", (int)length, name, SPAN_ARG(lab_headline((struct span){text, n})));
}

static int labs_print(char *folder)
{
    char *roots[] = {folder, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return CLI_FAILED;
    size_t skip = strlen(folder) + 1;
    for (FTSENT *e; (e = fts_read(walk));) {
        const char *dot = strrchr(e->fts_name, '.');
        if (e->fts_info == FTS_F && dot && strcmp(dot, ".yaml") == 0)
            lab_print(e->fts_path, e->fts_path + skip);
    }
    fts_close(walk);
    return CLI_HELD;
}

int cli_list(const struct cli_args *args)
{
    char folder[4096];
    if (args->names_n)
        snprintf(folder, sizeof folder, "%s", args->names[0]);
    else if (!cli_library(folder, sizeof folder))
        folder[0] = '\0';
    if (!is_folder(folder)) {
        fprintf(stderr, "farend: no library of labs%s%s; name its folder, or set FAREND_LABS\n", *folder ? " at " : "",
                folder);
        return CLI_WRONG;
    }
    return labs_print(folder);
}
