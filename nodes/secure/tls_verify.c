/* The verdict on the peer's chain. The library checks signatures, uses and the path to a trusted root; dates are
 * checked here against lab time (its own check needs time() to be ours: that of a program that was linked otherwise is
 * not), and so is the name, since 2.28 knows no addresses.
 *
 * The library calls for each certificate, the root first and the peer's own last, and sends the alert of the gravest
 * of all flags by an order of its own. So the flags are collected here, and only the last call hands back one of them:
 * the flag that makes the library send the alert that we mean (RFC 5246 §7.2.2). */
#include "nodes/base/addr.h"
#include "nodes/base/calendar.h"
#include "nodes/secure/identity.h"
#include "nodes/secure/secure_time.h"
#include "nodes/secure/tls_private.h"

enum { RANK_NAME = 1, RANK_DATES, RANK_USE, RANK_TRUST }; /* the higher the graver */

#define DATES (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

/* A text to write the reason to; NULL: a graver one is known. */
static struct text *refuse(struct tls_refusal *r, int rank, uint8_t alert, uint32_t flag, struct text *why)
{
    if (rank <= r->rank)
        return NULL;
    r->rank = rank;
    r->alert = alert;
    r->flag = flag;
    *why = text_on(r->why, sizeof r->why);
    return why;
}

static void put_subject(struct text *t, const mbedtls_x509_crt *c)
{
    text_str(t, "the certificate of ");
    identity_subject(t, &c->subject);
}

/* ---- trust ---- */

static void not_trusted(struct tls *t, const mbedtls_x509_crt *c)
{
    struct text why;
    if (!refuse(&t->refusal, RANK_TRUST, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, MBEDTLS_X509_BADCERT_NOT_TRUSTED, &why))
        return;
    put_subject(&why, c);
    if (identity_is_self_signed(c)) {
        text_str(&why, " is self-signed and not one of the trusted certificates");
        return;
    }
    text_str(&why, " was issued by ");
    identity_subject(&why, &c->issuer);
    text_str(&why, ", whose certificate is neither among those that the peer sent nor trusted");
}

/* ---- use, algorithms and whatever else the library found ---- */

static void not_usable(struct tls *t, const mbedtls_x509_crt *c, uint32_t flags)
{
    struct text why;
    uint32_t flag = flags & MBEDTLS_X509_BADCERT_REVOKED ? MBEDTLS_X509_BADCERT_REVOKED : MBEDTLS_X509_BADCERT_BAD_KEY;
    uint8_t alert = flag == MBEDTLS_X509_BADCERT_REVOKED ? MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED
                                                         : MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT;
    char found[128];
    int n = mbedtls_x509_crt_verify_info(found, sizeof found, "", flags);
    if (!refuse(&t->refusal, RANK_USE, alert, flag, &why))
        return;
    put_subject(&why, c);
    text_str(&why, " cannot be used: ");
    text_put(&why, span_make(found, n > 1 ? (size_t)n - 1 : 0)); /* without the line end */
}

/* ---- dates ---- */

/* RFC 5246 §7.2.2: certificate_expired is for one that "has expired or is not currently valid". */
static void check_dates(struct tls *t, const mbedtls_x509_crt *c)
{
    int64_t now = secure_date(t->clock);
    int64_t from = identity_date(&c->valid_from);
    int64_t to = identity_date(&c->valid_to);
    struct text why;
    if (now >= from && now <= to)
        return;
    if (!refuse(&t->refusal, RANK_DATES, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, MBEDTLS_X509_BADCERT_EXPIRED, &why))
        return;
    put_subject(&why, c);
    text_str(&why, now > to ? " expired at " : " is not valid before ");
    calendar_text(&why, now > to ? to : from);
    text_str(&why, ", and it is ");
    calendar_text(&why, now);
}

/* ---- the name ---- */

static void check_name(struct tls *t, const mbedtls_x509_crt *c)
{
    struct text why;
    if (identity_is(c, span_of(t->peer)))
        return;
    if (!refuse(&t->refusal, RANK_NAME, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, MBEDTLS_X509_BADCERT_CN_MISMATCH, &why))
        return;
    put_subject(&why, c);
    size_t before = why.n;
    text_str(&why, " is for ");
    identity_names(&why, c);
    if (why.n == before + 8) { /* no names: the subject is its name */
        why.n = before;
        text_str(&why, " is");
    } else {
        text_str(&why, " and");
    }
    text_str(&why, " not for ");
    text_str(&why, t->peer);
}

int tls_verify(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct tls *t = arg;
    const struct tls_config *config = &t->context->config;
    uint32_t rest = *flags & ~(uint32_t)(DATES | MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_NOT_TRUSTED);
    if (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        not_trusted(t, certificate);
    if (rest)
        not_usable(t, certificate, rest);
    if (config->verify_dates)
        check_dates(t, certificate);
    if (depth == 0 && config->role == TLS_CLIENT && config->verify_name)
        check_name(t, certificate);
    *flags = depth == 0 && t->refusal.rank ? t->refusal.flag : 0;
    return 0;
}
