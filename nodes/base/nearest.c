#include "nodes/base/nearest.h"

#define LONGEST 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned nearest_distance(struct span a, struct span b)
{
    unsigned row[3][LONGEST + 1];
    size_t an = a.n < LONGEST ? a.n : LONGEST;
    size_t bn = b.n < LONGEST ? b.n : LONGEST;
    for (unsigned j = 0; j <= bn; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= an; i++) {
        unsigned *now = row[i % 3];
        const unsigned *above = row[(i + 2) % 3];
        const unsigned *before = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            now[j] = least(least(above[j], now[j - 1]) + 1, above[j - 1] + (a.p[i - 1] != b.p[j - 1]));
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[an % 3][bn];
}

void nearest_offer(struct nearest *best, struct span wrong, struct span candidate)
{
    unsigned distance = nearest_distance(wrong, candidate);
    if (distance > wrong.n / 3 + 1 || distance >= candidate.n)
        return;
    if (best->name.n && distance >= best->distance)
        return;
    *best = (struct nearest){candidate, distance};
}
