/* Bring-up and tear-down of N namespaces, each with a wire, an address, a subnet's route, a default route and
 * everything up: farend's netns world beside iproute2 doing the same by `ip -batch` (one batch for namespaces and
 * links, one in each namespace). Both in one run, since absolute figures drift. Needs root.
 *
 *     bench_netns_up [ROUNDS] */
#define _GNU_SOURCE
#include "netns/netns.h"
#include "sim/engine/engine.h"
#include "sim/engine/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 500, ROUNDS = 5, MOST_ROUNDS = 16 };

struct figures {
    double up, down; /* seconds */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- farend ---- */

static struct figures measure_farend(unsigned n)
{
    static struct plan_node nodes[LARGEST];
    static struct plan_port ports[LARGEST];
    static struct plan_route routes[LARGEST];
    static bool mine[LARGEST];
    const struct plan plan = {.name = "up", .nodes = nodes, .nodes_n = n};
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    struct world *world;
    for (unsigned i = 0; i < n; i++) {
        ports[i] = (struct plan_port){.name = "on", .addr = IPV4(10, i >> 8, i & 255, 2), .bits = 24, .mtu = 1500};
        routes[i] = (struct plan_route){.to = {0, 0}, .port = 0};
        nodes[i] = (struct plan_node){
            .name = "node", .role = PLAN_ROUTER, .ports = &ports[i], .ports_n = 1, .routes = &routes[i], .routes_n = 1};
        mine[i] = true;
    }
    double start = seconds();
    if (netns_world.open(&world, NULL, &plan, mine, &why)) {
        fprintf(stderr, "%s\n", buf);
        exit(3);
    }
    double built = seconds();
    netns_world.close(world);
    return (struct figures){built - start, seconds() - built};
}

/* ---- ip -batch ---- */

static FILE *file_at(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(4);
    }
    return f;
}

/* One namespace: the lines for the outside, for its inside, and the command that runs the latter. */
static void write_one(const char *folder, unsigned i, const char *name, FILE *up, FILE *down, FILE *all)
{
    char file[32];
    snprintf(file, sizeof file, "in%u", i);
    FILE *inside = file_at(folder, file);
    fprintf(up, "netns add %s\nlink add %s type veth peer name on netns %s\nlink set %s up\n", name, name, name, name);
    fprintf(inside, "link set lo up\nlink set on up\naddr add 10.%u.%u.2/24 dev on\nroute add default dev on\n", i >> 8,
            i & 255);
    fprintf(all, "ip -n %s -batch %s/%s || exit 1\n", name, folder, file);
    fprintf(down, "netns del %s\n", name);
    fclose(inside);
}

/* The names are new in every run: the kernel removes an earlier run's links in its own time. */
static void write_batches(const char *folder, unsigned n)
{
    static unsigned run;
    FILE *up = file_at(folder, "up");
    FILE *down = file_at(folder, "down");
    FILE *all = file_at(folder, "run");
    run++;
    fprintf(all, "ip -batch %s/up || exit 1\n", folder);
    for (unsigned i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "fb%u-%u", run, i);
        write_one(folder, i, name, up, down, all);
    }
    fclose(up);
    fclose(down);
    fclose(all);
}

static double shell(const char *command, const char *folder, const char *file)
{
    char line[512];
    snprintf(line, sizeof line, "%s %s%s", command, folder, file);
    double start = seconds();
    if (system(line) != 0) {
        fprintf(stderr, "failed: %s\n", line);
        exit(4);
    }
    return seconds() - start;
}

static struct figures measure_ip(unsigned n)
{
    char folder[] = "/tmp/farend-bench-XXXXXX";
    struct figures f;
    if (!mkdtemp(folder))
        exit(4);
    write_batches(folder, n);
    f.up = shell("sh", folder, "/run");
    f.down = shell("ip -batch", folder, "/down");
    shell("rm -r", folder, "");
    return f;
}

/* ---- both ---- */

static int by_up(const void *a, const void *b)
{
    const struct figures *x = a;
    const struct figures *y = b;
    return x->up < y->up ? -1 : x->up > y->up;
}

/* One after the other in every round, so that both meet the same machine. */
static void measure_both(unsigned n, int rounds, struct figures *ours, struct figures *theirs)
{
    struct figures all[2][MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        all[0][i] = measure_farend(n);
        sleep(1); /* the kernel is still taking it apart */
        all[1][i] = measure_ip(n);
        sleep(1);
    }
    for (int i = 0; i < 2; i++)
        qsort(all[i], (size_t)rounds, sizeof *all[i], by_up);
    *ours = all[0][rounds / 2];
    *theirs = all[1][rounds / 2];
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {10, 100, LARGEST};
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    if (rounds < 1 || rounds > MOST_ROUNDS)
        return 2;
    printf("namespaces   farend up     down   ip -batch up     down   ratio up\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct figures ours;
        struct figures theirs;
        measure_both(sizes[i], rounds, &ours, &theirs);
        printf("%10u %8.1f ms %5.1f ms   %8.1f ms %5.1f ms   %8.1f\n", sizes[i], ours.up * 1e3, ours.down * 1e3,
               theirs.up * 1e3, theirs.down * 1e3, theirs.up / ours.up);
    }
    return 0;
}
