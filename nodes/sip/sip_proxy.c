/* The proxy's front: validation (RFC 3261 §16.3), and the ACK of a 2xx, which has neither transaction nor context. What
 * is done to a request is in sip_forward.c, what becomes of it in sip_context.c. */
#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_proxy_private.h"

#include <stdlib.h>

enum { HEADERS_MAX = 512 };

int sip_proxy_new(struct sip_proxy **out, struct sip_txns *txns, const struct sip_proxy_config *config,
                  const struct sip_proxy_hooks *hooks, void *arg)
{
    struct sip_proxy *p = calloc(1, sizeof *p);
    if (!p)
        return FE_EMEM;
    p->txns = txns;
    p->config = *config;
    p->config.timer_c = config->timer_c ? config->timer_c : 3 * MINUTE + 1 * SEC;
    p->config.max_forwards = config->max_forwards ? config->max_forwards : SIP_MAX_FORWARDS;
    p->hooks = hooks;
    p->arg = arg;
    *out = p;
    return 0;
}

void sip_proxy_free(struct sip_proxy *p)
{
    if (!p)
        return;
    while (p->contexts)
        sip_context_drop(p->contexts);
    free(p);
}

/* A Via of ours whose branch says that it stands for the very same request: it has come round (§16.3 item 4). */
static bool has_looped(const struct sip_proxy *p, const struct sip_msg *msg)
{
    char buf[SIP_SALT_MAX];
    struct span salt = sip_forward_salt(msg, buf);
    struct sip_list list = sip_list(msg, SIP_H_VIA);
    struct span value;
    struct sip_via via;
    while (sip_list_next(&list, &value)) {
        struct endpoint sent_by = {0};
        if (sip_via_parse(value, &via) || via.branch.n < salt.n || addr_parse(via.host, &sent_by.addr))
            continue;
        sent_by.port = via.port ? via.port : sip_transport_port(via.transport);
        struct span end = {via.branch.p + via.branch.n - salt.n, salt.n};
        if (span_equal(end, salt) && sip_transport_is_own(sip_txns_transport(p->txns), sent_by))
            return true;
    }
    return false;
}

/* What is wrong with forwarding this request: a status, or 0. */
static unsigned judge(const struct sip_proxy *p, const struct sip_incoming *in, struct sip_problem *why)
{
    *why = (struct sip_problem){0};
    if (sip_check_proxy(in->msg, in->core, (struct span){0}, why))
        return why->status ? why->status : 400;
    if (p->config.detect_loops && has_looped(p, in->msg))
        return 482;
    return 0;
}

bool sip_proxy_accept(struct sip_proxy *p, struct sip_txn *txn, const struct sip_incoming *in, struct sip_routing *r)
{
    struct sip_problem why;
    char buf[HEADERS_MAX];
    struct text headers = text_on(buf, sizeof buf);
    unsigned status = judge(p, in, &why);
    if (status == 0 && sip_session_proxy_refuses(&p->config.session, in->msg, &headers))
        status = 422;
    if (status == 0) {
        sip_forward_route(p, in->msg, r);
        return true;
    }
    if (status == 420)
        sip_put(&headers, SIP_H_UNSUPPORTED, why.about);
    sip_txn_reply(txn, &(struct sip_reply){.status = status, .headers = text_span(&headers)});
    return false;
}

bool sip_proxy_accept_ack(struct sip_proxy *p, const struct sip_incoming *in, struct sip_routing *r)
{
    struct sip_problem why;
    if (judge(p, in, &why))
        return false;
    sip_forward_route(p, in->msg, r);
    return true;
}

/* §16.11: a branch that every copy of this ACK gets again: from the branch that it came with. */
static void stateless_branch(const struct sip_incoming *in, struct text *branch)
{
    uint64_t hash = span_hash(in->core->via.bytes);
    uint8_t bytes[8];
    char salt[SIP_SALT_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(hash >> (8 * i));
    text_str(branch, SIP_MAGIC_COOKIE);
    text_hex(branch, bytes, sizeof bytes);
    text_put(branch, sip_forward_salt(in->msg, salt));
}

int sip_proxy_forward_ack(struct sip_proxy *p, const struct sip_incoming *in, const struct sip_routing *r,
                          const struct sip_target *target, const struct sip_rewrite *rewrite)
{
    char buf[SIP_BYTES_MAX];
    char branch_buf[SIP_BRANCH_MAX];
    struct text out = text_on(buf, sizeof buf);
    struct text branch = text_on(branch_buf, sizeof branch_buf);
    struct sip_flow flow;
    if (!sip_forward_next_hop(p, r, target, &flow))
        return FE_EUNREACH;
    int error = sip_forward_write(p, in->msg, r, target, rewrite, &out);
    if (error)
        return error;
    stateless_branch(in, &branch);
    return sip_transport_send_request(sip_txns_transport(p->txns), &flow, text_span(&out), text_span(&branch));
}
