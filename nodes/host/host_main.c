#define _GNU_SOURCE
#include "nodes/host/host_main.h"

#include "nodes/base/error.h"
#include "nodes/host/host_args.h"
#include "nodes/host/host_impl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>

/* Tells the user, or the engine in what would have been the first turn. */
static int refuse(struct turn_page *page, const struct node_kind *kind, const struct text *why, int status)
{
    if (page) {
        turn_await(page);
        memcpy(page->why, why->p, why->n < TURN_WHY ? why->n + 1 : TURN_WHY);
        page->why[TURN_WHY - 1] = '\0';
        turn_leave(page, TURN_FAILED);
    } else {
        fprintf(stderr, "farend-%s: %s\nfarend-%s --help lists what it understands\n", kind->name, why->p, kind->name);
    }
    return status;
}

static int attach_ports(struct host *h, const struct node_kind *kind, const struct host_args *args, struct text *why)
{
    bool raw = kind->raw && !(kind->forwards && kind->forwards(args->settings));
    for (unsigned i = 0; i < HOST_PORTS && kind->ports[i]; i++) {
        struct span where = span_of(args->ports[i]);
        int error = where.n ? host_port_attach(h, raw, kind->ports[i], where, why) : 0;
        if (error)
            return error;
    }
    if (h->interfaces_n)
        return 0;
    text_str(why, "it must be attached to something: ");
    text_str(why, kind->ports[0]);
    text_str(why, "=ADDRESS");
    return FE_ESYNTAX;
}

static uint64_t seed_of(const struct host_args *args)
{
    uint64_t seed = args->seed;
    if (!args->seeded && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = 1;
    return seed;
}

static int run(const struct node_kind *kind, const struct host_args *args, struct turn_page *page, struct text *why)
{
    struct host h;
    int epoll = page ? TURN_EPOLL_FD : epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        text_str(why, "no epoll descriptor");
        return refuse(page, kind, why, 3);
    }
    host_init(&h, args->name, seed_of(args), epoll, page ? &host_lab_sink : &host_hand_sink);
    h.page = page;
    h.json = args->json;
    int status = 2;
    if (attach_ports(&h, kind, args, why)) {
        refuse(page, kind, why, status);
    } else if (page) {
        turn_await(page);
        status = host_lab_run(&h, kind, args->settings);
    } else {
        status = host_hand_run(&h, kind, args->settings);
    }
    host_fini(&h);
    return status;
}

int host_main(const struct node_kind *kind, int argc, char **argv)
{
    char buf[TURN_WHY];
    struct text why = text_on(buf, sizeof buf);
    struct host_args args;
    struct turn_page *page = NULL;
    int status = 0;

    if (argc > 1 && strcmp(argv[1], "--lab") == 0 && !(page = turn_attach())) {
        if (errno != ESRCH) /* else the engine has ended meanwhile: nobody wants to know */
            perror("--lab is how an engine starts this program");
        return 4;
    }
    if (host_args_read(&args, kind, argc, argv, &why))
        status = refuse(page, kind, &why, 2);
    else if (args.help)
        host_help(kind);
    else {
        fputs(args.warnings, stderr);
        status = run(kind, &args, page, &why);
    }
    host_args_free(&args, kind);
    return status;
}
