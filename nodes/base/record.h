/* A record is one line of the trace: a flat JSON object, written by hand with integers only, so that nanoseconds
 * survive and the same run gives the same bytes.
 *
 *     {"t":15021000,"node":"alice","ev":"registration","state":"registered","status":200}
 *
 * Keys are written in the order of the calls. There is no nesting. */
#ifndef FAREND_BASE_RECORD_H
#define FAREND_BASE_RECORD_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

struct record {
    struct text text;
};

#define RECORD_MAX 2048 /* bytes of the longest line, NUL included; a longer value is cut short by record_text */

/* Writes into buf, memory of the caller (cap bytes). */
void record_begin(struct record *r, char *buf, size_t cap);

/* Long text is cut to what fits and marked by "…" so that a record is always whole. */
void record_text(struct record *r, const char *key, struct span value);
void record_str(struct record *r, const char *key, const char *value); /* NULL: nothing is written */
void record_u64(struct record *r, const char *key, uint64_t value);
void record_i64(struct record *r, const char *key, int64_t value);
void record_bool(struct record *r, const char *key, bool value);
void record_addr(struct record *r, const char *key, ipv4 value);
void record_endpoint(struct record *r, const char *key, struct endpoint value);
void record_fixed(struct record *r, const char *key, int64_t value, unsigned places);

/* Closes the object; the span (without newline) lives as long as buf. */
struct span record_end(struct record *r);

/* Reads one key of a line written by the functions above. *raw is the value's text: what stands between the quotes of a
 * string, still escaped, or the number. false when the key is not there. */
bool record_get(struct span line, const char *key, struct span *raw);
bool record_get_i64(struct span line, const char *key, int64_t *out);
/* True when the key is there as a string and equals `value` (compared in its escaped form). */
bool record_is(struct span line, const char *key, const char *value);

/* Walks the keys in their order: start with *at = 0; false at the end or on a malformed line. */
bool record_next(struct span line, size_t *at, struct span *key, struct span *raw);

#endif
