#define _GNU_SOURCE
#include "netns/netns_sysctl.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum who {
    EVERY,
    HOST,
    ROUTER,
    STEPPED,
    RECENT /* stepped; a kernel that has no such setting does nothing that would have to be switched off */
};

struct setting {
    const char *path; /* below /proc/sys/net */
    enum who who;
    const char *value;
};

static const struct setting settings[] = {
    /* IPv6 would send router solicitations and join groups on its own clock. */
    {"ipv6/conf/default/disable_ipv6", EVERY, "1"},
    /* First among IPv4's: it sets others back. */
    {"ipv4/ip_forward", HOST, "0"},
    {"ipv4/ip_forward", ROUTER, "1"},
    /* The larger of "all" and the interface's own holds. Labs have asymmetric paths. */
    {"ipv4/conf/all/rp_filter", EVERY, "0"},
    {"ipv4/conf/default/rp_filter", EVERY, "0"},
    /* Off only when both say so. A switch of farend has no better first hop to offer. */
    {"ipv4/conf/all/send_redirects", ROUTER, "0"},
    {"ipv4/conf/default/send_redirects", ROUTER, "0"},
    /* No type of ICMP is limited: the limits are on real time. */
    {"ipv4/icmp_ratemask", EVERY, "0"},
    /* RFC 1812 §4.3.2.4: an error's source is an address of the router's; the simulated one takes the incoming port's.
     */
    {"ipv4/icmp_errors_use_inbound_ifaddr", ROUTER, "1"},
    /* RFC 7323 timestamps would carry real time into the captures. */
    {"ipv4/tcp_timestamps", HOST, "0"},

    /* As few as will do: each costs a new namespace some 30 us. TCP in lab time (ARCHITECTURE.md): the kernel does what
     * follows at once from a packet; nothing that waits for its clock, nothing that depends on the machine. */
    {"ipv4/tcp_congestion_control", STEPPED, "reno"},
    /* Without it three duplicate ACKs are a loss (RFC 6582), and Linux has neither RACK nor tail loss probes. */
    {"ipv4/tcp_sack", STEPPED, "0"},
    {"ipv4/tcp_reordering", STEPPED, "3"},
    {"ipv4/tcp_max_reordering", RECENT, "3"},
    {"ipv4/tcp_window_scaling", STEPPED, "0"},
    {"ipv4/tcp_moderate_rcvbuf", STEPPED, "0"},
    {"ipv4/tcp_ecn", STEPPED, "0"},
    {"ipv4/tcp_mtu_probing", STEPPED, "0"},
    {"ipv4/tcp_slow_start_after_idle", STEPPED, "0"},
    {"ipv4/tcp_autocorking", STEPPED, "0"},
    {"ipv4/tcp_retrans_collapse", STEPPED, "0"},  /* what is sent again is cut as it was */
    {"ipv4/tcp_no_metrics_save", STEPPED, "1"},   /* no connection learns from an earlier one */
    {"ipv4/tcp_invalid_ratelimit", STEPPED, "0"}, /* every duplicate is answered, however soon */
    {"ipv4/tcp_challenge_ack_limit", STEPPED, "2147483647"},
    {"ipv4/tcp_syncookies", RECENT, "0"},
    {"ipv4/tcp_max_syn_backlog", STEPPED, "4096"},
    {"ipv4/tcp_max_tw_buckets", STEPPED, "0"},  /* no TIME-WAIT */
    {"ipv4/tcp_fin_timeout", STEPPED, "86400"}, /* above 60 s FIN-WAIT-2 is no TIME-WAIT to Linux */
    {"ipv4/tcp_syn_retries", STEPPED, "127"},   /* the engine gives up, not the kernel */
    {"ipv4/tcp_synack_retries", STEPPED, "100"},
    /* The middle one is a new socket's: all of HOST_TCP_BACKLOG with its overhead; a full window of 64 KiB. */
    {"ipv4/tcp_wmem", STEPPED, "4096\t33554432\t33554432"},
    {"ipv4/tcp_rmem", STEPPED, "4096\t1048576\t1048576"},
};

enum {
    VALUE = 64,   /* bytes of the longest value, NUL included */
    RENEWAL = 32, /* namespaces */
};
enum { SETTINGS = sizeof settings / sizeof *settings };
static_assert(SETTINGS <= 64, "one bit each in struct netns_sysctl");

/* ---- where they lie ---- */

enum { FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC };

/* Every namespace's "ipv4" is one more entry of the same name in the same folder, and so in the same chain of the
 * kernel's name cache, which a new namespace searches to its end, several times: among the machine's thousand a quarter
 * of a millisecond and more for each family. An instance of our own starts with an empty one. It is mounted nowhere and
 * goes with its last descriptor. -1 without the right to it (in a user namespace; or before Linux 5.2). */
static int own_folder(void)
{
    int context = fsopen("proc", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    int root = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -1 : fsmount(context, FSMOUNT_CLOEXEC, 0);
    close(context);
    if (root < 0)
        return -1;
    int folder = openat(root, "sys/net", FOLDER_FLAGS);
    close(root);
    return folder;
}

int netns_sysctl_open(struct netns_sysctl *s, struct text *why)
{
    *s = (struct netns_sysctl){.folder = own_folder()};
    if (s->folder < 0)
        s->folder = open("/proc/sys/net", FOLDER_FLAGS);
    if (s->folder >= 0)
        return 0;
    text_str(why, "/proc/sys/net: ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

/* Before its chain grows long, too, the folder is replaced by an empty one, where we may. */
static void renew(struct netns_sysctl *s)
{
    if (++s->seen % RENEWAL != 0)
        return;
    int fresh = own_folder();
    if (fresh < 0)
        return;
    close(s->folder);
    s->folder = fresh;
}

void netns_sysctl_close(struct netns_sysctl *s)
{
    if (s->folder >= 0)
        close(s->folder);
    s->folder = -1;
}

/* ---- setting them ---- */

static bool is_right(const struct netns_sysctl *s, const struct setting *setting)
{
    char value[VALUE] = "";
    int fd = openat(s->folder, setting->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && (setting->who == RECENT || strncmp(setting->path, "ipv6/", 5) == 0);
    ssize_t n = read(fd, value, sizeof value - 1);
    size_t length = strlen(setting->value);
    close(fd);
    return n == (ssize_t)length + 1 && memcmp(value, setting->value, length) == 0 && value[length] == '\n';
}

static void look(struct netns_sysctl *s)
{
    for (unsigned i = 0; i < SETTINGS; i++)
        if (is_right(s, &settings[i]))
            s->right |= UINT64_C(1) << i;
    s->looked = true;
}

static bool set(const struct netns_sysctl *s, const struct setting *setting)
{
    int fd = openat(s->folder, setting->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t length = strlen(setting->value);
    ssize_t n = write(fd, setting->value, length);
    int error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)length;
}

static bool concerns(enum who who, enum netns_manner manner)
{
    switch (who) {
    case EVERY: return true;
    case HOST: return manner != NETNS_ROUTER;
    case ROUTER: return manner == NETNS_ROUTER;
    case STEPPED:
    case RECENT: return manner == NETNS_STEPPED;
    }
    return false;
}

int netns_sysctl_apply(struct netns_sysctl *s, enum netns_manner manner, struct text *why)
{
    if (!s->looked)
        look(s);
    renew(s);
    for (unsigned i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        if (!concerns(setting->who, manner) || s->right >> i & 1 || set(s, setting))
            continue;
        text_str(why, "/proc/sys/net/");
        text_str(why, setting->path);
        text_str(why, " cannot be set: ");
        text_str(why, strerror(errno));
        return FE_EOS;
    }
    return 0;
}
