/* SB-11, SB-12: a primary PBX and its backup.
 *
 *     phone ── SBC 10.0.1.2 ──┬── PBX 10.0.1.10
 *                             └── backup 10.0.1.11
 */
#include "nodes/sbc/sbc_servers.h"
#include "tests/sbc/sbc_fixture.h"

static const struct endpoint backup = {IPV4(10, 0, 1, 11), 5060};

static const char *const two[] = {"pbx", "10.0.1.11", NULL};
static const char *const monitored[] = {"pbx", "10.0.1.11", "monitor servers", "10s", NULL};
static const char *const monitored_open[] = {"pbx", "10.0.1.11", "monitor servers", "10s", "unregistered callers",
                                             "yes", NULL};
static const char *const open_to_all[] = {"pbx", "10.0.1.11", "unregistered callers", "yes", NULL};

/* ---- the order ---- */

static void assert_first(const struct sbc_servers *set, lab_time now, struct endpoint first)
{
    struct endpoint order[SBC_SERVERS_MAX];
    assert_int_equal(sbc_servers_order(set, now, order), 2);
    assert_true(endpoint_equal(order[0], first));
    assert_false(endpoint_equal(order[1], first));
}

static void sb_12_a_server_that_failed_rests_for_the_blacklist(void **state)
{
    (void)state;
    const struct endpoint at[] = {pbx, backup};
    struct sbc_servers set;
    sbc_servers_init(&set, at, 2, 41 * SEC);
    assert_first(&set, 0, pbx);
    assert_true(sbc_servers_failed(&set, pbx, 10 * SEC, 0));
    assert_false(sbc_servers_failed(&set, pbx, 10 * SEC, 0));
    assert_first(&set, 51 * SEC - 1, backup);
    assert_first(&set, 51 * SEC, pbx);
    sbc_servers_failed(&set, pbx, 60 * SEC, 0);
    sbc_servers_failed(&set, backup, 60 * SEC, 0);
    assert_first(&set, 60 * SEC, pbx); /* something has to be tried */
    assert_true(sbc_servers_answered(&set, backup));
    assert_false(sbc_servers_answered(&set, backup));
    assert_first(&set, 60 * SEC, backup);
    assert_false(sbc_servers_failed(&set, phone, 0, 0));
    assert_true(sbc_servers_have(&set, backup));
    assert_false(sbc_servers_have(&set, phone));
}

static void sb_11_a_monitored_server_rests_until_it_answers(void **state)
{
    (void)state;
    const struct endpoint at[] = {pbx, backup};
    struct sbc_servers set;
    sbc_servers_init(&set, at, 2, NEVER);
    sbc_servers_failed(&set, pbx, 0, 60 * SEC);
    assert_first(&set, 24 * HOUR, backup);
    sbc_servers_answered(&set, pbx);
    assert_first(&set, 24 * HOUR, pbx);
}

/* ---- requests ---- */

static unsigned sent_to(const struct fixture *f, struct endpoint to, const char *start)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->host->sent_n; i++)
        n += endpoint_equal(f->host->sent[i].to, to) && strncmp(f->host->sent[i].data, start, strlen(start)) == 0;
    return n;
}

static void registers(struct fixture *f, unsigned cseq)
{
    send_request(f, phone, outside,
                 &(struct request){.line = "REGISTER sip:lab.example",
                                   .call_id = "reg-1",
                                   .cseq = cseq,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
}

static void calls(struct fixture *f, const char *call_id)
{
    send_request(f, phone, outside,
                 &(struct request){.line = "INVITE sip:102@lab.example",
                                   .call_id = call_id,
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
}

static void rfc_3263_4_3_a_register_refused_with_503_goes_to_the_backup(void **state)
{
    (void)state;
    struct fixture f = fixture_of(two);
    registers(&f, 1);
    answer(&f, pbx, inside, "503 Service Unavailable", "", "");
    assert_int_equal(sent_to(&f, backup, "REGISTER "), 1);
    assert_int_equal(sent_to(&f, phone, "SIP/2.0 "), 0);
    assert_int_equal(fake_traced(f.host, "\"server\",\"state\":\"lost\"", "\"server\":\"10.0.1.10:5060\""), 1);
    answer(&f, backup, inside, "200 OK", "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n", "");
    assert_int_equal(sent_to(&f, phone, "SIP/2.0 200 "), 1);
    registers(&f, 2); /* on the blacklist */
    assert_int_equal(sent_to(&f, backup, "REGISTER "), 2);
    answer(&f, backup, inside, "200 OK", "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n", "");
    fake_advance(f.host, 41 * SEC);
    registers(&f, 3);
    assert_int_equal(sent_to(&f, pbx, "REGISTER "), 2);
    answer(&f, pbx, inside, "200 OK", "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n", "");
    assert_int_equal(fake_traced(f.host, "\"server\",\"state\":\"back\"", "\"server\":\"10.0.1.10:5060\""), 1);
    fixture_fini(&f);
}

/* Failure "503 Retry-After ignored". */
static void rfc_3261_21_5_4_retry_after_goes_over_the_blacklist(void **state)
{
    (void)state;
    struct fixture f = fixture_of(open_to_all);
    calls(&f, "c1");
    answer(&f, pbx, inside, "503 Service Unavailable", "Retry-After: 120 (busy);duration=60\r\n", "");
    answer(&f, backup, inside, "486 Busy Here", "", "");
    fake_advance(f.host, 120 * SEC - 1);
    calls(&f, "c2");
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 1);
    fake_advance(f.host, 120 * SEC);
    calls(&f, "c3");
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 2);
    fixture_fini(&f);
}

static void both_refuse_and_the_phone_is_told(void **state)
{
    (void)state;
    struct fixture f = fixture_of(two);
    registers(&f, 1);
    answer(&f, pbx, inside, "503 Service Unavailable", "", "");
    answer(&f, backup, inside, "503 Service Unavailable", "Retry-After: 60\r\n", "");
    assert_int_equal(sent_to(&f, phone, "SIP/2.0 503 "), 1);
    assert_non_null(strstr(last_to(&f, phone), "Retry-After: 60\r\n"));
    fixture_fini(&f);
}

static void a_silent_pbx_is_on_the_blacklist_for_the_next_register(void **state)
{
    (void)state;
    struct fixture f = fixture_of(two);
    registers(&f, 1);
    fake_advance(f.host, 33 * SEC);
    assert_int_equal(sent_to(&f, backup, "REGISTER "), 0); /* the phone has given up by then */
    registers(&f, 2);
    assert_int_equal(sent_to(&f, backup, "REGISTER "), 1);
    fixture_fini(&f);
}

static void a_call_goes_on_to_the_backup(void **state)
{
    (void)state;
    struct fixture f = fixture_of(open_to_all);
    calls(&f, "c1");
    answer(&f, pbx, inside, "503 Service Unavailable", "", "");
    assert_int_equal(sent_to(&f, backup, "INVITE "), 1);
    answer(&f, backup, inside, "486 Busy Here", "", "");
    assert_int_equal(sent_to(&f, phone, "SIP/2.0 486 "), 1);
    calls(&f, "c2");
    assert_int_equal(sent_to(&f, backup, "INVITE "), 2);
    answer(&f, backup, inside, "486 Busy Here", "", ""); /* an answer: nobody else is asked */
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 1);
    fixture_fini(&f);
}

static void a_call_goes_on_to_the_backup_after_silence(void **state)
{
    (void)state;
    struct fixture f = fixture_of(open_to_all);
    calls(&f, "c1");
    fake_advance(f.host, 32 * SEC);
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 7); /* SB-12 */
    assert_int_equal(sent_to(&f, backup, "INVITE "), 1);
    fixture_fini(&f);
}

static void one_pbx_is_asked_whatever_it_did_and_nothing_is_traced(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    registers(&f, 1);
    answer(&f, pbx, inside, "503 Service Unavailable", "", "");
    assert_int_equal(sent_to(&f, phone, "SIP/2.0 503 "), 1);
    registers(&f, 2);
    assert_int_equal(sent_to(&f, pbx, "REGISTER "), 2);
    assert_int_equal(fake_traced(f.host, "\"ev\":\"server\"", ""), 0);
    fixture_fini(&f);
}

static void requests_for_either_pbx_are_for_the_domain(void **state)
{
    (void)state;
    struct fixture f = fixture_of(open_to_all);
    send_request(&f, phone, outside,
                 &(struct request){.line = "INVITE sip:102@10.0.1.11",
                                   .call_id = "c",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
    assert_int_equal(sent_to(&f, pbx, "INVITE sip:102@10.0.1.11 "), 1);
    fixture_fini(&f);
}

/* ---- SB-11 ---- */

static void sb_11_options_to_each_server(void **state)
{
    (void)state;
    struct fixture f = fixture_of(monitored);
    fake_advance(f.host, 0);
    assert_int_equal(sent_to(&f, pbx, "OPTIONS sip:10.0.1.10 "), 1);
    assert_int_equal(sent_to(&f, backup, "OPTIONS sip:10.0.1.11 "), 1);
    answer(&f, pbx, inside, "200 OK", "", "");
    answer(&f, backup, inside, "405 Method Not Allowed", "", ""); /* an answer, too */
    fake_advance(f.host, 10 * SEC - 1);
    assert_int_equal(sent_to(&f, pbx, "OPTIONS "), 1);
    fake_advance(f.host, 10 * SEC);
    assert_int_equal(sent_to(&f, pbx, "OPTIONS "), 2);
    assert_int_equal(fake_traced(f.host, "\"ev\":\"server\"", ""), 0);
    fixture_fini(&f);
}

static void sb_11_a_lost_primary_and_its_return(void **state)
{
    (void)state;
    struct fixture f = fixture_of(monitored_open);
    fake_advance(f.host, 0);
    answer(&f, backup, inside, "200 OK", "", "");
    fake_advance(f.host, 32 * SEC); /* timer F */
    assert_int_equal(fake_traced(f.host, "\"server\",\"state\":\"lost\"", "\"server\":\"10.0.1.10:5060\""), 1);
    calls(&f, "c1");
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 0);
    assert_int_equal(sent_to(&f, backup, "INVITE "), 1);
    fake_advance(f.host, 42 * SEC);
    answer(&f, pbx, inside, "200 OK", "", "");
    assert_int_equal(fake_traced(f.host, "\"server\",\"state\":\"back\"", "\"t\":42000000000"), 1);
    calls(&f, "c2");
    assert_int_equal(sent_to(&f, pbx, "INVITE "), 1);
    fixture_fini(&f);
}

static void sb_12_the_invite_timeout_is_at_most_300_s(void **state)
{
    (void)state;
    void *settings = options_new(sbc_kind.options, sbc_kind.settings_size);
    const struct sbc_settings *s = settings;
    assert_int_equal(s->invite_timeout, 180 * SEC);
    assert_int_equal(s->blacklist, 41 * SEC);
    assert_int_equal(options_set(sbc_kind.options, settings, SPAN("invite timeout"), SPAN("300s"), NULL), 0);
    assert_int_equal(options_set(sbc_kind.options, settings, SPAN("invite timeout"), SPAN("301s"), NULL), FE_ERANGE);
    options_free(sbc_kind.options, settings);
}

static void at_most_eight_servers(void **state)
{
    (void)state;
    char why[128];
    struct text text = text_on(why, sizeof why);
    void *settings = options_new(sbc_kind.options, sbc_kind.settings_size);
    for (int i = 0; i < SBC_SERVERS_MAX; i++)
        assert_int_equal(options_set(sbc_kind.options, settings, SPAN("pbx"), SPAN("10.0.1.10"), NULL), 0);
    assert_null(sbc_kind.conflict(settings, &text));
    assert_int_equal(options_set(sbc_kind.options, settings, SPAN("pbx"), SPAN("10.0.1.10"), NULL), 0);
    assert_string_equal(sbc_kind.conflict(settings, &text), "pbx");
    options_free(sbc_kind.options, settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sb_12_a_server_that_failed_rests_for_the_blacklist),
        cmocka_unit_test(sb_11_a_monitored_server_rests_until_it_answers),
        cmocka_unit_test(rfc_3263_4_3_a_register_refused_with_503_goes_to_the_backup),
        cmocka_unit_test(rfc_3261_21_5_4_retry_after_goes_over_the_blacklist),
        cmocka_unit_test(both_refuse_and_the_phone_is_told),
        cmocka_unit_test(a_silent_pbx_is_on_the_blacklist_for_the_next_register),
        cmocka_unit_test(a_call_goes_on_to_the_backup),
        cmocka_unit_test(a_call_goes_on_to_the_backup_after_silence),
        cmocka_unit_test(one_pbx_is_asked_whatever_it_did_and_nothing_is_traced),
        cmocka_unit_test(requests_for_either_pbx_are_for_the_domain),
        cmocka_unit_test(sb_11_options_to_each_server),
        cmocka_unit_test(sb_11_a_lost_primary_and_its_return),
        cmocka_unit_test(sb_12_the_invite_timeout_is_at_most_300_s),
        cmocka_unit_test(at_most_eight_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
