#define _GNU_SOURCE
#include "netns/doctor.h"

#include "netns/doctor_nat.h"
#include "netns/netns_end.h"
#include "netns/netns_program.h"
#include "netns/netns_space.h"
#include "netns/netns_sysctl.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILES_A_NODE = 6, MANY_NODES = 500 };

/* A check runs in a child process, which it may spoil, and writes what it found into `found`. */
struct examination {
    const char *name;
    enum doctor_need need;
    bool (*examine)(struct text *found);
    const char *remedy;
};

static bool because(struct text *found, const char *what, int os_error)
{
    text_str(found, what);
    text_str(found, ": ");
    text_str(found, strerror(os_error));
    return false;
}

static bool all_well(struct text *found, const char *what)
{
    text_str(found, what);
    return true;
}

/* Into a namespace of our own, as the world does it. */
static bool enter_namespace(struct text *found)
{
    if (netns_space_permit(true, found))
        return false;
    return netns_space_new() >= 0 || because(found, "a new namespace", errno);
}

static bool examine_namespaces(struct text *found)
{
    bool root = geteuid() == 0;
    if (!enter_namespace(found))
        return false;
    return all_well(found, root ? "may be made" : "may be made in a user namespace");
}

static bool examine_tun(struct text *found)
{
    struct plan_port port = {.name = "on", .mtu = 1500};
    const struct plan_node node = {.name = "doctor", .role = PLAN_ROUTER, .ports = &port, .ports_n = 1};
    struct netns_end end;
    if (!enter_namespace(found))
        return false;
    return netns_ends_open(&end, &node, -1, NULL, NULL, found) == 0 && all_well(found, "may be made");
}

static bool examine_veth(struct text *found)
{
    struct netns_wires wires;
    int home;
    if (!enter_namespace(found))
        return false;
    home = netns_space_here();
    return netns_wires_open(&wires, home, found) == 0 && all_well(found, "may be made");
}

static bool examine_packet_sockets(struct text *found)
{
    if (!enter_namespace(found))
        return false;
    if (socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) < 0)
        return because(found, "AF_PACKET", errno);
    return all_well(found, "may be opened");
}

static bool examine_settings(struct text *found)
{
    struct netns_sysctl sysctl;
    if (!enter_namespace(found) || netns_sysctl_open(&sysctl, found))
        return false;
    if (netns_sysctl_apply(&sysctl, NETNS_STEPPED, found) || netns_sysctl_apply(&sysctl, NETNS_ROUTER, found))
        return false;
    return all_well(found, "may be set in a namespace");
}

static bool examine_kernel(struct text *found)
{
    const struct timespec none = {0};
    struct epoll_event event;
    int fd = epoll_create1(0);
    if (syscall(SYS_pidfd_open, getpid(), 0) < 0)
        return because(found, "pidfd_open (Linux 5.3)", errno);
    if (epoll_pwait2(fd, &event, 1, &none, NULL) < 0)
        return because(found, "epoll_pwait2 (Linux 5.11)", errno);
    if (memfd_create("farend-doctor", MFD_CLOEXEC) < 0)
        return because(found, "memfd_create (Linux 3.17)", errno);
    return all_well(found, "has pidfd, epoll_pwait2, memfd");
}

static bool examine_programs(struct text *found)
{
    char folder[4096];
    char path[4200];
    netns_programs_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/farend-phone", folder);
    text_str(found, folder);
    return access(path, X_OK) == 0 || because(found, "/farend-phone", errno);
}

static bool examine_pinning(struct text *found)
{
    cpu_set_t one;
    unsigned cpu = 0;
    CPU_ZERO(&one);
    getcpu(&cpu, NULL);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one))
        return because(found, "sched_setaffinity", errno);
    return all_well(found, "a lab may keep to one CPU");
}

static bool examine_descriptors(struct text *found)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    text_str(found, "room for ");
    text_u64(found, limit.rlim_max / FILES_A_NODE);
    text_str(found, " nodes in a lab");
    return limit.rlim_max >= MANY_NODES * FILES_A_NODE;
}

static bool examine_processes(struct text *found)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NPROC, &limit);
    if (limit.rlim_max == RLIM_INFINITY)
        return all_well(found, "as many as there is memory for");
    text_str(found, "at most ");
    text_u64(found, limit.rlim_max);
    return limit.rlim_max >= MANY_NODES;
}

static bool examine_nat(struct text *found)
{
    return enter_namespace(found) && doctor_try_nat(found);
}

static bool examine_alg(struct text *found)
{
    return enter_namespace(found) && doctor_try_alg(found);
}

static const struct examination examinations[] = {
    {"kernel", DOCTOR_NEEDED, examine_kernel,
     "a kernel of Linux 5.11 or later, and a sandbox that lets these calls pass"},
    {"network namespaces", DOCTOR_NEEDED, examine_namespaces,
     "run as root, or permit user namespaces: sysctl user.max_user_namespaces=10000, "
     "kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)"},
    {"TUN devices", DOCTOR_BETTER, examine_tun,
     "without them wires are veth pairs, which are slower: modprobe tun; chmod 0666 /dev/net/tun"},
    {"veth pairs", DOCTOR_BETTER, examine_veth, "needed only where TUN devices are not to be had: modprobe veth"},
    {"packet sockets", DOCTOR_NEEDED, examine_packet_sockets, "NATs are made of them: modprobe af_packet"},
    {"kernel settings", DOCTOR_NEEDED, examine_settings,
     "/proc/sys must be mounted writable (in a container: unmask it)"},
    {"kernel's NAT", DOCTOR_BETTER, examine_nat,
     "needed only by labs with engine: kernel: modprobe nf_tables nft_masq nft_nat nft_log nf_conntrack_netlink "
     "nfnetlink_log"},
    {"kernel's SIP ALG", DOCTOR_BETTER, examine_alg,
     "needed only by labs with sip alg: kernel: modprobe nf_nat_sip nft_ct"},
    {"node programs", DOCTOR_NEEDED, examine_programs,
     "install them beside farend, or name their folder in FAREND_BIN"},
    {"CPU affinity", DOCTOR_BETTER, examine_pinning, "without it a turn takes about three times as long"},
    {"open files", DOCTOR_BETTER, examine_descriptors, "raise the hard limit: ulimit -Hn 20000, or limits.conf"},
    {"processes", DOCTOR_BETTER, examine_processes, "one a program node: ulimit -Hu, or limits.conf"},
};

enum { EXAMINATIONS = sizeof examinations / sizeof *examinations };
static_assert(EXAMINATIONS <= DOCTOR_MAX, "the caller's table must hold them");

/* What a child found, as it goes through the pipe. */
struct finding {
    bool ok;
    char why[sizeof((struct doctor_check *)0)->why];
};

static void examine_here(const struct examination *x, int out)
{
    struct finding finding = {0};
    struct text found = text_on(finding.why, sizeof finding.why);
    finding.ok = x->examine(&found);
    _exit(write(out, &finding, sizeof finding) == (ssize_t)sizeof finding ? 0 : 1);
}

static bool examine_in_child(const struct examination *x, struct finding *finding)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC))
        return false;
    pid_t child = fork();
    if (child == 0)
        examine_here(x, pipes[1]);
    close(pipes[1]);
    bool told = child > 0 && read(pipes[0], finding, sizeof *finding) == (ssize_t)sizeof *finding;
    close(pipes[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return told;
}

size_t doctor_examine(struct doctor_check checks[DOCTOR_MAX])
{
    for (size_t i = 0; i < EXAMINATIONS; i++) {
        const struct examination *x = &examinations[i];
        struct finding finding = {0};
        if (!examine_in_child(x, &finding))
            finding = (struct finding){.why = "the check itself failed"};
        checks[i] = (struct doctor_check){.name = x->name, .need = x->need, .ok = finding.ok};
        snprintf(checks[i].why, sizeof checks[i].why, "%s", finding.why);
        if (!finding.ok)
            snprintf(checks[i].remedy, sizeof checks[i].remedy, "%s", x->remedy);
    }
    return EXAMINATIONS;
}

bool doctor_netns_runs(const struct doctor_check *checks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (checks[i].need == DOCTOR_NEEDED && !checks[i].ok)
            return false;
    return true;
}
