#define _GNU_SOURCE
#include "sim/cli/cli_programs.h"

#include "netns/netns_foreigns.h"
#include "netns/netns_program.h"
#include "sim/engine/world.h"
#include "sim/lab/lab_program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_there(void *arg, const char *word)
{
    (void)arg;
    char own[2048];
    char folders[8192];
    char path[4096];
    if (strchr(word, '/'))
        return strncmp(word, FOREIGN_DIR, strlen(FOREIGN_DIR)) == 0 || access(word, X_OK) == 0;
    netns_programs_folder(own, sizeof own);
    netns_foreigns_path(folders, sizeof folders, own);
    for (struct span rest = span_of(folders); rest.n;) {
        struct span folder = span_cut(rest, ':', &rest);
        snprintf(path, sizeof path, "%.*s/%s", SPAN_ARG(folder), word);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static int say_missing(const struct lab_missing *missing, struct text *why)
{
    const struct lab_program *p = missing->node->program;
    text_str(why, "skipped: there is no program \"");
    text_str(why, missing->word);
    text_str(why, "\" here, which ");
    text_str(why, missing->node->name);
    text_str(why, " needs");
    for (size_t i = 0; i < p->needs_n; i++) {
        text_str(why, i ? " " : "; install it by apt-get install ");
        text_str(why, p->needs[i]);
    }
    return CLI_MACHINE;
}

int cli_programs_check(const struct lab *lab, const struct world_ops *world, struct text *why)
{
    struct lab_missing missing;
    if (!lab_needs_real_clock(lab))
        return CLI_HELD;
    if (!world->run) {
        text_str(why, "skipped: other people's programs run on the kernel only: --world netns");
        return CLI_MACHINE;
    }
    return lab_program_missing(lab, is_there, NULL, &missing) ? say_missing(&missing, why) : CLI_HELD;
}

/* One line each, every package once; nothing for labs with no such programs. */
int cli_needs(const struct cli_args *args)
{
    int status = CLI_HELD;
    struct names told = {0};
    struct arena arena = {0};
    for (size_t i = 0; i < args->names_n; i++) {
        struct lab *lab = cli_lab_load(args, args->names[i]);
        status = lab ? status : CLI_WRONG;
        for (size_t node = 0; lab && node < lab->nodes_n; node++)
            for (size_t k = 0; lab->nodes[node].program && k < lab->nodes[node].program->needs_n; k++) {
                const char *package = lab->nodes[node].program->needs[k];
                if (names_find(&told, span_of(package)) >= 0)
                    continue;
                puts(package);
                names_add(&arena, &told, arena_text(&arena, package), 0);
                names_sort(&told);
            }
        lab_free(lab);
    }
    arena_fini(&arena);
    return status;
}
