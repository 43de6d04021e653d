#include "sim/lab/lab.h"

#include "nodes/base/error.h"
#include "sim/lab/lab_certificate.h"
#include "sim/lab/lab_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 64 * 1024 * 1024 };

#define AT(member) offsetof(struct lab_top, member)

struct lab_top {
    const char *name;
    uint32_t seed;
    int promises; /* index into promise_words */
    const struct doc *networks, *certificates, *nodes, *steps, *expect;
};

static const char *const promise_words[] = {"trace", "verdict", NULL};

const struct field lab_form[] = {
    {"lab", FIELD_TEXT, AT(name), .needed = true, .help = "the lab's name"},
    {"seed", FIELD_COUNT, AT(seed), .help = "of every random choice; the same seed gives the same run"},
    {"promises", FIELD_CHOICE, AT(promises), .choices = promise_words,
     .help =
         "what is the same in every run: trace, unless said; verdict where a kernel chooses, as with engine: kernel"},
    {"networks", FIELD_ANY, AT(networks), .means = "networks", .needed = true, .help = "what nodes hang on"},
    {"certificates", FIELD_ANY, AT(certificates), .means = "certificates",
     .help = "roots, and what they issue for the nodes; made from the seed"},
    {"nodes", FIELD_ANY, AT(nodes), .means = "nodes", .needed = true, .help = "phones, SBC, PBX, NATs, routers"},
    {"steps", FIELD_ANY, AT(steps), .means = "steps", .help = "what is done, in order, in lab time"},
    {"expect", FIELD_ANY, AT(expect), .means = "expectations", .help = "what holds at the end"},
    {0}};

static const struct doc empty_list = {.type = DOC_LIST};

/* ---- changes from the command line ---- */

/* "nodes.sbc.media ttl=reset": the value is YAML itself, so that it may be a list or a mapping. */
static int change(struct lab *lab, struct doc *root, const char *text)
{
    struct span value;
    struct span path = span_cut(span_of(text), '=', &value);
    struct source *source = arena_new(&lab->arena, sizeof *source);
    char *name = arena_text(&lab->arena, "--set ", text);
    if (!source || !name)
        return FE_EMEM;
    *source = (struct source){name, {name + (value.p ? value.p - text : 0) + 6, value.n}};
    struct place at = {.source = source};
    if (!value.p || span_empty(path)) {
        problem(&lab->problems, at, "expected PATH=VALUE, as nodes.sbc.port=5062");
        return 0;
    }
    struct doc *d = doc_parse(&lab->arena, source, &lab->problems);
    int error = d ? doc_set(&lab->arena, root, path, d) : 0;
    if (error == FE_ESYNTAX)
        problem(&lab->problems, at, "the path leads nowhere in this lab");
    return error == FE_EMEM ? error : 0;
}

/* ---- stages ---- */

static int first_error(const struct lab *lab, int error)
{
    return error ? error : lab->problems.n ? FE_ESYNTAX : 0;
}

static int read_plan(struct lab *lab, const struct lab_top *top)
{
    int error = lab_read_networks(lab, top->networks);
    if (!error)
        error = lab_read_certificates(lab, top->certificates);
    if (!error)
        error = lab_read_nodes(lab, top->nodes);
    if (!error)
        error = lab_check_networks(lab);
    if (!error)
        error = lab_read_settings(lab);
    if (first_error(lab, error))
        return error;
    error = lab_make_plan(lab);
    return error ? error : lab_make_routes(lab);
}

static int read_lab(struct lab *lab, const struct lab_change *changes, size_t changes_n)
{
    struct lab_top top = {.seed = 1, .steps = &empty_list, .expect = &empty_list};
    struct form_reader reader = lab_reader(lab);
    struct doc *root = doc_parse(&lab->arena, &lab->source, &lab->problems);
    if (!root)
        return FE_ESYNTAX;
    for (size_t i = 0; i < changes_n && root->type == DOC_MAP; i++)
        if (change(lab, root, changes[i].text))
            return FE_EMEM;
    lab->root = root;
    form_read(&reader, root, lab_form, &top);
    lab->name = top.name;
    lab->seed = top.seed;
    lab->promises_verdict = top.promises == 1;
    if (!top.networks || !top.nodes)
        return FE_ESYNTAX;
    int error = read_plan(lab, &top);
    if (error == FE_EMEM || !lab->nodes_n)
        return first_error(lab, error);
    /* The steps name nodes, which are known by now, and wires, which are only known without a problem before. */
    error = lab_read_steps(lab, top.steps, top.expect);
    return first_error(lab, error);
}

static int parse(struct lab **out, const char *name, bool on_disk, struct span text, const struct lab_change *changes,
                 size_t changes_n)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return FE_EMEM;
    lab->on_disk = on_disk;
    lab->source.name = arena_copy(&lab->arena, name, strlen(name));
    lab->source.text = (struct span){arena_copy(&lab->arena, text.p, text.n), text.n};
    int error = FE_EMEM;
    if (lab->source.name && lab->source.text.p)
        error = read_lab(lab, changes, changes_n);
    if (error == FE_EMEM) {
        lab_free(lab);
        return error;
    }
    *out = lab;
    return error;
}

int lab_parse(struct lab **out, const char *name, struct span text, const struct lab_change *changes, size_t changes_n)
{
    return parse(out, name, false, text, changes, changes_n);
}

/* ---- files ---- */

int lab_file_read(FILE *f, char **text, size_t *n)
{
    size_t cap = 16384;
    *n = 0;
    *text = NULL;
    for (;;) {
        char *larger = realloc(*text, cap);
        if (!larger)
            return FE_EMEM;
        *text = larger;
        *n += fread(larger + *n, 1, cap - *n, f);
        if (ferror(f))
            return FE_EOS;
        if (*n < cap)
            return 0;
        if (cap >= FILE_MAX) {
            errno = EFBIG;
            return FE_EOS;
        }
        cap *= 2;
    }
}

/* "../evening.csv" or "/dev/stdin" is none of a lab's business. */
static bool is_beside(const char *name)
{
    return name[0] != '/' && !strstr(name, "..");
}

static const char *folder_of(struct lab *lab)
{
    const char *slash = strrchr(lab->source.name, '/');
    return slash ? arena_copy(&lab->arena, lab->source.name, (size_t)(slash - lab->source.name) + 1) : "";
}

static int file_copy(struct lab *lab, FILE *f, struct span *text)
{
    char *bytes = NULL;
    int error = lab_file_read(f, &bytes, &text->n);
    if (!error) {
        text->p = arena_copy(&lab->arena, bytes, text->n);
        error = text->p ? 0 : FE_EMEM;
    }
    free(bytes);
    return error;
}

int lab_file_beside(struct lab *lab, const char *name, const char **path, struct span *text)
{
    if (!lab->on_disk || !is_beside(name))
        return FE_EREFUSED;
    const char *folder = folder_of(lab);
    const char *whole = folder ? arena_text(&lab->arena, folder, name) : NULL;
    if (!whole)
        return FE_EMEM;
    FILE *f = fopen(whole, "rb");
    if (!f)
        return FE_EOS;
    int error = file_copy(lab, f, text);
    fclose(f);
    if (path)
        *path = whole;
    return error;
}

int lab_load(struct lab **out, const char *path, const struct lab_change *changes, size_t changes_n)
{
    FILE *f = fopen(path, "rb");
    char *text;
    size_t n;
    if (!f)
        return FE_EOS;
    int error = lab_file_read(f, &text, &n);
    int why = errno;
    fclose(f);
    if (!error)
        error = parse(out, path, true, (struct span){text, n}, changes, changes_n);
    free(text);
    errno = why;
    return error;
}

void lab_free(struct lab *lab)
{
    if (!lab)
        return;
    lab_certificates_free(lab->certificates);
    arena_fini(&lab->arena);
    free(lab);
}

struct span lab_headline(struct span text)
{
    struct span rest = text;
    struct span line = span_trim(span_cut(rest, '\n', &rest));
    if (line.n == 0 || line.p[0] != '#')
        return (struct span){0};
    return span_trim((struct span){line.p + 1, line.n - 1});
}
