#include "nodes/sbc/sbc_watch.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { BUCKETS = 1024 };

struct watched {
    struct watched *next; /* in its bucket */
    struct sbc_watch *set;
    struct sip_flow flow;
    lab_time limit; /* of silence */
    struct timer silence;
};

struct sbc_watch {
    struct host *host;
    void (*failed)(void *arg, struct sip_flow flow);
    void *arg;
    struct watched *bucket[BUCKETS];
};

static struct watched **place(struct sbc_watch *set, struct sip_flow flow)
{
    struct watched **at = &set->bucket[(flow.remote.addr ^ flow.remote.port) % BUCKETS];
    while (*at && !sip_flow_equal((*at)->flow, flow))
        at = &(*at)->next;
    return at;
}

static void end(struct watched **at)
{
    struct watched *w = *at;
    *at = w->next;
    host_timer_stop(w->set->host, &w->silence);
    free(w);
}

static void silent(void *arg)
{
    struct watched *w = arg;
    struct sbc_watch *set = w->set;
    struct sip_flow flow = w->flow;
    end(place(set, flow));
    set->failed(set->arg, flow);
}

void sbc_watch_heard(struct sbc_watch *set, struct sip_flow flow)
{
    struct watched *w = *place(set, flow);
    if (w)
        host_timer_start(set->host, &w->silence, host_now(set->host) + w->limit);
}

void sbc_watch_begin(struct sbc_watch *set, struct sip_flow flow, lab_time timer)
{
    struct watched **at = place(set, flow);
    if (!*at) {
        struct watched *w = malloc(sizeof *w);
        if (!w)
            return;
        *w = (struct watched){.set = set, .flow = flow};
        timer_init(&w->silence, silent, w);
        *at = w;
    }
    (*at)->limit = timer + SBC_WATCH_GRACE;
    sbc_watch_heard(set, flow);
}

void sbc_watch_end(struct sbc_watch *set, struct sip_flow flow)
{
    struct watched **at = place(set, flow);
    if (*at)
        end(at);
}

int sbc_watch_new(struct sbc_watch **out, struct host *h, void (*failed)(void *arg, struct sip_flow flow), void *arg)
{
    struct sbc_watch *set = calloc(1, sizeof *set);
    if (!set)
        return FE_EMEM;
    set->host = h;
    set->failed = failed;
    set->arg = arg;
    *out = set;
    return 0;
}

void sbc_watch_free(struct sbc_watch *set)
{
    if (!set)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (set->bucket[i])
            end(&set->bucket[i]);
    free(set);
}
