#include "nodes/secure/pki.h"

#include "nodes/base/addr.h"
#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "nodes/secure/pki_extension.h"
#include "nodes/secure/secure_library.h"

#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>

enum { RSA_BITS = 2048, RSA_EXPONENT = 65537, SERIAL_BYTES = 16 };
enum { KEY_ROOM = 4096, CERTIFICATE_ROOM = PKI_EXTENSION_MAX + 4096 };

const char *const pki_key_words[] = {"p256", "rsa", NULL};

struct pki_entity {
    enum pki_key type;
    mbedtls_pk_context key;
    char name[PKI_SUBJECT_MAX + 4]; /* "CN=…" */
    unsigned char *certificate, *private_key;
    size_t certificate_n, private_key_n;
};

void pki_free(struct pki_entity *e)
{
    if (!e)
        return;
    mbedtls_pk_free(&e->key);
    free(e->certificate);
    free(e->private_key);
    free(e);
}

struct span pki_certificate(const struct pki_entity *e)
{
    return span_make(e->certificate, e->certificate_n);
}

struct span pki_private_key(const struct pki_entity *e)
{
    return span_make(e->private_key, e->private_key_n);
}

const char *pki_key_label(const struct pki_entity *e)
{
    return e->type == PKI_RSA_2048 ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
}

/* ---- the request ---- */

static int complain(struct text *why, int error, struct span what, const char *wrong)
{
    if (why) {
        text_char(why, '"');
        text_put(why, what);
        text_str(why, wrong);
    }
    return error;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int check_subject(struct span s, struct text *why)
{
    if (s.n == 0 || s.n > PKI_SUBJECT_MAX)
        return complain(why, FE_ERANGE, s, "\" cannot be a subject; expected 1 to 64 bytes");
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter_or_digit(s.p[i]) && !strchr(" -._:*@/()'", s.p[i]))
            return complain(why, FE_ESYNTAX, s, "\" cannot be a subject; expected letters, digits, blanks, -._:*@/()'");
    return 0;
}

/* A label of a domain name; the left-most may be "*". */
static bool label_ok(struct span label, bool first)
{
    if (first && span_is(label, "*"))
        return true;
    for (size_t i = 0; i < label.n; i++)
        if (!is_letter_or_digit(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
            return false;
    return label.n > 0 && label.n <= 63;
}

bool pki_name_ok(struct span name)
{
    ipv4 addr;
    bool first = true;
    if (addr_parse(name, &addr) == 0)
        return true;
    bool ok = name.n > 0 && name.n <= PKI_NAME_MAX;
    for (struct span rest = name; ok && rest.p; first = false)
        ok = label_ok(span_cut(rest, '.', &rest), first);
    return ok;
}

int pki_check(const struct pki_request *want, struct text *why)
{
    int error = check_subject(want->subject, why);
    if (!error && want->names_n > PKI_NAMES_MAX)
        error = complain(why, FE_ERANGE, want->subject, "\" has more than 32 names");
    for (size_t i = 0; !error && i < want->names_n; i++)
        if (!pki_name_ok(want->names[i]))
            error = complain(why, FE_ESYNTAX, want->names[i], "\" is neither a domain name nor an IPv4 address");
    if (!error && want->not_after < want->not_before)
        error = complain(why, FE_ERANGE, want->subject, "\" ends before it begins to be valid");
    return error;
}

/* ---- the key ---- */

static int generate(struct pki_entity *e, struct prng *random)
{
    bool rsa = e->type == PKI_RSA_2048;
    if (mbedtls_pk_setup(&e->key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY)))
        return FE_EMEM;
    int bad = rsa ? mbedtls_rsa_gen_key(mbedtls_pk_rsa(e->key), secure_random, random, RSA_BITS, RSA_EXPONENT)
                  : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(e->key), secure_random, random);
    return bad ? FE_EMEM : 0; /* nothing else can go wrong with it */
}

/* The library writes from the end of the room towards its beginning. */
static int keep(unsigned char **to, size_t *to_n, const unsigned char *room, size_t room_n, int written)
{
    if (written <= 0)
        return FE_EMEM;
    *to_n = (size_t)written;
    *to = malloc(*to_n);
    if (!*to)
        return FE_EMEM;
    memcpy(*to, room + room_n - *to_n, *to_n);
    return 0;
}

static int make_key(struct pki_entity *e, struct prng *random)
{
    unsigned char room[KEY_ROOM];
    int error = generate(e, random);
    if (error)
        return error;
    int written = mbedtls_pk_write_key_der(&e->key, room, sizeof room);
    return keep(&e->private_key, &e->private_key_n, room, sizeof room, written);
}

/* ---- the certificate ---- */

static int put_validity(mbedtls_x509write_cert *c, int64_t not_before, int64_t not_after)
{
    char text[2][24]; /* "20260101000000" */
    const int64_t at[2] = {not_before, not_after};
    for (int i = 0; i < 2; i++) {
        char rfc3339[24];
        struct text t = text_on(rfc3339, sizeof rfc3339);
        struct text digits = text_on(text[i], sizeof text[i]);
        calendar_text(&t, at[i]);
        for (size_t j = 0; j < t.n; j++)
            if (t.p[j] >= '0' && t.p[j] <= '9')
                text_char(&digits, t.p[j]);
    }
    return mbedtls_x509write_crt_set_validity(c, text[0], text[1]);
}

static int put_serial(mbedtls_x509write_cert *c, struct prng *random)
{
    unsigned char serial[SERIAL_BYTES];
    prng_bytes(random, serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive, and always as long */
#if SECURE_MBEDTLS_3
    return mbedtls_x509write_crt_set_serial_raw(c, serial, sizeof serial);
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int bad = mbedtls_mpi_read_binary(&number, serial, sizeof serial);
    if (!bad)
        bad = mbedtls_x509write_crt_set_serial(c, &number);
    mbedtls_mpi_free(&number);
    return bad;
#endif
}

static unsigned key_usage(const struct pki_request *want)
{
    if (want->ca)
        return MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    return MBEDTLS_X509_KU_DIGITAL_SIGNATURE | (want->key == PKI_RSA_2048 ? MBEDTLS_X509_KU_KEY_ENCIPHERMENT : 0);
}

static int put_by_hand(mbedtls_x509write_cert *c, const struct pki_request *want)
{
    uint8_t room[PKI_EXTENSION_MAX];
    int bad = 0;
    if (want->uses && !want->ca)
        bad = mbedtls_x509write_crt_set_extension(c, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, room,
                                                  pki_put_uses(room, want->uses));
    if (!bad && want->names_n)
        bad = mbedtls_x509write_crt_set_extension(c, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, room,
                                                  pki_put_names(room, want->names, want->names_n));
    return bad;
}

static int put_extensions(mbedtls_x509write_cert *c, const struct pki_request *want)
{
    int bad = mbedtls_x509write_crt_set_basic_constraints(c, want->ca, want->ca ? want->depth : -1);
    if (!bad)
        bad = mbedtls_x509write_crt_set_key_usage(c, key_usage(want));
    if (!bad)
        bad = mbedtls_x509write_crt_set_subject_key_identifier(c);
    if (!bad)
        bad = mbedtls_x509write_crt_set_authority_key_identifier(c);
    return bad ? bad : put_by_hand(c, want);
}

static int fill(mbedtls_x509write_cert *c, struct pki_entity *e, struct pki_entity *issuer,
                const struct pki_request *want, struct prng *random)
{
    mbedtls_x509write_crt_set_version(c, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(c, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(c, &e->key);
    mbedtls_x509write_crt_set_issuer_key(c, &issuer->key);
    int bad = mbedtls_x509write_crt_set_subject_name(c, e->name);
    if (!bad)
        bad = mbedtls_x509write_crt_set_issuer_name(c, issuer->name);
    if (!bad)
        bad = put_serial(c, random);
    if (!bad)
        bad = put_validity(c, want->not_before, want->not_after);
    return bad ? bad : put_extensions(c, want);
}

static int make_certificate(struct pki_entity *e, struct pki_entity *issuer, const struct pki_request *want,
                            struct prng *random)
{
    unsigned char room[CERTIFICATE_ROOM];
    mbedtls_x509write_cert c;
    mbedtls_x509write_crt_init(&c);
    int written = 0;
    if (fill(&c, e, issuer, want, random) == 0)
        written = mbedtls_x509write_crt_der(&c, room, sizeof room, secure_random, random);
    mbedtls_x509write_crt_free(&c);
    return keep(&e->certificate, &e->certificate_n, room, sizeof room, written);
}

int pki_issue(const struct pki_request *want, struct pki_entity *issuer, struct prng *random, struct pki_entity **out,
              struct text *why)
{
    int error = pki_check(want, why);
    if (error)
        return error;
    struct pki_entity *e = calloc(1, sizeof *e);
    if (!e)
        return FE_EMEM;
    e->type = want->key;
    mbedtls_pk_init(&e->key);
    struct text name = text_on(e->name, sizeof e->name);
    text_str(&name, "CN=");
    text_put(&name, want->subject);
    error = make_key(e, random);
    if (!error)
        error = make_certificate(e, issuer ? issuer : e, want, random);
    if (error)
        pki_free(e);
    else
        *out = e;
    return error;
}
