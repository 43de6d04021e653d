#include "nodes/proto/packet_match.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/dns.h"
#include "nodes/proto/ip.h"

/* ---- the words ---- */

/* RFC 5246 §6.2.1, §7.4. */
enum { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };
enum {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11,
    TLS_CLIENT_KEY_EXCHANGE = 16,
};
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

static const struct {
    const char *word;
    enum packet_kind kind;
    uint8_t record, handshake, flags;
} words[] = {
    {"everything", PACKET_ANY, 0, 0, 0},
    {"SIP", PACKET_SIP, 0, 0, 0},
    {"keep-alive", PACKET_KEEP_ALIVE, 0, 0, 0},
    {"STUN", PACKET_STUN, 0, 0, 0},
    {"RTP", PACKET_RTP, 0, 0, 0},
    {"RTCP", PACKET_RTCP, 0, 0, 0},
    {"ICMP", PACKET_ICMP, 0, 0, 0},
    {"fragments", PACKET_FRAGMENT, 0, 0, 0},
    {"later fragments", PACKET_LATER_FRAGMENT, 0, 0, 0},
    {"DNS", PACKET_DNS, 0, 0, 0},
    {"TLS", PACKET_TLS, 0, 0, 0},
    {"TLS ClientHello", PACKET_TLS, TLS_HANDSHAKE, TLS_CLIENT_HELLO, 0},
    {"TLS ServerHello", PACKET_TLS, TLS_HANDSHAKE, TLS_SERVER_HELLO, 0},
    {"TLS Certificate", PACKET_TLS, TLS_HANDSHAKE, TLS_CERTIFICATE, 0},
    {"TLS ClientKeyExchange", PACKET_TLS, TLS_HANDSHAKE, TLS_CLIENT_KEY_EXCHANGE, 0},
    {"TLS handshake", PACKET_TLS, TLS_HANDSHAKE, 0, 0},
    {"TLS ChangeCipherSpec", PACKET_TLS, TLS_CHANGE_CIPHER_SPEC, 0, 0},
    {"TLS application data", PACKET_TLS, TLS_APPLICATION_DATA, 0, 0},
    {"TLS alert", PACKET_TLS, TLS_ALERT, 0, 0},
    {"SYN", PACKET_TCP_FLAG, 0, 0, TCP_SYN},
    {"SYN-ACK", PACKET_TCP_FLAG, 0, 0, TCP_SYN | TCP_ACK},
    {"FIN", PACKET_TCP_FLAG, 0, 0, TCP_FIN},
    {"RST", PACKET_TCP_FLAG, 0, 0, TCP_RST},
    {"TCP data", PACKET_TCP_DATA, 0, 0, 0},
    {"TCP ACK", PACKET_TCP_ACK, 0, 0, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Methods that people write in capitals (RFC 3261 §7.1 allows any token). */
static bool is_method(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 'A' || s.p[i] > 'Z')
            return false;
    return s.n > 0 && s.n <= 20;
}

/* "200", "2xx": a response; false: no status. */
static bool status_read(struct span s, struct packet_match *m)
{
    if (s.n != 3 || s.p[0] < '1' || s.p[0] > '6')
        return false;
    unsigned class = (unsigned)(s.p[0] - '0');
    if (s.p[1] == 'x' && s.p[2] == 'x') {
        m->status_class = (uint16_t) class;
        return true;
    }
    if (!is_digit(s.p[1]) || !is_digit(s.p[2]))
        return false;
    m->status = (uint16_t)(class * 100 + (unsigned)(s.p[1] - '0') * 10 + (unsigned)(s.p[2] - '0'));
    return true;
}

static int sip_words(struct span text, struct packet_match *out)
{
    struct packet_match m = *out;
    struct span rest = text;
    struct span first = span_cut(rest, ' ', &rest);
    m.response = status_read(first, &m);
    m.method = m.response ? span_trim(rest) : first;
    bool alone = rest.p == NULL;
    if (m.response ? !alone && !is_method(m.method) : !alone || !is_method(first))
        return FE_ESYNTAX;
    m.kind = PACKET_SIP;
    *out = m;
    return 0;
}

int packet_match_parse(struct span text, struct packet_match *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_is(text, words[i].word)) {
            out->kind = words[i].kind;
            out->record = words[i].record;
            out->handshake = words[i].handshake;
            out->flags = words[i].flags;
            return 0;
        }
    return sip_words(text, out);
}

/* ---- the payload ---- */

static struct span payload_of(const uint8_t *packet, const struct ip_view *v)
{
    size_t at = v->header;
    if (ip_is_later_fragment(v))
        return (struct span){0};
    if (v->protocol == IP_UDP)
        at += UDP_HEADER;
    else if (v->protocol == IP_TCP && v->header + 13u <= v->total)
        at += (packet[at + 12] >> 4) * 4u;
    else if (v->protocol == IP_ICMP)
        at += ICMP_HEADER;
    return at < v->total ? span_make(packet + at, v->total - at) : (struct span){0};
}

static bool has_text(struct span payload, struct span text)
{
    for (size_t i = 0; i + text.n <= payload.n; i++)
        if (span_equal((struct span){payload.p + i, text.n}, text))
            return true;
    return false;
}

/* ---- SIP ---- */

static struct span line_cut(struct span *rest)
{
    struct span line = span_cut(*rest, '\n', rest);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* The method in "CSeq: 2 INVITE" (RFC 3261 §20.16): the header has no short form. */
static struct span cseq_method(struct span headers)
{
    while (headers.n) {
        struct span value;
        struct span line = line_cut(&headers);
        if (span_empty(line))
            break;
        struct span name = span_trim(span_cut(line, ':', &value));
        if (!value.p || !span_equal_nocase(name, SPAN("CSeq")))
            continue;
        struct span method;
        span_cut(span_trim(value), ' ', &method);
        return span_trim(method);
    }
    return (struct span){0};
}

static bool status_matches(const struct packet_match *m, struct span line)
{
    uint64_t status;
    if (line.n < 11 || span_u64((struct span){line.p + 8, 3}, 699, &status))
        return false;
    if (m->status_class)
        return status / 100 == m->status_class;
    return m->status == 0 || status == m->status;
}

static bool sip_matches(const struct packet_match *m, struct span payload)
{
    static const char version[] = " SIP/2.0";
    enum { VERSION = sizeof version - 1 };
    struct span headers = payload;
    struct span line = line_cut(&headers);
    if (span_starts(line, SPAN("SIP/2.0 "))) {
        bool wanted = m->response || span_empty(m->method);
        return wanted && status_matches(m, line) &&
               (span_empty(m->method) || span_equal(cseq_method(headers), m->method));
    }
    if (m->response || line.n <= VERSION || memcmp(line.p + line.n - VERSION, version, VERSION) != 0)
        return false;
    struct span rest;
    struct span method = span_cut(line, ' ', &rest);
    return span_empty(m->method) || span_equal(method, m->method);
}

/* ---- others ---- */

static uint8_t byte_at(struct span s, size_t at)
{
    return (uint8_t)s.p[at];
}

static uint32_t word_at(struct span s, size_t at)
{
    return get32((const uint8_t *)s.p + at);
}

static bool is_stun(struct span s)
{
    return s.n >= 20 && byte_at(s, 0) >> 6 == 0 && word_at(s, 4) == 0x2112a442;
}

static bool rtp_matches(const struct packet_match *m, struct span s)
{
    enum { RTCP_FIRST = 192, RTCP_LAST = 223 };
    bool rtcp = m->kind == PACKET_RTCP;
    if (s.n < (rtcp ? 8u : 12u) || byte_at(s, 0) >> 6 != 2)
        return false;
    bool is_rtcp = byte_at(s, 1) >= RTCP_FIRST && byte_at(s, 1) <= RTCP_LAST;
    return is_rtcp == rtcp && (!m->has_ssrc || word_at(s, rtcp ? 4 : 8) == m->ssrc);
}

/* The question's name begins right behind the header. */
static bool dns_name_matches(struct span message, struct span wanted)
{
    size_t at = DNS_HEADER;
    struct dns_name asked;
    struct dns_name name;
    return dns_name_parse(wanted, &name) == 0 && dns_name_read(message, &at, &asked) == 0 &&
           dns_name_equal(&asked, &name);
}

static bool dns_matches(const struct packet_match *m, const struct ip_view *v, struct span s)
{
    size_t at = v->protocol == IP_TCP ? 2 : 0; /* RFC 1035 §4.2.2: the length first */
    if (!v->has_ports || (v->sport != DNS_PORT && v->dport != DNS_PORT) || s.n < at + DNS_HEADER)
        return false;
    return span_empty(m->name) || dns_name_matches((struct span){s.p + at, s.n - at}, m->name);
}

static bool tls_matches(const struct packet_match *m, const struct ip_view *v, struct span s)
{
    enum { FIRST = 20, LAST = 23, RECORD_HEADER = 5 };
    if (v->protocol != IP_TCP || s.n <= RECORD_HEADER || byte_at(s, 0) < FIRST || byte_at(s, 0) > LAST ||
        byte_at(s, 1) != 3)
        return false;
    return (!m->record || byte_at(s, 0) == m->record) && (!m->handshake || byte_at(s, RECORD_HEADER) == m->handshake);
}

/* 0: no segment begins here. */
static uint8_t tcp_flags(const uint8_t *packet, const struct ip_view *v)
{
    bool begins = v->protocol == IP_TCP && !ip_is_later_fragment(v) && v->header + 14u <= v->total;
    return begins ? packet[v->header + 13] : 0;
}

static bool tcp_matches(const struct packet_match *m, const uint8_t *packet, const struct ip_view *v, struct span s)
{
    uint8_t flags = tcp_flags(packet, v);
    if (m->kind == PACKET_TCP_DATA)
        return v->protocol == IP_TCP && !span_empty(s);
    if (m->kind == PACKET_TCP_ACK)
        return (flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST)) == TCP_ACK && span_empty(s);
    return (flags & m->flags) == m->flags;
}

static bool kind_matches(const struct packet_match *m, const uint8_t *packet, const struct ip_view *v, struct span s)
{
    bool transport = v->protocol == IP_UDP || v->protocol == IP_TCP;
    bool udp = v->protocol == IP_UDP;
    switch (m->kind) {
    case PACKET_ANY: return true;
    case PACKET_SIP: return transport && sip_matches(m, s);
    case PACKET_KEEP_ALIVE: return transport && (span_is(s, "\r\n\r\n") || span_is(s, "\r\n"));
    case PACKET_STUN: return transport && is_stun(s);
    case PACKET_RTP:
    case PACKET_RTCP: return udp && rtp_matches(m, s);
    case PACKET_ICMP: return v->protocol == IP_ICMP;
    case PACKET_FRAGMENT: return ip_is_fragment(v);
    case PACKET_LATER_FRAGMENT: return ip_is_later_fragment(v);
    case PACKET_DNS: return transport && dns_matches(m, v, s);
    case PACKET_TLS: return tls_matches(m, v, s);
    case PACKET_TCP_FLAG:
    case PACKET_TCP_DATA:
    case PACKET_TCP_ACK: return tcp_matches(m, packet, v, s);
    }
    return false;
}

/* ---- the header ---- */

static bool is_one_of(ipv4 addr, const ipv4 *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == addr)
            return true;
    return n == 0;
}

static bool header_matches(const struct packet_match *m, const struct ip_view *v)
{
    if (m->protocol && v->protocol != m->protocol)
        return false;
    if ((m->sport || m->dport) && !v->has_ports)
        return false;
    if ((m->sport && v->sport != m->sport) || (m->dport && v->dport != m->dport))
        return false;
    if (v->total < m->least || (m->most && v->total > m->most))
        return false;
    return is_one_of(v->src, m->src, m->src_n) && is_one_of(v->dst, m->dst, m->dst_n);
}

bool packet_matches(const struct packet_match *m, const uint8_t *packet, size_t n)
{
    struct ip_view v;
    if (ip_parse(packet, n, &v) || !header_matches(m, &v))
        return false;
    struct span payload = payload_of(packet, &v);
    return kind_matches(m, packet, &v, payload) && (span_empty(m->text) || has_text(payload, m->text));
}
