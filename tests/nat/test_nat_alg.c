/* The SIP ALG, by whole packets through the engine (rig.h draws the network). Messages are compared to the byte;
 * rig_check has looked at the checksums of all that leaves. */
#include "nodes/nat/nat_alg.h"
#include "tests/nat/rig.h"

#define PHONE EP(A, 5060)
#define SBC   EP(S, 5060)
#define FACE  EP(PUBLIC, 5060)

#define INVITE(via, contact)                                                                                           \
    "INVITE sip:102@lab.example SIP/2.0\r\n"                                                                           \
    "Via: SIP/2.0/UDP " via ";branch=z9hG4bK1;rport\r\n"                                                               \
    "Max-Forwards: 70\r\n"                                                                                             \
    "From: <sip:101@lab.example>;tag=1\r\n"                                                                            \
    "To: <sip:102@lab.example>\r\n"                                                                                    \
    "Call-ID: 10.0.0.2@10.0.0.2\r\n"                                                                                   \
    "CSeq: 1 INVITE\r\n"                                                                                               \
    "m: \"Alice\" <sip:101@" contact ";x=10.0.0.2>;q=1\r\n"
#define SDP_BODY(addr, port)                                                                                           \
    "v=0\r\n"                                                                                                          \
    "o=- 1 1 IN IP4 " addr "\r\n"                                                                                      \
    "s=-\r\n"                                                                                                          \
    "c=IN IP4 " addr "\r\n"                                                                                            \
    "t=0 0\r\n"                                                                                                        \
    "m=audio " port " RTP/AVP 0\r\n"
#define WITH_SDP(length) "Content-Type: application/sdp\r\nContent-Length: " length "\r\n\r\n"

#define OFFER      INVITE("10.0.0.2:5060", "10.0.0.2") WITH_SDP("86") SDP_BODY("10.0.0.2", "10000")
#define OFFER_SEEN INVITE("203.0.113.7:5060", "203.0.113.7") WITH_SDP("92") SDP_BODY("203.0.113.7", "10000")

static const struct nat_alg_config whole = {.port = 5060,
                                            .via = true,
                                            .contact = true,
                                            .restores = true,
                                            .fixes_length = true,
                                            .pinholes = NAT_ALG_PINHOLES_ANYONE,
                                            .pinhole_timeout = 180 * SEC};

struct noted {
    char text[1000];
    unsigned n;
};

static struct noted noted;

static void note(void *arg, const struct nat_alg_note *n)
{
    struct noted *to = arg;
    struct text t = {to->text, strlen(to->text), sizeof to->text, false};
    text_put(&t, n->message);
    text_char(&t, ' ');
    text_str(&t, n->what);
    text_char(&t, ' ');
    text_put(&t, n->from);
    text_char(&t, ' ');
    text_put(&t, n->to);
    text_char(&t, '\n');
    to->n++;
}

static void start(struct rig *r, const struct nat_alg_config *config)
{
    noted = (struct noted){0};
    assert_int_equal(nat_alg_start(r->nat, config, note, &noted), 0);
}

static void send_text(struct rig *r, enum nat_side from, struct endpoint src, struct endpoint dst, const char *text)
{
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64, .id = 7, .tos = 0x60};
    rig_send(r, from, ip_build_udp(r->sent, sizeof r->sent, &ip, src.port, dst.port, span_of(text)));
}

/* What left carries this payload, and nothing else about it is odd. */
static void assert_payload(const struct rig *r, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->v.total, IP_HEADER + UDP_HEADER + n);
    assert_int_equal(r->got.n, r->v.total);
    assert_int_equal(get16(r->got.packet + IP_HEADER + 4), UDP_HEADER + n);
    assert_int_equal(r->v.id, 7);
    assert_int_equal(r->v.tos, 0x60);
    assert_int_equal(r->v.ttl, 63);
    assert_memory_equal(r->got.packet + IP_HEADER + UDP_HEADER, text, n);
}

static void sent_becomes(struct rig *r, const char *text, const char *seen)
{
    send_text(r, NAT_INSIDE, PHONE, SBC, text);
    assert_payload(r, seen);
    assert_forwarded(r, NAT_OUTSIDE, FACE, SBC);
}

/* After something was sent, so that there is a mapping. */
static void received_becomes(struct rig *r, const char *text, const char *seen)
{
    rig_udp(r, NAT_INSIDE, PHONE, SBC);
    send_text(r, NAT_OUTSIDE, SBC, FACE, text);
    assert_payload(r, seen);
    assert_forwarded(r, NAT_INSIDE, SBC, PHONE);
}

/* ---- what an ALG is meant to do ---- */

static void offer_names_the_public_endpoint(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_int_equal(r->created, 3); /* of SIP, RTP and RTCP */
    assert_string_equal(noted.text, "INVITE via 10.0.0.2:5060 203.0.113.7:5060\n"
                                    "INVITE contact 10.0.0.2 203.0.113.7\n"
                                    "INVITE origin 10.0.0.2 203.0.113.7\n"
                                    "INVITE media 10.0.0.2:10000 203.0.113.7:10000\n");
}

static void offer_names_the_ports_that_were_mapped(void **state)
{
    struct rig *r = *state;
    r->config.ports = NAT_PORTS_SEQUENTIAL;
    rig_new(r);
    start(r, &whole);
    send_text(r, NAT_INSIDE, PHONE, SBC, OFFER);
    assert_payload(r, INVITE("203.0.113.7:1024", "203.0.113.7:1024") WITH_SDP("91") SDP_BODY("203.0.113.7", "1025"));
}

static void a_message_that_is_repeated_is_rewritten_alike(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r, OFFER, OFFER_SEEN);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_int_equal(r->created, 3);
}

#define ANSWER(via, contact)                                                                                           \
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " via ";branch=z9hG4bK1;received=203.0.113.7\r\nCSeq: 2 REGISTER\r\n"          \
    "Contact: <sip:101@" contact ">;expires=60, <sip:101@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"

static void what_comes_in_names_the_inside_again(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    received_becomes(r, ANSWER("203.0.113.7", "203.0.113.7:5060"), ANSWER("10.0.0.2", "10.0.0.2:5060"));
    received_becomes(r, "BYE sip:101@203.0.113.7 SIP/2.0\r\nCSeq: 9 BYE\r\n\r\n",
                     "BYE sip:101@10.0.0.2 SIP/2.0\r\nCSeq: 9 BYE\r\n\r\n");
}

static void another_port_of_the_phone_is_found_both_ways(void **state)
{
    struct rig *r = *state;
    uint16_t port = rig_mapped(r, EP(A, 6000), SBC);
    assert_int_equal(port, 6000);
    start(r, &whole);
    sent_becomes(r, "OPTIONS sip:s SIP/2.0\r\nContact: <sip:10.0.0.2:6000>\r\n\r\n",
                 "OPTIONS sip:s SIP/2.0\r\nContact: <sip:203.0.113.7:6000>\r\n\r\n");
    received_becomes(r, "OPTIONS sip:203.0.113.7:6000 SIP/2.0\r\n\r\n", "OPTIONS sip:10.0.0.2:6000 SIP/2.0\r\n\r\n");
}

static void what_is_not_the_senders_own_stays(void **state)
{
    static const char other[] = INVITE("10.0.0.3:5060", "phone.example") WITH_SDP("86") SDP_BODY("10.0.0.3", "10000");
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r, other, other);
    assert_int_equal(noted.n, 0);
    assert_ptr_equal(r->got.packet, r->packet);
}

static void hold_and_refused_streams_stay_so(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r,
                 "INVITE sip:b SIP/2.0\r\nc: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\n"
                 "c=IN IP4 0.0.0.0\r\nm=audio 10000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nc=IN IP4 10.0.0.2\r\n",
                 "INVITE sip:b SIP/2.0\r\nc: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 203.0.113.7\r\ns=-\r\n"
                 "c=IN IP4 0.0.0.0\r\nm=audio 10000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nc=IN IP4 203.0.113.7\r\n");
    assert_int_equal(r->created, 1);
}

static void bytes_around_the_message_stay(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r, "\r\n\r\nBYE sip:b SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.2\r\nl: 2\r\n\r\nabcd",
                 "\r\n\r\nBYE sip:b SIP/2.0\r\nv: SIP/2.0/UDP 203.0.113.7\r\nl: 2\r\n\r\nabcd");
}

static void one_to_one_keeps_ports_and_needs_no_pinhole(void **state)
{
    struct rig *r = *state;
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = PUBLIC;
    r->config.pool_n = 0;
    rig_new(r);
    start(r, &whole);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_int_equal(r->created, 0);
    received_becomes(r, "BYE sip:203.0.113.7:6000 SIP/2.0\r\n\r\n", "BYE sip:10.0.0.2:6000 SIP/2.0\r\n\r\n");
}

/* ---- pinholes ---- */

static bool media_comes_in(struct rig *r, struct endpoint from)
{
    return rig_reached(r, from, 10000) && rig_reached(r, from, 10001);
}

static void pinholes_let_in_whom_they_are_for(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    start(r, &config);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_true(media_comes_in(r, EP(S, 20000)));
    assert_true(media_comes_in(r, EP(T, 20000)));
    rig_new(r);
    config.pinholes = NAT_ALG_PINHOLES_PEER;
    start(r, &config);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_true(media_comes_in(r, EP(S, 20000)));
    assert_false(rig_reached(r, EP(T, 20000), 10000));
    assert_dropped(r, NAT_FILTERED);
    rig_new(r);
    config.pinholes = NAT_ALG_PINHOLES_NONE;
    start(r, &config);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_false(rig_reached(r, EP(S, 20000), 10000));
    assert_dropped(r, NAT_NO_MAPPING);
}

static void pinholes_serve_address_dependent_filters_too(void **state)
{
    struct rig *r = *state;
    r->config.filtering = NAT_ADDRESS_DEPENDENT;
    rig_new(r);
    start(r, &whole);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_true(media_comes_in(r, EP(T, 20000)));
    assert_false(rig_reached(r, EP(T, 5060), 5060)); /* signalling has none */
}

static void pinholes_close(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    sent_becomes(r, OFFER, OFFER_SEEN);
    r->now = 179 * SEC;
    sent_becomes(r, OFFER, OFFER_SEEN); /* announced again */
    r->now = 358 * SEC;
    nat_expire(r->nat, r->now);
    assert_true(media_comes_in(r, EP(T, 20000)));
    r->now = 359 * SEC;
    nat_expire(r->nat, r->now);
    assert_int_equal(r->expired, 2);
    assert_false(rig_reached(r, EP(T, 20000), 10000));
}

static void without_a_port_the_media_line_stays(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){5060, 5060};
    rig_new(r);
    start(r, &whole);
    sent_becomes(r, OFFER,
                 INVITE("203.0.113.7:5060", "203.0.113.7")
                     WITH_SDP("89") "v=0\r\no=- 1 1 IN IP4 203.0.113.7\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio "
                                    "10000 RTP/AVP 0\r\n");
}

/* ---- the halves ---- */

static void each_place_can_be_left_out(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    config.via = false;
    start(r, &config);
    sent_becomes(r, OFFER, INVITE("10.0.0.2:5060", "203.0.113.7") WITH_SDP("92") SDP_BODY("203.0.113.7", "10000"));
    config = whole;
    config.contact = false;
    start(r, &config);
    sent_becomes(r, OFFER, INVITE("203.0.113.7:5060", "10.0.0.2") WITH_SDP("92") SDP_BODY("203.0.113.7", "10000"));
    received_becomes(r, "BYE sip:101@203.0.113.7 SIP/2.0\r\n\r\n", "BYE sip:101@203.0.113.7 SIP/2.0\r\n\r\n");
    config = whole;
    config.sdp = NAT_ALG_SDP_NONE;
    start(r, &config);
    sent_becomes(r, OFFER, INVITE("203.0.113.7:5060", "203.0.113.7") WITH_SDP("86") SDP_BODY("10.0.0.2", "10000"));
    config = whole;
    config.restores = false;
    start(r, &config);
    received_becomes(r, ANSWER("203.0.113.7", "203.0.113.7"), ANSWER("203.0.113.7", "203.0.113.7"));
    config.strict = true; /* reads what comes in, and still leaves it alone */
    start(r, &config);
    received_becomes(r, ANSWER("203.0.113.7", "203.0.113.7"), ANSWER("203.0.113.7", "203.0.113.7"));
}

#define OK_WITH(length, addr) "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nContact: <sip:" addr ">\r\n" WITH_SDP(length)

static void answers_can_be_left_out(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    start(r, &config);
    sent_becomes(r, OK_WITH("86", "10.0.0.2") SDP_BODY("10.0.0.2", "10000"),
                 OK_WITH("92", "203.0.113.7") SDP_BODY("203.0.113.7", "10000"));
    config.sdp = NAT_ALG_SDP_REQUESTS;
    start(r, &config);
    sent_becomes(r, OK_WITH("86", "10.0.0.2") SDP_BODY("10.0.0.2", "10000"),
                 OK_WITH("86", "203.0.113.7") SDP_BODY("10.0.0.2", "10000"));
    sent_becomes(r, OFFER, OFFER_SEEN);
}

static void content_length_can_be_left_as_it_was(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    config.fixes_length = false;
    start(r, &config);
    sent_becomes(r, OFFER, INVITE("203.0.113.7:5060", "203.0.113.7") WITH_SDP("86") SDP_BODY("203.0.113.7", "10000"));
}

/* ---- what it does not look at ---- */

static void other_ports_are_not_looked_at(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    config.strict = true;
    start(r, &config);
    send_text(r, NAT_INSIDE, PHONE, EP(S, 5080), OFFER);
    assert_payload(r, OFFER);
    send_text(r, NAT_INSIDE, PHONE, EP(S, 5080), "no SIP at all");
    assert_payload(r, "no SIP at all");
    config.port = 5080;
    start(r, &config);
    send_text(r, NAT_INSIDE, PHONE, EP(S, 5080), OFFER);
    assert_payload(r, OFFER_SEEN);
}

static void stopped_it_is_a_nat_like_any_other(void **state)
{
    struct rig *r = *state;
    start(r, &whole);
    nat_alg_stop(r->nat);
    nat_alg_stop(r->nat);
    sent_becomes(r, OFFER, OFFER);
}

static void inside_to_inside_is_not_looked_at(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    start(r, &whole);
    rig_udp(r, NAT_INSIDE, EP(B, 5060), SBC);
    send_text(r, NAT_INSIDE, EP(A, 7000), FACE, OFFER);
    assert_payload(r, OFFER);
}

/* ---- what it cannot read ---- */

static const char *const unreadable[] = {
    "this is no SIP message",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0 UDP 10.0.0.2\r\n\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\nContact: <sip:\r\n\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\nContact: <sip:a@>\r\n\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\nContent-Length: 9\r\n\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n",
};

static void what_cannot_be_read_passes_or_is_dropped(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        config.strict = false;
        start(r, &config);
        sent_becomes(r, unreadable[i], unreadable[i]);
        config.strict = true;
        start(r, &config);
        send_text(r, NAT_INSIDE, PHONE, SBC, unreadable[i]);
        assert_dropped(r, NAT_ALG_UNPARSABLE);
        send_text(r, NAT_OUTSIDE, SBC, FACE, i == 6 ? unreadable[0] : unreadable[i]);
        assert_dropped(r, NAT_ALG_UNPARSABLE);
    }
    assert_int_equal(noted.n, 0);
    assert_int_equal(r->created, 1); /* no media port */
    assert_string_equal(nat_cause_text(NAT_ALG_UNPARSABLE), "alg-unparsed");
}

static void keep_alives_pass_rfc5626_3_5_1(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    config.strict = true;
    start(r, &config);
    sent_becomes(r, "\r\n\r\n", "\r\n\r\n");
    received_becomes(r, "\r\n", "\r\n");
}

static void what_nat_drops_is_not_looked_at(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    config.strict = true;
    start(r, &config);
    send_text(r, NAT_OUTSIDE, SBC, FACE, "no SIP, and no mapping either");
    assert_dropped(r, NAT_NO_MAPPING);
}

static void a_wrong_checksum_is_not_made_right(void **state)
{
    struct rig *r = *state;
    struct ip_build ip = {.src = A, .dst = S, .ttl = 64};
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, 5060, 5060, span_of(OFFER));
    r->sent[n - 3] ^= 1;
    start(r, &whole);
    memcpy(r->packet, r->sent, n);
    nat_packet(r->nat, NAT_INSIDE, r->packet, n, 0, &r->got);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->got.n, n);
    assert_false(ip_transport_sum_ok(r->got.packet, n));
}

static void no_checksum_stays_none_rfc768(void **state)
{
    struct rig *r = *state;
    struct ip_build ip = {.src = A, .dst = S, .ttl = 64, .id = 7, .tos = 0x60};
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, 5060, 5060, span_of(OFFER));
    put16(r->sent + IP_HEADER + 6, 0);
    start(r, &whole);
    rig_send(r, NAT_INSIDE, n);
    assert_payload(r, OFFER_SEEN);
    assert_int_equal(get16(r->got.packet + IP_HEADER + 6), 0);
}

/* ---- size ---- */

static void fragments_are_half_messages(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    uint8_t packet[1000];
    struct ip_build ip = {.src = A, .dst = S, .ttl = 64, .id = 9};
    size_t n = ip_build_udp(packet, sizeof packet, &ip, 5060, 5060, span_of(OFFER));
    size_t first = ip_fragment(r->sent, sizeof r->sent, packet, n, 300, 0);
    start(r, &config);
    rig_send(r, NAT_INSIDE, first);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_memory_equal(r->got.packet + IP_HEADER + UDP_HEADER, OFFER, first - IP_HEADER - UDP_HEADER);
    config.strict = true;
    start(r, &config);
    put16(packet + 4, 10);
    ip_header_sum(packet);
    rig_send(r, NAT_INSIDE, ip_fragment(r->sent, sizeof r->sent, packet, n, 300, 0));
    assert_dropped(r, NAT_ALG_UNPARSABLE);
    rig_send(r, NAT_INSIDE, ip_fragment(r->sent, sizeof r->sent, packet, n, 300, 1));
    assert_dropped(r, NAT_ALG_UNPARSABLE);
}

static void a_message_may_outgrow_the_mtu(void **state)
{
    struct nat_alg_config config = whole;
    struct rig *r = *state;
    size_t fits = IP_HEADER + UDP_HEADER + strlen(OFFER);
    r->config.mtu[NAT_OUTSIDE] = (uint16_t)fits;
    rig_new(r);
    start(r, &config);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_true(r->got.fragment);
    config.drops_grown = true;
    start(r, &config);
    send_text(r, NAT_INSIDE, PHONE, SBC, OFFER);
    assert_dropped(r, NAT_TOO_BIG);
    assert_false(r->got.fragment);
    r->config.mtu[NAT_OUTSIDE] = (uint16_t)(fits + 12);
    nat_configure(r->nat, &r->config);
    sent_becomes(r, OFFER, OFFER_SEEN);
    assert_false(r->got.fragment);
}

static void grown_with_df_the_sender_is_told_rfc1191_4(void **state)
{
    struct rig *r = *state;
    struct ip_build ip = {.src = A, .dst = S, .ttl = 64, .fragment = IP_DF};
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, 5060, 5060, span_of(OFFER));
    r->config.mtu[NAT_OUTSIDE] = (uint16_t)n;
    rig_new(r);
    start(r, &whole);
    rig_send(r, NAT_INSIDE, n);
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.cause, NAT_TOO_BIG);
    assert_int_equal(r->got.side, NAT_INSIDE);
    assert_int_equal(r->v.src, INSIDE);
    assert_int_equal(r->v.dst, A);
    assert_int_equal(r->v.icmp_code, ICMP_FRAG_NEEDED);
    assert_int_equal(get16(r->got.packet + IP_HEADER + 6), n);
    struct span quoted = icmp_quoted(r->got.packet, &r->v);
    assert_memory_equal(quoted.p, r->sent, quoted.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(offer_names_the_public_endpoint),
        RIG_TEST(offer_names_the_ports_that_were_mapped),
        RIG_TEST(a_message_that_is_repeated_is_rewritten_alike),
        RIG_TEST(what_comes_in_names_the_inside_again),
        RIG_TEST(another_port_of_the_phone_is_found_both_ways),
        RIG_TEST(what_is_not_the_senders_own_stays),
        RIG_TEST(hold_and_refused_streams_stay_so),
        RIG_TEST(bytes_around_the_message_stay),
        RIG_TEST(one_to_one_keeps_ports_and_needs_no_pinhole),
        RIG_TEST(pinholes_let_in_whom_they_are_for),
        RIG_TEST(pinholes_serve_address_dependent_filters_too),
        RIG_TEST(pinholes_close),
        RIG_TEST(without_a_port_the_media_line_stays),
        RIG_TEST(each_place_can_be_left_out),
        RIG_TEST(answers_can_be_left_out),
        RIG_TEST(content_length_can_be_left_as_it_was),
        RIG_TEST(other_ports_are_not_looked_at),
        RIG_TEST(stopped_it_is_a_nat_like_any_other),
        RIG_TEST(inside_to_inside_is_not_looked_at),
        RIG_TEST(what_cannot_be_read_passes_or_is_dropped),
        RIG_TEST(keep_alives_pass_rfc5626_3_5_1),
        RIG_TEST(what_nat_drops_is_not_looked_at),
        RIG_TEST(a_wrong_checksum_is_not_made_right),
        RIG_TEST(no_checksum_stays_none_rfc768),
        RIG_TEST(fragments_are_half_messages),
        RIG_TEST(a_message_may_outgrow_the_mtu),
        RIG_TEST(grown_with_df_the_sender_is_told_rfc1191_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
