/* The registration of a phone: RFC 3261 §10.2 and §22, FACTS PH-25. The registrar is the test. */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

#include "nodes/proto/digest.h"

static struct rig_phone alice;
static struct rig_server registrar;
static lab_time heard_at[64]; /* when REGISTERs came */

static const ipv4 alice_addr = IPV4(192, 168, 1, 20);
static const ipv4 registrar_addr = IPV4(203, 0, 113, 10);

static void setup(void (*on_message)(struct rig_server *s), const char *const *more)
{
    const char *settings[16] = {"line=101", "proxy=203.0.113.10", "password=a1"};
    for (size_t i = 0; more && more[i]; i++)
        settings[3 + i] = more[i];
    net_begin(10 * MS);
    rig_server_start(&registrar, registrar_addr, on_message);
    rig_start(&alice, "alice", alice_addr, settings);
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    net_end();
    return 0;
}

static void note(void)
{
    heard_at[(registrar.received - 1) % 64] = net.now;
}

static void accept(struct rig_server *s)
{
    note();
    rig_reply(s, 200, "Contact: <sip:101@192.168.1.20>;expires=600\r\n", (struct span){0});
}

/* ---- 10.2 ---- */

static void the_request_10_2(void **state)
{
    (void)state;
    setup(accept, NULL);
    net_run(SEC);
    assert_int_equal(registrar.received, 1);
    assert_true(span_is(registrar.msg.uri, "sip:lab.example"));
    assert_true(span_is(sip_value(&registrar.msg, SIP_H_TO), "<sip:101@lab.example>"));
    assert_true(span_is(sip_value(&registrar.msg, SIP_H_CONTACT), "<sip:101@192.168.1.20>"));
    assert_true(span_is(sip_value(&registrar.msg, SIP_H_EXPIRES), "3600"));
    struct span line = net_last("alice", "registration", NULL, NULL);
    assert_true(record_is(line, "state", "registered"));
    assert_true(record_is(line, "aor", "sip:101@lab.example"));
    assert_true(record_is(line, "contact", "192.168.1.20:5060"));
    assert_int_equal(net_number(line, "expires"), 600);
    assert_int_equal(net_number(line, "status"), 200);
    assert_int_equal(net_number(line, "t"), 20 * MS);
}

static void refreshed_15_s_before_the_expiry_PH_25(void **state)
{
    (void)state;
    setup(accept, NULL);
    net_run(590 * SEC);
    assert_int_equal(registrar.received, 2);
    assert_int_equal(heard_at[1], 20 * MS + 585 * SEC + 10 * MS);
    assert_int_equal(net_count("alice", "registration", "state", "trying"), 1);
    assert_int_equal(net_count("alice", "registration", "state", "registered"), 2);
}

static void accept_20s(struct rig_server *s)
{
    note();
    rig_reply(s, 200, "Expires: 20\r\n", (struct span){0});
}

static void refreshed_at_half_of_a_short_expiry_PH_25(void **state)
{
    (void)state;
    setup(accept_20s, NULL);
    net_run(25 * SEC);
    assert_int_equal(registrar.received, 3);
    assert_int_equal(heard_at[1] - heard_at[0], 10 * SEC + 20 * MS);
}

static void one_call_id_and_growing_cseq_10_2(void **state)
{
    (void)state;
    char first[64];
    struct sip_cseq cseq;
    setup(accept_20s, NULL);
    net_run(SEC);
    span_copy(sip_value(&registrar.msg, SIP_H_CALL_ID), first, sizeof first);
    net_run(15 * SEC);
    assert_true(span_is(sip_value(&registrar.msg, SIP_H_CALL_ID), first));
    assert_int_equal(sip_cseq_parse(sip_value(&registrar.msg, SIP_H_CSEQ), &cseq), 0);
    assert_int_equal(cseq.number, 2);
}

/* ---- 22 ---- */

static void challenge(struct rig_server *s)
{
    struct digest_credentials c;
    struct span value = sip_value(&s->msg, SIP_H_AUTHORIZATION);
    note();
    if (value.p && digest_credentials_parse(value, &c) == 0 && digest_verify(&c, SPAN("a1"), SPAN("REGISTER")))
        rig_reply(s, 200, "", (struct span){0});
    else
        rig_reply(s, 401, "WWW-Authenticate: Digest realm=\"lab.example\", nonce=\"n1\", qop=\"auth\"\r\n",
                  (struct span){0});
}

static void digest_22_2(void **state)
{
    (void)state;
    setup(challenge, NULL);
    net_run(SEC);
    assert_int_equal(registrar.received, 2);
    assert_int_equal(net_count("alice", "registration", "state", "registered"), 1);
    assert_int_equal(net_number(net_last("alice", "registration", NULL, NULL), "expires"), 3600);
}

static void a_wrong_password_waits_for_the_retry_timer_PH_25(void **state)
{
    (void)state;
    const char *const more[] = {"password=wrong", NULL};
    setup(challenge, more);
    net_run(1800 * SEC);
    assert_int_equal(registrar.received, 2); /* with credentials once, and no more */
    struct span line = net_last("alice", "registration", NULL, NULL);
    assert_true(record_is(line, "state", "failed"));
    assert_int_equal(net_number(line, "status"), 401);
    net_run(1801 * SEC);
    assert_true(registrar.received > 2);
    assert_int_equal(net_count("alice", "registration", "state", "trying"), 2);
}

/* ---- refusals and silence ---- */

static void demand_longer(struct rig_server *s)
{
    uint32_t expires = 0;
    sip_number_parse(sip_value(&s->msg, SIP_H_EXPIRES), 1000000, &expires);
    if (expires < 300)
        rig_reply(s, 423, "Min-Expires: 300\r\n", (struct span){0});
    else
        rig_reply(s, 200, "", (struct span){0});
}

static void interval_too_brief_10_2_8(void **state)
{
    (void)state;
    const char *const more[] = {"expires=60s", NULL};
    setup(demand_longer, more);
    net_run(SEC);
    assert_int_equal(registrar.received, 2);
    assert_int_equal(net_number(net_last("alice", "registration", "state", "registered"), "expires"), 300);
}

static void unavailable(struct rig_server *s)
{
    note();
    rig_reply(s, 503, "Retry-After: 40\r\n", (struct span){0});
}

static void retry_after_is_heeded_20_33(void **state)
{
    (void)state;
    setup(unavailable, NULL);
    net_run(50 * SEC);
    assert_int_equal(registrar.received, 2);
    assert_int_equal(heard_at[1] - heard_at[0], 40 * SEC + 20 * MS);
}

static void ignore(struct rig_server *s)
{
    (void)s;
    note();
}

static void no_answer_waits_for_the_timeout_retry_timer_PH_25(void **state)
{
    (void)state;
    setup(ignore, NULL);
    net_run(151 * SEC);
    assert_int_equal(registrar.received, 11); /* 0, 0.5, 1.5, 3.5, 7.5, then every 4 s until 32 s */
    struct span line = net_last("alice", "registration", NULL, NULL);
    assert_true(record_is(line, "state", "failed"));
    assert_int_equal(net_number(line, "status"), 408);
    assert_int_equal(net_number(line, "t"), 32 * SEC);
    net_run(153 * SEC);
    assert_int_equal(heard_at[11], 152 * SEC + 10 * MS);
}

static void the_transaction_timer_of_69xx_gives_up_after_4_s_PH_25(void **state)
{
    (void)state;
    const char *const more[] = {"transaction timer=4s", NULL};
    setup(ignore, more);
    net_run(10 * SEC);
    assert_int_equal(registrar.received, 4);
    assert_int_equal(net_number(net_last("alice", "registration", "state", "failed"), "t"), 4 * SEC);
}

/* ---- commands, keep-alives ---- */

static void unregister_10_2_2(void **state)
{
    (void)state;
    setup(accept, NULL);
    net_run(SEC);
    rig_tell(&alice, "unregister");
    net_run(2 * SEC);
    assert_true(span_is(sip_value(&registrar.msg, SIP_H_EXPIRES), "0"));
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "unregistered"));
    net_run(HOUR);
    assert_int_equal(registrar.received, 2);
    rig_tell(&alice, "register");
    net_run(HOUR + SEC);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "registered"));
}

static unsigned line_ends;

static void count_line_ends(struct net_packet *p)
{
    line_ends += p->n == 4 && memcmp(p->data, "\r\n\r\n", 4) == 0;
}

static void crlf_keeps_the_mapping_alive_RFC_5626(void **state)
{
    (void)state;
    const char *const more[] = {"keep-alive=crlf", "keep-alive interval=30s", NULL};
    line_ends = 0;
    setup(accept, more);
    net.path = count_line_ends;
    net_run(5 * MINUTE);
    assert_int_equal(line_ends, 10);
}

static bool deaf;

static void accept_unless_deaf(struct rig_server *s)
{
    if (deaf)
        return;
    rig_reply(s, 200, "", (struct span){0});
}

static void options_without_an_answer_register_again_X4(void **state)
{
    (void)state;
    const char *const more[] = {"keep-alive=options", "transaction timer=4s", NULL};
    deaf = false;
    setup(accept_unless_deaf, more);
    net_run(59 * SEC);
    assert_int_equal(net_count("alice", "registration", NULL, NULL), 2);
    deaf = true; /* the mapping dies: at 60 s OPTIONS, at 64 s its end, REGISTER, at 68 s its end */
    net_run(70 * SEC);
    assert_int_equal(net_number(net_last("alice", "registration", "state", "failed"), "t"), 68 * SEC);
    deaf = false;
    net_run(68 * SEC + 121 * SEC);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "registered"));
}

static void unknown_commands_are_told(void **state)
{
    (void)state;
    setup(accept, NULL);
    static const char *const bad[] = {"dance", "call", "set media ttl 256", "hang up", "answer now", "callx", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig_tell(&alice, bad[i]);
        assert_int_equal(net_count("alice", "bad-command", NULL, NULL), i + 1);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_request_10_2),
        TEST(refreshed_15_s_before_the_expiry_PH_25),
        TEST(refreshed_at_half_of_a_short_expiry_PH_25),
        TEST(one_call_id_and_growing_cseq_10_2),
        TEST(digest_22_2),
        TEST(a_wrong_password_waits_for_the_retry_timer_PH_25),
        TEST(interval_too_brief_10_2_8),
        TEST(retry_after_is_heeded_20_33),
        TEST(no_answer_waits_for_the_timeout_retry_timer_PH_25),
        TEST(the_transaction_timer_of_69xx_gives_up_after_4_s_PH_25),
        TEST(unregister_10_2_2),
        TEST(crlf_keeps_the_mapping_alive_RFC_5626),
        TEST(options_without_an_answer_register_again_X4),
        TEST(unknown_commands_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
