/* Certificates and keys from a user's file or a setting, and what is read of a certificate that a stranger shows. */
#include "nodes/secure/identity.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span input;

static void read_certificate(const mbedtls_x509_crt *c)
{
    char room[300];
    struct text t = text_on(room, sizeof room);
    identity_subject(&t, &c->subject);
    identity_names(&t, c);
    for (size_t i = 0; i < t.n; i++)
        if (room[i] < ' ' || room[i] > '~') /* a stranger's control characters go no further */
            abort();
    if (t.n >= sizeof room || room[t.n] != '\0')
        abort();
    identity_is(c, SPAN("sbc.example.com"));
    identity_is(c, SPAN("203.0.113.10"));
    identity_is(c, SPAN(""));
    identity_date(&c->valid_from);
    identity_date(&c->valid_to);
}

static int each(void *arg, struct span der)
{
    mbedtls_x509_crt c;
    (void)arg;
    if (der.n == 0 || der.n > input.n)
        abort();
    mbedtls_x509_crt_init(&c);
    if (mbedtls_x509_crt_parse_der(&c, (const unsigned char *)der.p, der.n) == 0)
        read_certificate(&c);
    mbedtls_x509_crt_free(&c);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_config config = tls_config_of(TLS_SERVER);
    struct tls_context *context;
    struct prng random = {{1}};
    char room[300];
    struct text why = text_on(room, sizeof room);
    input = span_make(data, size);
    pki_text_each(input, PKI_TEXT_CERTIFICATE, each, NULL);
    pki_text_each(input, PKI_TEXT_KEY, each, NULL);
    config.certificate = config.intermediates = config.key = config.trust = input;
    if (tls_context_new(&config, &random, 0, &context, &why) == 0)
        tls_context_free(context);
    else if (why.n == 0)
        abort();
    return 0;
}
