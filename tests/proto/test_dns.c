/* DNS messages: RFC 1035 §4, 2181, 2308, 2782, 3403, 3597, 6891. */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/dns.h"
#include "nodes/proto/dns_srv.h"
#include "tests/cmocka.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(span_of(text), &name), 0);
    return name;
}

static struct dns_record record_of(const char *name, unsigned type, uint32_t ttl)
{
    return (struct dns_record){.name = name_of(name), .type = (uint16_t)type, .class = DNS_IN, .ttl = ttl};
}

static void assert_data(const struct dns_record *r, const char *expected)
{
    char buf[2048];
    struct text t = text_on(buf, sizeof buf);
    dns_data_text(&t, r);
    assert_string_equal(buf, expected);
}

static void begin(struct dns_writer *w, uint8_t *room, size_t cap, const char *name, unsigned type)
{
    const struct dns_head head = {.id = 0x1234, .response = true, .authoritative = true, .recursion_desired = true};
    const struct dns_question q = {name_of(name), (uint16_t)type, DNS_IN};
    dns_begin(w, room, cap, &head);
    dns_put_question(w, &q);
}

/* ---- RFC 1035 §4.1: the form ---- */

static void header_4_1_1(void **state)
{
    static const char bytes[] = "\xab\xcd\x93\x83\0\1\0\0\0\0\0\0\3sip\7example\3com\0\0\41\0\1";
    struct dns_msg m;
    (void)state;
    assert_int_equal(dns_parse(span_make(bytes, sizeof bytes - 1), &m), 0);
    assert_int_equal(m.head.id, 0xabcd);
    assert_true(m.head.response && m.head.truncated && m.head.recursion_desired && m.head.recursion_available);
    assert_false(m.head.authoritative);
    assert_int_equal(m.head.opcode, 2);
    assert_int_equal(m.head.rcode, DNS_NXDOMAIN);
    assert_int_equal(m.question.type, DNS_SRV);
    assert_int_equal(m.question.class, DNS_IN);
    struct dns_name expected = name_of("sip.example.com");
    assert_true(dns_name_equal(&m.question.name, &expected));
}

static void query_as_written_4_1_2(void **state)
{
    static const char bytes[] = "\0\7\1\0\0\1\0\0\0\0\0\0\3sip\7example\3com\0\0\1\0\1";
    const struct dns_head head = {.id = 7, .recursion_desired = true};
    const struct dns_question q = {name_of("sip.example.com"), DNS_A, DNS_IN};
    uint8_t room[64];
    struct dns_writer w;
    (void)state;
    dns_begin(&w, room, sizeof room, &head);
    dns_put_question(&w, &q);
    assert_int_equal(dns_end(&w).n, sizeof bytes - 1);
    assert_memory_equal(dns_end(&w).p, bytes, sizeof bytes - 1);
    dns_begin(&w, room, 20, &head);
    dns_put_question(&w, &q);
    assert_int_equal(dns_end(&w).n, 0); /* no room */
}

/* Every cut of a message is either refused or, when nothing is missing but bytes behind the end, the same message. */
static void short_messages_are_refused(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_msg m;
    struct dns_record a = record_of("example.com", DNS_A, 60);
    (void)state;
    begin(&w, room, sizeof room, "example.com", DNS_A);
    a.addr = IPV4(203, 0, 113, 1);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    for (size_t n = 0; n < w.n; n++)
        assert_int_equal(dns_parse(span_make(room, n), &m), FE_ESHORT);
    assert_int_equal(dns_parse(span_make(room, w.n), &m), 0);
    assert_int_equal(dns_parse(span_make(room, w.n + 3), &m), 0);
}

static void bad_data_is_refused(void **state)
{
    static const struct {
        uint8_t type;
        const char *data;
        size_t n;
    } bad[] = {
        {DNS_A, "\1\2\3", 3},
        {DNS_A, "\1\2\3\4\5", 5},
        {DNS_CNAME, "\1a\0x", 4},
        {DNS_CNAME, "\1a", 2},
        {DNS_SRV, "\0\1\0\2\0\3", 6},
        {DNS_SRV, "\0\1\0\2\0\3\1a\0\0", 10},
        {DNS_NAPTR, "\0\1\0", 3},
        {DNS_NAPTR, "\0\1\0\2\1s\5abc", 10},
        {DNS_NAPTR, "\0\1\0\2\1s\1a\0", 9},
        {DNS_SOA, "\0\0\1\2\3", 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64] = {0, 1, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, bad[i].type, 0, 1, 0, 0, 0, 1, 0};
        struct dns_msg m;
        bytes[22] = (uint8_t)bad[i].n;
        memcpy(bytes + 23, bad[i].data, bad[i].n);
        assert_int_not_equal(dns_parse(span_make(bytes, 23 + bad[i].n), &m), 0);
        bytes[16] = 3; /* of another class nobody knows what it means: opaque (RFC 3597) */
        assert_int_equal(dns_parse(span_make(bytes, 23 + bad[i].n), &m), 0);
    }
}

/* RFC 2181 §8. */
static void ttl_of_the_topmost_bit_is_none(void **state)
{
    uint8_t room[64];
    struct dns_writer w;
    struct dns_msg m;
    struct dns_record a = record_of("a", DNS_A, 0x80000001u);
    struct dns_record r;
    (void)state;
    begin(&w, room, sizeof room, "a", DNS_A);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    assert_int_equal(dns_parse(dns_end(&w), &m), 0);
    struct dns_walk walk = dns_records(&m);
    assert_true(dns_next(&walk, &r));
    assert_int_equal(r.ttl, 0);
    assert_false(dns_next(&walk, &r));
}

/* ---- every type, there and back ---- */

static void every_type_there_and_back(void **state)
{
    uint8_t room[1024];
    struct dns_writer w;
    struct dns_msg m;
    struct dns_record r[7];
    static const char *const texts[] = {
        "203.0.113.10",
        "sbc.example.com",
        "ns.example.com admin.example.com 1 2 3 4 5",
        "host.example.com",
        "10 60 5061 sbc1.example.com",
        "10 50 s SIPS+D2T _sips._tcp.example.com",
        "\\# 3 02686f",
    };
    static const uint16_t types[] = {DNS_A, DNS_CNAME, DNS_SOA, DNS_PTR, DNS_SRV, DNS_NAPTR, DNS_TXT};
    (void)state;
    for (unsigned i = 0; i < 7; i++)
        r[i] = record_of("www.example.com", types[i], 60 + i);
    r[0].addr = IPV4(203, 0, 113, 10);
    r[1].target = name_of("sbc.example.com");
    r[2].soa = (struct dns_soa){name_of("ns.example.com"), name_of("admin.example.com"), 1, 2, 3, 4, 5};
    r[3].target = name_of("host.example.com");
    assert_int_equal(dns_srv_parse(span_of(texts[4]), &r[4].srv), 0);
    assert_int_equal(dns_naptr_parse(span_of(texts[5]), &r[5].naptr), 0);
    r[6].data = SPAN("\2ho");
    begin(&w, room, sizeof room, "www.example.com", DNS_ANY);
    for (unsigned i = 0; i < 7; i++)
        assert_true(dns_put_record(&w, i < 3 ? DNS_ANSWER : i < 5 ? DNS_AUTHORITY : DNS_ADDITIONAL, &r[i]));
    assert_int_equal(dns_parse(dns_end(&w), &m), 0);
    struct dns_walk walk = dns_records(&m);
    struct dns_record got;
    for (unsigned i = 0; i < 7; i++) {
        assert_true(dns_next(&walk, &got));
        assert_int_equal(walk.section, i < 3 ? DNS_ANSWER : i < 5 ? DNS_AUTHORITY : DNS_ADDITIONAL);
        assert_int_equal(got.type, types[i]);
        assert_int_equal(got.ttl, 60 + i);
        assert_true(dns_name_equal(&got.name, &r[i].name));
        assert_data(&got, texts[i]);
    }
    assert_false(dns_next(&walk, &got));
}

static void names_are_compressed_4_1_4(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_record a = record_of("WWW.example.com", DNS_A, 1);
    struct dns_record c = record_of("ftp.example.com", DNS_CNAME, 1);
    (void)state;
    c.target = name_of("www.example.com");
    begin(&w, room, sizeof room, "www.example.com", DNS_A);
    size_t n = w.n;
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    assert_int_equal(w.n - n, 2 + 10 + 4);
    assert_int_equal(get16(room + n), 0xc00c);
    n = w.n;
    assert_true(dns_put_record(&w, DNS_ANSWER, &c));
    assert_int_equal(w.n - n, 4 + 2 + 10 + 2);
}

/* RFC 2782: "name compression is not to be used for this field"; but who receives one understands it (RFC 3597 §4). */
static void srv_targets_are_not_compressed(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_msg m;
    struct dns_record s = record_of("_sip._udp.example.com", DNS_SRV, 1);
    (void)state;
    s.srv = (struct dns_srv){1, 2, 5060, name_of("example.com")};
    begin(&w, room, sizeof room, "_sip._udp.example.com", DNS_SRV);
    size_t n = w.n;
    assert_true(dns_put_record(&w, DNS_ANSWER, &s));
    assert_int_equal(w.n - n, 2 + 10 + 6 + 13);
    put16(room + n + 10, 8); /* the data's length */
    put16(room + n + 18, 0xc000 | (12 + 10));
    assert_int_equal(dns_parse(span_make(room, n + 20), &m), 0);
    struct dns_walk walk = dns_records(&m);
    assert_true(dns_next(&walk, &s));
    assert_data(&s, "1 2 5060 example.com");
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    uint8_t room[60];
    struct dns_writer w;
    struct dns_msg m;
    struct dns_record s = record_of("a.example.com", DNS_CNAME, 1);
    struct dns_record a = record_of("a.example.com", DNS_A, 1);
    (void)state;
    s.target = name_of("much.longer.name.in.another.domain.org");
    begin(&w, room, sizeof room, "a.example.com", DNS_A);
    size_t n = w.n;
    assert_false(dns_put_record(&w, DNS_ANSWER, &s));
    assert_int_equal(w.n, n);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    assert_false(dns_put_record(&w, DNS_ANSWER, &a));
    dns_set_truncated(&w);
    assert_int_equal(dns_parse(dns_end(&w), &m), 0);
    assert_int_equal(m.records[DNS_ANSWER], 1);
    assert_true(m.head.truncated);
}

/* RFC 6891 §6.2.3: less than 512 is 512. */
static void edns_says_the_room(void **state)
{
    uint8_t room[64];
    struct dns_writer w;
    struct dns_msg m;
    (void)state;
    begin(&w, room, sizeof room, "a", DNS_A);
    assert_true(dns_put_edns(&w, 1232));
    assert_int_equal(dns_parse(dns_end(&w), &m), 0);
    assert_int_equal(m.udp_room, 1232);
    begin(&w, room, sizeof room, "a", DNS_A);
    assert_true(dns_put_edns(&w, 100));
    assert_int_equal(dns_parse(dns_end(&w), &m), 0);
    assert_int_equal(m.udp_room, 512);
}

/* ---- answers ---- */

static struct dns_answer answer_of(const struct dns_writer *w)
{
    static struct dns_msg m;
    struct dns_answer answer;
    assert_int_equal(dns_parse(dns_end(w), &m), 0);
    dns_answer_find(&m, &answer);
    return answer;
}

static void put_alias(struct dns_writer *w, const char *name, const char *target, uint32_t ttl)
{
    struct dns_record c = record_of(name, DNS_CNAME, ttl);
    c.target = name_of(target);
    assert_true(dns_put_record(w, DNS_ANSWER, &c));
}

static void aliases_are_followed_rfc1034_3_6_2(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_record a = record_of("c.example.com", DNS_A, 50);
    (void)state;
    begin(&w, room, sizeof room, "a.example.com", DNS_A);
    put_alias(&w, "b.example.com", "c.example.com", 40); /* in any order */
    put_alias(&w, "a.example.com", "B.example.com", 60);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    a.ttl = 45;
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    a.name = name_of("d.example.com");
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    struct dns_answer answer = answer_of(&w);
    struct dns_name c = name_of("c.example.com");
    assert_int_equal(answer.n, 2);
    assert_int_equal(answer.ttl, 40);
    assert_true(dns_name_equal(&answer.name, &c));
}

static void aliases_in_a_ring_end(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    (void)state;
    begin(&w, room, sizeof room, "a.example.com", DNS_A);
    put_alias(&w, "a.example.com", "b.example.com", 60);
    put_alias(&w, "b.example.com", "a.example.com", 60);
    assert_int_equal(answer_of(&w).n, 0);
}

static void negative_ttl_rfc2308_5(void **state)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_record soa = record_of("example.com", DNS_SOA, 300);
    (void)state;
    begin(&w, room, sizeof room, "a.example.com", DNS_A);
    struct dns_answer answer = answer_of(&w);
    assert_false(answer.may_remember);
    assert_int_equal(answer.ttl, 0);
    soa.soa = (struct dns_soa){name_of("ns.example.com"), name_of("x.example.com"), .minimum = 60};
    assert_true(dns_put_record(&w, DNS_AUTHORITY, &soa));
    answer = answer_of(&w);
    assert_true(answer.may_remember);
    assert_int_equal(answer.ttl, 60);
    soa.soa.minimum = 600;
    begin(&w, room, sizeof room, "a.example.com", DNS_A);
    assert_true(dns_put_record(&w, DNS_AUTHORITY, &soa));
    assert_int_equal(answer_of(&w).ttl, 300);
}

/* ---- texts ---- */

static void srv_as_text_rfc2782(void **state)
{
    struct dns_srv srv;
    (void)state;
    assert_int_equal(dns_srv_parse(SPAN("0 0 0 ."), &srv), 0);
    assert_int_equal(srv.target.n, 1);
    assert_int_equal(dns_srv_parse(SPAN(" 1  2 3   a.b "), &srv), 0);
    assert_int_equal(srv.port, 3);
    assert_int_equal(dns_srv_parse(SPAN("1 2 a.b"), &srv), FE_ESYNTAX);
    assert_int_equal(dns_srv_parse(SPAN("1 2 3 a.b c"), &srv), FE_ESYNTAX);
    assert_int_equal(dns_srv_parse(SPAN("1 2 65536 a.b"), &srv), FE_ERANGE);
    assert_int_equal(dns_srv_parse(SPAN(""), &srv), FE_ESYNTAX);
}

static void naptr_as_text_rfc3403_4_1(void **state)
{
    struct dns_record r = record_of("a", DNS_NAPTR, 1);
    (void)state;
    assert_int_equal(dns_naptr_parse(SPAN("100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a b@c!\" ."), &r.naptr), 0);
    assert_data(&r, "100 10 u E2U+sip \"!^.*$!sip:a b@c!\" .");
    assert_int_equal(dns_naptr_parse(SPAN("100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.a.b"), &r.naptr), 0);
    assert_data(&r, "100 10 s SIP+D2U _sip._udp.a.b");
    assert_int_equal(dns_naptr_parse(SPAN("100 10 \"\" \"\" a"), &r.naptr), 0);
    assert_data(&r, "100 10 \"\" \"\" a");
    assert_int_equal(dns_naptr_parse(SPAN("100 10 s SIP+D2U"), &r.naptr), FE_ESYNTAX);
    assert_int_equal(dns_naptr_parse(SPAN("100 10 \"s SIP+D2U a"), &r.naptr), FE_ESYNTAX);
    assert_int_equal(dns_naptr_parse(SPAN("100 10 s t u v w"), &r.naptr), FE_ESYNTAX);
}

static void types_and_codes_have_names(void **state)
{
    char buf[64];
    struct text t = text_on(buf, sizeof buf);
    uint16_t type;
    (void)state;
    dns_type_text(&t, DNS_NAPTR);
    dns_type_text(&t, 65);
    dns_rcode_text(&t, DNS_REFUSED);
    dns_rcode_text(&t, 9);
    assert_string_equal(buf, "NAPTRTYPE65REFUSEDRCODE9");
    assert_int_equal(dns_type_parse(SPAN("srv"), &type), 0);
    assert_int_equal(type, DNS_SRV);
    assert_int_equal(dns_type_parse(SPAN("srvs"), &type), FE_EUNKNOWN);
}

/* ---- RFC 2782: the order of servers ---- */

enum { DRAWS = 20000 };

static void weights_are_shares(void **state)
{
    struct prng rng;
    unsigned first[4] = {0};
    static const uint16_t weights[] = {60, 20, 0, 20};
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("srv"));
    for (unsigned i = 0; i < DRAWS; i++) {
        struct dns_srv list[5] = {{.priority = 20, .weight = 100, .port = 9}};
        for (unsigned s = 0; s < 4; s++)
            list[s + 1] = (struct dns_srv){.priority = 10, .weight = weights[s], .port = (uint16_t)s};
        dns_srv_order(list, 5, &rng);
        assert_int_equal(list[4].port, 9); /* the lower priority comes last whatever its weight */
        assert_int_equal(list[0].port + list[1].port + list[2].port + list[3].port, 6);
        first[list[0].port]++;
    }
    assert_in_range(first[0], DRAWS * 57 / 100, DRAWS * 62 / 100);
    assert_in_range(first[1], DRAWS * 18 / 100, DRAWS * 22 / 100);
    assert_in_range(first[3], DRAWS * 18 / 100, DRAWS * 22 / 100);
    assert_in_range(first[2], 1, DRAWS * 2 / 100); /* "a very small chance" */
}

static void the_same_stream_gives_the_same_order(void **state)
{
    (void)state;
    struct dns_srv orders[2][8];
    for (unsigned i = 0; i < 2; i++) {
        struct prng rng;
        prng_init(&rng, 7, SPAN("alice"), SPAN("srv"));
        memset(orders[i], 0, sizeof orders[i]);
        for (unsigned s = 0; s < 8; s++)
            orders[i][s] = (struct dns_srv){.priority = 1, .weight = 10, .port = (uint16_t)s};
        dns_srv_order(orders[i], 8, &rng);
    }
    assert_memory_equal(orders[0], orders[1], sizeof orders[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_4_1_1),
        cmocka_unit_test(query_as_written_4_1_2),
        cmocka_unit_test(short_messages_are_refused),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(ttl_of_the_topmost_bit_is_none),
        cmocka_unit_test(every_type_there_and_back),
        cmocka_unit_test(names_are_compressed_4_1_4),
        cmocka_unit_test(srv_targets_are_not_compressed),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
        cmocka_unit_test(edns_says_the_room),
        cmocka_unit_test(aliases_are_followed_rfc1034_3_6_2),
        cmocka_unit_test(aliases_in_a_ring_end),
        cmocka_unit_test(negative_ttl_rfc2308_5),
        cmocka_unit_test(srv_as_text_rfc2782),
        cmocka_unit_test(naptr_as_text_rfc3403_4_1),
        cmocka_unit_test(types_and_codes_have_names),
        cmocka_unit_test(weights_are_shares),
        cmocka_unit_test(the_same_stream_gives_the_same_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
