#include "nodes/sbc/sbc_token.h"

#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/md5.h"

enum {
    PEER_DIGITS = 12,
    SOCKET_DIGITS = 2,
    SOCKET_BITS = 5, /* of those 8; the rest is the transport */
    CONNECTION_DIGITS = 16,
    MAC_BYTES = 10, /* HMAC-MD5-80: truncation to 80 bits is what RFC 2104 §5 permits */
    HMAC_BLOCK = 64,
};

static void hmac_pass(const struct sbc_token_key *key, uint8_t pad, struct span data, uint8_t out[MD5_BYTES])
{
    uint8_t block[HMAC_BLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < sizeof key->bytes; i++)
        block[i] ^= key->bytes[i];
    struct md5 md5;
    md5_init(&md5);
    md5_add(&md5, span_make(block, sizeof block));
    md5_add(&md5, data);
    md5_end(&md5, out);
}

/* HMAC-MD5 (RFC 2104 §2). */
static void authenticate(const struct sbc_token_key *key, struct span data, uint8_t out[MD5_BYTES])
{
    uint8_t inner[MD5_BYTES];
    hmac_pass(key, 0x36, data, inner);
    hmac_pass(key, 0x5c, span_make(inner, sizeof inner), out);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_u64(struct span digits, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = hex_digit(digits.p[i]);
        if (digit < 0)
            return FE_ESYNTAX;
        v = v << 4 | (uint64_t)digit;
    }
    *out = v;
    return 0;
}

void sbc_token_key_init(struct sbc_token_key *key, struct prng *rng)
{
    prng_bytes(rng, key->bytes, sizeof key->bytes);
}

/* A token is short in the common case: large messages over UDP are a problem of their own. */
void sbc_token_make(const struct sbc_token_key *key, struct sip_flow flow, char out[SBC_TOKEN_MAX + 1])
{
    struct endpoint at = flow.remote;
    uint8_t peer[] = {(uint8_t)(at.addr >> 24), (uint8_t)(at.addr >> 16), (uint8_t)(at.addr >> 8),
                      (uint8_t)at.addr,         (uint8_t)(at.port >> 8),  (uint8_t)at.port};
    uint8_t socket = (uint8_t)((unsigned)flow.transport << SOCKET_BITS | flow.socket);
    uint8_t connection[8];
    uint8_t mac[MD5_BYTES];
    struct text t = text_on(out, SBC_TOKEN_MAX + 1);
    for (unsigned i = 0; i < sizeof connection; i++)
        connection[i] = (uint8_t)(flow.connection >> (56 - 8 * i));
    text_hex(&t, peer, sizeof peer);
    if (flow.transport != SIP_UDP || flow.socket)
        text_hex(&t, &socket, 1);
    if (flow.transport != SIP_UDP)
        text_hex(&t, connection, sizeof connection);
    authenticate(key, text_span(&t), mac);
    text_hex(&t, mac, MAC_BYTES);
}

/* The next digits as a number; none are left: 0. */
static int take_digits(struct span *digits, size_t n, uint64_t *out)
{
    if (digits->n < n)
        n = digits->n;
    int error = hex_u64(span_make(digits->p, n), out);
    *digits = span_make(digits->p + n, digits->n - n);
    return error;
}

static int read_flow(struct span digits, struct sip_flow *flow)
{
    uint64_t peer;
    uint64_t socket;
    uint64_t connection;
    if (digits.n != PEER_DIGITS && digits.n != PEER_DIGITS + SOCKET_DIGITS &&
        digits.n != PEER_DIGITS + SOCKET_DIGITS + CONNECTION_DIGITS)
        return FE_ESYNTAX;
    bool first = digits.n == PEER_DIGITS;
    if (take_digits(&digits, PEER_DIGITS, &peer) || take_digits(&digits, SOCKET_DIGITS, &socket) ||
        take_digits(&digits, CONNECTION_DIGITS, &connection))
        return FE_ESYNTAX;
    *flow = (struct sip_flow){
        .transport = first ? SIP_UDP : (enum sip_transport)(socket >> SOCKET_BITS),
        .socket = (unsigned)(socket & (SBC_TOKEN_SOCKETS - 1)),
        .remote = {(ipv4)(peer >> 16), (uint16_t)peer},
        .connection = connection,
    };
    return 0;
}

int sbc_token_read(const struct sbc_token_key *key, struct span token, struct sip_flow *flow)
{
    struct sip_flow named;
    char expected[SBC_TOKEN_MAX + 1];
    if (token.n < 2 * MAC_BYTES || read_flow(span_make(token.p, token.n - 2 * MAC_BYTES), &named))
        return FE_ESYNTAX;
    sbc_token_make(key, named, expected);
    if (!span_is(token, expected))
        return FE_EREFUSED;
    *flow = named;
    return 0;
}
