#include "nodes/base/error.h"
#include "nodes/proto/ip.h"

struct icmp_word {
    uint8_t type, code;
    const char *name;
};

static const struct icmp_word icmp_words[] = {
    {ICMP_ECHO_REPLY, 0, "echo-reply"},
    {ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, "net-unreachable"},
    {ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, "host-unreachable"},
    {ICMP_UNREACHABLE, 2, "protocol-unreachable"},
    {ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, "port-unreachable"},
    {ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, "frag-needed"},
    {ICMP_UNREACHABLE, 13, "prohibited"},
    {ICMP_ECHO, 0, "echo"},
    {ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, "time-exceeded"},
    {ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_EXCEEDED, "reassembly-exceeded"},
};

const char *icmp_name(uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < sizeof icmp_words / sizeof icmp_words[0]; i++)
        if (icmp_words[i].type == type && icmp_words[i].code == code)
            return icmp_words[i].name;
    return type == ICMP_UNREACHABLE ? "unreachable" : type == ICMP_PARAMETER ? "parameter-problem" : "other";
}

static void describe_protocol(struct text *t, const struct ip_view *v)
{
    if (v->protocol == IP_UDP) {
        text_str(t, "udp");
    } else if (v->protocol == IP_TCP) {
        text_str(t, "tcp");
    } else if (v->protocol == IP_ICMP) {
        text_str(t, "icmp");
    } else {
        text_str(t, "protocol ");
        text_u64(t, v->protocol);
    }
}

/* ICMP identifiers and IP identifications stay out: kernels pick them at random. */
static void describe_ends(struct text *t, const struct ip_view *v)
{
    bool ports = v->has_ports && v->protocol != IP_ICMP;
    if (ports)
        text_endpoint(t, (struct endpoint){v->src, v->sport});
    else
        text_addr(t, v->src);
    text_str(t, " > ");
    if (ports)
        text_endpoint(t, (struct endpoint){v->dst, v->dport});
    else
        text_addr(t, v->dst);
}

static void describe_view(struct text *t, const struct ip_view *v)
{
    describe_protocol(t, v);
    if (ip_is_fragment(v)) {
        text_str(t, " fragment ");
        text_u64(t, (v->fragment & IP_OFFSET) * 8u);
        text_char(t, '+');
        text_u64(t, v->total - (unsigned)v->header);
    }
    if (v->protocol == IP_ICMP && !ip_is_later_fragment(v)) {
        text_char(t, ' ');
        text_str(t, icmp_name(v->icmp_type, v->icmp_code));
    }
    text_char(t, ' ');
    describe_ends(t, v);
}

void ip_describe(struct text *t, const uint8_t *packet, size_t n)
{
    struct ip_view v;
    int error = ip_parse(packet, n, &v);
    if (error) {
        text_str(t, error == FE_ESHORT ? "cut IPv4 packet, " : "malformed packet, ");
        text_u64(t, n);
        text_str(t, " bytes");
        return;
    }
    describe_view(t, &v);
    struct span quoted = icmp_quoted(packet, &v);
    struct ip_view inner;
    if (quoted.n && ip_parse_quoted((const uint8_t *)quoted.p, quoted.n, &inner) == 0) {
        text_str(t, " about ");
        describe_view(t, &inner);
    }
}
