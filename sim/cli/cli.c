#define _GNU_SOURCE
#include "sim/cli/cli_labs.h"

#include "nodes/base/nearest.h"

#include <string.h>

struct command {
    const char *word, *takes, *help;
    int (*run)(const struct cli_args *args);
    size_t least, most; /* names on the command line */
};

static int help(const struct cli_args *args);

/* What takes these takes folders of them, too. */
static const char lab_names[] = "LAB…";

static const struct command commands[] = {
    {"run", lab_names, "run labs and judge them; of a folder all labs in it", cli_run, 1, SIZE_MAX},
    {"margin", "LAB", "how far a setting may go: --over nodes.alice.expires --between 1min..1h", cli_margin, 1, 1},
    {"check", lab_names, "check lab files alone", cli_check, 1, SIZE_MAX},
    {"list", "[FOLDER]", "the labs of the library, one line each", cli_list, 0, 1},
    {"doctor", "", "what this machine can run, and what to do about what it cannot", cli_doctor, 0, 0},
    {"diff", "A B", "where two runs part: run folders or traces", cli_diff, 2, 2},
    {"report", "RUN…", "report.html of runs again: verdict, network, every SIP message, as a picture", cli_report, 1,
     SIZE_MAX},
    {"schema", "", "the JSON Schema of lab files, for editors", cli_schema, 0, 0},
    {"needs", lab_names, "the Debian packages of other people's programs in these labs", cli_needs, 1, SIZE_MAX},
    {"up", "LAB", "start a lab on the real clock and leave it to you", cli_up, 1, 1},
    {"status", "[LAB]", "the labs that are up, or the one with its nodes and latest steps", cli_status, 0, 1},
    {"exec", "NODE COMMAND…", "run a command where a node of a lab that is up stands", NULL, 0, 0},
    {"inject", "[LAB] STEP", "do one step in a lab that is up, as 'call: {from: bob, to: alice}'", cli_inject, 1, 2},
    {"down", "[LAB]", "end a lab that is up", cli_down, 0, 1},
    {"hear", "WAV HZ", "whether a tone is heard in most of a recording", cli_hear, 2, 2},
    {"nat-probe", "SETTINGS", "what the NATs before this machine are like: on=eth0 server=203.0.113.5", NULL, 0, 0},
    {"help", "", "this", help, 0, SIZE_MAX},
    {0}};

/* Bytes of UTF-8 that take no column of their own. */
static int wider(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) == 0x80;
    return n;
}

static void usage(FILE *out)
{
    fputs("farend: phones behind NATs, reproduced: one lab file, two worlds, one answer\n\n", out);
    for (const struct command *c = commands; c->word; c++)
        fprintf(out, "  farend %-9s %-*s %s\n", c->word, 13 + wider(c->takes), c->takes, c->help);
    fputs("\noptions\n", out);
    cli_args_help(out);
    fputs("\nexit status\n"
          "  0 every expectation held      1 one did not      2 the lab file or the command line is wrong\n"
          "  3 this machine cannot run it  4 farend itself failed\n",
          out);
}

static int help(const struct cli_args *args)
{
    (void)args;
    usage(stdout);
    return CLI_HELD;
}

static const struct command *command_find(const char *word)
{
    struct nearest best = {0};
    for (const struct command *c = commands; c->word; c++) {
        if (strcmp(c->word, word) == 0)
            return c;
        nearest_offer(&best, span_of(word), span_of(c->word));
    }
    fprintf(stderr, "farend: there is no command \"%s\"", word);
    if (!span_empty(best.name))
        fprintf(stderr, "; did you mean \"%.*s\"?", SPAN_ARG(best.name));
    fputs("\n", stderr);
    return NULL;
}

/* Wherever it stands: who types it wants to read, not to run. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int cli_main(int argc, char **argv)
{
    struct cli_args args;
    if (argc < 2) {
        usage(stderr);
        return CLI_WRONG;
    }
    if (strcmp(argv[1], "nat-probe") == 0)
        return cli_nat_probe(argv + 1);
    bool exec = strcmp(argv[1], "exec") == 0;
    if (asks_for_help(exec && argc > 3 ? 3 : argc, argv)) /* what follows is another command's */
        return help(NULL);
    if (exec)
        return cli_exec(argv + 1);
    const struct command *command = command_find(argv[1]);
    if (!command || !cli_args_read(&args, argc - 2, argv + 2))
        return CLI_WRONG;
    int status = CLI_WRONG;
    if (args.names_n < command->least || args.names_n > command->most)
        fprintf(stderr, "farend: usage: farend %s %s\n", command->word, command->takes);
    else if (command->takes != lab_names || cli_labs_expand(&args))
        status = command->run(&args);
    cli_args_fini(&args);
    if (fflush(stdout) != 0 && status == CLI_HELD)
        status = CLI_FAILED;
    return status;
}
