/* The section `certificates` of a lab file: what nodes get of it, the same every time, and what mistakes are answered.
 * The only kind of node here is one of the test's own. */
#define _GNU_SOURCE
#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "nodes/secure/identity.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

struct settings {
    char *certificate, *key, *issuers, *trust;
};

static const char *const ports[] = {"on", NULL};
static const struct option options[] = {
    {"tls certificate", OPT_CERTIFICATE, OPTION_AT(struct settings, certificate), .part = OPTION_CHAIN},
    {"tls key", OPT_CERTIFICATE, OPTION_AT(struct settings, key), .part = OPTION_KEY, .with = "tls certificate"},
    {"tls issuers", OPT_CERTIFICATE, OPTION_AT(struct settings, issuers), .part = OPTION_ISSUERS},
    {"tls trust", OPT_CERTIFICATE, OPTION_AT(struct settings, trust), .part = OPTION_TRUST},
    {0}};
static const struct node_kind thing_kind = {
    .name = "thing", .help = "a thing", .ports = ports, .options = options, .settings_size = sizeof(struct settings)};
const struct node_kind *const node_kinds[] = {&thing_kind, NULL};

const struct node_kind *node_kind_find(struct span name)
{
    return span_is(name, "thing") ? &thing_kind : NULL;
}

#define HEAD                                                                                                           \
    "lab: t\n"                                                                                                         \
    "networks: {net: 203.0.113.0/24}\n"                                                                                \
    "certificates:\n"                                                                                                  \
    "  roots:\n"                                                                                                       \
    "    public-ca: {}\n"                                                                                              \
    "    phone-maker:\n"                                                                                               \
    "  issued:\n"                                                                                                      \
    "    sbc: {by: public-ca, intermediate: yes, names: [sbc.example.com, 203.0.113.10], from: -10d, valid: 90d}\n"    \
    "    short: {by: public-ca, intermediate: missing, names: short.example.com}\n"                                    \
    "    alice: {by: phone-maker, subject: 08000F123456, use: client}\n"                                               \
    "    self: {by: itself, from: 1h, valid: 2h}\n"

static struct lab *lab_with(const char *certificates, const char *nodes, const char *change)
{
    char text[4096];
    struct lab *lab = NULL;
    const struct lab_change changes[] = {{change}};
    snprintf(text, sizeof text, "%s%s", certificates, nodes);
    int error = lab_parse(&lab, "t.yaml", span_of(text), changes, change ? 1 : 0);
    if (error && lab)
        problems_write(&lab->problems, stderr);
    assert_int_equal(error, 0);
    return lab;
}

static const char *value(const struct lab *lab, unsigned node, const char *path)
{
    const char *text = lab_setting(&lab->nodes[node], path);
    assert_non_null(text);
    return text;
}

static int parse_one(void *arg, struct span der)
{
    mbedtls_x509_crt *chain = arg;
    assert_int_equal(mbedtls_x509_crt_parse_der(chain, (const unsigned char *)der.p, der.n), 0);
    return 0;
}

/* The subjects, as "CN=a CN=b". */
static const char *subjects(const char *line, mbedtls_x509_crt *chain)
{
    static char room[512];
    struct text t = text_on(room, sizeof room);
    mbedtls_x509_crt_init(chain);
    assert_int_equal(pki_text_each(span_of(line), PKI_TEXT_CERTIFICATE, parse_one, chain), 0);
    for (const mbedtls_x509_crt *c = chain; c; c = c->next) {
        text_str(&t, c == chain ? "" : " ");
        identity_subject(&t, &c->subject);
    }
    return room;
}

static void assert_subjects(const char *line, const char *expected)
{
    mbedtls_x509_crt chain;
    assert_string_equal(subjects(line, &chain), expected);
    mbedtls_x509_crt_free(&chain);
}

static void setting_gets_its_part(void **state)
{
    (void)state;
    struct lab *lab =
        lab_with(HEAD,
                 "nodes:\n"
                 "  a: {kind: thing, on: net.10, tls certificate: sbc, tls issuers: sbc,"
                 " tls trust: [phone-maker, public-ca]}\n"
                 "  b: {kind: thing, on: net.11, tls certificate: short, tls issuers: short}\n"
                 "  c: {kind: thing, on: net.12, tls certificate: alice, tls key: none, tls trust: self}\n",
                 NULL);
    assert_subjects(value(lab, 0, "tls certificate"), "CN=sbc.example.com CN=public-ca intermediate");
    assert_subjects(value(lab, 0, "tls issuers"), "CN=public-ca intermediate CN=public-ca");
    assert_subjects(value(lab, 0, "tls trust"), "CN=phone-maker CN=public-ca");
    assert_subjects(value(lab, 1, "tls certificate"), "CN=short.example.com");
    assert_subjects(value(lab, 1, "tls issuers"), "CN=public-ca");
    assert_subjects(value(lab, 2, "tls certificate"), "CN=08000F123456");
    assert_string_equal(value(lab, 2, "tls key"), "none");
    assert_subjects(value(lab, 2, "tls trust"), "CN=self");
    lab_free(lab);
}

static void fields_are_as_written(void **state)
{
    (void)state;
    struct lab *lab = lab_with(HEAD,
                               "nodes:\n"
                               "  a: {kind: thing, on: net.10, tls certificate: sbc}\n"
                               "  b: {kind: thing, on: net.11, tls certificate: self}\n",
                               NULL);
    mbedtls_x509_crt chain;
    subjects(value(lab, 0, "tls certificate"), &chain);
    assert_int_equal(identity_date(&chain.valid_from), LAB_BEGINS - 10 * 86400);
    assert_int_equal(identity_date(&chain.valid_to), LAB_BEGINS + 80 * 86400);
    assert_true(identity_is(&chain, SPAN("203.0.113.10")) && identity_is(&chain, SPAN("sbc.example.com")));
    mbedtls_x509_crt_free(&chain);
    subjects(value(lab, 1, "tls certificate"), &chain);
    assert_int_equal(identity_date(&chain.valid_from), LAB_BEGINS + 3600);
    assert_int_equal(identity_date(&chain.valid_to), LAB_BEGINS + 3 * 3600);
    mbedtls_x509_crt_free(&chain);
    lab_free(lab);
}

/* What the settings hold can be used as it is, and its key comes with a certificate. */
static void settings_make_a_tls_context(void **state)
{
    (void)state;
    struct lab *lab =
        lab_with(HEAD, "nodes: {a: {kind: thing, on: net.10, tls certificate: sbc, tls trust: phone-maker}}\n", NULL);
    struct settings *s = options_new(options, sizeof *s);
    for (size_t i = 0; i < lab->nodes[0].settings_n; i++)
        assert_int_equal(options_set(options, s, span_of(lab->nodes[0].settings[i].path),
                                     span_of(lab->nodes[0].settings[i].value), NULL),
                         0);
    struct tls_config config = tls_config_of(TLS_SERVER);
    struct tls_context *context;
    struct prng random = {{1}};
    config.certificate = span_of(s->certificate);
    config.key = span_of(s->key);
    config.trust = span_of(s->trust);
    config.ask = TLS_REQUIRE_CERTIFICATE;
    assert_int_equal(tls_context_new(&config, &random, 0, &context, NULL), 0);
    tls_context_free(context);
    options_free(options, s);
    lab_free(lab);
}

static char *line_of(const char *certificates, const char *nodes, const char *change)
{
    struct lab *lab = lab_with(certificates, nodes, change);
    char *line = strdup(value(lab, 0, "tls certificate"));
    lab_free(lab);
    assert_non_null(line);
    return line;
}

static void certificate_is_a_function_of_seed_and_name(void **state)
{
    (void)state;
    static const char nodes[] = "nodes: {a: {kind: thing, on: net.10, tls certificate: sbc}}\n";
    char *first = line_of(HEAD, nodes, NULL);
    char *again = line_of(HEAD "    another: {by: public-ca}\n",
                          "nodes: {a: {kind: thing, on: net.10, tls certificate: sbc},"
                          " b: {kind: thing, on: net.11, tls certificate: another}}\n",
                          NULL);
    char *other = line_of(HEAD, nodes, "seed=2");
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

static void setting_may_be_changed_from_outside(void **state)
{
    (void)state;
    char *line =
        line_of(HEAD, "nodes: {a: {kind: thing, on: net.10, tls certificate: sbc}}\n", "nodes.a.tls certificate=short");
    assert_subjects(line, "CN=short.example.com");
    free(line);
}

/* ---- mistakes ---- */

static void assert_said(const char *certificates, const char *nodes, const char *expected)
{
    char text[4096];
    char *said = NULL;
    size_t n = 0;
    struct lab *lab = NULL;
    FILE *out = open_memstream(&said, &n);
    snprintf(text, sizeof text, "%s%s", certificates, nodes);
    assert_int_equal(lab_parse(&lab, "t.yaml", span_of(text), NULL, 0), FE_ESYNTAX);
    problems_write(&lab->problems, out);
    fclose(out);
    lab_free(lab);
    if (!strstr(said, expected))
        print_error("expected: %s\nsaid:     %s\n", expected, said);
    assert_non_null(strstr(said, expected));
    free(said);
}

#define NODES "nodes: {a: {kind: thing, on: net.10}}\n"

static void mistakes_in_the_section_have_their_place(void **state)
{
    (void)state;
    assert_said(HEAD "    x: {by: publik-ca}\n", NODES,
                "t.yaml:12:13: there is no root \"publik-ca\"; did you mean \"public-ca\"?\n");
    assert_said(HEAD "    x: {by: sbc}\n", NODES, "t.yaml:12:13: there is no root \"sbc\"\n");
    assert_said(HEAD "    x: {bye: public-ca}\n", NODES,
                "t.yaml:12:9: \"bye\" is not known here; did you mean \"by\"?\n");
    assert_said(HEAD "    x: {by: public-ca, valid: 90}\n", NODES,
                "t.yaml:12:31: expected a time of whole seconds, as 90d\n");
    assert_said(HEAD "    x: {by: public-ca, from: 1ms}\n", NODES,
                "t.yaml:12:30: expected a time of whole seconds, as -10d or 0\n");
    assert_said(HEAD "    x: {by: public-ca, names: [a b]}\n", NODES,
                "t.yaml:12:32: \"a b\" is neither a domain name nor an IPv4 address\n");
    assert_said(HEAD "    x: {by: public-ca, subject: 'a, b'}\n", NODES,
                "t.yaml:12:5: \"a, b\" cannot be a subject; expected letters");
    assert_said(HEAD "    x: {by: public-ca, subject: x, names: [a..b]}\n", NODES,
                "t.yaml:12:44: \"a..b\" is neither a domain name nor an IPv4 address\n");
    assert_said(HEAD "    public-ca: {by: public-ca}\n", NODES,
                "t.yaml:12:5: \"public-ca\" is taken; expected another name\n");
    assert_said(HEAD "    x: {by: itself, intermediate: yes}\n", NODES,
                "t.yaml:12:13: a self-signed certificate has no intermediate\n");
    assert_said(HEAD "    x: {by: public-ca, key: rs}\n", NODES, "t.yaml:12:29: key: \"rs\" is not p256 or rsa");
    assert_said("lab: t\nnetworks: {net: 203.0.113.0/24}\ncertificates: {issued: [sbc]}\n", NODES,
                "t.yaml:3:24: expected certificates here, as {sbc: {by: public-ca}}\n");
}

static void mistakes_in_settings_have_their_place(void **state)
{
    (void)state;
    assert_said(HEAD, "nodes: {a: {kind: thing, on: net.10, tls certificate: sbk}}\n",
                "t.yaml:12:55: tls certificate: \"sbk\" is not among the lab's certificates; did you mean \"sbc\"?\n");
    assert_said(HEAD, "nodes: {a: {kind: thing, on: net.10, tls trust: [phone-maker, fone-maker]}}\n",
                "t.yaml:12:63: tls trust: \"fone-maker\" is not among the lab's certificates; did you mean "
                "\"phone-maker\"?\n");
    assert_said(HEAD, "nodes: {a: {kind: thing, on: net.10, tls certificate: [sbc]}}\n",
                "tls certificate: expected the name of a certificate of the lab or none\n");
    assert_said("lab: t\nnetworks: {net: 203.0.113.0/24}\n",
                "nodes: {a: {kind: thing, on: net.10, tls certificate: sbc}}\n",
                "tls certificate: \"sbc\" is not among the lab's certificates\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_gets_its_part),
        cmocka_unit_test(fields_are_as_written),
        cmocka_unit_test(settings_make_a_tls_context),
        cmocka_unit_test(certificate_is_a_function_of_seed_and_name),
        cmocka_unit_test(setting_may_be_changed_from_outside),
        cmocka_unit_test(mistakes_in_the_section_have_their_place),
        cmocka_unit_test(mistakes_in_settings_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
