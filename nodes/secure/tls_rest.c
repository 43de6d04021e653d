/* The library's record buffers, given back while a connection rests.
 *
 * mbedTLS keeps two of 16 kB for each connection from its beginning to its end. Between records, in a handshake too,
 * nothing is in them but the count of records in front: a phone that sends a keep-alive a minute needs them for
 * microseconds, and one whose SYN goes unanswered not at all. The library can be built to do without
 * (MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH); distributions' is not. With 3.6 the connection keeps them. */
#include "nodes/secure/tls_private.h"

#include "nodes/base/error.h"

#if SECURE_MBEDTLS_3

void tls_rest(struct tls *t)
{
    (void)t;
}

int tls_wake(struct tls *t)
{
    (void)t;
    return 0;
}

#else

#include <mbedtls/platform.h>
#include <mbedtls/ssl_internal.h>

/* A whole record and nothing of the next has been read, none of its messages is to be looked at any more (in_hslen is
 * the length of one that was), and all that was written has left. */
static bool is_between_records(const mbedtls_ssl_context *s)
{
    return s->in_left == 0 && s->in_offt == NULL && !s->keep_current_message &&
           (s->in_hslen == 0 || s->in_hslen >= s->in_msglen) && s->out_left == 0;
}

/* The pointers into a buffer, in this order in both functions. */
static void offsets_keep(struct tls_buffer *b, const unsigned char *buf, unsigned char *const at[TLS_BUFFER_POINTERS])
{
    for (int i = 0; i < TLS_BUFFER_POINTERS; i++)
        b->offsets[i] = (size_t)(at[i] - buf);
    memcpy(b->count, buf, sizeof b->count);
}

static unsigned char *pointer_of(const struct tls_buffer *b, unsigned char *buf, int i)
{
    return buf + b->offsets[i];
}

void tls_rest(struct tls *t)
{
    mbedtls_ssl_context *s = &t->ssl;
    if (t->resting || !is_between_records(s))
        return;
    unsigned char *const in[TLS_BUFFER_POINTERS] = {s->in_ctr, s->in_hdr, s->in_len, s->in_iv, s->in_msg};
    unsigned char *const out[TLS_BUFFER_POINTERS] = {s->out_ctr, s->out_hdr, s->out_len, s->out_iv, s->out_msg};
    offsets_keep(&t->resting_in, s->in_buf, in);
    offsets_keep(&t->resting_out, s->out_buf, out);
    mbedtls_free(s->in_buf);
    mbedtls_free(s->out_buf);
    s->in_buf = s->out_buf = NULL; /* as mbedtls_ssl_free() understands it */
    t->resting = true;
}

int tls_wake(struct tls *t)
{
    mbedtls_ssl_context *s = &t->ssl;
    if (!t->resting)
        return 0;
    unsigned char *in = mbedtls_calloc(1, MBEDTLS_SSL_IN_BUFFER_LEN);
    unsigned char *out = mbedtls_calloc(1, MBEDTLS_SSL_OUT_BUFFER_LEN);
    if (!in || !out) {
        mbedtls_free(in);
        mbedtls_free(out);
        return FE_EMEM;
    }
    memcpy(in, t->resting_in.count, sizeof t->resting_in.count);
    memcpy(out, t->resting_out.count, sizeof t->resting_out.count);
    s->in_buf = in;
    s->in_ctr = pointer_of(&t->resting_in, in, 0);
    s->in_hdr = pointer_of(&t->resting_in, in, 1);
    s->in_len = pointer_of(&t->resting_in, in, 2);
    s->in_iv = pointer_of(&t->resting_in, in, 3);
    s->in_msg = pointer_of(&t->resting_in, in, 4);
    s->out_buf = out;
    s->out_ctr = pointer_of(&t->resting_out, out, 0);
    s->out_hdr = pointer_of(&t->resting_out, out, 1);
    s->out_len = pointer_of(&t->resting_out, out, 2);
    s->out_iv = pointer_of(&t->resting_out, out, 3);
    s->out_msg = pointer_of(&t->resting_out, out, 4);
    t->resting = false;
    return 0;
}

#endif
