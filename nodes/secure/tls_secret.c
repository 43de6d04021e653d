/* The keys of a connection as lines of the NSS key log format, so that a capture can be read:
 *     CLIENT_RANDOM <client random> <master secret>                         up to TLS 1.2
 *     CLIENT_HANDSHAKE_TRAFFIC_SECRET <client random> <secret>, and others  TLS 1.3 */
#include "nodes/secure/tls_private.h"

enum { RANDOM_BYTES = 32, MASTER_BYTES = 48, SECRET_MAX = 64, LINE_ROOM = 40 + 2 * RANDOM_BYTES + 2 * SECRET_MAX + 4 };

static void line_add(struct tls *t, const char *label, const unsigned char *random, const unsigned char *secret,
                     size_t n)
{
    char room[LINE_ROOM];
    struct text line = text_on(room, sizeof room);
    text_str(&line, label);
    text_char(&line, ' ');
    text_hex(&line, random, RANDOM_BYTES);
    text_char(&line, ' ');
    text_hex(&line, secret, n);
    text_char(&line, '\n');
    if (text_ok(&line) && tls_bytes_add(&t->secrets, line.p, line.n))
        t->no_memory = true;
}

#if SECURE_MBEDTLS_3

static const char *label_of(mbedtls_ssl_key_export_type type)
{
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET: return "CLIENT_RANDOM";
#if SECURE_TLS_1_3
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET: return "CLIENT_EARLY_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_EARLY_EXPORTER_SECRET: return "EARLY_EXPORTER_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET: return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET: return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET: return "CLIENT_TRAFFIC_SECRET_0";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET: return "SERVER_TRAFFIC_SECRET_0";
#endif
    default: return NULL;
    }
}

static void exported(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret, size_t n,
                     const unsigned char client_random[32], const unsigned char server_random[32],
                     mbedtls_tls_prf_types prf)
{
    (void)server_random;
    (void)prf;
    const char *label = label_of(type);
    if (label)
        line_add(arg, label, client_random, secret, n);
}

void tls_secret_of_context(struct tls_context *c)
{
    (void)c;
}

void tls_secret_of_connection(struct tls *t)
{
    mbedtls_ssl_set_export_keys_cb(&t->ssl, exported, t);
}

#else

/* The library exports with the context's argument. */
static int exported(void *arg, const unsigned char *master, const unsigned char *block, size_t mac, size_t key,
                    size_t iv, const unsigned char client_random[32], const unsigned char server_random[32],
                    mbedtls_tls_prf_types prf)
{
    const struct tls_context *c = arg;
    (void)block;
    (void)mac;
    (void)key;
    (void)iv;
    (void)server_random;
    (void)prf;
    line_add(c->at_work, "CLIENT_RANDOM", client_random, master, MASTER_BYTES);
    return 0;
}

void tls_secret_of_context(struct tls_context *c)
{
    mbedtls_ssl_conf_export_keys_ext_cb(&c->conf, exported, c);
}

void tls_secret_of_connection(struct tls *t)
{
    (void)t;
}

#endif
