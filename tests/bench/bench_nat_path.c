/* Packets a second of CPU time from one TUN device to another through a NAT in a namespace, real clock: farend's own
 * NAT program, the kernel's NAT with farend's program looking after it, the kernel's masquerade alone, and a kernel
 * that only forwards (the bare pump, the bound for all of them). All in one run, in turn, since absolute figures drift.
 *
 *     this process ── write ── inside 10.0.0.1 [NAT] 203.0.113.7 outside ── read ── this process
 *
 * CPU time, of this process and of the program: on a busy machine two processes would get more of it than one.
 * WINDOW packets are under way at a time, of 20 flows, 172 bytes of payload each. Needs root.
 *
 *     bench_nat_path [PACKETS] */
#define _GNU_SOURCE
#include <netinet/in.h> /* before the kernel's headers, which make room for it */

#include "netns/netns_build.h"
#include "netns/netns_space.h"
#include "nodes/knat/knat.h"
#include "nodes/knat/knat_rule.h"
#include "nodes/proto/ip.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 64,
    FLOWS = 20,
    PAYLOAD = 172,
    SIZE = IP_HEADER + UDP_HEADER + PAYLOAD,
    ROUNDS = 3,
    PATIENCE_MS = 2000
};

#define INSIDE  IPV4(10, 0, 0, 1)
#define OUTSIDE IPV4(203, 0, 113, 7)

enum way { PUMP, MASQUERADE, KERNEL_ENGINE, FAREND_ENGINE, WAYS };

static const char *const way_names[WAYS] = {"kernel, forwarding alone", "kernel, masquerade", "engine: kernel",
                                            "engine: farend"};

extern char **environ;
extern const struct node_kind nat_kind;

static _Noreturn void give_up(const char *what, int status)
{
    fprintf(stderr, "bench_nat_path: %s\n", what);
    exit(status);
}

static double spent_by(int who)
{
    struct rusage used;
    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* CPU seconds of this process and of the programs that have ended. */
static double seconds(void)
{
    return spent_by(RUSAGE_SELF) + spent_by(RUSAGE_CHILDREN);
}

/* ---- the namespace ---- */

static struct plan_port ports[] = {{.name = "inside", .addr = INSIDE, .bits = 24, .mtu = 1500},
                                   {.name = "outside", .addr = OUTSIDE, .bits = 24, .mtu = 1500}};
static struct plan_route routes[] = {{.to = {0, 0}, .port = 1}};

static void build(struct netns_node *n, struct netns_site *site, enum way way, struct plan_node *plan)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    *plan = (struct plan_node){
        .name = "nat", .kind = &nat_kind, .ports = ports, .ports_n = 2, .routes = routes, .routes_n = 1};
    plan->role = PLAN_PROGRAM;
    plan->forwards = way != FAREND_ENGINE;
    if (netns_build(n, plan, site, &why))
        give_up(buf, 3);
}

/* One rule, as a router without farend has it. */
static void masquerade(unsigned interface)
{
    struct host_knat k = {.told = mnl_socket_open(NETLINK_NETFILTER)};
    struct knat_batch b;
    if (!k.told || mnl_socket_bind(k.told, 0, MNL_SOCKET_AUTOPID) || knat_batch_begin(&b, 1 << 16))
        give_up("no netlink", 3);
    knat_batch_table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    knat_batch_chain(&b, "source", "nat", NF_INET_POST_ROUTING, 100);
    struct nftnl_rule *r = knat_rule_new(&b, "source");
    knat_rule_out(r, interface);
    knat_rule_masquerade(r, 1024, 65535, NF_NAT_RANGE_PROTO_SPECIFIED);
    knat_rule_add(&b, r);
    if (knat_batch_commit(&b, &k))
        give_up("no nf_tables", 3);
    mnl_socket_close(k.told);
}

static pid_t program(enum way way)
{
    char path[4096];
    const char *folder = getenv("FAREND_BIN");
    static char inside[] = "inside=inside:10.0.0.1/24";
    static char outside[] = "outside=outside:203.0.113.7/24";
    static char kernel[] = "engine=kernel";
    static char own[] = "engine=farend";
    char *argv[] = {path, inside, outside, way == KERNEL_ENGINE ? kernel : own, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    snprintf(path, sizeof path, "%s/farend-nat", folder ? folder : "build/bin");
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, path, &files, NULL, argv, environ))
        give_up("farend-nat cannot be started; FAREND_BIN names its folder", 3);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

/* ---- packets ---- */

static uint8_t packets[FLOWS][SIZE];

static void make_packets(void)
{
    static const uint8_t payload[PAYLOAD];
    const struct ip_build ip = {.src = IPV4(10, 0, 0, 20), .dst = IPV4(198, 51, 100, 1), .ttl = 64};
    for (unsigned i = 0; i < FLOWS; i++)
        ip_build_udp(packets[i], SIZE, &ip, (uint16_t)(10000 + i), 20000, span_make(payload, sizeof payload));
}

/* Waits for n packets; how many came. A translated one has the public source. */
static unsigned drain(const struct netns_end *out, unsigned n, bool translated)
{
    static uint8_t buf[NETNS_PACKET];
    struct pollfd wait = {.fd = out->fd, .events = POLLIN};
    unsigned came = 0;
    while (came < n) {
        size_t got = netns_end_read(out, buf);
        struct ip_view v;
        if (got == 0 && poll(&wait, 1, PATIENCE_MS) <= 0)
            break;
        if (got == 0 || ip_parse(buf, got, &v) || v.protocol != IP_UDP)
            continue;
        if (translated != (v.src == OUTSIDE))
            give_up("a packet came out with the wrong source", 4);
        came++;
    }
    return came;
}

static void carry(const struct netns_node *n, unsigned count, bool translated)
{
    unsigned sent = 0;
    while (sent < count) {
        for (unsigned i = 0; i < WINDOW; i++, sent++)
            if (!netns_end_write(&n->ends[0], packets[sent % FLOWS], SIZE))
                give_up("a packet cannot be written", 4);
        if (drain(&n->ends[1], WINDOW, translated) != WINDOW)
            give_up("packets were lost", 4);
    }
}

/* The program has the first packet when it listens; before, it is lost or passes untranslated by nobody. */
static void warm_up(const struct netns_node *n, enum way way)
{
    static uint8_t buf[NETNS_PACKET];
    const struct timespec nap = {.tv_nsec = 10000000};
    for (int i = 0; i < 200; i++) {
        struct ip_view v;
        netns_end_write(&n->ends[0], packets[0], SIZE);
        nanosleep(&nap, NULL);
        for (size_t got; (got = netns_end_read(&n->ends[1], buf)) > 0;)
            if (ip_parse(buf, got, &v) == 0 && (way == PUMP || v.src == OUTSIDE))
                return;
    }
    give_up("nothing passes", 4);
}

static double measure(enum way way, unsigned count, struct netns_site *site, int home)
{
    struct netns_node n;
    struct plan_node plan;
    pid_t pid = 0;
    build(&n, site, way, &plan);
    if (way == MASQUERADE)
        masquerade((unsigned)n.ends[1].index);
    else if (way != PUMP)
        pid = program(way);
    warm_up(&n, way);
    double start = seconds();
    carry(&n, count, way != PUMP);
    if (pid > 0) {
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
    }
    double took = seconds() - start;
    netns_space_enter(home);
    netns_build_undo(&n, &plan);
    return count / took;
}

int main(int argc, char **argv)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct netns_site site = {0};
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    if (netns_space_permit(true, &why) || netns_sysctl_open(&site.sysctl, &why))
        give_up(buf, 3);
    int home = netns_space_here();
    make_packets();
    for (int round = 0; round < ROUNDS; round++) {
        double rates[WAYS];
        for (enum way way = PUMP; way < WAYS; way++)
            rates[way] = measure(way, count, &site, home);
        for (enum way way = PUMP; way < WAYS; way++)
            printf("%-26s %8.0f packets/s   %4.2f of masquerade   %4.2f of the pump\n", way_names[way], rates[way],
                   rates[way] / rates[MASQUERADE], rates[way] / rates[PUMP]);
    }
    return 0;
}
