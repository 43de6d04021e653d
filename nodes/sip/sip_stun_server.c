#include "nodes/sip/sip_stun_server.h"

#include "nodes/base/text.h"
#include "nodes/proto/stun.h"

enum { ANSWER_MAX = 256 };

static void drop(struct sip_transport_layer *t, const char *cause, struct endpoint from)
{
    char buf[64];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "STUN from ");
    text_endpoint(&what, from);
    host_drop(sip_transport_host(t), cause, text_span(&what));
}

/* RFC 8489 §6.3.1: unknown attributes that must be understood are named in a 420. */
static void write_answer(struct stun_writer *w, uint8_t room[ANSWER_MAX], const struct stun_msg *request,
                         struct endpoint from)
{
    stun_begin(w, room, ANSWER_MAX, request->unknown_n ? STUN_ERROR : STUN_SUCCESS, &request->id);
    if (request->unknown_n) {
        stun_put_error(w, 420, SPAN("Unknown Attribute"));
        stun_put_unknown(w, request->unknown, request->unknown_n);
    } else {
        stun_put_endpoint(w, STUN_XOR_MAPPED_ADDRESS, from);
    }
    stun_put_fingerprint(w);
}

bool sip_stun_answer(struct sip_transport_layer *t, unsigned socket, struct endpoint from, struct span bytes)
{
    uint8_t room[ANSWER_MAX];
    struct stun_msg request;
    struct stun_writer w;
    struct sip_flow to = sip_flow_to(socket, from);
    if (stun_parse(bytes, &request)) {
        drop(t, "bad-stun", from);
        return false;
    }
    if (request.class != STUN_REQUEST || request.method != STUN_BINDING) {
        drop(t, "not-ours", from);
        return false;
    }
    write_answer(&w, room, &request, from);
    (void)sip_transport_send_stun(t, &to, stun_end(&w)); /* one that is lost is asked for again */
    return request.unknown_n == 0;
}
