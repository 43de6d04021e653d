#include "nodes/prober/prober.h"

static const char *dependence_text(enum prober_dependence d)
{
    switch (d) {
    case PROBER_UNKNOWN: break;
    case PROBER_ENDPOINT_INDEPENDENT: return "endpoint-independent";
    case PROBER_ADDRESS_DEPENDENT: return "address-dependent";
    case PROBER_ADDRESS_AND_PORT_DEPENDENT: return "address-and-port-dependent";
    }
    return NULL;
}

static struct record *begin(struct prober *p, const char *state)
{
    struct record *r = host_trace(p->host, "nat-probe");
    record_str(r, "state", state);
    record_endpoint(r, "server", p->settings->server);
    return r;
}

void prober_trace_state(struct prober *p, const char *state, const char *reason)
{
    struct record *r = begin(p, state);
    record_str(r, "reason", reason);
    host_trace_end(p->host);
}

void prober_trace_trial(struct prober *p, bool alive)
{
    struct record *r = begin(p, "silence");
    record_i64(r, "lasted", p->search.trial / SEC);
    record_str(r, "survived", alive ? "yes" : "no");
    host_trace_end(p->host);
}

void prober_trace_found(struct prober *p)
{
    const struct prober_findings *f = &p->found;
    struct record *r = begin(p, "done");
    record_endpoint(r, "local", f->local);
    record_endpoint(r, "public", f->mapped);
    record_str(r, "translated", f->translated ? "yes" : "no");
    record_str(r, "mapping", dependence_text(f->mapping));
    record_str(r, "filtering", dependence_text(f->filtering));
    if (f->hairpin != PROBER_NOT_TRIED)
        record_str(r, "hairpin", f->hairpin == PROBER_YES ? "yes" : "no");
    record_str(r, "keeps_ports", f->moves_ports ? "no" : "yes");
    record_str(r, "alg", f->alg ? "yes" : "no");
    if (f->lifetime)
        record_i64(r, "lifetime", f->lifetime / SEC);
    if (f->lifetime_over)
        record_i64(r, "lifetime_over", f->lifetime_over / SEC);
    host_trace_end(p->host);
}
