/* What became of a packet, told from the packets alone, so that it is the same whoever's IP stack speaks: a router that
 * answers the packet it was just given with "time exceeded" has dropped it. */
#include "sim/engine/engine_impl.h"

#include <string.h>

/* ---- what was pushed ---- */

static bool is_icmp_error(const uint8_t *packet, size_t n)
{
    size_t header = (size_t)(packet[0] & 15) * 4;
    return packet[9] == IP_ICMP && n > header && icmp_is_error(packet[header]);
}

void engine_note_push(struct engine *e, unsigned node, const struct packet *p)
{
    if (p->n < IP_HEADER)
        return;
    e->pushed.valid = true;
    e->pushed.node = node;
    e->pushed.icmp_error = is_icmp_error(p->data, p->n);
    memcpy(e->pushed.head, p->data, IP_HEADER);
}

/* RFC 792: the quoted header is that of the packet; identification, protocol and addresses name it. */
static bool quotes_pushed(const struct engine *e, unsigned node, struct span quoted)
{
    enum { ID = 4, PROTOCOL = 9, ADDRESSES = 12 };
    const uint8_t *head = e->pushed.head;
    return e->pushed.valid && e->pushed.node == node && quoted.n >= IP_HEADER &&
           memcmp(quoted.p + ID, head + ID, 2) == 0 && (uint8_t)quoted.p[PROTOCOL] == head[PROTOCOL] &&
           memcmp(quoted.p + ADDRESSES, head + ADDRESSES, 8) == 0;
}

static void remark(struct engine *e, const char *node, struct span cause)
{
    char buf[256];
    struct text t = text_on(buf, sizeof buf);
    if (!e->capture)
        return;
    text_str(&t, "dropped by ");
    text_str(&t, node);
    text_str(&t, ": ");
    text_put(&t, cause);
    capture_remark(e->capture, text_span(&t));
}

/* ---- ICMP errors ---- */

static bool is_own_address(const struct plan_node *node, ipv4 addr)
{
    for (size_t i = 0; i < node->ports_n; i++)
        if (node->ports[i].addr == addr)
            return true;
    return false;
}

/* ip_describe() says "icmp … about …" of an error: what follows is the quoted packet. Empty when it is not to be read.
 */
static struct span describe_quoted(const struct packet *p, char *buf, size_t cap)
{
    static const char about[] = " about ";
    struct text t = text_on(buf, cap);
    ip_describe(&t, p->data, p->n);
    const char *found = strstr(buf, about);
    return span_of(found ? found + sizeof about - 1 : "");
}

/* Why a router that sends this error has dropped the packet; NULL when the error says something else. */
static const char *router_cause(const struct ip_view *v)
{
    if (v->icmp_type == ICMP_TIME_EXCEEDED && v->icmp_code == ICMP_TTL_EXCEEDED)
        return "ttl-exceeded";
    if (v->icmp_type != ICMP_UNREACHABLE)
        return NULL;
    if (v->icmp_code == ICMP_NET_UNREACHABLE || v->icmp_code == ICMP_HOST_UNREACHABLE)
        return "no-route";
    return v->icmp_code == ICMP_FRAG_NEEDED ? "too-big" : NULL;
}

static void trace_node_drop(struct engine *e, const char *node, const char *cause, struct span packet)
{
    struct record *r = trace_begin(&e->trace, e->now, node, "drop");
    record_str(r, "cause", cause);
    record_text(r, "packet", packet);
    trace_end(&e->trace);
    remark(e, node, span_of(cause));
}

/* An error that was itself pushed into the node is only passed on by it, perhaps translated: it has been traced where
 * it began. */
void engine_note_icmp(struct engine *e, unsigned node, const struct packet *p)
{
    const struct plan_node *plan = e->nodes[node].plan;
    struct ip_view v;
    char buf[512];
    bool passed_on = e->pushed.valid && e->pushed.node == node && e->pushed.icmp_error;
    if (passed_on || ip_parse(p->data, p->n, &v) || !icmp_is_error(v.icmp_type) || !is_own_address(plan, v.src))
        return;
    struct span about = describe_quoted(p, buf, sizeof buf);
    const char *cause = plan->role == PLAN_ROUTER || plan->forwards ? router_cause(&v) : NULL;
    if (cause && quotes_pushed(e, node, icmp_quoted(p->data, &v)))
        trace_node_drop(e, plan->name, cause, about);
    struct record *r = trace_begin(&e->trace, e->now, plan->name, "icmp");
    record_addr(r, "from", v.src);
    record_str(r, "type", icmp_name(v.icmp_type, v.icmp_code));
    record_text(r, "about", about);
    trace_end(&e->trace);
}

/* ---- drops ---- */

void engine_note_drop(struct engine *e, unsigned node, struct span line)
{
    struct span cause;
    if (e->capture && e->pushed.valid && e->pushed.node == node && record_is(line, "ev", "drop") &&
        record_get(line, "cause", &cause))
        remark(e, e->nodes[node].plan->name, cause);
}

void engine_note_dark(struct engine *e, unsigned node, const struct packet *p)
{
    char buf[512];
    struct text what = text_on(buf, sizeof buf);
    ip_describe(&what, p->data, p->n);
    trace_node_drop(e, e->nodes[node].plan->name, "powered-off", text_span(&what));
}

void engine_note_wire_drop(struct engine *e, unsigned way, enum wire_fate fate, const struct packet *p)
{
    const char *wire = e->plan->wires[way / 2].name;
    char buf[512];
    struct text what = text_on(buf, sizeof buf);
    ip_describe(&what, p->data, p->n);
    struct record *r = trace_begin(&e->trace, e->now, NULL, "drop");
    record_str(r, "wire", wire);
    record_str(r, "cause", wire_cause(fate));
    record_text(r, "packet", text_span(&what));
    trace_end(&e->trace);
    if (e->capture) {
        struct text comment = text_on(buf, sizeof buf);
        text_str(&comment, "dropped on ");
        text_str(&comment, wire);
        text_str(&comment, ": ");
        text_str(&comment, wire_cause(fate));
        capture_packet(e->capture, e->now, way / 2, way % 2, p->data, p->n, buf);
    }
}

/* ---- what wires do to packets ---- */

static void note_mark(struct engine *e, unsigned way, const char *what, const struct packet *p)
{
    char buf[512];
    struct text packet = text_on(buf, sizeof buf);
    ip_describe(&packet, p->data, p->n);
    struct record *r = trace_begin(&e->trace, e->now, NULL, "impaired");
    record_str(r, "wire", e->plan->wires[way / 2].name);
    record_str(r, "what", what);
    record_text(r, "packet", text_span(&packet));
    trace_end(&e->trace);
}

void engine_note_marks(struct engine *e, unsigned way, const struct packet *p)
{
    unsigned marks = e->ways[way].wire.marks;
    if (marks & WIRE_DUPLICATED)
        note_mark(e, way, "duplicated", p);
    if (marks & WIRE_CORRUPTED)
        note_mark(e, way, "corrupted", p);
}
