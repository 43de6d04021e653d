/* Whatever a machine's NAT tells of flows and packets, in whatever order, the nat node with `engine: kernel` survives,
 * ends what it was told of, and leaves nothing behind. The input is a row of events:
 *
 *     0 flow (FLOW bytes)    created        2 n packet (n bytes)    passed, at the port that n's lowest bit says
 *     1 flow                 ended          3 n packet              dropped
 *     4 seconds              time passes    5, 6                    reboot, flush */
#include "nodes/node.h"
#include "nodes/proto/ip.h"
#include "tests/nat/fake_knat.h"

extern const struct node_kind nat_kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum event { CREATED, ENDED, PASSED, DROPPED, TIME, REBOOT, FLUSH, EVENTS };
enum { FLOW = 6 }; /* bytes: protocol, inside, remote, two ports, identity */

/* Few values, so that flows meet. */
static struct host_knat_flow flow_of(const uint8_t *p)
{
    static const uint8_t protocols[] = {IP_UDP, IP_TCP, IP_ICMP, 47};
    struct host_knat_flow f = {.id = p[5], .protocol = protocols[p[0] & 3]};
    f.src = (struct endpoint){IPV4(10, 0, 0, p[1]), p[3]};
    f.dst = f.new_dst = (struct endpoint){IPV4(198, 51, 100, p[2]), p[4]};
    f.new_src = p[0] & 4 ? f.src : (struct endpoint){PUBLIC, p[3]};
    return f;
}

static void pass_time(struct host *h, lab_time until)
{
    while (timers_next(&h->timers) <= until) {
        h->now = timers_next(&h->timers);
        timers_fire(&h->timers, h->now);
    }
    h->now = until;
}

/* One event; returns the bytes used, 0 at the end. */
static size_t play(struct host *h, void *node, const uint8_t *p, size_t n)
{
    struct host_knat_flow flow;
    size_t length = n > 1 ? p[1] : 0;
    enum event event = (enum event)(p[0] % EVENTS);
    if ((event <= ENDED && n < 1 + FLOW) || ((event == PASSED || event == DROPPED) && n < 2 + length) || n < 2)
        return 0;
    switch (event) {
    case CREATED:
    case ENDED:
        flow = flow_of(p + 1);
        (event == CREATED ? the_knat.events.created : the_knat.events.ended)(the_knat.arg, &flow);
        return 1 + FLOW;
    case PASSED: the_knat.events.passed(the_knat.arg, p[1] & 1, p + 2, length); return 2 + length;
    case DROPPED:
        the_knat.events.dropped(the_knat.arg, (enum host_knat_drop)(p[1] & 1), p + 2, length);
        return 2 + length;
    case TIME: pass_time(h, h->now + p[1] * SEC); return 2;
    case REBOOT: nat_kind.command(node, SPAN("reboot")); return 1;
    case FLUSH: nat_kind.command(node, SPAN("flush")); return 1;
    case EVENTS: break;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    static struct host h;
    void *settings = options_new(nat_kind.options, nat_kind.settings_size);
    void *node;
    memset(&h, 0, sizeof h);
    timers_init(&h.timers);
    if (options_set(nat_kind.options, settings, SPAN("engine"), SPAN("kernel"), NULL) ||
        nat_kind.start(&h, settings, &node, &why))
        abort();
    for (size_t used; n > 0 && (used = play(&h, node, data, n)) > 0; data += used, n -= used)
        ;
    pass_time(&h, h.now + 3 * HOUR); /* longer than any flow lives */
    if (timers_next(&h.timers) != NEVER)
        abort();
    nat_kind.stop(node);
    timers_fini(&h.timers);
    options_free(nat_kind.options, settings);
    return 0;
}
