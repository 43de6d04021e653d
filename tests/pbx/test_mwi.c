/* The PBX as notifier of message-summary: RFC 6665 §4.2, RFC 3842; PB-1. */
#include "tests/pbx/pbx_fixture.h"

#define OWN(line, tag)                                                                                                 \
    "From: <sip:" line "@lab.example>;tag=f\r\nTo: <sip:" line "@lab.example>" tag "\r\nContact: <sip:" line           \
    "@10.0.1.31>\r\nEvent: message-summary\r\n"

/* Datagram number `n` that the PBX has sent. */
static const char *sent(const struct pbx_fixture *f, size_t n)
{
    assert_true(n < f->host->sent_n);
    return f->host->sent[n].data;
}

static const char *subscribe(struct pbx_fixture *f, unsigned cseq, const char *headers)
{
    f->host->sent_n = 0;
    return pbx_request(f, alice_at, "SUBSCRIBE sip:102@lab.example", cseq, "sub-1", headers);
}

/* The PBX's last datagram. */
static const char *last(const struct pbx_fixture *f)
{
    return sent(f, f->host->sent_n - 1);
}

/* The test is the subscriber's phone, too: it answers the PBX's last NOTIFY. */
static void answer_notify(struct pbx_fixture *f, unsigned status)
{
    char text[2048];
    const char *request = last(f);
    const char *via = strstr(request, "Via:");
    const char *end = strstr(request, "Event:");
    assert_true(strncmp(request, "NOTIFY ", 7) == 0 && via && end);
    int n = snprintf(text, sizeof text, "SIP/2.0 %u X\r\n%.*sContent-Length: 0\r\n\r\n", status, (int)(end - via), via);
    assert_true(fake_deliver(f->host, alice_at, pbx_at, 64, span_make(text, (size_t)n)));
}

static void a_subscription_is_answered_and_notified_4_2_1(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", "") "Expires: 600\r\n");
    assert_int_equal(f.host->sent_n, 2);
    assert_status(sent(&f, 0), 200);
    assert_non_null(strstr(sent(&f, 0), "Expires: 600\r\n"));
    assert_non_null(strstr(sent(&f, 1), "Subscription-State: active;expires=600\r\n"));
    assert_non_null(strstr(sent(&f, 1), "Messages-Waiting: no\r\nMessage-Account: sip:102@lab.example\r\n"));
    answer_notify(&f, 200);
    pbx_fixture_fini(&f);
}

static void a_mailbox_that_changes_is_told_rfc_3842(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", ""));
    answer_notify(&f, 200);
    pbx_kind.command(f.node, SPAN("mwi 102 2/8"));
    assert_non_null(strstr(last(&f), "Messages-Waiting: yes\r\n"));
    assert_non_null(strstr(last(&f), "Voice-Message: 2/8 (0/0)\r\n"));
    answer_notify(&f, 200);
    pbx_kind.command(f.node, SPAN("mwi 103 1/1")); /* another's */
    assert_non_null(strstr(last(&f), "2/8"));
    pbx_kind.command(f.node, SPAN("mwi 104 1/1"));
    pbx_kind.command(f.node, SPAN("mwi 102 many"));
    assert_int_equal(fake_traced(f.host, "\"bad-command\"", "mwi"), 2);
    pbx_fixture_fini(&f);
}

static void notifies_come_one_after_the_other(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", ""));
    pbx_kind.command(f.node, SPAN("mwi 102 1/0"));
    pbx_kind.command(f.node, SPAN("mwi 102 2/0"));
    assert_int_equal(f.host->sent_n, 2); /* the first NOTIFY is not answered yet */
    answer_notify(&f, 200);
    assert_int_equal(f.host->sent_n, 3);
    assert_non_null(strstr(last(&f), "Voice-Message: 2/0"));
    answer_notify(&f, 200);
    assert_int_equal(f.host->sent_n, 3);
    pbx_fixture_fini(&f);
}

static void a_subscription_ends_by_its_time_4_2_2(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", "") "Expires: 60\r\n");
    answer_notify(&f, 200);
    fake_advance(f.host, f.host->now + 60 * SEC);
    assert_non_null(strstr(last(&f), "Subscription-State: terminated;reason=timeout\r\n"));
    assert_int_equal(fake_traced(f.host, "\"subscription\"", "\"expired\""), 1);
    answer_notify(&f, 200);
    pbx_fixture_fini(&f);
}

static void whoever_knows_of_none_is_notified_no_more_4_2_2(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", ""));
    answer_notify(&f, 481);
    f.host->sent_n = 0;
    pbx_kind.command(f.node, SPAN("mwi 102 1/0"));
    assert_int_equal(f.host->sent_n, 0);
    assert_int_equal(fake_traced(f.host, "\"subscription\"", "\"removed\""), 1);
    pbx_fixture_fini(&f);
}

static void an_unknown_dialog_is_481(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(subscribe(&f, 1, OWN("102", ";tag=gone")), 481);
    pbx_fixture_fini(&f);
}

static void pb_1_only_the_own_mailbox_and_only_with_the_password(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(subscribe(&f, 1, OWN("104", "")), 404);
    assert_status(subscribe(&f, 2,
                            "From: <sip:102@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\n"
                            "Contact: <sip:102@10.0.1.31>\r\nEvent: message-summary\r\n"),
                  403);
    const char *response = subscribe(&f, 3, OWN("101", ""));
    assert_status(response, 401);
    assert_non_null(strstr(response, "WWW-Authenticate: Digest"));
    pbx_fixture_fini(&f);
}

static void a_stop_deactivates_4_2_2(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    subscribe(&f, 1, OWN("102", ""));
    answer_notify(&f, 200);
    pbx_kind.command(f.node, SPAN("stop"));
    assert_non_null(strstr(last(&f), "Subscription-State: terminated;reason=deactivated\r\n"));
    pbx_fixture_fini(&f);
}

static void a_restart_forgets_subscriptions_and_keeps_mailboxes(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_kind.command(f.node, SPAN("mwi 102 3/4"));
    subscribe(&f, 1, OWN("102", ""));
    pbx_kind.command(f.node, SPAN("restart"));
    subscribe(&f, 2, OWN("102", ""));
    assert_non_null(strstr(sent(&f, 1), "Voice-Message: 3/4"));
    pbx_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_is_answered_and_notified_4_2_1),
        cmocka_unit_test(a_mailbox_that_changes_is_told_rfc_3842),
        cmocka_unit_test(notifies_come_one_after_the_other),
        cmocka_unit_test(a_subscription_ends_by_its_time_4_2_2),
        cmocka_unit_test(whoever_knows_of_none_is_notified_no_more_4_2_2),
        cmocka_unit_test(an_unknown_dialog_is_481),
        cmocka_unit_test(pb_1_only_the_own_mailbox_and_only_with_the_password),
        cmocka_unit_test(a_stop_deactivates_4_2_2),
        cmocka_unit_test(a_restart_forgets_subscriptions_and_keeps_mailboxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
