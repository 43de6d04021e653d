/* What a maker's file becomes (FACTS PH-1 … PH-26). */
#include "nodes/node.h"
#include "nodes/phone/phone_options.h"

#include "tests/cmocka.h"

#include <stdio.h>
#include <string.h>

extern const struct node_kind phone_kind;

/* What was heard: "path=value\n", "warn 3:1 …\n", "refuse 4:12 …\n". */
static char heard[4096];
static struct text said;

static void set(void *arg, const char *path, struct span value, unsigned line, unsigned column)
{
    (void)line;
    (void)column;
    char room[256];
    struct text why = text_on(room, sizeof room);
    const struct option *o = options_find(phone_kind.options, span_of(path));
    bool certificate = o && o->type == OPT_CERTIFICATE; /* a lab's: only a lab knows it */
    if (!certificate && options_set(phone_kind.options, arg, span_of(path), value, &why))
        fail_msg("%s=%.*s: %s", path, SPAN_ARG(value), room);
    text_str(&said, path);
    text_char(&said, '=');
    text_put(&said, value);
    text_char(&said, '\n');
}

static void say(const char *word, unsigned line, unsigned column, const char *what)
{
    text_str(&said, word);
    text_u64(&said, line);
    text_char(&said, ':');
    text_u64(&said, column);
    text_char(&said, ' ');
    text_str(&said, what);
    text_char(&said, '\n');
}

static void warn(void *arg, unsigned line, unsigned column, const char *what)
{
    (void)arg;
    say("warn ", line, column, what);
}

static void refuse(void *arg, unsigned line, unsigned column, const char *what)
{
    (void)arg;
    say("refuse ", line, column, what);
}

static const char *reads(const char *text)
{
    static const struct node_config_events events = {set, warn, refuse};
    void *settings = options_new(phone_kind.options, phone_kind.settings_size);
    said = text_on(heard, sizeof heard);
    phone_kind.read_config(span_of(text), &events, settings);
    options_free(phone_kind.options, settings);
    return heard;
}

static void parameters_become_settings(void **state)
{
    static const struct {
        const char *line, *becomes;
    } rows[] = {
        {"sip user name: 101", "line=101\n"},
        {"sip line1 password: a1", "password=a1\n"},
        {"sip proxy ip: 10.0.1.10", "proxy=10.0.1.10\n"},
        {"sip proxy port: 0", "proxy port=0\n"},
        {"sip backup proxy ip: 0.0.0.0", ""},
        {"sip backup registrar ip:", ""},
        {"backup outbound proxy: 203.0.113.11", "backup outbound proxy=203.0.113.11\n"},
        {"sip registration retry timer: 1800", "registration retry timer=1800s\n"},
        {"sip transaction timer: 4000", "transaction timer=4000ms\n"},
        {"sip T1 timer: 500", "T1=500ms\n"},
        {"sip blacklist duration: 0", "blacklist duration=0s\n"},
        {"sip explicit mwi subscription: 1", "message waiting=yes\n"},
        {"sip screen name: Alice", ""},
        {"sip transport protocol: 0", "transport=udp+tcp\n"}, /* PH-1 */
        {"sip transport protocol: 1", "transport=udp\n"},
        {"sip transport protocol: 2", "transport=tcp\n"},
        {"sip transport protocol: 4", "transport=tls\n"},
        {"sips persistent tls: 1", "persistent tls=yes\n"},
        {"sip persistent tls keep alive: 60", "persistent tls keep alive=60s\n"},
        {"sip send sips over tls: 1", "send sips over tls=yes\n"},
        {"sips trusted certificates: http://10.0.1.5/public-ca.pem", "trusted certificates=public-ca\n"},
        {"sips root and intermediate certificates: maker.chain.pem",
         "root and intermediate certificates=maker.chain\n"},
        {"sips local certificate: alice.crt", "local certificate=alice\n"},
        {"sips private key: alice", "private key=alice\n"},
        {"sip outbound support: 1", "outbound support=yes\n"},
        {"sip proxy ip: sip.example.com", "proxy=sip.example.com\n"}, /* PH-25 */
        {"SET SIP_UDP_PORT 5070", "port=5070\n"},
        {"SET SIP_TCP_PORT 5060", "tcp port=5060\ntransport=udp+tcp\n"}, /* PH-26 */
        {"SET SIP_UDP_PORT 0\nSET SIP_TLS_PORT 5061", "tls port=5061\ntransport=tls\npersistent tls=yes\n"},
        {"SET SIP_UDP_PORT 0\nSET SIP_TCP_PORT 5060\nSET SIP_TLS_PORT 5061",
         "tcp port=5060\ntls port=5061\ntransport=tcp+tls\npersistent tls=yes\n"},
        {"SET SIP_TCP_PORT 0\nSET SIP_TLS_PORT 5061",
         "tls port=5061\ntransport=udp+tls\npersistent tls=yes\n"}, /* PH-16: refused where settings are checked */
        {"SET SIP_CONTROLLER_LIST 10.0.1.10:5061;transport=tls",
         "transport=tls\npersistent tls=yes\nproxy=10.0.1.10:5061\n"},
        {"SET SIPDOMAIN lab.example", "domain=lab.example\n"},
        {"SERVER_IP1_2 10.0.1.11", "backup proxy=10.0.1.11\nbackup registrar=10.0.1.11\n"},
        {"AUTOLOGIN_ID_KEY01 101@lab.example", "line=101\ndomain=lab.example\n"},
        {"SET SIP_CONTROLLER_LIST 10.0.1.10:5060;transport=udp,10.0.1.11",
         "proxy=10.0.1.10:5060\nbackup proxy=10.0.1.11\nbackup registrar=10.0.1.11\n"},
        {"SET WAIT_FOR_REGISTRATION_TIMER 32", "transaction timer=32s\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(reads(rows[i].line), rows[i].becomes) != 0)
            fail_msg("%s: %s", rows[i].line, heard);
}

static void a_line_goes_over_all_lines(void **state)
{
    (void)state;
    assert_string_equal(
        reads("sip line1 proxy ip: 10.0.1.10\nsip proxy ip: 10.0.1.99\nsip line2 proxy ip: 10.0.1.77\n"),
        "proxy=10.0.1.99\nproxy=10.0.1.10\nwarn 3:1 a phone has one line here: "
        "\"sip line2 proxy ip\" is not used\n");
}

static void what_is_not_used_is_told_with_its_place(void **state)
{
    (void)state;
    assert_string_equal(reads("sip proxy ip: 10.0.1.10\n  sip flavour: vanilla\nsip srtp mode: 2\n"),
                        "proxy=10.0.1.10\nwarn 2:3 no setting is known for \"sip flavour\"\nwarn 3:1 \"sip srtp "
                        "mode\" is known, but no phone here does that yet (\"srtp\")\n");
    assert_string_equal(reads("SET A 1\nIF $MODEL4 SEQ 9608 GOTO X\n"),
                        "warn 1:5 no setting is known for \"A\"\nwarn 2:1 no setting is known for \"IF\"\n");
}

static void what_is_wrong_is_told_with_what_was_expected(void **state)
{
    static const struct {
        const char *line, *mistake;
    } rows[] = {
        {"sip registration retry timer: 20",
         "refuse 1:31 sip registration retry timer: expected a whole number of seconds from 30 to 1800\n"},
        {"sip transaction timer: 4s",
         "refuse 1:24 sip transaction timer: expected a whole number of milliseconds from 0 to 3600000\n"},
        {"sip transport protocol: 3",
         "refuse 1:25 sip transport protocol: expected 0 (UDP and TCP), 1 (UDP), 2 (TCP) or 4 (TLS)\n"},
        {"sip rport: yes", "refuse 1:12 sip rport: expected 0 or 1\n"},
        {"sip proxy port: 70000", "refuse 1:17 sip proxy port: expected a whole number from 0 to 65535\n"},
        {"sip proxy ip 10.0.1.10", "refuse 1:1 expected a parameter and its value, as: sip proxy ip: 192.168.0.101\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(reads(rows[i].line), rows[i].mistake) != 0)
            fail_msg("%s: %s", rows[i].line, heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_become_settings),
        cmocka_unit_test(a_line_goes_over_all_lines),
        cmocka_unit_test(what_is_not_used_is_told_with_its_place),
        cmocka_unit_test(what_is_wrong_is_told_with_what_was_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
