/* What there is to be found at a node (struct account): from what was given to it and from what its program said. */
#include "netns/netns_impl.h"
#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"

static bool is_icmp(const struct packet *p)
{
    return p->n >= IP_HEADER && p->data[9] == IP_ICMP;
}

static bool is_fragment(const struct packet *p)
{
    return p->n > 7 && ((p->data[6] & 0x3f) | p->data[7]) != 0;
}

/* How many packets the node's kernel may send because of this one. */
static unsigned brings_about(const struct world *w, unsigned index, const struct packet *p)
{
    const struct plan_node *node = &w->plan->nodes[index];
    if (netns_owns_interfaces(node))
        return 0;
    if ((netns_is_tcp(p) || is_icmp(p)) && netns_tcp_concerns(node))
        return EXPECT_ANY; /* an ACK opens a window, an ICMP error makes segments smaller */
    for (size_t i = 0; i < node->ports_n; i++)
        if (is_fragment(p) || p->n > w->nodes[index].ends[i].mtu)
            return EXPECT_ANY; /* what is put together here may leave in pieces again */
    return 1;
}

void netns_account_expect(struct account *a, unsigned more)
{
    a->expected = more >= EXPECT_ANY - a->expected ? EXPECT_ANY : a->expected + more;
    a->cursor = 0;
}

/* Where the program will find this packet; 0: that is for its kernel to say. */
static uint64_t arrival_of(const struct plan_node *node, unsigned port, const struct packet *p)
{
    size_t header = p->n >= IP_HEADER && p->data[0] >> 4 == 4 ? (size_t)(p->data[0] & 15) * 4 : 0;
    if (header < IP_HEADER)
        return 0;
    if (netns_owns_interfaces(node))
        return turn_arrival_port(port);
    if (node->forwards || is_fragment(p) || p->data[9] != IP_UDP || p->n < header + UDP_HEADER)
        return 0;
    return turn_arrival_udp((struct endpoint){get32(p->data + 16), get16(p->data + header + 2)});
}

void netns_account_streams(struct world *w, unsigned index, const struct packet *p)
{
    const struct plan_node *node = &w->plan->nodes[index];
    if (node->role != PLAN_ROUTER && !netns_owns_interfaces(node) && netns_is_tcp(p))
        w->streams = true;
}

void netns_account_pushed(struct world *w, unsigned node, unsigned port, const struct packet *p)
{
    const struct plan_node *plan = &w->plan->nodes[node];
    struct account *a = &w->accounts[node];
    bool alone = w->programs[node].page && !a->frozen && !w->site.wires && !a->input;
    a->arrival = alone ? arrival_of(plan, port, p) : 0;
    if (!a->arrival)
        netns_account_expect(a, brings_about(w, node, p));
    if (!a->arrival && plan->role != PLAN_ROUTER)
        w->doubtful = true;
    a->came_by = port;
    a->input = true;
    netns_account_streams(w, node, p);
}

unsigned netns_account_likely_port(const struct account *a)
{
    unsigned before = a->came_by < ACCOUNT_PORTS ? a->left_by[a->came_by] : 0;
    return before ? before - 1 : a->came_by + 1;
}

void netns_account_left(struct account *a)
{
    if (a->came_by < ACCOUNT_PORTS)
        a->left_by[a->came_by] = (uint8_t)(a->cursor + 1);
}

void netns_account_turned(struct world *w, unsigned node, enum netns_turn_end end)
{
    const struct turn_page *page = w->programs[node].page;
    struct account *a = &w->accounts[node];
    if (end == NETNS_TURN_BACK && page->result == TURN_FLUSH)
        return;
    if (end != NETNS_TURN_BACK || page->result != TURN_DONE || page->sent == TURN_SENT_MANY) {
        netns_account_expect(a, EXPECT_ANY);
        w->doubtful = true;
        return;
    }
    netns_account_expect(a, page->sent);
    if (a->arrival && !page->received && !netns_owns_interfaces(&w->plan->nodes[node]))
        netns_account_expect(a, 1);
}

uint64_t netns_account_no_input(const struct world *w, const struct account *a)
{
    bool sure = !a->input && !w->doubtful && !w->streams && !w->foreigns && !w->site.wires;
    return sure ? TURN_ARRIVAL_NONE : 0;
}
