/* DNS on a stream: cut anywhere, the same bytes are the same messages, and framed again they are the same bytes.
 * The first byte says how long the portions are. */
#include "nodes/proto/dns.h"
#include "nodes/proto/dns_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Takes what lies at the beginning of `rest` in one piece. */
static void same_in_one_piece(struct span message, struct span *rest)
{
    struct dns_stream s = {0};
    struct span whole;
    require(dns_stream_next(&s, rest, &whole) && span_equal(whole, message) && dns_stream_is_between(&s));
    dns_stream_fini(&s);
}

static void same_bytes(struct span message, struct span at)
{
    static uint8_t room[DNS_STREAM_LENGTH + DNS_STREAM_MAX];
    if (message.n)
        memcpy(room + DNS_STREAM_LENGTH, message.p, message.n);
    struct span again = dns_stream_frame(room, message.n);
    require(again.n <= at.n && span_equal(again, (struct span){at.p, again.n}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_stream s = {0};
    struct dns_msg msg;
    struct span message;
    if (size == 0)
        return 0;
    struct span all = span_make(data + 1, size - 1);
    struct span rest = all;
    size_t step = 1u + data[0];
    for (size_t at = 0; at < all.n; at += step) {
        struct span portion = {all.p + at, all.n - at < step ? all.n - at : step};
        while (dns_stream_next(&s, &portion, &message)) {
            same_bytes(message, rest);
            same_in_one_piece(message, &rest);
            (void)dns_parse(message, &msg);
        }
        require(portion.n == 0);
    }
    require(dns_stream_is_between(&s) == (rest.n == 0));
    dns_stream_fini(&s);
    return 0;
}
