#define _GNU_SOURCE
#include "netns/netns_sysctl.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum who { EVERY, HOST, ROUTER };

struct setting {
    const char *path; /* below /proc/sys/net */
    enum who who;
    char value;
};

static const struct setting settings[] = {
    /* IPv6 would send router solicitations and join groups on its own clock. */
    {"ipv6/conf/default/disable_ipv6", EVERY, '1'},
    /* First among IPv4's: it sets others back. */
    {"ipv4/ip_forward", HOST, '0'},
    {"ipv4/ip_forward", ROUTER, '1'},
    /* The larger of "all" and the interface's own holds. Labs have asymmetric paths. */
    {"ipv4/conf/all/rp_filter", EVERY, '0'},
    {"ipv4/conf/default/rp_filter", EVERY, '0'},
    /* Off only when both say so. A switch of farend has no better first hop to offer. */
    {"ipv4/conf/all/send_redirects", ROUTER, '0'},
    {"ipv4/conf/default/send_redirects", ROUTER, '0'},
    /* No type of ICMP is limited: the limits are on real time. */
    {"ipv4/icmp_ratemask", EVERY, '0'},
    /* RFC 1812 §4.3.2.4: an error's source is an address of the router's; the simulated one takes the incoming port's.
     */
    {"ipv4/icmp_errors_use_inbound_ifaddr", ROUTER, '1'},
    /* RFC 7323 timestamps would carry real time into the captures. */
    {"ipv4/tcp_timestamps", HOST, '0'},
};

enum { SETTINGS = sizeof settings / sizeof *settings };
static_assert(SETTINGS <= 32, "one bit each in struct netns_sysctl");

int netns_sysctl_open(struct netns_sysctl *s, struct text *why)
{
    *s = (struct netns_sysctl){.folder = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (s->folder >= 0)
        return 0;
    text_str(why, "/proc/sys/net: ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

void netns_sysctl_close(struct netns_sysctl *s)
{
    if (s->folder >= 0)
        close(s->folder);
    s->folder = -1;
}

static bool is_right(const struct netns_sysctl *s, const struct setting *setting)
{
    char value[3] = "";
    int fd = openat(s->folder, setting->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && strncmp(setting->path, "ipv6/", 5) == 0; /* no IPv6: nothing to switch off */
    ssize_t n = read(fd, value, sizeof value);
    close(fd);
    return n == 2 && value[0] == setting->value && value[1] == '\n';
}

static void look(struct netns_sysctl *s)
{
    for (unsigned i = 0; i < SETTINGS; i++)
        if (is_right(s, &settings[i]))
            s->right |= 1u << i;
    s->looked = true;
}

static bool set(const struct netns_sysctl *s, const struct setting *setting)
{
    int fd = openat(s->folder, setting->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, &setting->value, 1);
    int error = errno;
    close(fd);
    errno = error;
    return n == 1;
}

int netns_sysctl_apply(struct netns_sysctl *s, bool router, struct text *why)
{
    if (!s->looked)
        look(s);
    for (unsigned i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        bool other = (setting->who == HOST && router) || (setting->who == ROUTER && !router);
        if (other || s->right & 1u << i || set(s, setting))
            continue;
        text_str(why, "/proc/sys/net/");
        text_str(why, setting->path);
        text_str(why, " cannot be set: ");
        text_str(why, strerror(errno));
        return FE_EOS;
    }
    return 0;
}
