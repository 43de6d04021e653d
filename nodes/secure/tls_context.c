#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "nodes/secure/identity.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/secure_time.h"
#include "nodes/secure/tls_private.h"

#include <assert.h>
#if SECURE_TLS_1_3
#include <psa/crypto.h>
#endif
#include <stdlib.h>

enum { TICKET_SECONDS = 24 * 3600 };

const char *const tls_version_words[] = {"1.0", "1.1", "1.2", "1.3", NULL};
const char *const tls_ask_words[] = {"no", "optional", "required", NULL};

bool tls_version_known(enum tls_version v)
{
    switch (v) {
    case TLS_1_0:
    case TLS_1_1: return !SECURE_MBEDTLS_3;
    case TLS_1_2: return true;
    case TLS_1_3: return SECURE_TLS_1_3;
    }
    return false;
}

struct tls_config tls_config_of(enum tls_role role)
{
    return (struct tls_config){
        .role = role, .least = TLS_1_2, .most = TLS_1_2, .resume = true, .verify_dates = true, .verify_name = true};
}

/* ---- what must be there (PH-3) ---- */

static const struct {
    enum tls_material which;
    const char *name;
} materials[] = {
    {TLS_INTERMEDIATES, "root and intermediate certificates"},
    {TLS_CERTIFICATE, "local certificate"},
    {TLS_KEY, "private key"},
    {TLS_TRUST, "trusted certificates"},
};
enum { MATERIALS = sizeof materials / sizeof materials[0] };

static unsigned given(const struct tls_config *c)
{
    return (c->intermediates.n ? TLS_INTERMEDIATES : 0u) | (c->certificate.n ? TLS_CERTIFICATE : 0u) |
           (c->key.n ? TLS_KEY : 0u) | (c->trust.n ? TLS_TRUST : 0u);
}

static unsigned needed(const struct tls_config *c)
{
    unsigned needs = c->needs;
    if (c->role == TLS_SERVER || given(c) & (TLS_CERTIFICATE | TLS_KEY))
        needs |= TLS_CERTIFICATE | TLS_KEY;
    if (c->role == TLS_CLIENT || c->ask != TLS_ASK_NOTHING)
        needs |= TLS_TRUST;
    return needs;
}

static int check_materials(const struct tls_config *c, struct text *why)
{
    unsigned missing = needed(c) & ~given(c);
    unsigned left = missing;
    const char *before = "TLS needs the ";
    for (int i = 0; i < MATERIALS; i++) {
        if (!(left & materials[i].which))
            continue;
        left &= ~(unsigned)materials[i].which;
        text_str(why, before);
        text_str(why, materials[i].name);
        before = left & (left - 1) ? ", the " : " and the ";
    }
    if (missing)
        text_str(why, missing & (missing - 1) || missing & (TLS_INTERMEDIATES | TLS_TRUST) ? ", which are missing"
                                                                                           : ", which is missing");
    return missing ? FE_EUNKNOWN : 0;
}

static int check_versions(const struct tls_config *c, struct text *why)
{
    if (c->least <= c->most && tls_version_known(c->least) && tls_version_known(c->most))
        return 0;
    if (c->least > c->most) {
        text_str(why, "the least TLS version, ");
        text_str(why, tls_version_words[c->least]);
        text_str(why, ", is above the most, ");
        text_str(why, tls_version_words[c->most]);
    } else {
        text_str(why, "the library of this build does not speak TLS ");
        text_str(why, tls_version_words[tls_version_known(c->least) ? c->most : c->least]);
    }
    return FE_ERANGE;
}

/* ---- reading ---- */

struct chain_reader {
    mbedtls_x509_crt *chain;
    bool roots; /* take self-signed ones too */
};

static struct span whole(const mbedtls_x509_crt *c)
{
    return span_make(c->raw.p, c->raw.len);
}

static bool has(const mbedtls_x509_crt *chain, const mbedtls_x509_crt *one)
{
    for (; chain; chain = chain->next)
        if (span_equal(whole(chain), whole(one)))
            return true;
    return false;
}

/* Each certificate once: an intermediate may stand behind one's own and in the file of intermediates too. */
static int chain_add(void *arg, struct span der)
{
    const struct chain_reader *r = arg;
    mbedtls_x509_crt one;
    mbedtls_x509_crt_init(&one);
    int bad = mbedtls_x509_crt_parse_der(&one, (const unsigned char *)der.p, der.n);
    bool wanted = !bad && !has(r->chain, &one) && (r->roots || !identity_is_self_signed(&one));
    mbedtls_x509_crt_free(&one);
    if (wanted)
        bad = mbedtls_x509_crt_parse_der(r->chain, (const unsigned char *)der.p, der.n);
    return bad == MBEDTLS_ERR_X509_ALLOC_FAILED ? FE_EMEM : bad ? FE_ESYNTAX : 0;
}

static int key_set(void *arg, struct span der)
{
    struct tls_context *c = arg;
    if (mbedtls_pk_get_type(&c->key) != MBEDTLS_PK_NONE)
        return FE_ESYNTAX; /* a second one */
#if SECURE_MBEDTLS_3
    int bad = mbedtls_pk_parse_key(&c->key, (const unsigned char *)der.p, der.n, NULL, 0, secure_random, &c->random);
#else
    int bad = mbedtls_pk_parse_key(&c->key, (const unsigned char *)der.p, der.n, NULL, 0);
#endif
    return bad == MBEDTLS_ERR_PK_ALLOC_FAILED ? FE_EMEM : bad ? FE_ESYNTAX : 0;
}

static int unreadable(int error, enum tls_material which, struct text *why)
{
    for (int i = 0; error == FE_ESYNTAX && i < MATERIALS; i++)
        if (materials[i].which == which) {
            text_str(why, "the ");
            text_str(why, materials[i].name);
            text_str(why, which == TLS_KEY ? " cannot be read; expected one key in PEM, not encrypted"
                                           : " cannot be read; expected PEM");
        }
    return error;
}

static int read_chain(mbedtls_x509_crt *to, bool roots, struct span text, enum tls_material which, struct text *why)
{
    struct chain_reader r = {to, roots};
    return text.n ? unreadable(pki_text_each(text, PKI_TEXT_CERTIFICATE, chain_add, &r), which, why) : 0;
}

static int read_materials(struct tls_context *c, const struct tls_config *config, struct text *why)
{
    int error = read_chain(&c->chain, true, config->certificate, TLS_CERTIFICATE, why);
    if (!error)
        error = read_chain(&c->chain, false, config->intermediates, TLS_INTERMEDIATES, why);
    if (!error)
        error = read_chain(&c->trust, true, config->trust, TLS_TRUST, why);
    if (!error && config->key.n)
        error = unreadable(pki_text_each(config->key, PKI_TEXT_KEY, key_set, c), TLS_KEY, why);
    return error;
}

static int check_pair(struct tls_context *c, struct text *why)
{
#if SECURE_MBEDTLS_3
    int bad = mbedtls_pk_check_pair(&c->chain.pk, &c->key, secure_random, &c->random);
#else
    int bad = mbedtls_pk_check_pair(&c->chain.pk, &c->key);
#endif
    if (bad)
        text_str(why, "the private key is not that of the local certificate");
    return bad ? FE_EREFUSED : 0;
}

/* ---- the library's configuration ---- */

/* P-256 first: its default, P-521, costs ten times as much. */
#if SECURE_MBEDTLS_3
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
#endif

static void set_groups(mbedtls_ssl_config *conf)
{
#if SECURE_MBEDTLS_3
    mbedtls_ssl_conf_groups(conf, groups);
#else
    mbedtls_ssl_conf_curves(conf, groups);
#endif
}

static int auth_mode(const struct tls_config *c)
{
    if (c->role == TLS_CLIENT || c->ask == TLS_REQUIRE_CERTIFICATE)
        return MBEDTLS_SSL_VERIFY_REQUIRED;
    return c->ask == TLS_ASK_CERTIFICATE ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE;
}

static int set_tickets(struct tls_context *c)
{
    bool resume = c->config.resume;
    if (c->config.role == TLS_CLIENT) {
        mbedtls_ssl_conf_session_tickets(&c->conf, resume ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                          : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
        return 0;
    }
    if (!resume)
        return 0;
    mbedtls_ssl_ticket_init(&c->tickets);
    c->has_tickets = true;
    int bad =
        mbedtls_ssl_ticket_setup(&c->tickets, secure_random, &c->random, MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
    mbedtls_ssl_conf_session_tickets_cb(&c->conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &c->tickets);
    return bad;
}

static int set_own(struct tls_context *c)
{
    return c->config.certificate.n ? mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key) : 0;
}

/* TLS 1.3 takes its key shares from the library's other half, which has to be woken first, once or more often. */
static int wake(const struct tls_config *config)
{
#if SECURE_TLS_1_3
    if (config->most == TLS_1_3 && psa_crypto_init() != PSA_SUCCESS)
        return FE_EMEM;
#else
    (void)config;
#endif
    return 0;
}

static int configure(struct tls_context *c)
{
    const struct tls_config *config = &c->config;
    int endpoint = config->role == TLS_SERVER ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    if (wake(config) ||
        mbedtls_ssl_config_defaults(&c->conf, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT))
        return FE_EMEM;
    mbedtls_ssl_conf_rng(&c->conf, secure_random, &c->random);
    mbedtls_ssl_conf_authmode(&c->conf, auth_mode(config));
    mbedtls_ssl_conf_min_version(&c->conf, MBEDTLS_SSL_MAJOR_VERSION_3, (int)config->least + 1);
    mbedtls_ssl_conf_max_version(&c->conf, MBEDTLS_SSL_MAJOR_VERSION_3, (int)config->most + 1);
    set_groups(&c->conf);
    if (config->trust.n)
        mbedtls_ssl_conf_ca_chain(&c->conf, &c->trust, NULL);
    tls_secret_of_context(c);
    return set_own(c) || set_tickets(c) ? FE_EMEM : 0;
}

/* ---- making and ending ---- */

static mbedtls_x509_time date_of(int64_t seconds)
{
    struct calendar c = calendar_of(seconds);
    return (mbedtls_x509_time){c.year, c.month, c.day, c.hour, c.minute, c.second};
}

/* Does the library ask our clock? A program that was linked so that it does not would give other bytes on every run. */
static bool asks_our_clock(int64_t date)
{
    mbedtls_x509_time before = date_of(date - 1);
    mbedtls_x509_time after = date_of(date + 1);
    return mbedtls_x509_time_is_past(&before) && mbedtls_x509_time_is_future(&after);
}

static void context_free(struct tls_context *c)
{
    tls_sessions_free(c);
    mbedtls_ssl_config_free(&c->conf);
    mbedtls_x509_crt_free(&c->chain);
    mbedtls_x509_crt_free(&c->trust);
    mbedtls_pk_free(&c->key);
    if (c->has_tickets)
        mbedtls_ssl_ticket_free(&c->tickets);
    free(c);
}

void tls_context_release(struct tls_context *c)
{
    if (--c->users == 0)
        context_free(c);
}

void tls_context_free(struct tls_context *c)
{
    if (c)
        tls_context_release(c);
}

/* A program that was started again has the same stream from its beginning. Its keys must not be those of before: what
 * another life has sealed (tickets) means nothing to this one. */
static void random_begin(struct prng *out, const struct prng *random, lab_time clock)
{
    struct prng copy = *random;
    *out = *random;
    if (clock)
        prng_init(out, prng_u64(&copy) ^ (uint64_t)clock, SPAN("tls"), SPAN("another life"));
}

static struct tls_context *context_make(const struct tls_config *config, const struct prng *random, lab_time clock)
{
    struct tls_context *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->config = *config;
    random_begin(&c->random, random, clock);
    c->users = 1;
    mbedtls_ssl_config_init(&c->conf);
    mbedtls_x509_crt_init(&c->chain);
    mbedtls_x509_crt_init(&c->trust);
    mbedtls_pk_init(&c->key);
    return c;
}

int tls_context_new(const struct tls_config *config, const struct prng *random, lab_time clock,
                    struct tls_context **out, struct text *why)
{
    struct text nowhere = text_on(NULL, 0);
    if (!why)
        why = &nowhere;
    int error = check_versions(config, why);
    if (!error)
        error = check_materials(config, why);
    if (error)
        return error;
    struct tls_context *c = context_make(config, random, clock);
    if (!c)
        return FE_EMEM;
    secure_time_begin(clock);
    assert(asks_our_clock(secure_date(clock)));
    error = read_materials(c, config, why);
    if (!error && config->certificate.n)
        error = check_pair(c, why);
    if (!error)
        error = configure(c);
    secure_time_end();
    c->config.certificate = c->config.intermediates = c->config.key = c->config.trust = (struct span){0};
    if (error)
        context_free(c);
    else
        *out = c;
    return error;
}

void tls_context_forget(struct tls_context *c, lab_time clock)
{
    tls_sessions_free(c);
    if (!c->has_tickets)
        return;
    secure_time_begin(clock);
    mbedtls_ssl_ticket_free(&c->tickets); /* zeroes it: new keys, so that old tickets mean nothing */
    mbedtls_ssl_ticket_init(&c->tickets);
    (void)set_tickets(c); /* without memory there are none, and handshakes are full ones */
    secure_time_end();
}
