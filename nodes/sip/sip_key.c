/* Which transaction does a message belong to (RFC 3261 §17.1.3, §17.2.3)? What its messages have in common is written
 * down as a text, its key; equal keys, same transaction. */
#include "nodes/sip/sip_txn_private.h"

void sip_key_client(struct text *key, struct span branch, struct span method)
{
    text_str(key, "client ");
    text_put(key, branch);
    text_char(key, ' ');
    text_put(key, method);
}

static void put_lower(struct text *key, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        text_char(key, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i]);
}

/* Branch, sent-by, method. */
static void put_branch(struct text *key, const struct sip_via *via)
{
    text_str(key, "server ");
    text_put(key, via->branch);
    text_char(key, ' ');
    put_lower(key, via->host);
    text_char(key, ':');
    text_u64(key, via->port ? via->port : SIP_DEFAULT_PORT);
}

/* A client of RFC 2543 does not make branches unique. The To tag is left out: an ACK has it otherwise than its INVITE,
 * and no two requests differ in it alone, since CSeq grows within a dialog. Of the Via, what the transport added on the
 * way in depends on the source alone, and so may stay. */
static void put_fields(struct text *key, const struct sip_msg *msg, const struct sip_core *core)
{
    text_str(key, "rfc2543 ");
    text_put(key, msg->uri);
    text_char(key, ' ');
    text_put(key, core->from.tag);
    text_char(key, ' ');
    text_put(key, core->call_id);
    text_char(key, ' ');
    text_u64(key, core->cseq.number);
    text_char(key, ' ');
    text_put(key, core->via.bytes);
}

void sip_key_server(struct text *key, const struct sip_msg *msg, const struct sip_core *core, struct span method)
{
    if (span_starts(core->via.branch, SPAN(SIP_MAGIC_COOKIE)))
        put_branch(key, &core->via);
    else
        put_fields(key, msg, core);
    text_char(key, ' ');
    text_put(key, method);
}
