/* The step `fault`: something is done to a node or to wires, {on: router, do: reboot}, or to packets that are meant,
 * {drop: REGISTER, from: alice, nth: 3}. */
#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step_read.h"

static const char *const protocol_words[] = {"udp", "tcp", "icmp", NULL};
static const uint8_t protocols[] = {IP_UDP, IP_TCP, IP_ICMP};

struct fault_words {
    const struct doc *on, *wire, *from, *to, *between, *rest, *jump_by, *jump_to;
    const char *action;  /* do */
    const char *what[5]; /* by enum fault_action */
    const char *text, *name, *ssrc;
    int direction, protocol;
    uint32_t sport, dport, least, most, keep, nth, every, first;
    lab_time by, lasts, down, up;
    bool may_miss;
};

#define AT(member) offsetof(struct fault_words, member)

const struct field step_fault_form[] = {
    {"on", FIELD_NAME, AT(on), .help = "the node, or the network with all its wires"},
    {"wire", FIELD_NAME, AT(wire), .help = "the wire, as alice.home or internet.3-4"},
    {"direction", FIELD_CHOICE, AT(direction), .choices = step_direction_words,
     .help = "from the node or to it; both unless said"},
    {"do", FIELD_TEXT, AT(action), .needed = true,
     .help = "cut, restore or flap a wire; partition a network; crash, restart, freeze, thaw, power off, power on, "
             "clock jump a node, or its command"},
    {"down", FIELD_TIME, AT(down), .min = 1, .help = "flap: how long it is cut each time"},
    {"up", FIELD_TIME, AT(up), .min = 1, .help = "flap: how long it is whole between"},
    {"for", FIELD_TIME, AT(lasts), .min = 1, .help = "flap: how long in all"},
    {"by", FIELD_ANY, AT(jump_by), .means = "jump", .help = "clock jump: how far, as 400d, or -1h back"},
    {"to", FIELD_ANY, AT(jump_to), .means = "clock", .help = "clock jump: to this date, or how far out, or right"},
    {"between", FIELD_ANY, AT(between), .means = "names", .help = "partition: nodes that lose sight of"},
    {"and", FIELD_ANY, AT(rest), .means = "names", .help = "partition: these; unless said all others there"},
    {0}};

const struct field step_packet_fault_form[] = {
    {"drop", FIELD_TEXT, AT(what[FAULT_DROP]), .help = "packets: REGISTER, 200 INVITE, keep-alive, RTP, everything, …"},
    {"delay", FIELD_TEXT, AT(what[FAULT_DELAY]), .help = "packets that come later, by"},
    {"duplicate", FIELD_TEXT, AT(what[FAULT_DUPLICATE]), .help = "packets that come twice"},
    {"corrupt", FIELD_TEXT, AT(what[FAULT_CORRUPT]), .help = "packets of whose payload a byte is changed"},
    {"truncate", FIELD_TEXT, AT(what[FAULT_TRUNCATE]), .help = "packets that are cut short, but for: keep"},
    {"by", FIELD_TIME, AT(by), .min = 1, .help = "delay: how much later"},
    {"keep", FIELD_SIZE, AT(keep), .help = "truncate: bytes of payload that are left"},
    {"from", FIELD_NAME, AT(from), .help = "node that sends them, or address"},
    {"to", FIELD_NAME, AT(to), .help = "node that they go to, or address"},
    {"on", FIELD_NAME, AT(on), .help = "the network on which; else at the node's own wires"},
    {"wire", FIELD_NAME, AT(wire), .help = "the wire on which"},
    {"direction", FIELD_CHOICE, AT(direction), .choices = step_direction_words,
     .help = "on a wire or network: from the node or to it; both unless said"},
    {"from port", FIELD_COUNT, AT(sport), .min = 1, .max = 65535, .help = "their source port"},
    {"to port", FIELD_COUNT, AT(dport), .min = 1, .max = 65535, .help = "their destination port"},
    {"protocol", FIELD_CHOICE, AT(protocol), .choices = protocol_words, .help = "their protocol"},
    {"at least", FIELD_SIZE, AT(least), .help = "as large, or larger"},
    {"at most", FIELD_SIZE, AT(most), .min = 20, .help = "as large, or smaller"},
    {"with", FIELD_TEXT, AT(text), .help = "with this text in it, as a header"},
    {"ssrc", FIELD_TEXT, AT(ssrc), .help = "RTP, RTCP: of this source, as 0x1a2b3c4d"},
    {"name", FIELD_TEXT, AT(name), .help = "DNS: that ask for this name"},
    {"nth", FIELD_COUNT, AT(nth), .min = 1, .help = "only the so-manieth of them"},
    {"every", FIELD_COUNT, AT(every), .min = 1, .help = "only every so-manieth of them"},
    {"first", FIELD_COUNT, AT(first), .min = 1, .help = "only the first so many of them"},
    {"for", FIELD_TIME, AT(lasts), .min = 1, .help = "how long; for good unless said"},
    {"may miss", FIELD_FLAG, AT(may_miss), .help = "yes: the lab holds though nothing was hit"},
    {0}};

static bool words_read(struct step_reader *r, const struct doc *d, const struct field *form, struct fault_words *words)
{
    struct form_reader reader = lab_reader(r->lab);
    return !(form_read(&reader, d, form, words) & FORM_BAD);
}

static bool wrong(struct step_reader *r, struct place at, const char *what)
{
    problem(&r->lab->problems, at, what);
    return false;
}

static struct place place_of(const struct doc *d, const char *key)
{
    const struct doc *value = doc_get(d, key);
    return value ? value->at : d->at;
}

static int node_named(struct step_reader *r, const struct doc *name)
{
    return name ? names_find(&r->lab->node_names, span_of(name->text)) : -1;
}

static int network_named(struct step_reader *r, const struct doc *name)
{
    return name ? names_find(&r->lab->network_names, span_of(name->text)) : -1;
}

/* ---- partition ---- */

static bool side_read(struct step_reader *r, struct step *s, unsigned network, const struct doc *list, uint8_t side)
{
    const struct lab_network *n = &r->lab->networks[network];
    if (list->type != DOC_LIST)
        return wrong(r, list->at, "expected a list of nodes, as [alice, bob]");
    for (size_t i = 0; i < list->n; i++) {
        int node = lab_find_node(r->lab, list->entries[i].value);
        bool found = false;
        for (size_t j = 0; node >= 0 && j < n->ports_n; j++)
            if (n->ports[j]->node == (unsigned)node) {
                if (s->sides[j])
                    return wrong(r, list->entries[i].value->at, "a node cannot be on both sides");
                s->sides[j] = side;
                found = true;
            }
        if (node >= 0 && !found)
            problem(&r->lab->problems, list->entries[i].value->at, "\"", list->entries[i].value->text,
                    "\" is not on \"", n->name, "\"");
        if (!found)
            return false;
    }
    return true;
}

/* A wire for each of the network's ports, in their order, as in s->sides. */
static bool sides_begin(struct step_reader *r, struct step *s, unsigned network)
{
    const struct lab_network *n = &r->lab->networks[network];
    s->type = STEP_SIDES;
    s->sides = arena_new(&r->lab->arena, n->ports_n);
    return step_kept(r, s->sides) && step_network_wires(r, s, network, true, 0);
}

static bool partition_read(struct step_reader *r, struct step *s, const struct doc *d, const struct fault_words *words)
{
    int network = network_named(r, words->on);
    if (network < 0 || r->lab->networks[network].hops || r->lab->networks[network].direct)
        return wrong(r, place_of(d, "on"),
                     "only a network without hops, of more than two routers, falls apart; cut wires instead");
    if (!words->between)
        return wrong(r, d->at, "\"between\" is missing here: the nodes on one side");
    if (!sides_begin(r, s, (unsigned)network) || !side_read(r, s, (unsigned)network, words->between, 1))
        return false;
    if (words->rest)
        return side_read(r, s, (unsigned)network, words->rest, 2);
    for (size_t i = 0; i < r->lab->networks[network].ports_n; i++)
        s->sides[i] = s->sides[i] ? s->sides[i] : 2;
    return true;
}

/* ---- nodes and wires ---- */

static bool clock_jump(struct step_reader *r, struct step *s, const struct doc *d, const struct fault_words *words)
{
    s->type = STEP_CLOCK;
    if (!words->jump_by == !words->jump_to)
        return wrong(r, d->at, "a clock jumps \"by\" a time, as 400d, or \"to\" a date, as 2027-02-03T00:00:00Z");
    return lab_clock_matters(r->lab, &r->lab->nodes[s->node], place_of(d, "on")) &&
           (words->jump_by ? lab_clock_read_jump(r->lab, words->jump_by, &s->clock)
                           : lab_clock_read(r->lab, words->jump_to, &s->clock));
}

static bool node_action(struct step_reader *r, struct step *s, const struct doc *d, const char *action)
{
    struct lab *lab = r->lab;
    bool crash = strcmp(action, "crash") == 0;
    s->restart = strcmp(action, "restart") == 0;
    s->freeze = strcmp(action, "freeze") == 0;
    s->loss = strcmp(action, "power off") == 0;
    s->power = strcmp(action, "power on") == 0;
    bool thaw = strcmp(action, "thaw") == 0;
    bool powers = crash || s->restart || s->loss || s->power;
    if (!powers && !s->freeze && !thaw) {
        s->type = STEP_COMMAND;
        s->command = action;
        return step_command_known(r, s->node, action, place_of(d, "do"));
    }
    s->type = powers ? STEP_POWER : STEP_FREEZE;
    if (lab->nodes[s->node].router)
        return wrong(r, place_of(d, "on"), "a router has no program; cut its wires instead");
    return true;
}

static bool wires_read(struct step_reader *r, struct step *s, const struct fault_words *words, int node, int network)
{
    if (words->wire)
        return step_named_wire(r, s, words->wire, words->direction);
    return node >= 0 ? step_node_wires(r, s, (unsigned)node, words->direction)
                     : step_network_wires(r, s, (unsigned)network, true, words->direction);
}

static bool flap_read(struct step_reader *r, struct step *s, const struct doc *d, const struct fault_words *words)
{
    s->type = STEP_FLAP;
    s->index = (unsigned)r->lab->faults_n++;
    s->down = words->down;
    s->up = words->up;
    s->duration = words->lasts;
    if (!s->down || !s->up || !s->duration)
        return wrong(r, d->at, "to flap, a wire needs its times: {do: flap, down: 2s, up: 5s, for: 1min}");
    return true;
}

static bool link_action(struct step_reader *r, struct step *s, const struct doc *d, const struct fault_words *words)
{
    bool cut = strcmp(words->action, "cut") == 0;
    if (strcmp(words->action, "flap") == 0)
        return flap_read(r, s, d, words);
    s->type = STEP_LINK;
    s->cut = cut ? CUT_DOWN : CUT_UP;
    if (cut || strcmp(words->action, "restore") == 0)
        return true;
    problem(&r->lab->problems, place_of(d, "do"), "\"", words->action,
            "\" cannot be done to a wire; expected cut, restore or flap");
    return false;
}

static bool is_link_action(const char *action)
{
    return strcmp(action, "cut") == 0 || strcmp(action, "restore") == 0 || strcmp(action, "flap") == 0;
}

static bool thing_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct fault_words words = {.direction = -1};
    if (!words_read(r, d, step_fault_form, &words) || !step_wire_or_on(r, d, words.on, words.wire))
        return false;
    int node = node_named(r, words.on);
    int network = network_named(r, words.on);
    if (words.on && node < 0 && network < 0)
        return step_nobody(r, words.on);
    if ((words.down || words.up || words.lasts) && strcmp(words.action, "flap") != 0)
        return wrong(r, d->at, "only to flap needs times");
    bool jumps = strcmp(words.action, "clock jump") == 0;
    if ((words.jump_by || words.jump_to) && !jumps)
        return wrong(r, d->at, "only a clock jumps \"by\" or \"to\"");
    if (strcmp(words.action, "partition") == 0)
        return partition_read(r, s, d, &words);
    if (words.between || words.rest)
        return wrong(r, d->at, "only to partition needs two sides");
    if (strcmp(words.action, "rejoin") == 0 && network >= 0)
        return sides_begin(r, s, (unsigned)network);
    s->node = node >= 0 ? (unsigned)node : 0;
    if (node >= 0 && jumps)
        return clock_jump(r, s, d, &words);
    if (node >= 0 && !is_link_action(words.action))
        return node_action(r, s, d, words.action);
    return link_action(r, s, d, &words) && wires_read(r, s, &words, node, network);
}

/* ---- packets ---- */

/* A node's addresses, or the one address that is written. */
static bool addresses_read(struct step_reader *r, const struct doc *name, const ipv4 **list, size_t *n)
{
    struct lab *lab = r->lab;
    ipv4 written;
    bool is_written = addr_parse(span_of(name->text), &written) == 0;
    int node = is_written ? -1 : lab_find_node(lab, name);
    size_t count = is_written ? 1 : node < 0 ? 0 : lab->nodes[node].ports_n;
    ipv4 *addrs = arena_new(&lab->arena, count * sizeof *addrs);
    if (count == 0 || !step_kept(r, addrs))
        return false;
    for (size_t i = 0; i < count; i++)
        addrs[i] = is_written ? written : lab->nodes[node].ports[i].addr;
    *list = addrs;
    *n = count;
    return true;
}

/* Where the fault lies: on a wire or network as said, with `from` and `to` as addresses; else on the sender's own
 * wires, with `to` as an address; else on the receiver's. */
static bool where_read(struct step_reader *r, struct step *s, const struct doc *d, const struct fault_words *words,
                       struct packet_match *match)
{
    bool named = words->on || words->wire;
    int from = named ? -1 : node_named(r, words->from);
    int to = named || from >= 0 ? -1 : node_named(r, words->to);
    int network = network_named(r, words->on);
    if (words->from && from < 0 && !addresses_read(r, words->from, &match->src, &match->src_n))
        return false;
    if (words->to && to < 0 && !addresses_read(r, words->to, &match->dst, &match->dst_n))
        return false;
    if (from >= 0 || to >= 0)
        return step_node_wires(r, s, (unsigned)(from >= 0 ? from : to), from >= 0 ? 0 : 1);
    if (!named)
        return wrong(r, d->at, "where? expected \"from\" or \"to\" with a node, \"on\" with a network, or \"wire\"");
    if (words->on && words->wire)
        return wrong(r, d->at, "expected either \"on\" with a network, or \"wire\"");
    if (words->wire)
        return step_named_wire(r, s, words->wire, words->direction);
    if (network < 0)
        return wrong(r, words->on->at, "no network has this name; a node goes with \"from\" or \"to\"");
    return step_network_wires(r, s, (unsigned)network, false, words->direction);
}

static bool ssrc_read(const char *text, uint32_t *out)
{
    uint32_t value = 0;
    size_t n = strlen(text);
    if (n < 3 || n > 10 || strncmp(text, "0x", 2) != 0)
        return false;
    for (size_t i = 2; i < n; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, text[i]);
        if (!digit)
            return false;
        value = value << 4 | (uint32_t)(digit - digits);
    }
    *out = value;
    return true;
}

static bool match_read(struct step_reader *r, const struct doc *d, const struct fault_words *words,
                       enum fault_action action, struct packet_match *m)
{
    const char *what = words->what[action];
    if (packet_match_parse(span_of(what), m)) {
        problem(&r->lab->problems, place_of(d, fault_action_words[action]), "\"", what,
                "\" names no packets; expected as REGISTER, 200 INVITE, 4xx, SIP, keep-alive, STUN, RTP, RTCP, ICMP, "
                "later fragments, fragments, DNS, TLS ClientHello, TCP data, SYN or everything");
        return false;
    }
    m->text = span_of(words->text ? words->text : "");
    m->name = span_of(words->name ? words->name : "");
    m->has_ssrc = words->ssrc != NULL;
    m->protocol = words->protocol < 0 ? 0 : protocols[words->protocol];
    m->sport = (uint16_t)words->sport;
    m->dport = (uint16_t)words->dport;
    m->least = words->least;
    m->most = words->most;
    if (words->ssrc && !ssrc_read(words->ssrc, &m->ssrc))
        return wrong(r, place_of(d, "ssrc"), "ssrc: expected eight hexadecimal digits, as 0x1a2b3c4d");
    if (words->ssrc && m->kind != PACKET_RTP && m->kind != PACKET_RTCP)
        return wrong(r, place_of(d, "ssrc"), "ssrc: only RTP and RTCP have one");
    if (words->name && m->kind != PACKET_DNS)
        return wrong(r, place_of(d, "name"), "name: only DNS asks for one");
    return true;
}

static bool action_read(struct step_reader *r, const struct doc *d, const struct fault_words *words, int *action)
{
    *action = -1;
    for (int i = 0; fault_action_words[i]; i++)
        if (words->what[i] && *action >= 0)
            return wrong(r, d->at, "a fault does one thing; write another one for the other");
        else if (words->what[i])
            *action = i;
    if (*action < 0)
        return wrong(r, d->at, "expected what is done, as {drop: REGISTER, from: alice}");
    if ((words->by != 0) != (*action == FAULT_DELAY))
        return wrong(r, d->at, "\"by\" and \"delay\" belong together, as {delay: 200 INVITE, by: 3s}");
    if (doc_get(d, "keep") && *action != FAULT_TRUNCATE)
        return wrong(r, place_of(d, "keep"), "only what is truncated keeps so much");
    return true;
}

static bool ways_copy(struct step_reader *r, const struct step *s, struct fault_spec *spec)
{
    unsigned *ways = arena_new(&r->lab->arena, s->wires_n * sizeof *ways);
    if (!step_kept(r, ways))
        return false;
    for (size_t i = 0; i < s->wires_n; i++)
        ways[i] = 2 * s->wires[i].wire + s->wires[i].direction;
    spec->ways = ways;
    spec->ways_n = s->wires_n;
    return true;
}

static bool packets_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct fault_words words = {.direction = -1, .protocol = -1};
    struct fault_spec *spec = arena_new(&r->lab->arena, sizeof *spec);
    int action;
    if (!step_kept(r, spec) || !words_read(r, d, step_packet_fault_form, &words) ||
        !action_read(r, d, &words, &action) || !match_read(r, d, &words, (enum fault_action)action, &spec->match) ||
        !where_read(r, s, d, &words, &spec->match) || !ways_copy(r, s, spec))
        return false;
    s->type = STEP_FAULT;
    s->index = (unsigned)r->lab->faults_n++;
    s->fault = spec;
    s->may_miss = words.may_miss;
    spec->action = (enum fault_action)action;
    spec->nth = words.nth;
    spec->every = words.every;
    spec->first = words.first;
    spec->by = words.by;
    spec->lasts = words.lasts;
    spec->keep = words.keep;
    spec->text = s->text;
    spec->line = s->at.line;
    if ((words.nth != 0) + (words.every != 0) + (words.first != 0) > 1)
        return wrong(r, d->at, "\"nth\", \"every\" and \"first\" exclude each other");
    return true;
}

bool step_fault_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    for (int i = 0; fault_action_words[i]; i++)
        if (doc_get(d, fault_action_words[i]))
            return packets_read(r, s, d);
    return thing_read(r, s, d);
}
