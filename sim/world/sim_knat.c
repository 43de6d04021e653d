/* The simulated machine has no NAT of its own: a node that wants one says so, and how to go on. */
#include "nodes/base/error.h"
#include "nodes/host.h"

int host_knat_open(struct host *h, const struct host_knat_config *config, const struct host_knat_events *events,
                   void *arg, struct host_knat **out, struct text *why)
{
    (void)h, (void)config, (void)events, (void)arg, (void)out;
    text_str(why, "the kernel's own NAT needs --world netns; a simulated node has engine: farend");
    return FE_EREFUSED;
}

/* Nobody has one to call these with. */
int host_knat_configure(struct host_knat *k, const struct host_knat_config *config)
{
    (void)k, (void)config;
    return FE_EREFUSED;
}

void host_knat_end(struct host_knat *k, const struct host_knat_flow *flow)
{
    (void)k, (void)flow;
}

void host_knat_flush(struct host_knat *k)
{
    (void)k;
}

void host_knat_close(struct host_knat *k)
{
    (void)k;
}
