/* Blocks are built in memory in the machine's byte order, which the section header announces, and written out when
 * enough of them have come together. The open block is one that is still in the buffer: a comment is put in before its
 * end and what follows moves up. */
#include "sim/engine/capture.h"

#include "nodes/base/error.h"
#include "nodes/base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    SECRETS_TLS_KEY_LOG = 0x544c534b,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_RAW = 101,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_IF_NAME = 2,
    OPT_EPB_FLAGS = 2,
    OPT_SHB_APPLICATION = 4,
    OPT_IF_TSRESOL = 9,
    FLAG_INBOUND = 1,
    FLAG_OUTBOUND = 2,
    FLUSH_AT = 256 * 1024,
};

struct capture {
    FILE *file;
    uint8_t *buf;
    size_t n, cap;
    size_t open; /* where the open block begins */
    bool has_open;
    bool failed; /* memory or file: the rest is not written */
};

/* ---- pieces ---- */

static bool room(struct capture *c, size_t more)
{
    if (c->failed)
        return false;
    if (c->cap - c->n >= more)
        return true;
    size_t cap = 2 * c->cap + more;
    uint8_t *buf = realloc(c->buf, cap);
    if (!buf) {
        c->failed = true;
        return false;
    }
    c->buf = buf;
    c->cap = cap;
    return true;
}

/* The caller has seen to the room. */
static void put(struct capture *c, const void *bytes, size_t n)
{
    if (n)
        memcpy(c->buf + c->n, bytes, n);
    c->n += n;
}

static void put_u16(struct capture *c, uint16_t v)
{
    put(c, &v, sizeof v);
}

static void put_u32(struct capture *c, uint32_t v)
{
    put(c, &v, sizeof v);
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static void pad(struct capture *c, size_t n)
{
    static const uint8_t zeros[4] = {0};
    put(c, zeros, padded(n) - n);
}

static void put_option(struct capture *c, uint16_t code, const void *value, size_t n)
{
    put_u16(c, code);
    put_u16(c, (uint16_t)n);
    put(c, value, n);
    pad(c, n);
}

/* ---- blocks: type, length, …, length again ---- */

static size_t block_begin(struct capture *c, uint32_t type)
{
    size_t start = c->n;
    put_u32(c, type);
    put_u32(c, 0);
    return start;
}

static void block_end(struct capture *c, size_t start)
{
    uint32_t length = (uint32_t)(c->n + 4 - start);
    put_u32(c, length);
    memcpy(c->buf + start + 4, &length, sizeof length);
}

static void put_section(struct capture *c)
{
    static const char application[] = "farend";
    static const uint8_t unknown_length[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (!room(c, 64))
        return;
    size_t start = block_begin(c, BLOCK_SECTION);
    put_u32(c, BYTE_ORDER_MAGIC);
    put_u16(c, 1); /* version 1.0 */
    put_u16(c, 0);
    put(c, unknown_length, sizeof unknown_length);
    put_option(c, OPT_SHB_APPLICATION, application, sizeof application - 1);
    put_option(c, OPT_END, NULL, 0);
    block_end(c, start);
}

static void put_interface(struct capture *c, const char *name)
{
    static const uint8_t nanoseconds = 9;
    size_t n = strlen(name);
    if (!room(c, 64 + n))
        return;
    size_t start = block_begin(c, BLOCK_INTERFACE);
    put_u16(c, LINKTYPE_RAW);
    put_u16(c, 0);
    put_u32(c, 0); /* no limit on a packet's length */
    put_option(c, OPT_IF_NAME, name, n);
    put_option(c, OPT_IF_TSRESOL, &nanoseconds, 1);
    put_option(c, OPT_END, NULL, 0);
    block_end(c, start);
}

static void put_packet(struct capture *c, lab_time at, unsigned wire, unsigned direction, const uint8_t *packet,
                       size_t n, struct span comment)
{
    uint32_t flags = direction ? FLAG_INBOUND : FLAG_OUTBOUND; /* as seen from the wire's first end */
    if (!room(c, 80 + n + comment.n))
        return;
    size_t start = block_begin(c, BLOCK_PACKET);
    put_u32(c, wire);
    put_u32(c, (uint32_t)((uint64_t)at >> 32));
    put_u32(c, (uint32_t)at);
    put_u32(c, (uint32_t)n);
    put_u32(c, (uint32_t)n);
    put(c, packet, n);
    pad(c, n);
    put_option(c, OPT_EPB_FLAGS, &flags, sizeof flags);
    if (comment.n)
        put_option(c, OPT_COMMENT, comment.p, comment.n);
    put_option(c, OPT_END, NULL, 0);
    block_end(c, start);
}

void capture_secret(struct capture *c, struct span line)
{
    size_t n = line.n + 1; /* with its newline */
    if (!room(c, 32 + n))
        return;
    size_t start = block_begin(c, BLOCK_SECRETS);
    put_u32(c, SECRETS_TLS_KEY_LOG);
    put_u32(c, (uint32_t)n);
    put(c, line.p, line.n);
    put(c, "\n", 1);
    pad(c, n);
    block_end(c, start);
}

/* ---- the file ---- */

static void write_out(struct capture *c)
{
    if (c->n && fwrite(c->buf, 1, c->n, c->file) != c->n)
        c->failed = true;
    c->n = 0;
}

int capture_new(struct capture **out, FILE *file, const struct plan *plan)
{
    struct capture *c = calloc(1, sizeof *c);
    if (!c)
        return FE_EMEM;
    c->file = file;
    put_section(c);
    for (size_t i = 0; i < plan->wires_n; i++)
        put_interface(c, plan->wires[i].name);
    if (c->failed) {
        capture_free(c);
        return FE_EMEM;
    }
    *out = c;
    return 0;
}

int capture_flush(struct capture *c)
{
    capture_settle(c);
    write_out(c);
    if (fflush(c->file))
        c->failed = true;
    return c->failed ? FE_EOS : 0;
}

void capture_free(struct capture *c)
{
    if (!c)
        return;
    capture_flush(c);
    free(c->buf);
    free(c);
}

void capture_packet(struct capture *c, lab_time at, unsigned wire, unsigned direction, const uint8_t *packet, size_t n,
                    const char *comment)
{
    put_packet(c, at, wire, direction, packet, n, span_of(comment));
}

void capture_open(struct capture *c, lab_time at, unsigned wire, unsigned direction, const uint8_t *packet, size_t n)
{
    capture_settle(c);
    c->open = c->n;
    c->has_open = true;
    put_packet(c, at, wire, direction, packet, n, (struct span){0});
}

void capture_remark(struct capture *c, struct span comment)
{
    enum { TRAILER = 8 }; /* the end of the options and the block's second length */
    size_t more = 4 + padded(comment.n);
    uint32_t length;
    if (!c->has_open || comment.n > UINT16_MAX || !room(c, more))
        return;
    memcpy(&length, c->buf + c->open + 4, sizeof length);
    size_t at = c->open + length - TRAILER;
    size_t end = c->n;
    memmove(c->buf + at + more, c->buf + at, end - at);
    c->n = at;
    put_option(c, OPT_COMMENT, comment.p, comment.n);
    c->n = end + more;
    length += (uint32_t)more;
    memcpy(c->buf + c->open + 4, &length, sizeof length);
    memcpy(c->buf + c->open + length - 4, &length, sizeof length);
}

void capture_settle(struct capture *c)
{
    c->has_open = false;
    if (c->n >= FLUSH_AT)
        write_out(c);
}
