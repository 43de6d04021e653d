#define _GNU_SOURCE
#include "netns/netns_turn.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A program that dies with the turn wakes nobody, so the engine looks up now and then. */
static const lab_time look_up_every = 50 * MS;

struct turn_page *netns_turn_map(int *fd)
{
    *fd = memfd_create("farend-turn", MFD_CLOEXEC);
    if (*fd < 0)
        return NULL;
    struct turn_page *page = MAP_FAILED;
    if (ftruncate(*fd, sizeof *page) == 0)
        page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (page == MAP_FAILED) {
        close(*fd);
        return NULL;
    }
    page->engine = getpid();
    page->deadline = NEVER;
    return page;
}

void netns_turn_unmap(struct turn_page *page)
{
    munmap(page, sizeof *page);
}

static bool is_dead(int process)
{
    siginfo_t info = {0};
    return waitid(P_PIDFD, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid != 0;
}

static bool is_back(const struct turn_page *page)
{
    return atomic_load_explicit(&page->holder, memory_order_acquire) == TURN_ENGINE;
}

/* False when the program has given the page back already. */
static bool announce_sleep(struct turn_page *page)
{
    uint32_t holder = TURN_NODE;
    return atomic_compare_exchange_strong_explicit(&page->holder, &holder, TURN_AWAITED, memory_order_acq_rel,
                                                   memory_order_acquire) ||
           holder == TURN_AWAITED;
}

enum netns_turn_end netns_turn_grant(struct turn_page *page, int process, lab_time patience)
{
    const struct timespec look_up = {.tv_nsec = look_up_every};
    lab_time waited = 0;
    atomic_store_explicit(&page->holder, TURN_NODE, memory_order_release);
    syscall(SYS_futex, &page->holder, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (announce_sleep(page)) {
        if (syscall(SYS_futex, &page->holder, FUTEX_WAIT, TURN_AWAITED, &look_up, NULL, 0) == 0 || errno != ETIMEDOUT)
            continue;
        waited += look_up_every;
        if (is_dead(process) && !is_back(page))
            return NETNS_TURN_DEAD;
        if (waited >= patience && !is_back(page))
            return NETNS_TURN_WEDGED;
    }
    return NETNS_TURN_BACK;
}
