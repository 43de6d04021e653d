/* PBXs by name: DNS is played by hand (RFC 3263 §4, DN-1, DN-2, PH-11).
 *
 *     phone ── SBC 10.0.1.2 ──┬── DNS 10.0.1.53
 *                             └── pbx.example.com
 */
#include "nodes/sbc/sbc_servers.h"
#include "tests/sbc/sbc_fixture.h"

static const struct endpoint dns = {IPV4(10, 0, 1, 53), 53};
static const struct endpoint moved = {IPV4(10, 0, 1, 12), 5060};

/* ---- the list ---- */

static void assert_order(const struct sbc_servers *set, const struct endpoint *expected, unsigned n)
{
    struct endpoint order[SBC_SERVERS_MAX];
    assert_int_equal(sbc_servers_order(set, 0, order), n);
    for (unsigned i = 0; i < n; i++)
        if (!endpoint_equal(order[i], expected[i]))
            fail_msg("place %u", i);
}

static void an_entry_of_many_servers_keeps_its_place_and_what_was_known(void **state)
{
    (void)state;
    const struct endpoint settings[] = {{IPV4(10, 0, 1, 10), 5060}, {0, 5060}, {IPV4(10, 0, 1, 30), 5060}};
    const struct endpoint two[] = {{IPV4(10, 0, 1, 20), 5060}, {IPV4(10, 0, 1, 21), 5060}};
    const struct endpoint turned[] = {two[1], two[0]};
    struct sbc_servers set;
    sbc_servers_init(&set, settings, 3, NEVER);
    assert_order(&set, (const struct endpoint[]){settings[0], settings[2]}, 2);
    sbc_servers_locate(&set, 1, two, 2);
    assert_order(&set, (const struct endpoint[]){settings[0], two[0], two[1], settings[2]}, 4);
    assert_int_equal(sbc_servers_entry(&set, two[1]), 1);
    assert_int_equal(sbc_servers_entry(&set, settings[2]), 2);
    sbc_servers_failed(&set, two[1], 0, 0);
    sbc_servers_locate(&set, 1, turned, 2); /* told again: still suspected */
    assert_order(&set, (const struct endpoint[]){settings[0], two[0], settings[2], two[1]}, 4);
    sbc_servers_locate(&set, 1, two, 1);
    sbc_servers_locate(&set, 1, turned, 2); /* told of, forgotten, told of */
    assert_order(&set, (const struct endpoint[]){settings[0], two[1], two[0], settings[2]}, 4);
    sbc_servers_locate(&set, 1, NULL, 0);
    assert_order(&set, (const struct endpoint[]){settings[0], settings[2]}, 2);
    assert_int_equal(sbc_servers_entry(&set, two[1]), -1);
}

static void no_more_than_there_is_room_for_and_none_twice(void **state)
{
    (void)state;
    const struct endpoint settings[] = {{IPV4(10, 0, 1, 10), 5060}, {0, 0}};
    struct endpoint many[2 * SBC_SERVERS_MAX];
    struct sbc_servers set;
    for (unsigned i = 0; i < 2 * SBC_SERVERS_MAX; i++)
        many[i] = (struct endpoint){IPV4(10, 0, 1, 10) + i / 2, 5060};
    sbc_servers_init(&set, settings, 2, NEVER);
    sbc_servers_locate(&set, 1, many, 2 * SBC_SERVERS_MAX);
    assert_int_equal(set.n, SBC_SERVERS_MAX);
    for (unsigned i = 0; i < set.n; i++)
        assert_int_equal(set.items[i].at.addr, IPV4(10, 0, 1, 10) + i);
}

/* ---- asking ---- */

static struct fixture named(const char *name, const char *const *changes)
{
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE),
                        .settings = options_new(sbc_kind.options, sbc_kind.settings_size)};
    assert_int_equal(options_set(sbc_kind.options, f.settings, SPAN("pbx"), span_of(name), NULL), 0);
    assert_int_equal(options_set(sbc_kind.options, f.settings, SPAN("dns"), SPAN("10.0.1.53"), NULL), 0);
    for (const char *const *set = changes; set && *set; set += 2)
        assert_int_equal(options_set(sbc_kind.options, f.settings, span_of(set[0]), span_of(set[1]), NULL), 0);
    assert_null(sbc_kind.conflict(f.settings, NULL));
    assert_int_equal(sbc_kind.start(f.host, f.settings, &f.node, NULL), 0);
    fake_advance(f.host, f.host->now);
    return f;
}

static const struct fake_datagram *last_question(const struct fixture *f)
{
    for (size_t i = f->host->sent_n; i-- > 0;)
        if (endpoint_equal(f->host->sent[i].to, dns))
            return &f->host->sent[i];
    fail_msg("DNS was not asked");
    return NULL;
}

static unsigned questions(const struct fixture *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->host->sent_n; i++)
        n += endpoint_equal(f->host->sent[i].to, dns);
    return n;
}

/* RFC 1035 §4.1.1: the last question with QR and AA set, and one A record; with addr 0 that the name does not exist. */
static void tell_address(struct fixture *f, ipv4 addr, uint8_t ttl)
{
    const struct fake_datagram *question = last_question(f);
    const uint8_t record[] = {0xc0,
                              12,
                              0,
                              1,
                              0,
                              1,
                              0,
                              0,
                              0,
                              ttl,
                              0,
                              4,
                              (uint8_t)(addr >> 24),
                              (uint8_t)(addr >> 16),
                              (uint8_t)(addr >> 8),
                              (uint8_t)addr};
    char answer_bytes[512];
    size_t n = question->n;
    assert_true(n + sizeof record <= sizeof answer_bytes);
    memcpy(answer_bytes, question->data, n);
    answer_bytes[2] = (char)(answer_bytes[2] | 0x84);
    answer_bytes[3] = addr ? 0 : 3;
    if (addr) {
        answer_bytes[7] = 1;
        memcpy(answer_bytes + n, record, sizeof record);
        n += sizeof record;
    }
    assert_true(fake_deliver(f->host, dns, question->from, 64, span_make(answer_bytes, n)));
    fake_advance(f->host, f->host->now);
}

static unsigned sent_to(const struct fixture *f, struct endpoint to)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->host->sent_n; i++)
        n += endpoint_equal(f->host->sent[i].to, to);
    return n;
}

static void registers(struct fixture *f, unsigned cseq)
{
    send_request(f, phone, outside,
                 &(struct request){.line = "REGISTER sip:pbx.example.com",
                                   .call_id = "reg-1",
                                   .cseq = cseq,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
}

static void rfc_3263_4_2_a_name_with_a_port_is_an_address_and_a_request_for_it_is_for_us(void **state)
{
    (void)state;
    struct fixture f = named("pbx.example.com:5060", NULL);
    registers(&f, 1); /* nothing is known yet */
    assert_starts(last_to(&f, phone), "SIP/2.0 500 ");
    tell_address(&f, pbx.addr, 60);
    registers(&f, 2);
    assert_starts(last_to(&f, pbx), "REGISTER sip:pbx.example.com ");
    fixture_fini(&f);
}

static void ph_11_after_the_ttl_the_new_address_holds(void **state)
{
    (void)state;
    struct fixture f = named("pbx.example.com:5060", NULL);
    tell_address(&f, pbx.addr, 60);
    fake_advance(f.host, 60 * SEC - 1);
    assert_int_equal(questions(&f), 1);
    fake_advance(f.host, 60 * SEC);
    assert_int_equal(questions(&f), 2);
    tell_address(&f, moved.addr, 60);
    registers(&f, 1);
    assert_int_equal(sent_to(&f, pbx), 0);
    assert_starts(last_to(&f, moved), "REGISTER ");
    fixture_fini(&f);
}

static void a_name_that_is_gone_is_asked_for_again(void **state)
{
    (void)state;
    struct fixture f = named("pbx.example.com:5060", NULL);
    tell_address(&f, pbx.addr, 60);
    fake_advance(f.host, 60 * SEC);
    tell_address(&f, 0, 0);
    registers(&f, 1);
    assert_starts(last_to(&f, phone), "SIP/2.0 500 ");
    fake_advance(f.host, 71 * SEC);
    assert_int_equal(questions(&f), 3);
    tell_address(&f, pbx.addr, 60);
    registers(&f, 2);
    assert_starts(last_to(&f, pbx), "REGISTER ");
    fixture_fini(&f);
}

static void sb_11_the_monitor_follows(void **state)
{
    static const char *const monitored[] = {"monitor servers", "10s", NULL};
    (void)state;
    struct fixture f = named("pbx.example.com:5060", monitored);
    tell_address(&f, pbx.addr, 60);
    assert_starts(last_to(&f, pbx), "OPTIONS ");
    answer(&f, pbx, inside, "200 OK", "", "");
    fake_advance(f.host, 60 * SEC);
    tell_address(&f, moved.addr, 250);
    assert_starts(last_to(&f, moved), "OPTIONS ");
    answer(&f, moved, inside, "200 OK", "", "");
    fake_advance(f.host, 95 * SEC); /* a question that was under way ends by timer F */
    unsigned before = sent_to(&f, pbx);
    fake_advance(f.host, 200 * SEC);
    assert_int_equal(sent_to(&f, pbx), before);
    fixture_fini(&f);
}

static void a_name_needs_somebody_to_ask(void **state)
{
    (void)state;
    char why[128];
    struct text text = text_on(why, sizeof why);
    void *settings = options_new(sbc_kind.options, sbc_kind.settings_size);
    assert_int_equal(options_set(sbc_kind.options, settings, SPAN("pbx"), SPAN("pbx.example.com"), NULL), 0);
    assert_string_equal(sbc_kind.conflict(settings, &text), "dns");
    options_free(sbc_kind.options, settings);
}

/* Without a port SRV tells (RFC 3263 §4.2), of the transport that is spoken inside. */
static void rfc_3263_4_2_a_name_without_a_port_is_asked_for_by_srv(void **state)
{
    static const char *const tcp[] = {"inside transport", "tcp", NULL};
    (void)state;
    struct fixture f = named("pbx.example.com", NULL);
    assert_memory_equal(last_question(&f)->data + 12, "\x04_sip\x04_udp\x03pbx", 14); /* after the header */
    fixture_fini(&f);
    f = named("pbx.example.com", tcp);
    assert_memory_equal(last_question(&f)->data + 12, "\x04_sip\x04_tcp\x03pbx", 14); /* after the header */
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_of_many_servers_keeps_its_place_and_what_was_known),
        cmocka_unit_test(no_more_than_there_is_room_for_and_none_twice),
        cmocka_unit_test(rfc_3263_4_2_a_name_with_a_port_is_an_address_and_a_request_for_it_is_for_us),
        cmocka_unit_test(rfc_3263_4_2_a_name_without_a_port_is_asked_for_by_srv),
        cmocka_unit_test(ph_11_after_the_ttl_the_new_address_holds),
        cmocka_unit_test(a_name_that_is_gone_is_asked_for_again),
        cmocka_unit_test(sb_11_the_monitor_follows),
        cmocka_unit_test(a_name_needs_somebody_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
