#include "nodes/resolve/dns_trace.h"

/* The data of the answer section, in its order: "sbc.example.com, 203.0.113.10". */
static void answers_text(struct text *t, const struct dns_msg *msg)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(msg); dns_next(&w, &r) && w.section == DNS_ANSWER;) {
        text_str(t, t->n ? ", " : "");
        dns_data_text(t, &r);
    }
}

static void record_answer(struct record *r, const struct dns_msg *msg)
{
    char buf[RECORD_MAX / 2];
    struct text rcode = text_on(buf, sizeof buf);
    dns_rcode_text(&rcode, msg->head.rcode);
    record_text(r, "rcode", text_span(&rcode));
    if (msg->head.truncated)
        record_bool(r, "truncated", true);
    struct text answers = text_on(buf, sizeof buf);
    answers_text(&answers, msg);
    if (answers.n == 0)
        return;
    struct dns_answer answer;
    dns_answer_find(msg, &answer);
    record_text(r, "answers", text_span(&answers));
    record_u64(r, "ttl", answer.ttl);
}

void dns_trace(struct host *h, bool out, enum dns_by by, struct endpoint peer, const struct dns_msg *msg)
{
    char buf[DNS_NAME_TEXT];
    struct record *r = host_trace(h, "dns");
    record_str(r, "dir", out ? "out" : "in");
    record_str(r, "msg", msg->head.response ? "answer" : "query");
    record_endpoint(r, "peer", peer);
    if (by == DNS_BY_TCP)
        record_str(r, "transport", "TCP");
    struct text name = text_on(buf, sizeof buf);
    dns_name_text(&name, &msg->question.name);
    record_text(r, "name", text_span(&name));
    struct text type = text_on(buf, sizeof buf);
    dns_type_text(&type, msg->question.type);
    record_text(r, "type", text_span(&type));
    if (msg->head.response)
        record_answer(r, msg);
    host_trace_end(h);
}

void dns_trace_drop(struct host *h, const char *cause, struct endpoint from)
{
    char buf[64];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "DNS from ");
    text_endpoint(&what, from);
    host_drop(h, cause, text_span(&what));
}
