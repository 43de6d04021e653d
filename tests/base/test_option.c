#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/base/option.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <string.h>

struct line {
    char name[16];
    char password[16];
    uint32_t limit;
    char *certificate;
};

struct settings {
    bool hairpin;
    uint32_t hops;
    lab_time timeout;
    char name[8];
    ipv4 public;
    struct endpoint proxy, server;
    char server_name[OPTION_HOST];
    int mapping;
    uint32_t loss;
    struct port_range ports;
    struct option_items lines;
    struct option_items allow;
    struct option_items records;
    char *key;
};

struct record {
    char name[32];
    struct option_items addresses;
    char service[32];
};

static int even_length(struct span text)
{
    return text.n % 2 ? FE_ESYNTAX : 0;
}

static const struct option address_option = {.name = "", .type = OPT_ADDR, .size = sizeof(ipv4)};
static const struct option record_table[] = {
    {"", OPT_TEXT, OPTION_AT(struct record, name), .check = even_length, .expects = "a name of even length"},
    {"a", OPT_LIST, OPTION_AT(struct record, addresses), .each = &address_option, .each_size = sizeof(ipv4)},
    {"service", OPT_TEXT, OPTION_AT(struct record, service), .check = even_length, .expects = "a text of even length"},
    {0},
};

static const char *const mappings[] = {"independent", "dependent", NULL};
static const struct option line_table[] = {
    {"", OPT_TEXT, OPTION_AT(struct line, name), .help = "…"},
    {"password", OPT_TEXT, OPTION_AT(struct line, password), .help = "…"},
    {"limit", OPT_COUNT, OPTION_AT(struct line, limit), .def = "4"},
    {"certificate", OPT_CERTIFICATE, OPTION_AT(struct line, certificate), .help = "…"},
    {0},
};
static const struct option allow_table[] = {{"", OPT_SUBNET, 0, sizeof(struct subnet), .help = "…"}, {0}};
static const struct option table[] = {
    {"hairpin", OPT_FLAG, OPTION_AT(struct settings, hairpin), .help = "…"},
    {"hops", OPT_COUNT, OPTION_AT(struct settings, hops), .def = "3", .min = 1, .max = 64},
    {"udp timeout", OPT_TIME, OPTION_AT(struct settings, timeout), .def = "300s", .min = SEC, .max = HOUR},
    {"name", OPT_TEXT, OPTION_AT(struct settings, name), .help = "…"},
    {"public address", OPT_ADDR, OPTION_AT(struct settings, public), .help = "…"},
    {"proxy", OPT_ENDPOINT, OPTION_AT(struct settings, proxy), .port = 5060, .needed = true},
    {"server", OPT_ENDPOINT, OPTION_AT(struct settings, server), .host = offsetof(struct settings, server_name)},
    {"mapping", OPT_CHOICE, OPTION_AT(struct settings, mapping), .choices = mappings, .def = "dependent"},
    {"loss", OPT_RATIO, OPTION_AT(struct settings, loss), .help = "…"},
    {"ports", OPT_PORTS, OPTION_AT(struct settings, ports), .def = "1024-65535"},
    {"lines", OPT_MAP, OPTION_AT(struct settings, lines), .each = line_table, .each_size = sizeof(struct line)},
    {"allow", OPT_LIST, OPTION_AT(struct settings, allow), .each = allow_table, .each_size = sizeof(struct subnet)},
    {"records", OPT_MAP, OPTION_AT(struct settings, records), .each = record_table, .each_size = sizeof(struct record),
     .dotted = true},
    {"key", OPT_CERTIFICATE, OPTION_AT(struct settings, key), .part = OPTION_KEY},
    {0},
};

static int arrange(void **state)
{
    *state = options_new(table, sizeof(struct settings));
    return *state ? 0 : -1;
}

static int clear(void **state)
{
    options_free(table, *state);
    return 0;
}

static void set(void *s, const char *path, const char *value)
{
    assert_int_equal(options_set(table, s, span_of(path), span_of(value), NULL), 0);
}

static void refuse(void *s, const char *path, const char *value, int error, const char *why)
{
    char buf[256];
    struct text text = text_on(buf, sizeof buf);
    assert_int_equal(options_set(table, s, span_of(path), span_of(value), &text), error);
    assert_string_equal(buf, why);
}

static void defaults_come_from_the_table(void **state)
{
    struct settings *s = *state;
    assert_int_equal(s->hops, 3);
    assert_int_equal(s->timeout, 300 * SEC);
    assert_int_equal(s->mapping, 1);
    assert_int_equal(s->ports.low, 1024);
    assert_int_equal(s->ports.high, 65535);
}

static void every_type_is_set_by_its_path(void **state)
{
    struct settings *s = *state;
    set(s, "hairpin", "yes");
    set(s, "udp timeout", "1.5min");
    set(s, "name", "seven77");
    set(s, "public address", "203.0.113.1");
    set(s, "proxy", "10.0.0.1");
    set(s, "mapping", "independent");
    set(s, "loss", "0.1%");
    set(s, "ports", "5000-6000");
    set(s, "allow", "10.0.0.0/8");
    set(s, "allow", "192.168.0.0/16");
    assert_true(s->hairpin);
    assert_int_equal(s->timeout, 90 * SEC);
    assert_string_equal(s->name, "seven77");
    assert_int_equal(s->proxy.port, 5060);
    assert_int_equal(s->mapping, 0);
    assert_int_equal(s->loss, 1000);
    assert_int_equal(s->ports.high, 6000);
    assert_int_equal(s->allow.n, 2);
    assert_int_equal(((struct subnet *)s->allow.items)[1].bits, 16);
}

static void maps_grow_by_name(void **state)
{
    struct settings *s = *state;
    set(s, "lines.101.password", "a1");
    set(s, "lines.102.password", "b2");
    set(s, "lines.101.limit", "1");
    set(s, "lines.103", "");
    const struct line *lines = s->lines.items;
    assert_int_equal(s->lines.n, 3);
    assert_string_equal(lines[0].name, "101");
    assert_string_equal(lines[0].password, "a1");
    assert_int_equal(lines[0].limit, 1);
    assert_int_equal(lines[1].limit, 4);
    assert_string_equal(lines[2].name, "103");
}

/* So many that a search through all of them for each would outlast the test's time limit. */
static void maps_may_be_large(void **state)
{
    enum { LINES = 300000 };
    struct settings *s = *state;
    char path[32];
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(path, sizeof path, "lines.%u.limit", i);
        set(s, path, "7");
    }
    for (unsigned i = LINES; i-- > 0;) {
        snprintf(path, sizeof path, "lines.%u.password", i);
        set(s, path, path + 6);
    }
    assert_int_equal(s->lines.n, LINES);
    const struct line *lines = s->lines.items;
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(path, sizeof path, "%u", i);
        assert_string_equal(lines[i].name, path);
        assert_int_equal(strncmp(lines[i].password, path, strlen(path)), 0);
        assert_int_equal(lines[i].limit, 7);
    }
}

static void a_line_that_is_refused_leaves_nothing_behind(void **state)
{
    struct settings *s = *state;
    char path[32];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "lines.%u.limit", i);
        assert_int_equal(options_set(table, s, span_of(path), SPAN("none"), NULL), FE_ESYNTAX);
        assert_int_equal(s->lines.n, i);
        set(s, path, "1");
        assert_int_equal(options_set(table, s, span_of(path), SPAN("none"), NULL), FE_ESYNTAX);
        assert_int_equal(s->lines.n, i + 1);
    }
}

/* The last dot ends the name; lists inside a map are freed with it. */
static void names_of_a_map_may_have_dots(void **state)
{
    struct settings *s = *state;
    set(s, "records.sbc1.example.com.a", "203.0.113.10");
    set(s, "records.a.example.co.a", "203.0.113.11");
    set(s, "records.sbc1.example.com.a", "203.0.113.12");
    set(s, "records.host.a", "203.0.113.13");
    const struct record *records = s->records.items;
    assert_int_equal(s->records.n, 3);
    assert_string_equal(records[0].name, "sbc1.example.com");
    assert_int_equal(records[0].addresses.n, 2);
    assert_int_equal(((ipv4 *)records[0].addresses.items)[1], IPV4(203, 0, 113, 12));
    assert_string_equal(records[1].name, "a.example.co");
    assert_string_equal(records[2].name, "host");
    assert_string_equal(options_find(table, SPAN("records.sbc1.example.com.a"))->name, "a");
    assert_null(options_find(table, SPAN("records.sbc1.example.com")));
    refuse(s, "records.sbc1.example.com.b", "x", FE_EUNKNOWN, "there is no setting \"b\"");
}

static void texts_may_have_a_grammar(void **state)
{
    struct settings *s = *state;
    set(s, "records.host.service", "four");
    refuse(s, "records.host.service", "three", FE_ESYNTAX, "service: \"three\" is not a text of even length");
    assert_string_equal(((struct record *)s->records.items)[0].service, "four");
    refuse(s, "records.odd.service", "four", FE_ESYNTAX, "name: \"odd\" is not a name of even length");
    refuse(s, "records.host.a", "x", FE_ESYNTAX, "a: \"x\" is not an IPv4 address");
    assert_int_equal(s->records.n, 1);
}

static void an_endpoint_may_be_a_name(void **state)
{
    static const char *const wrong[] = {"10.0.0.300", "localhost", "sip..example.com", "sip.example.com:70000"};
    struct settings *s = *state;
    set(s, "server", "sip.example.com");
    assert_string_equal(s->server_name, "sip.example.com");
    assert_true(endpoint_equal(s->server, (struct endpoint){0, 0}));
    set(s, "server", "sip.example.com:5070");
    assert_int_equal(s->server.port, 5070);
    set(s, "server", "10.0.0.1"); /* the last one counts */
    assert_string_equal(s->server_name, "");
    assert_int_equal(s->server.addr, IPV4(10, 0, 0, 1));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char why[256];
        snprintf(why, sizeof why,
                 "server: \"%s\" is not an IPv4 address or a domain name, with or without a port, as 203.0.113.10:5060",
                 wrong[i]);
        refuse(s, "server", wrong[i], FE_ESYNTAX, why);
    }
    assert_int_equal(options_set(table, s, SPAN("proxy"), SPAN("sip.example.com"), NULL), FE_ESYNTAX);
}

static void errors_say_what_was_expected(void **state)
{
    struct settings *s = *state;
    refuse(s, "udp timout", "30s", FE_EUNKNOWN, "there is no setting \"udp timout\"; did you mean \"udp timeout\"?");
    refuse(s, "udp timeout", "30", FE_ESYNTAX,
           "udp timeout: \"30\" is not a time with its unit, as 500ms, 30s or 1.5min");
    refuse(s, "hops", "65", FE_ERANGE, "hops: \"65\" is out of range; expected a whole number from 1 to 64");
    refuse(s, "mapping", "symmetric", FE_EUNKNOWN,
           "mapping: \"symmetric\" is not one of the words independent or dependent");
    refuse(s, "name", "eight888", FE_ERANGE, "name: \"eight888\" is out of range; expected a text of at most 7 bytes");
    refuse(s, "lines.101.pasword", "x", FE_EUNKNOWN, "there is no setting \"pasword\"; did you mean \"password\"?");
    assert_int_equal(s->lines.n, 0);
}

/* The settings own what they hold: the sanitizers see what is not freed. */
static void certificates_are_owned(void **state)
{
    struct settings *s = *state;
    set(s, "key", "base64:AAAA");
    set(s, "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert_non_null(strstr(s->key, "AAAA\n"));
    refuse(s, "key", "alice.pem", FE_ESYNTAX, "key: \"alice.pem\" is not a PEM file with a private key, or none");
    assert_non_null(s->key);
    set(s, "key", "none");
    assert_null(s->key);
    set(s, "lines.101.certificate", "base64:BBBB");
    set(s, "lines.102.certificate", "base64:CCCC");
    assert_string_equal(((struct line *)s->lines.items)[1].certificate, "base64:CCCC");
    assert_true(option_is_certificate(SPAN("none")) && !option_is_certificate(SPAN("alice.pem")));
}

static void what_is_needed_is_missed(void **state)
{
    assert_string_equal(options_missing(table, *state)->name, "proxy");
    set(*state, "proxy", "10.0.0.1");
    assert_null(options_missing(table, *state));
}

static void paths_lead_to_options(void **state)
{
    (void)state;
    assert_string_equal(options_find(table, SPAN("lines.101.password"))->name, "password");
    assert_string_equal(options_find(table, SPAN("lines.101"))->name, "lines");
    assert_null(options_find(table, SPAN("hops.x")));
}

static void spelling_distance_counts_edits(void **state)
{
    struct nearest best = {0};
    (void)state;
    assert_int_equal(nearest_distance(SPAN("kitten"), SPAN("sitting")), 3);
    assert_int_equal(nearest_distance(SPAN("timeuot"), SPAN("timeout")), 1);
    nearest_offer(&best, SPAN("filterin"), SPAN("mapping"));
    assert_int_equal(best.name.n, 0);
    nearest_offer(&best, SPAN("filterin"), SPAN("filtering"));
    assert_true(span_is(best.name, "filtering"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_come_from_the_table, arrange, clear),
        cmocka_unit_test_setup_teardown(every_type_is_set_by_its_path, arrange, clear),
        cmocka_unit_test_setup_teardown(maps_grow_by_name, arrange, clear),
        cmocka_unit_test_setup_teardown(maps_may_be_large, arrange, clear),
        cmocka_unit_test_setup_teardown(a_line_that_is_refused_leaves_nothing_behind, arrange, clear),
        cmocka_unit_test_setup_teardown(names_of_a_map_may_have_dots, arrange, clear),
        cmocka_unit_test_setup_teardown(texts_may_have_a_grammar, arrange, clear),
        cmocka_unit_test_setup_teardown(an_endpoint_may_be_a_name, arrange, clear),
        cmocka_unit_test_setup_teardown(errors_say_what_was_expected, arrange, clear),
        cmocka_unit_test_setup_teardown(certificates_are_owned, arrange, clear),
        cmocka_unit_test_setup_teardown(what_is_needed_is_missed, arrange, clear),
        cmocka_unit_test(paths_lead_to_options),
        cmocka_unit_test(spelling_distance_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
