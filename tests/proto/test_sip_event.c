/* RFC 6665 §8.2.3 and RFC 3842 §5.2. */
#include "nodes/base/error.h"
#include "nodes/proto/mwi.h"
#include "nodes/proto/sip_event.h"

#include "tests/cmocka.h"

static void subscription_state_8_2_3(void **state)
{
    struct sip_subscription s;
    (void)state;
    assert_int_equal(sip_subscription_parse(SPAN("active;expires=3599"), &s), 0);
    assert_int_equal(s.state, SIP_SUBSCRIPTION_ACTIVE);
    assert_true(s.has_expires && s.expires == 3599 && !s.has_retry_after);
    assert_int_equal(sip_subscription_parse(SPAN("Terminated ; reason=PROBATION;retry-after=60"), &s), 0);
    assert_int_equal(s.state, SIP_SUBSCRIPTION_TERMINATED);
    assert_int_equal(s.reason, SIP_REASON_PROBATION);
    assert_true(s.has_retry_after && s.retry_after == 60);
    assert_int_equal(sip_subscription_parse(SPAN("pending"), &s), 0);
    assert_int_equal(s.state, SIP_SUBSCRIPTION_PENDING);
    assert_int_equal(sip_subscription_parse(SPAN("terminated;reason=mood"), &s), 0);
    assert_int_equal(s.reason, SIP_REASON_NONE);
    assert_int_equal(sip_subscription_parse(SPAN("resting"), &s), 0);
    assert_int_equal(s.state, SIP_SUBSCRIPTION_ACTIVE);
    assert_int_equal(sip_subscription_parse(SPAN(""), &s), FE_ESYNTAX);
    assert_int_equal(sip_subscription_parse(SPAN(";expires=1"), &s), FE_ESYNTAX);
}

static void message_summary_rfc_3842_5_2(void **state)
{
    struct mwi m;
    (void)state;
    assert_int_equal(mwi_parse(SPAN("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
                                    "Voice-Message: 2/8 (0/2)\r\nFax-Message: 1/1\r\n"),
                               &m),
                     0);
    assert_true(m.waiting && m.has_counts && m.new == 2 && m.old == 8);
    assert_true(span_is(m.account, "sip:alice@vmail.example.com"));
    assert_int_equal(mwi_parse(SPAN("messages-waiting:no"), &m), 0);
    assert_false(m.waiting || m.has_counts);
}

static void what_is_no_message_summary_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "Voice-Message: 1/1",
                                        "Messages-Waiting: perhaps",
                                        "Messages-Waiting: yes\r\nVoice-Message: two/8",
                                        "Messages-Waiting: yes\r\nVoice-Message: 2",
                                        "Messages-Waiting: yes\r\nVoice-Message: 99999999999/1"};
    struct mwi m;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(mwi_parse(span_of(wrong[i]), &m), 0);
}

static void what_is_written_is_read(void **state)
{
    char room[256];
    struct text t = text_on(room, sizeof room);
    struct mwi m = {.waiting = true, .new = 3, .old = 1, .account = SPAN("sip:101@lab.example")};
    struct mwi again;
    (void)state;
    mwi_write(&m, &t);
    assert_int_equal(mwi_parse(text_span(&t), &again), 0);
    assert_true(again.waiting && again.new == 3 && again.old == 1 && span_equal(again.account, m.account));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscription_state_8_2_3),
        cmocka_unit_test(message_summary_rfc_3842_5_2),
        cmocka_unit_test(what_is_no_message_summary_is_refused),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
