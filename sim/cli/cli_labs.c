#define _GNU_SOURCE
#include "sim/cli/cli_labs.h"

#include "nodes/base/error.h"

#include <errno.h>
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

/* ---- the library ---- */

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

/* What is there by this name, or in the library by the name with `ending`. Malloc'ed, or NULL. */
static char *find(const char *name, const char *ending)
{
    char library[CLI_PATH];
    char *path = NULL;
    if (access(name, F_OK) == 0)
        return strdup(name);
    if (!cli_library(library, sizeof library) || asprintf(&path, "%s/%s%s", library, name, ending) < 0)
        return NULL;
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *cli_lab_path(const char *name)
{
    return find(name, ".yaml");
}

/* ---- folders ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

int cli_labs_in(const char *folder, void (*each)(void *arg, const char *path, const char *name), void *arg)
{
    char *root = strdup(folder);
    char *roots[] = {root, NULL};
    size_t skip = strlen(folder);
    if (!root)
        return FE_EOS;
    while (skip > 1 && root[skip - 1] == '/')
        root[--skip] = '\0';
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    free(root);
    if (!walk)
        return FE_EOS;
    for (FTSENT *e; (e = fts_read(walk));) {
        const char *dot = strrchr(e->fts_name, '.');
        if (e->fts_info == FTS_F && dot && strcmp(dot, ".yaml") == 0)
            each(arg, e->fts_path, e->fts_path + skip + 1);
    }
    fts_close(walk);
    return 0;
}

/* ---- folders among names ---- */

struct lab_paths {
    char **all; /* owned */
    size_t n, cap;
    bool no_memory;
};

static void add(void *arg, const char *path, const char *name)
{
    struct lab_paths *paths = arg;
    (void)name;
    if (paths->n == paths->cap) {
        size_t cap = paths->cap ? 2 * paths->cap : 16;
        char **grown = realloc(paths->all, cap * sizeof *grown);
        if (!grown) {
            paths->no_memory = true;
            return;
        }
        paths->all = grown;
        paths->cap = cap;
    }
    char *copy = strdup(path);
    if (copy)
        paths->all[paths->n++] = copy;
    else
        paths->no_memory = true;
}

static bool expand(struct lab_paths *paths, const char *name)
{
    char *folder = find(name, "");
    size_t before = paths->n;
    int error = 0;
    if (folder && is_folder(folder))
        error = cli_labs_in(folder, add, paths);
    else
        add(paths, name, name);
    if (error)
        fprintf(stderr, "farend: %s: %s\n", name, strerror(errno));
    else if (paths->n == before && !paths->no_memory)
        fprintf(stderr, "farend: %s: there is no lab in this folder; a lab is a file *.yaml\n", name);
    free(folder);
    return !error && paths->n > before;
}

bool cli_labs_expand(struct cli_args *args)
{
    struct lab_paths paths = {0};
    bool ok = true;
    for (size_t i = 0; i < args->names_n && ok; i++)
        ok = expand(&paths, args->names[i]);
    if (paths.no_memory) {
        fputs("farend: out of memory\n", stderr);
        ok = false;
    }
    for (size_t i = 0; i < args->names_n; i++)
        free(args->names[i]);
    free(args->names);
    args->names = paths.all;
    args->names_n = paths.n;
    return ok;
}
