/* PCP from the wire, as a server and as a client reads it: what is understood can be written and read again, every
 * request that is not dropped has an answer, and a client understands that. */
#include "nodes/proto/pcp.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct pcp_msg *a, const struct pcp_msg *b)
{
    must(a->opcode == b->opcode && a->lifetime == b->lifetime && a->protocol == b->protocol);
    must(a->internal == b->internal && endpoint_equal(a->external, b->external) && endpoint_equal(a->peer, b->peer));
    must(pcp_nonce_equal(&a->nonce, &b->nonce) && a->prefer_failure == b->prefer_failure);
    must(a->filters_n == b->filters_n);
    for (unsigned i = 0; i < a->filters_n; i++) {
        must(a->filters[i].peers.addr == b->filters[i].peers.addr && a->filters[i].port == b->filters[i].port);
        must(a->filters[i].peers.bits == b->filters[i].peers.bits && a->filters[i].clears == b->filters[i].clears);
    }
}

static void answer(struct span request, const struct pcp_msg *asked, int result)
{
    uint8_t room[PCP_MAX];
    struct pcp_msg got;
    struct pcp_msg answer = {.result = (uint8_t)result, .lifetime = 120, .epoch = 9, .external = {5, 6}};
    size_t n = pcp_write_response(room, sizeof room, request, &answer);
    must(n >= PCP_HEADER && n <= PCP_MAX && n % 4 == 0);
    int error = pcp_read_response(span_make(room, n), &got);
    if (result == PCP_SUCCESS)
        must(error == 0 && pcp_nonce_equal(&got.nonce, &asked->nonce) && got.filters_n == asked->filters_n);
    must(error || (got.opcode == asked->opcode && got.result == result && got.lifetime == 120 && got.epoch == 9));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[PCP_MAX];
    struct span bytes = span_make(data, size);
    struct pcp_msg asked;
    struct pcp_msg again;
    (void)pcp_read_response(bytes, &again);
    int result = pcp_read_request(bytes, &asked);
    if (result < 0)
        return 0;
    answer(bytes, &asked, result);
    if (result > 0)
        return 0;
    size_t n = pcp_write_request(room, sizeof room, &asked);
    must(n > 0 && pcp_read_request(span_make(room, n), &again) == 0);
    same(&asked, &again);
    return 0;
}
