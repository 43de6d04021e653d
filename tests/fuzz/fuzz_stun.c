/* STUN from the wire: what is read stays inside the bytes, and what is understood can be written and read again. */
#include "nodes/proto/stun.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span part, struct span whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void write_again(const struct stun_msg *msg)
{
    uint8_t room[2048];
    struct stun_writer w;
    struct stun_msg again;
    stun_begin(&w, room, sizeof room, msg->class, &msg->id);
    if (msg->xor_mapped.port)
        stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, msg->xor_mapped);
    if (msg->other.port)
        stun_put_endpoint(&w, STUN_OTHER_ADDRESS, msg->other);
    stun_put_change(&w, msg->change);
    if (msg->response_port)
        stun_put_response_port(&w, msg->response_port);
    stun_put_software(&w, msg->software);
    if (msg->error)
        stun_put_error(&w, msg->error, msg->reason.n < 800 ? msg->reason : (struct span){0});
    stun_put_unknown(&w, msg->unknown, msg->unknown_n);
    stun_put_fingerprint(&w);
    if (stun_parse(stun_end(&w), &again) || !again.fingerprint || again.class != msg->class ||
        !stun_id_equal(&again.id, &msg->id) || again.error != msg->error || again.change != msg->change ||
        again.response_port != msg->response_port ||
        !endpoint_equal(again.other, msg->other.port ? msg->other : (struct endpoint){0}))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_make(data, size);
    struct stun_msg msg;
    if (stun_parse(bytes, &msg))
        return 0;
    if (!stun_is(bytes) || msg.unknown_n > STUN_UNKNOWN_MAX)
        abort();
    inside(msg.reason, bytes);
    inside(msg.software, bytes);
    write_again(&msg);
    return 0;
}
