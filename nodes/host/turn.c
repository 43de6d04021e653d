#define _GNU_SOURCE
#include "nodes/host/turn.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel's futex is a plain 32-bit word");

struct turn_page *turn_attach(void)
{
    struct turn_page *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, TURN_PAGE_FD, 0);
    if (page == MAP_FAILED)
        return NULL;
    /* The parent may have died before the signal was asked for: then we have another parent by now. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != page->engine) {
        munmap(page, sizeof *page);
        errno = ESRCH;
        return NULL;
    }
    close(TURN_PAGE_FD);
    return page;
}

void turn_await(struct turn_page *page)
{
    while (atomic_load_explicit(&page->holder, memory_order_acquire) == TURN_ENGINE)
        syscall(SYS_futex, &page->holder, FUTEX_WAIT, TURN_ENGINE, NULL, NULL, 0);
}

void turn_leave(struct turn_page *page, enum turn_result result)
{
    page->result = result;
    if (atomic_exchange_explicit(&page->holder, TURN_ENGINE, memory_order_acq_rel) == TURN_AWAITED)
        syscall(SYS_futex, &page->holder, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void turn_yield(struct turn_page *page, enum turn_result result)
{
    turn_leave(page, result);
    turn_await(page);
}
