/* The programs' command line: what it sets, and the sentences it refuses with. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_args.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct settings {
    char line[16];
    uint32_t count;
    lab_time interval;
    char *trust;
};

static const char *const ports[] = {"inside", "outside", NULL};
static const struct option options[] = {
    {"line", OPT_TEXT, OPTION_AT(struct settings, line), .help = "extension", .needed = true},
    {"count", OPT_COUNT, OPTION_AT(struct settings, count), .def = "3"},
    {"keep-alive interval", OPT_TIME, OPTION_AT(struct settings, interval), .help = "how often"},
    {"trust", OPT_CERTIFICATE, OPTION_AT(struct settings, trust), .part = OPTION_TRUST},
    {0}};
static const struct node_kind kind = {
    .name = "thing", .help = "a thing", .ports = ports, .options = options, .settings_size = sizeof(struct settings)};

enum { WORDS = 8 };

static int read_words(struct host_args *args, char *why, size_t cap, const char *const *words)
{
    char *argv[WORDS + 2] = {(char[]){"farend-thing"}};
    struct text t = text_on(why, cap);
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return host_args_read(args, &kind, argc, argv, &t);
}

#define WORDS_OF(...) ((const char *const[]){__VA_ARGS__, NULL})

static void ports_and_settings(void **state)
{
    char why[256];
    struct host_args args;
    (void)state;
    assert_int_equal(read_words(&args, why, sizeof why,
                                WORDS_OF("outside=eth1", "line=101", "keep-alive interval=20s", "--name", "alice",
                                         "--seed", "18446744073709551615", "--json")),
                     0);
    const struct settings *s = args.settings;
    assert_string_equal(s->line, "101");
    assert_int_equal(s->count, 3);
    assert_int_equal(s->interval, 20 * SEC);
    assert_string_equal(args.name, "alice");
    assert_true(args.seed == UINT64_MAX && args.seeded && args.json && !args.lab);
    assert_string_equal(args.ports[0], "");
    assert_string_equal(args.ports[1], "eth1");
    host_args_free(&args, &kind);
}

static void file_of_settings(void **state)
{
    char path[] = "/tmp/farend-args-XXXXXX";
    char why[256];
    struct host_args args;
    FILE *f = fdopen(mkstemp(path), "w");
    (void)state;
    assert_non_null(f);
    fputs("# a comment\n\n  line = 102\r\ncount=7\ninside = 10.0.0.1\ncuont = 1\n", f);
    fclose(f);
    int error = read_words(&args, why, sizeof why, WORDS_OF("--settings", path));
    const struct settings *s = args.settings;
    unlink(path);
    assert_int_equal(error, FE_EUNKNOWN);
    assert_string_equal(s->line, "102");
    assert_int_equal(s->count, 7);
    assert_string_equal(args.ports[0], "10.0.0.1");
    host_args_free(&args, &kind);
    assert_non_null(strstr(why, "there is no setting \"cuont\"; did you mean \"count\"?"));
    assert_non_null(strstr(why, ", line 6)"));
}

/* By hand a certificate is a file; in a lab it is the word itself. */
static void certificate_comes_from_its_file(void **state)
{
    char path[] = "/tmp/farend-args-XXXXXX";
    char why[256];
    char word[64];
    struct host_args args;
    (void)state;
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    fclose(f);
    snprintf(word, sizeof word, "trust=%s", path);
    int error = read_words(&args, why, sizeof why, WORDS_OF("line=101", word));
    unlink(path);
    assert_int_equal(error, 0);
    assert_non_null(strstr(((struct settings *)args.settings)->trust, "AAAA\n-----END"));
    host_args_free(&args, &kind);
    assert_int_equal(read_words(&args, why, sizeof why, WORDS_OF("line=101", "trust=base64:AAA=")), 0);
    assert_string_equal(((struct settings *)args.settings)->trust, "base64:AAA=");
    host_args_free(&args, &kind);
}

static void refused(const char *const *words, int expected, const char *sentence)
{
    char why[256];
    struct host_args args;
    int error = read_words(&args, why, sizeof why, words);
    host_args_free(&args, &kind);
    assert_string_equal(why, sentence);
    assert_int_equal(error, expected);
}

static void refusals_are_sentences(void **state)
{
    (void)state;
    refused(WORDS_OF("lien=101"), FE_EUNKNOWN, "there is no setting \"lien\"; did you mean \"line\"?");
    refused(WORDS_OF("line=101", "outsied=eth0"), FE_EUNKNOWN,
            "there is no setting \"outsied\"; did you mean the port \"outside\"?");
    refused(WORDS_OF("line"), FE_ESYNTAX, "\"line\" is neither an option of the program nor NAME=VALUE");
    refused(WORDS_OF("count=4"), FE_ESYNTAX, "\"line\" must be given: a text");
    refused(WORDS_OF("--sede", "4"), FE_EUNKNOWN, "there is no option \"--sede\"; did you mean \"--seed\"?");
    refused(WORDS_OF("--seed"), FE_ESYNTAX, "--seed needs a word after it");
    refused(WORDS_OF("--seed", "four"), FE_ESYNTAX, "--seed: \"four\" is not a whole number");
    refused(WORDS_OF("line=1", "trust=/nowhere"), FE_EOS, "trust: cannot read \"/nowhere\": No such file or directory");
    refused(WORDS_OF("line=1", "trust=/dev/null"), FE_ESYNTAX, "trust: there is no PEM in \"/dev/null\"");
    refused(WORDS_OF("--settings", "/nowhere"), FE_EOS, "cannot read /nowhere: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_and_settings),
        cmocka_unit_test(file_of_settings),
        cmocka_unit_test(certificate_comes_from_its_file),
        cmocka_unit_test(refusals_are_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
