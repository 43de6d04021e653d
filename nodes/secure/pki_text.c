#include "nodes/secure/pki_text.h"

#include "nodes/base/error.h"

#include <mbedtls/base64.h>
#include <stdlib.h>

enum { PEM_WIDTH = 64 };

struct reader {
    enum pki_text_what what;
    int (*each)(void *arg, struct span der);
    void *arg;
    size_t n; /* found so far */
};

static int read_der(struct reader *r, struct span der)
{
    r->n++;
    return r->each(r->arg, der);
}

static int read_base64(struct reader *r, struct span text)
{
    size_t room = text.n / 4 * 3 + 4;
    unsigned char *der = malloc(room);
    size_t n = 0;
    if (!der)
        return FE_EMEM;
    int error = FE_ESYNTAX;
    if (text.n && mbedtls_base64_decode(der, room, &n, (const unsigned char *)text.p, text.n) == 0 && n)
        error = read_der(r, span_make(der, n));
    free(der);
    return error;
}

/* ---- one line ---- */

static int read_line(struct reader *r, struct span rest)
{
    int error = 0;
    while (!error && rest.p)
        error = read_base64(r, span_trim(span_cut(rest, ',', &rest)));
    return error;
}

/* ---- PEM ---- */

/* What comes before `mark`; *rest is what follows it. Without the mark *rest is empty, with p == NULL. */
static struct span cut_at(struct span s, struct span mark, struct span *rest)
{
    for (size_t i = 0; i + mark.n <= s.n; i++)
        if (memcmp(s.p + i, mark.p, mark.n) == 0) {
            *rest = (struct span){s.p + i + mark.n, s.n - i - mark.n};
            return (struct span){s.p, i};
        }
    *rest = (struct span){0};
    return s;
}

static bool label_is(struct span label, enum pki_text_what what)
{
    if (what == PKI_TEXT_CERTIFICATE)
        return span_is(label, "CERTIFICATE");
    return span_is(label, "PRIVATE KEY") || span_is(label, "EC PRIVATE KEY") || span_is(label, "RSA PRIVATE KEY");
}

static int read_pem(struct reader *r, struct span text)
{
    int error = 0;
    cut_at(text, SPAN("-----BEGIN "), &text);
    while (!error && text.p) {
        struct span label = cut_at(text, SPAN("-----"), &text);
        struct span body = cut_at(text, SPAN("-----END "), &text);
        if (!text.p)
            return FE_ESYNTAX;
        if (label_is(label, r->what))
            error = read_base64(r, span_trim(body));
        cut_at(text, SPAN("-----BEGIN "), &text);
    }
    return error;
}

int pki_text_each(struct span text, enum pki_text_what what, int (*each)(void *arg, struct span der), void *arg)
{
    struct reader r = {what, each, arg, 0};
    struct span rest;
    int error;
    cut_at(text, SPAN("-----BEGIN "), &rest);
    if (span_starts(text, SPAN("base64:")))
        error = read_line(&r, (struct span){text.p + 7, text.n - 7});
    else if (rest.p)
        error = read_pem(&r, text);
    else
        error = text.n && text.p[0] == '\x30' ? read_der(&r, text) : FE_ESYNTAX; /* a SEQUENCE */
    return error ? error : r.n ? 0 : FE_ESYNTAX;
}

/* ---- writing ---- */

size_t pki_text_room(size_t ders_n, size_t bytes)
{
    size_t base64 = (bytes + 2 * ders_n) / 3 * 4 + 4 * ders_n;
    return base64 + base64 / PEM_WIDTH + 128 * ders_n + 16; /* line ends; labels */
}

static void put_base64(struct text *t, const unsigned char *p, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned long v = (unsigned long)p[i] << 16;
        v |= i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? p[i + 2] : 0;
        text_char(t, digit[v >> 18]);
        text_char(t, digit[v >> 12 & 63]);
        text_char(t, i + 1 < n ? digit[v >> 6 & 63] : '=');
        text_char(t, i + 2 < n ? digit[v & 63] : '=');
    }
}

void pki_text_line(struct text *t, const struct span *ders, size_t n)
{
    text_str(t, "base64:");
    for (size_t i = 0; i < n; i++) {
        if (i)
            text_char(t, ',');
        put_base64(t, (const unsigned char *)ders[i].p, ders[i].n);
    }
}

void pki_text_pem(struct text *t, const char *label, struct span der)
{
    enum { BYTES = PEM_WIDTH / 4 * 3 };
    text_str(t, "-----BEGIN ");
    text_str(t, label);
    text_str(t, "-----\n");
    for (size_t i = 0; i < der.n; i += BYTES) {
        put_base64(t, (const unsigned char *)der.p + i, der.n - i < BYTES ? der.n - i : BYTES);
        text_char(t, '\n');
    }
    text_str(t, "-----END ");
    text_str(t, label);
    text_str(t, "-----\n");
}
