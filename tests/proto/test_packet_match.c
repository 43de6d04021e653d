/* Which packets are meant: the words, and what they match, one packet at a time. */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "nodes/proto/packet_match.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <string.h>

static uint8_t packet[2048];

static size_t udp_of(uint16_t sport, uint16_t dport, struct span payload)
{
    struct ip_build ip = {.src = IPV4(192, 168, 1, 20), .dst = IPV4(203, 0, 113, 10), .ttl = 64};
    return ip_build_udp(packet, sizeof packet, &ip, sport, dport, payload);
}

static size_t tcp_of(uint16_t dport, uint8_t flags, struct span payload)
{
    size_t n = udp_of(40000, dport, SPAN(""));
    memset(packet + IP_HEADER, 0, 20);
    put16(packet + IP_HEADER, 40000);
    put16(packet + IP_HEADER + 2, dport);
    packet[IP_HEADER + 12] = 5 << 4;
    packet[IP_HEADER + 13] = flags;
    memcpy(packet + IP_HEADER + 20, payload.p, payload.n);
    n = IP_HEADER + 20 + payload.n;
    put16(packet + 2, (uint16_t)n);
    packet[9] = IP_TCP;
    ip_header_sum(packet);
    return n;
}

static struct packet_match match_of(const char *words)
{
    struct packet_match m = {0};
    assert_int_equal(packet_match_parse(span_of(words), &m), 0);
    return m;
}

static bool sip(const char *words, const char *message)
{
    struct packet_match m = match_of(words);
    return packet_matches(&m, packet, udp_of(5060, 5060, span_of(message)));
}

#define REGISTER  "REGISTER sip:lab.example SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nCSeq: 1 REGISTER\r\nExpires: 0\r\n\r\n"
#define OK_INVITE "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\ncseq :  7  INVITE\r\n\r\nCSeq: 1 BYE\r\n"

static void requests_and_responses_are_told_apart(void **state)
{
    (void)state;
    assert_true(sip("REGISTER", REGISTER));
    assert_true(sip("SIP", REGISTER));
    assert_true(sip("everything", REGISTER));
    assert_false(sip("INVITE", REGISTER));
    assert_false(sip("REGISTER", "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n"));
    assert_false(sip("200", REGISTER));
    assert_false(sip("RTP", REGISTER));
    assert_false(sip("REGISTER", "REGISTERED sip:lab.example SIP/2.0\r\n\r\n"));
    assert_false(sip("REGISTER", "REGISTER sip:lab.example HTTP/1.1\r\n\r\n"));
}

static void a_response_has_its_method_in_cseq(void **state)
{
    (void)state;
    assert_true(sip("200 INVITE", OK_INVITE));
    assert_true(sip("200", OK_INVITE));
    assert_true(sip("2xx INVITE", OK_INVITE));
    assert_true(sip("2xx", OK_INVITE));
    assert_true(sip("SIP", OK_INVITE));
    assert_false(sip("200 BYE", OK_INVITE)); /* stands in the body */
    assert_false(sip("180 INVITE", OK_INVITE));
    assert_false(sip("4xx INVITE", OK_INVITE));
    assert_false(sip("INVITE", OK_INVITE));
    assert_false(sip("200 INVITE", "SIP/2.0 2000 OK\r\n"));
    assert_false(sip("200 INVITE", "SIP/2.0 20"));
}

static void text_stands_anywhere_in_the_payload(void **state)
{
    (void)state;
    struct packet_match m = match_of("REGISTER");
    m.text = SPAN("Expires: 0");
    assert_true(packet_matches(&m, packet, udp_of(5060, 5060, SPAN(REGISTER))));
    m.text = SPAN("Expires: 1");
    assert_false(packet_matches(&m, packet, udp_of(5060, 5060, SPAN(REGISTER))));
}

static void keep_alives_are_crlf_alone(void **state)
{
    (void)state;
    assert_true(sip("keep-alive", "\r\n\r\n"));
    assert_true(sip("keep-alive", "\r\n"));
    assert_false(sip("keep-alive", "\r\n\r\n\r\n"));
    assert_false(sip("keep-alive", ""));
    assert_false(sip("keep-alive", REGISTER));
}

static void stun_rtp_and_rtcp_by_their_first_bytes(void **state)
{
    (void)state;
    static const char stun[] = "\0\1\0\0\x21\x12\xa4\x42tttttttttttt";
    static const char rtp[] = "\x80\x80\0\1\0\0\0\xa0\x1a\x2b\x3c\x4dvoice";
    static const char rtcp[] = "\x80\xc8\0\6\x1a\x2b\x3c\x4drest";
    struct packet_match m = match_of("STUN");
    assert_true(packet_matches(&m, packet, udp_of(1, 2, SPAN(stun))));
    assert_false(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtp))));
    m = match_of("RTP");
    assert_true(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtp))));
    assert_false(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtcp))));
    assert_false(packet_matches(&m, packet, udp_of(1, 2, SPAN(stun))));
    assert_false(packet_matches(&m, packet, udp_of(1, 2, (struct span){rtp, 11})));
    m.has_ssrc = true;
    m.ssrc = 0x1a2b3c4d;
    assert_true(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtp))));
    m.ssrc++;
    assert_false(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtp))));
    m = match_of("RTCP");
    m.has_ssrc = true;
    m.ssrc = 0x1a2b3c4d;
    assert_true(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtcp))));
    assert_false(packet_matches(&m, packet, udp_of(1, 2, SPAN(rtp))));
}

static void fragments_by_the_header(void **state)
{
    (void)state;
    static uint8_t piece[2048];
    static char large[1500];
    struct packet_match any = match_of("fragments");
    struct packet_match later = match_of("later fragments");
    struct packet_match invite = match_of("INVITE");
    memset(large, 'x', sizeof large);
    memcpy(large, "INVITE sip:a SIP/2.0\r\n", 22);
    size_t n = udp_of(5060, 5060, (struct span){large, sizeof large});
    assert_false(packet_matches(&any, packet, n));
    for (unsigned i = 0; i < 3; i++) {
        size_t piece_n = ip_fragment(piece, sizeof piece, packet, n, 576, i);
        assert_true(packet_matches(&any, piece, piece_n));
        assert_int_equal(packet_matches(&later, piece, piece_n), i > 0);
        assert_int_equal(packet_matches(&invite, piece, piece_n), i == 0);
    }
}

static void addresses_ports_protocol_and_size(void **state)
{
    (void)state;
    const ipv4 ours[] = {IPV4(10, 0, 0, 1), IPV4(192, 168, 1, 20)};
    struct packet_match m = {
        .src = ours, .src_n = 2, .sport = 5060, .dport = 5062, .protocol = IP_UDP, .least = 32, .most = 32};
    size_t n = udp_of(5060, 5062, SPAN("four"));
    assert_true(packet_matches(&m, packet, n));
    m.src_n = 1;
    assert_false(packet_matches(&m, packet, n));
    m.src_n = 0;
    m.dst = ours;
    m.dst_n = 2;
    assert_false(packet_matches(&m, packet, n));
    m.dst_n = 0;
    m.dport = 5061;
    assert_false(packet_matches(&m, packet, n));
    m.dport = 0;
    m.least = 33;
    assert_false(packet_matches(&m, packet, n));
    m.least = 0;
    m.most = 31;
    assert_false(packet_matches(&m, packet, n));
    m.most = 0;
    m.protocol = IP_TCP;
    assert_false(packet_matches(&m, packet, n));
    packet[8]++; /* the header checksum no longer holds: no packet at all */
    m.protocol = 0;
    assert_false(packet_matches(&m, packet, n));
}

static void dns_by_the_name_in_the_question(void **state)
{
    (void)state;
    static const char query[] = "\1\2\1\0\0\1\0\0\0\0\0\0\3sip\7Example\3com\0\0\1\0\1";
    struct packet_match m = match_of("DNS");
    size_t n = udp_of(40000, 53, SPAN(query));
    assert_true(packet_matches(&m, packet, n));
    m.name = SPAN("sip.example.com");
    assert_true(packet_matches(&m, packet, n));
    m.name = SPAN("sip.example");
    assert_false(packet_matches(&m, packet, n));
    m.name = SPAN("sip.example.com.net");
    assert_false(packet_matches(&m, packet, n));
    m.name = SPAN("");
    assert_false(packet_matches(&m, packet, udp_of(40000, 5353, SPAN(query))));
}

static void tls_and_tcp_flags(void **state)
{
    (void)state;
    struct packet_match hello = match_of("TLS ClientHello");
    struct packet_match alert = match_of("TLS alert");
    struct packet_match tls = match_of("TLS");
    struct packet_match syn = match_of("SYN");
    struct packet_match invite = match_of("INVITE");
    size_t n = tcp_of(5061, 0x18, SPAN("\x16\3\1\0\4\1\0\0\0"));
    assert_true(packet_matches(&hello, packet, n));
    assert_true(packet_matches(&tls, packet, n));
    assert_false(packet_matches(&alert, packet, n));
    assert_false(packet_matches(&syn, packet, n));
    assert_true(packet_matches(&syn, packet, tcp_of(5061, 2, SPAN(""))));
    assert_true(packet_matches(&invite, packet, tcp_of(5060, 0x18, SPAN("INVITE sip:a SIP/2.0\r\n\r\n"))));
    assert_false(packet_matches(&tls, packet, tcp_of(5060, 0x18, SPAN("INVITE sip:a SIP/2.0\r\n\r\n"))));
}

/* A row for each kind of segment, a column for each word. */
static void segments_by_what_they_carry(void **state)
{
    (void)state;
    enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
    static const struct {
        uint8_t flags;
        const char *bytes;
        size_t n;
        const char *matched; /* the words that it is meant by, each between bars */
    } rows[] = {
        {SYN, "", 0, "|SYN|"},
        {SYN | ACK, "", 0, "|SYN|SYN-ACK|"},
        {ACK, "", 0, "|TCP ACK|"},
        {FIN | ACK, "", 0, "|FIN|"},
        {RST | ACK, "", 0, "|RST|"},
        {PSH | ACK, "middle of a record", 18, "|TCP data|"},
        {PSH | ACK, "\x14\3\3\0\1\1", 6, "|TCP data|TLS|TLS ChangeCipherSpec|"},
        {PSH | ACK, "\x16\3\3\0\4\x10\0\0\0", 9, "|TCP data|TLS|TLS handshake|TLS ClientKeyExchange|"},
        {PSH | ACK, "\x17\3\3\0\1\0", 6, "|TCP data|TLS|TLS application data|"},
    };
    static const char *const words[] = {"SYN",
                                        "SYN-ACK",
                                        "FIN",
                                        "RST",
                                        "TCP ACK",
                                        "TCP data",
                                        "TLS",
                                        "TLS handshake",
                                        "TLS ChangeCipherSpec",
                                        "TLS ClientKeyExchange",
                                        "TLS application data"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            char barred[64];
            struct packet_match m = match_of(words[k]);
            snprintf(barred, sizeof barred, "|%s|", words[k]);
            bool expected = strstr(rows[i].matched, barred) != NULL;
            if (packet_matches(&m, packet, tcp_of(5061, rows[i].flags, span_make(rows[i].bytes, rows[i].n))) !=
                expected)
                fail_msg("%s, row %zu", words[k], i);
        }
    struct packet_match data = match_of("TCP data");
    assert_false(packet_matches(&data, packet, udp_of(5060, 5060, SPAN("data"))));
}

static void other_words_are_refused_and_change_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           "register",   "20",  "2000",  "700",         "200 ",
                                        "200 invite", "INVITE 200", "2x0", "later", "200 INVITE X"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct packet_match m = {.kind = PACKET_STUN, .status = 9};
        assert_int_equal(packet_match_parse(span_of(wrong[i]), &m), FE_ESYNTAX);
        assert_int_equal(m.kind, PACKET_STUN);
        assert_int_equal(m.status, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_responses_are_told_apart),
        cmocka_unit_test(a_response_has_its_method_in_cseq),
        cmocka_unit_test(text_stands_anywhere_in_the_payload),
        cmocka_unit_test(keep_alives_are_crlf_alone),
        cmocka_unit_test(stun_rtp_and_rtcp_by_their_first_bytes),
        cmocka_unit_test(fragments_by_the_header),
        cmocka_unit_test(segments_by_what_they_carry),
        cmocka_unit_test(addresses_ports_protocol_and_size),
        cmocka_unit_test(dns_by_the_name_in_the_question),
        cmocka_unit_test(tls_and_tcp_flags),
        cmocka_unit_test(other_words_are_refused_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
