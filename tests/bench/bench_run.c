/* Runs a command several times and prints the median of its wall time and the peak of its memory, for scripts/bench:
 *     bench_run RUNS COMMAND [ARGUMENT…]   ->   "0.412 s 18432 kB"
 * The command's output is thrown away. Exits with 1 when the command does not succeed. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 100 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void become(char **command)
{
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(command[0], command);
    _exit(127);
}

/* Wall time in seconds; memory in kB of the largest process of the run. */
static double run(char **command, long *memory)
{
    struct rusage usage;
    int status = 0;
    double start = seconds();
    pid_t child = fork();
    if (child == 0)
        become(command);
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0) {
        fprintf(stderr, "bench_run: %s failed\n", command[0]);
        exit(1);
    }
    if (usage.ru_maxrss > *memory)
        *memory = usage.ru_maxrss;
    return seconds() - start;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double wall[RUNS_MAX];
    long memory = 0;
    int runs = argc > 2 ? atoi(argv[1]) : 0;
    if (runs < 1 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: bench_run RUNS COMMAND [ARGUMENT…]\n");
        return 2;
    }
    for (int i = 0; i < runs; i++)
        wall[i] = run(argv + 2, &memory);
    qsort(wall, (size_t)runs, sizeof wall[0], by_size);
    printf("%.3f s %ld kB\n", wall[runs / 2], memory);
    return 0;
}
