/* Reassembly (RFC 791 §3.2, RFC 815's holes turned round: what is kept is the runs that have arrived).
 *
 * Each datagram has a buffer in which every fragment is copied to its place; the first fragment's header stands
 * directly before the data, so that the finished datagram, or the first fragment alone for an ICMP error, is one piece
 * of memory. Runs are merged, so in-order arrival keeps a single run. As in Linux, a fragment that lies wholly inside a
 * run is a duplicate and is ignored, and one that overlaps partly destroys the datagram (RFC 5722 §4, applied to IPv4).
 */
#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME (30 * SEC) /* Linux's net.ipv4.ipfrag_time; RFC 1122 §3.3.2 wants 60 to 120 s */
enum { HEADER_ROOM = 60, DATA_MAX = UINT16_MAX - IP_HEADER };

struct run {
    uint16_t start, end; /* bytes of data, end not included */
};

struct datagram {
    bool used;
    uint8_t protocol;
    uint16_t id;
    ipv4 src, dst;
    uint64_t order; /* of arrival: the lowest is the oldest */
    lab_time until;
    size_t data;      /* bytes of data in all; 0: the last fragment is missing */
    uint16_t header;  /* bytes of the first fragment's header; 0: it is missing */
    uint16_t first;   /* total length of the first fragment */
    struct run *runs; /* ascending, never touching each other */
    size_t runs_n, runs_cap;
    uint8_t *bytes; /* HEADER_ROOM, then the data */
    size_t cap;
};

struct ip_reassembly {
    unsigned max;
    uint64_t started;
    struct datagram datagrams[];
};

struct ip_reassembly *ip_reassembly_new(unsigned max)
{
    assert(max > 0);
    struct ip_reassembly *r = calloc(1, sizeof *r + max * sizeof r->datagrams[0]);
    if (r)
        r->max = max;
    return r;
}

void ip_reassembly_free(struct ip_reassembly *r)
{
    for (unsigned i = 0; r && i < r->max; i++) {
        free(r->datagrams[i].runs);
        free(r->datagrams[i].bytes);
    }
    free(r);
}

/* ---- the table ---- */

static struct datagram *oldest(struct ip_reassembly *r)
{
    struct datagram *best = NULL;
    for (unsigned i = 0; i < r->max; i++) {
        struct datagram *d = &r->datagrams[i];
        if (d->used && (!best || d->order < best->order))
            best = d;
    }
    return best;
}

/* A place for a new datagram: a free one, else the oldest's. Its memory is kept for reuse. */
static struct datagram *datagram_start(struct ip_reassembly *r, const struct ip_view *v, lab_time now)
{
    struct datagram *d = NULL;
    for (unsigned i = 0; i < r->max && !d; i++)
        if (!r->datagrams[i].used)
            d = &r->datagrams[i];
    if (!d)
        d = oldest(r);
    *d = (struct datagram){.used = true,
                           .protocol = v->protocol,
                           .id = v->id,
                           .src = v->src,
                           .dst = v->dst,
                           .order = r->started++,
                           .until = now + LIFETIME,
                           .runs = d->runs,
                           .runs_cap = d->runs_cap,
                           .bytes = d->bytes,
                           .cap = d->cap};
    return d;
}

/* One that is past its time is as good as gone, whether or not ip_reassembly_expire() has been called. */
static struct datagram *datagram_find(struct ip_reassembly *r, const struct ip_view *v, lab_time now)
{
    for (unsigned i = 0; i < r->max; i++) {
        struct datagram *d = &r->datagrams[i];
        if (d->used && d->until > now && d->id == v->id && d->src == v->src && d->dst == v->dst &&
            d->protocol == v->protocol)
            return d;
    }
    return NULL;
}

/* ---- one datagram ---- */

static bool datagram_room(struct datagram *d, size_t data)
{
    size_t cap = d->cap ? d->cap : 4096;
    while (cap < HEADER_ROOM + data)
        cap *= 2;
    if (cap == d->cap)
        return true;
    uint8_t *bytes = realloc(d->bytes, cap);
    if (!bytes)
        return false;
    d->bytes = bytes;
    d->cap = cap;
    return true;
}

static bool runs_insert(struct datagram *d, size_t i, struct run run)
{
    if (d->runs_n == d->runs_cap) {
        size_t cap = d->runs_cap ? 2 * d->runs_cap : 4;
        struct run *runs = realloc(d->runs, cap * sizeof *runs);
        if (!runs)
            return false;
        d->runs = runs;
        d->runs_cap = cap;
    }
    memmove(d->runs + i + 1, d->runs + i, (d->runs_n - i) * sizeof *d->runs);
    d->runs[i] = run;
    d->runs_n++;
    return true;
}

static void runs_merge(struct datagram *d, size_t i)
{
    if (i + 1 < d->runs_n && d->runs[i].end == d->runs[i + 1].start) {
        d->runs[i].end = d->runs[i + 1].end;
        memmove(d->runs + i + 1, d->runs + i + 2, (d->runs_n - i - 2) * sizeof *d->runs);
        d->runs_n--;
    }
}

enum placed { PLACED, DUPLICATE, BROKEN };

static enum placed runs_add(struct datagram *d, struct run run)
{
    size_t i = 0;
    while (i < d->runs_n && d->runs[i].end <= run.start)
        i++;
    if (i < d->runs_n && d->runs[i].start < run.end)
        return d->runs[i].start <= run.start && run.end <= d->runs[i].end ? DUPLICATE : BROKEN;
    if (!runs_insert(d, i, run))
        return BROKEN;
    runs_merge(d, i);
    if (i > 0)
        runs_merge(d, i - 1);
    return PLACED;
}

/* The fragments must agree on where the datagram ends. */
static bool length_agrees(struct datagram *d, size_t end, bool last)
{
    size_t reached = d->runs_n ? d->runs[d->runs_n - 1].end : 0;
    if (last ? (d->data && d->data != end) || end < reached : d->data && end > d->data)
        return false;
    if (last)
        d->data = end;
    return true;
}

static enum placed datagram_place(struct datagram *d, const uint8_t *packet, const struct ip_view *v)
{
    size_t start = (v->fragment & IP_OFFSET) * (size_t)8;
    size_t n = v->total - (size_t)v->header;
    bool last = !(v->fragment & IP_MF);
    if (!last)
        n &= ~(size_t)7; /* a piece that is not in eights cannot be continued: its tail is dropped, as Linux does */
    size_t end = start + n;
    if (n == 0 || end > DATA_MAX || !length_agrees(d, end, last))
        return BROKEN;
    enum placed placed = runs_add(d, (struct run){(uint16_t)start, (uint16_t)end});
    if (placed != PLACED)
        return placed;
    if (!datagram_room(d, end))
        return BROKEN;
    memcpy(d->bytes + HEADER_ROOM + start, packet + v->header, n);
    if (start == 0) {
        memcpy(d->bytes + HEADER_ROOM - v->header, packet, v->header);
        d->header = v->header;
        d->first = (uint16_t)(v->header + n);
    }
    return PLACED;
}

/* Turns the first fragment's header into the datagram's; its length, 0 when that is more than IPv4 can say. */
static size_t datagram_finish(struct datagram *d, const uint8_t **out)
{
    uint8_t *packet = d->bytes + HEADER_ROOM - d->header;
    size_t total = d->header + d->data;
    d->used = false;
    if (total > UINT16_MAX)
        return 0;
    put16(packet + 2, (uint16_t)total);
    put16(packet + 6, 0);
    ip_header_sum(packet);
    *out = packet;
    return total;
}

size_t ip_reassembly_add(struct ip_reassembly *r, const uint8_t *packet, size_t n, lab_time now, const uint8_t **out)
{
    struct ip_view v;
    if (ip_parse(packet, n, &v) || !ip_is_fragment(&v))
        return 0;
    struct datagram *d = datagram_find(r, &v, now);
    if (!d)
        d = datagram_start(r, &v, now);
    if (datagram_place(d, packet, &v) == BROKEN) {
        d->used = false;
        return 0;
    }
    bool whole = d->data && d->runs_n == 1 && d->runs[0].start == 0 && d->runs[0].end == d->data;
    return whole ? datagram_finish(d, out) : 0;
}

/* ---- time ---- */

bool ip_reassembly_expire(struct ip_reassembly *r, lab_time now, const uint8_t **expired, size_t *n)
{
    struct datagram *d = oldest(r);
    if (!d || d->until > now)
        return false;
    d->used = false;
    if (expired) {
        *expired = d->header ? d->bytes + HEADER_ROOM - d->header : NULL;
        *n = d->header ? d->first : 0;
    }
    return true;
}

lab_time ip_reassembly_next(const struct ip_reassembly *r)
{
    lab_time next = NEVER;
    for (unsigned i = 0; i < r->max; i++)
        if (r->datagrams[i].used && r->datagrams[i].until < next)
            next = r->datagrams[i].until;
    return next;
}
