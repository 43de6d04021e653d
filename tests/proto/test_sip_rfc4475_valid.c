/* RFC 4475 §3.1.1: strange, but right. */
#include "tests/proto/sip_rfc4475.h"

#include "nodes/proto/sip_uri.h"

static struct judged j;

static void test_3_1_1_1_short_tortuous_invite(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
                          "TO :\r\n"
                          " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
                          "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"
                          "  ;\r\n"
                          "  tag = 98asjd8\r\n"
                          "MaX-fOrWaRdS: 0068\r\n"
                          "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
                          "Content-Length   : 150\r\n"
                          "cseq: 0009\r\n"
                          "  INVITE\r\n"
                          "Via  : SIP  /   2.0\r\n"
                          " /UDP\r\n"
                          "    192.0.2.2;branch=390skdjuw\r\n"
                          "s :\r\n"
                          "NewFangledHeader:   newfangled value\r\n"
                          " continued newfangled value\r\n"
                          "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
                          "Content-Type: application/sdp\r\n"
                          "Route:\r\n"
                          " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
                          "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
                          "  branch  =   z9hG4bK9ikj8  ,\r\n"
                          " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"
                          " z9hG4bK30239\r\n"
                          "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
                          "      newvalue ;\r\n"
                          "  secondparam ; q = 0.33\r\n"
                          "\r\n" SDP_BODY("192.0.2.3", "0 0")));
    assert_span_equal(j.core.to.tag, "1918181833n");
    assert_span_equal(j.core.to.uri, "sip:vivekg@chair-dnrc.example.com");
    assert_span_equal(j.core.from.tag, "98asjd8");
    assert_span_equal(j.core.from.display, "J Rosenberg \\\\\\\"");
    assert_int_equal(j.core.max_forwards, 68);
    assert_int_equal(j.core.cseq.number, 9);
    assert_int_equal(j.m.body.n, 150);
    assert_int_equal(j.core.via.transport, SIP_UDP);
    assert_span_equal(j.core.via.host, "192.0.2.2");
    assert_span_equal(sip_value(&j.m, SIP_H_SUBJECT), "");
    assert_span_equal(sip_find_name(&j.m, SPAN("unknownheaderwithunusualvalue"))->value, ";;,,;;,;");
}

static void test_3_1_1_1_lists_run_over_folds_and_headers(void **state)
{
    (void)state;
    test_3_1_1_1_short_tortuous_invite(state); /* leaves its message in j */
    struct sip_list vias = sip_list(&j.m, SIP_H_VIA);
    static const char *const branches[] = {"390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"};
    struct span value;
    struct sip_via via;
    for (size_t i = 0; i < 3; i++) {
        assert_true(sip_list_next(&vias, &value));
        assert_int_equal(sip_via_parse(value, &via), 0);
        assert_span_equal(via.branch, branches[i]);
    }
    assert_false(sip_list_next(&vias, &value));
    struct sip_contact contact;
    assert_int_equal(sip_contact_parse(sip_value(&j.m, SIP_H_CONTACT), &contact), 0);
    assert_int_equal(contact.q, 330);
    assert_true(sip_param(contact.addr.params, "newparam", &value));
    assert_span_equal(value, "newvalue");
}

#define STRANGE_METHOD "!interesting-Method0123456789_*+`.%indeed'~"
#define STRANGE_USER   "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
#define STRANGE_SECRET "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"

static void test_3_1_1_2_wide_range_of_valid_characters(void **state)
{
    (void)state;
    assert_valid(&j, SPAN(STRANGE_METHOD
                          " sip:" STRANGE_USER ":" STRANGE_SECRET "@example.com SIP/2.0\r\n"
                          "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n"
                          "To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" <sip:" STRANGE_USER "@example.com>\r\n"
                          "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
                          ";fromParam''~+*_!.-%=\"\u0440\u0430\u0431\u043e\u0442\u0430\u044e\u0449\u0438\u0439\""
                          ";tag=_token~1'+`*%!-.\r\n"
                          "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
                          "CSeq: 139122385 " STRANGE_METHOD "\r\n"
                          "Max-Forwards: 255\r\n"
                          "extensionHeader-!.%*+_`'~:\ufeff\u5927\u505c\u96fb\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n"));
    struct sip_uri uri;
    assert_int_equal(sip_uri_parse(j.m.uri, &uri), 0);
    assert_span_equal(uri.user, STRANGE_USER);
    assert_span_equal(uri.password, STRANGE_SECRET);
    assert_int_equal(j.m.method, SIP_EXTENSION_METHOD);
    assert_span_equal(j.core.from.display, "token1~` token2'+_ token3*%!.-");
    assert_span_equal(j.core.from.tag, "_token~1'+`*%!-.");
    assert_int_equal(j.core.max_forwards, 255);
}

static void test_3_1_1_3_valid_use_of_escapes(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n"
                          "To: sip:%75se%72@example.com\r\n"
                          "From: <sip:I%20have%20spaces@example.net>;tag=938\r\n"
                          "Max-Forwards: 87\r\n"
                          "i: esc01.239409asdfakjkn23onasd0-3234\r\n"
                          "CSeq: 234234 INVITE\r\n"
                          "Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\r\n"
                          "C: application/sdp\r\n"
                          "Contact:\r\n"
                          "  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\r\n"
                          "Content-Length: 150\r\n"
                          "\r\n" SDP_BODY("192.0.2.1", "0 0")));
    struct sip_uri to;
    struct sip_uri plain;
    char user[32];
    struct text t = text_on(user, sizeof user);
    assert_int_equal(sip_uri_parse(j.m.uri, &to), 0);
    assert_int_equal(sip_unescape(&t, to.user), 0);
    assert_string_equal(user, "sips:user@example.com");
    assert_int_equal(sip_uri_parse(j.core.to.uri, &to), 0);
    assert_int_equal(sip_uri_parse(SPAN("sip:user@example.com"), &plain), 0);
    assert_true(sip_uri_equal(&to, &plain));
}

static void test_3_1_1_4_escaped_nulls_in_uris(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "To: sip:null-%00-null@example.com\r\n"
                          "From: sip:null-%00-null@example.com;tag=839923423\r\n"
                          "Max-Forwards: 70\r\n"
                          "Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\r\n"
                          "CSeq: 14398234 REGISTER\r\n"
                          "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\r\n"
                          "Contact: <sip:%00@host5.example.com>\r\n"
                          "Contact: <sip:%00%00@host5.example.com>\r\n"
                          "L:0\r\n"
                          "\r\n"));
    struct sip_list contacts = sip_list(&j.m, SIP_H_CONTACT);
    struct span value;
    struct sip_contact contact;
    struct sip_uri uri[2];
    for (size_t i = 0; i < 2; i++) {
        assert_true(sip_list_next(&contacts, &value));
        assert_int_equal(sip_contact_parse(value, &contact), 0);
        assert_int_equal(sip_uri_parse(contact.addr.uri, &uri[i]), 0);
    }
    assert_false(sip_uri_equal(&uri[0], &uri[1]));
}

static void test_3_1_1_5_percent_that_is_no_escape(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("RE%47IST%45R sip:registrar.example.com SIP/2.0\r\n"
                          "To: \"%Z%45\" <sip:resource@example.com>\r\n"
                          "From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\r\n"
                          "Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\r\n"
                          "Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\r\n"
                          "CSeq: 29344 RE%47IST%45R\r\n"
                          "Max-Forwards: 70\r\n"
                          "Contact: <sip:alias1@host1.example.com>\r\n"
                          "C%6Fntact: <sip:alias2@host2.example.com>\r\n"
                          "Contact: <sip:alias3@host3.example.com>\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    assert_int_equal(j.m.method, SIP_EXTENSION_METHOD);
    assert_int_equal(sip_header_id(SPAN("C%6Fntact")), SIP_H_OTHER);
    const struct sip_header *second = sip_find_next(&j.m, sip_find(&j.m, SIP_H_CONTACT));
    assert_span_equal(second->value, "<sip:alias3@host3.example.com>");
    assert_null(sip_find_next(&j.m, second));
}

static void test_3_1_1_6_no_blank_between_display_name_and_bracket(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: caller<sip:caller@example.com>;tag=323\r\n"
                          "Max-Forwards: 70\r\n"
                          "Call-ID: lwsdisp.1234abcd@funky.example.com\r\n"
                          "CSeq: 60 OPTIONS\r\n"
                          "Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    assert_span_equal(j.core.from.display, "caller");
}

static void repeat(struct text *t, const char *s, unsigned times)
{
    while (times--)
        text_str(t, s);
}

/* Vias 33 to 1, in every spelling of the name. */
static void put_many_vias(struct text *t)
{
    static const char *const spellings[] = {
        "Via: ", "v: ",   "V: ",   "Via: ", "ViA: ", "VIa: ", "VIA: ",  "via: ",  "viA: ",
        "vIa: ", "vIA: ", "V :  ", "v :  ", "V  : ", "v  : ", "Via : ", "Via  : "};
    for (unsigned number = 33; number > 0; number--) {
        unsigned at = 33 - number;
        text_str(t, at < sizeof spellings / sizeof *spellings ? spellings[at] : "Via: ");
        text_str(t, "SIP/2.0/TCP sip");
        text_u64(t, number);
        text_str(t, ".example.com\r\n");
    }
    text_str(t, "Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very");
    repeat(t, "long", 50);
    text_str(t, "branchvalue\r\n");
}

static void put_long_addresses(struct text *t)
{
    text_str(t, "To: \"I have a user name of ");
    repeat(t, "extreme", 10);
    text_str(t, " proportion\"<sip:user@example.com:6000;unknownparam1=very");
    repeat(t, "long", 20);
    text_str(t, "value;longparam");
    repeat(t, "name", 25);
    text_str(t, "=shortvalue;very");
    repeat(t, "long", 25);
    text_str(t, "ParameterNameWithNoValue>\r\nF: sip:");
    repeat(t, "amazinglylongcallername", 5);
    text_str(t, "@example.net;tag=1");
    repeat(t, "298", 47);
    text_str(t, "2424;unknownheaderparam");
    repeat(t, "name", 20);
    text_str(t, "=unknowheaderparam");
    repeat(t, "value", 15);
    text_str(t, ";unknownValueless");
    repeat(t, "paramname", 10);
    text_str(t, "\r\n");
}

static void put_long_unknown_header(struct text *t)
{
    text_str(t, "Unknown-");
    repeat(t, "Long", 20);
    text_str(t, "-Name: unknown-");
    repeat(t, "long", 20);
    text_str(t, "-value; unknown-");
    repeat(t, "long", 20);
    text_str(t, "-parameter-name = unknown-");
    repeat(t, "long", 20);
    text_str(t, "-parameter-value\r\n");
}

static void test_3_1_1_7_long_values(void **state)
{
    (void)state;
    static char buffer[8192];
    struct text t = text_on(buffer, sizeof buffer);
    text_str(&t, "INVITE sip:user@example.com SIP/2.0\r\n");
    put_long_addresses(&t);
    text_str(&t, "Call-ID: longreq.one");
    repeat(&t, "really", 20);
    text_str(&t, "longcallid\r\nCSeq: 3882340 INVITE\r\n");
    put_long_unknown_header(&t);
    put_many_vias(&t);
    text_str(&t, "Max-Forwards: 70\r\nContact: <sip:");
    repeat(&t, "amazinglylongcallername", 5);
    text_str(&t, "@host5.example.net>\r\nContent-Type: application/sdp\r\nl: 150\r\n\r\n");
    text_str(&t, SDP_BODY("192.0.2.1", "0 0"));
    assert_true(text_ok(&t));
    assert_valid(&j, text_span(&t));
    size_t vias = 0;
    struct span value;
    for (struct sip_list list = sip_list(&j.m, SIP_H_VIA); sip_list_next(&list, &value);)
        vias++;
    assert_int_equal(vias, 34);
    assert_span_equal(j.core.via.host, "sip33.example.com");
}

static void test_3_1_1_8_extra_octets_in_a_datagram(void **state)
{
    (void)state;
    static const char message[] = "REGISTER sip:example.com SIP/2.0\r\n"
                                  "To: sip:j.user@example.com\r\n"
                                  "From: sip:j.user@example.com;tag=43251j3j324\r\n"
                                  "Max-Forwards: 8\r\n"
                                  "I: dblreq.0ha0isndaksdj99sdfafnl3lk233412\r\n"
                                  "Contact: sip:j.user@host.example.com\r\n"
                                  "CSeq: 8 REGISTER\r\n"
                                  "Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\r\n"
                                  "Content-Length: 0\r\n"
                                  "\r\n"
                                  "\r\n"
                                  "INVITE sip:joe@example.com SIP/2.0\r\n"
                                  "t: sip:joe@example.com\r\n"
                                  "From: sip:caller@example.net;tag=141334\r\n"
                                  "Max-Forwards: 8\r\n"
                                  "Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15\r\n"
                                  "CSeq: 8 INVITE\r\n"
                                  "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234\r\n"
                                  "Content-Type: application/sdp\r\n"
                                  "Content-Length: 150\r\n"
                                  "\r\n" SDP_BODY("192.0.2.15", "0 0");
    assert_valid(&j, SPAN(message));
    assert_int_equal(j.m.method, SIP_REGISTER);
    assert_int_equal(j.m.body.n, 0);
    assert_true(j.m.bytes.n < sizeof message / 2);
}

static void test_3_1_1_9_semicolons_in_the_user_part(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n"
                          "To: sip:j_user@example.com\r\n"
                          "From: sip:caller@example.org;tag=33242\r\n"
                          "Max-Forwards: 3\r\n"
                          "Call-ID: semiuri.0ha0isndaksdj\r\n"
                          "CSeq: 8 OPTIONS\r\n"
                          "Accept: application/sdp, application/pkcs7-mime,\r\n"
                          "        multipart/mixed, multipart/signed,\r\n"
                          "        message/sip, message/sipfrag\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    struct sip_uri uri;
    assert_int_equal(sip_uri_parse(j.m.uri, &uri), 0);
    assert_span_equal(uri.user, "user;par=u%40example.net");
    assert_span_equal(uri.host, "example.com");
    assert_int_equal(uri.params.n, 0);
    assert_true(sip_lists(&j.m, SIP_H_ACCEPT, "message/sipfrag"));
}

static void test_3_1_1_10_varied_and_unknown_transports(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: <sip:caller@example.com>;tag=323\r\n"
                          "Max-Forwards: 70\r\n"
                          "Call-ID:  transports.kijh4akdnaqjkwendsasfdj\r\n"
                          "Accept: application/sdp\r\n"
                          "CSeq: 60 OPTIONS\r\n"
                          "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\r\n"
                          "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\r\n"
                          "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\r\n"
                          "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\r\n"
                          "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    static const enum sip_transport transports[] = {SIP_UDP, SIP_SCTP, SIP_TLS, SIP_TRANSPORT_OTHER, SIP_TCP};
    struct sip_list vias = sip_list(&j.m, SIP_H_VIA);
    struct span value;
    struct sip_via via;
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
        assert_true(sip_list_next(&vias, &value));
        assert_int_equal(sip_via_parse(value, &via), 0);
        assert_int_equal(via.transport, transports[i]);
    }
}

/* The RFC's body ends in a signature; here every byte value there is stands for it. */
static void test_3_1_1_11_multipart_with_binary(void **state)
{
    (void)state;
    static char buffer[2048];
    struct text t = text_on(buffer, sizeof buffer);
    text_str(&t,
             "MESSAGE sip:kumiko@example.org SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport\r\n"
             "Max-Forwards: 70\r\n"
             "Route: <sip:127.0.0.1:5080>\r\n"
             "Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuLIK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUaZngQ"
             "mXc9WNZSDNGCzA+fWl9MEUHWIZo1CeJebdY/XlgKeTa0Olvq0rt70Q5jiSfbqMJmQFteeivUhkMWYUA=\r\n"
             "Contact: <sip:fluffy@127.0.0.1:5070>\r\n"
             "To: <sip:kumiko@example.org>\r\n"
             "From: <sip:fluffy@example.com>;tag=2fb0dcc9\r\n"
             "Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..\r\n"
             "CSeq: 1 MESSAGE\r\n"
             "Content-Transfer-Encoding: binary\r\n"
             "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\n"
             "Date: Sat, 15 Oct 2005 04:44:56 GMT\r\n"
             "User-Agent: SIPimp.org/0.2.5 (curses)\r\n"
             "Content-Length: 460\r\n"
             "\r\n"
             "--7a9cbec02ceef655\r\n"
             "Content-Type: text/plain\r\n"
             "Content-Transfer-Encoding: binary\r\n"
             "\r\n"
             "Hello\r\n"
             "--7a9cbec02ceef655\r\n"
             "Content-Type: application/octet-stream\r\n"
             "Content-Transfer-Encoding: binary\r\n"
             "\r\n");
    for (int byte = 0; byte <= UINT8_MAX; byte++)
        text_char(&t, (char)byte);
    text_str(&t, "\r\n--7a9cbec02ceef655--\r\n");
    assert_valid(&j, text_span(&t));
    assert_int_equal(j.m.body.n, 460);
    assert_true(sip_body_is(&j.m, "multipart", "mixed"));
    assert_true(j.core.via.has_rport);
}

static void test_3_1_1_12_unusual_reason_phrase(void **state)
{
    (void)state;
    static const char phrase[] =
        "= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f\u043d\u043e\u0441\u0442\u043e "
        "\u0434\u0435\u0432\u044f\u0442\u044c - \u043f\u0440\u043e\u0441\u0442\u043e\u0435";
    static char buffer[2048];
    struct text t = text_on(buffer, sizeof buffer);
    text_str(&t, "SIP/2.0 200 ");
    text_str(&t, phrase);
    text_str(&t, "\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
                 "Call-ID: unreason.1234ksdfak3j2erwedfsASdf\r\n"
                 "CSeq: 35 INVITE\r\n"
                 "From: sip:user@example.com;tag=11141343\r\n"
                 "To: sip:user@example.edu;tag=2229\r\n"
                 "Content-Length: 154\r\n"
                 "Content-Type: application/sdp\r\n"
                 "Contact: <sip:user@host198.example.com>\r\n"
                 "\r\n" SDP_BODY("192.0.2.198", "0 0"));
    assert_valid(&j, text_span(&t));
    assert_int_equal(j.m.status, 200);
    assert_int_equal(j.m.method, SIP_INVITE);
    assert_span_equal(j.m.reason, phrase);
}

static void test_3_1_1_13_empty_reason_phrase(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("SIP/2.0 100 \r\n"
                          "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\r\n"
                          "Call-ID: noreason.asndj203insdf99223ndf\r\n"
                          "CSeq: 35 INVITE\r\n"
                          "From: <sip:user@example.com>;tag=39ansfi3\r\n"
                          "To: <sip:user@example.edu>;tag=902jndnke3\r\n"
                          "Content-Length: 0\r\n"
                          "Contact: <sip:user@host105.example.com>\r\n"
                          "\r\n"));
    assert_int_equal(j.m.status, 100);
    assert_int_equal(j.m.reason.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_3_1_1_1_short_tortuous_invite),
        cmocka_unit_test(test_3_1_1_1_lists_run_over_folds_and_headers),
        cmocka_unit_test(test_3_1_1_2_wide_range_of_valid_characters),
        cmocka_unit_test(test_3_1_1_3_valid_use_of_escapes),
        cmocka_unit_test(test_3_1_1_4_escaped_nulls_in_uris),
        cmocka_unit_test(test_3_1_1_5_percent_that_is_no_escape),
        cmocka_unit_test(test_3_1_1_6_no_blank_between_display_name_and_bracket),
        cmocka_unit_test(test_3_1_1_7_long_values),
        cmocka_unit_test(test_3_1_1_8_extra_octets_in_a_datagram),
        cmocka_unit_test(test_3_1_1_9_semicolons_in_the_user_part),
        cmocka_unit_test(test_3_1_1_10_varied_and_unknown_transports),
        cmocka_unit_test(test_3_1_1_11_multipart_with_binary),
        cmocka_unit_test(test_3_1_1_12_unusual_reason_phrase),
        cmocka_unit_test(test_3_1_1_13_empty_reason_phrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
