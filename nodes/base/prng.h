/* Pseudo-random streams, one for each (seed, owner, purpose): adding a node to a lab changes nobody else's numbers.
 * The generator is xoshiro256** seeded through splitmix64; the bytes are the same on every machine. */
#ifndef FAREND_BASE_PRNG_H
#define FAREND_BASE_PRNG_H

#include "nodes/base/span.h"

#include <stdint.h>

struct prng {
    uint64_t s[4];
};

/* owner: the node's or wire's name; purpose: what the numbers are for ("branch", "loss", "ports", …). */
void prng_init(struct prng *rng, uint64_t seed, struct span owner, struct span purpose);

/* The seed of a program that has been started before, so many times; 0: `seed` itself. */
uint64_t prng_seed_again(uint64_t seed, unsigned starts);

uint64_t prng_u64(struct prng *rng);

/* Uniform in [0, bound); bound > 0. Without bias. */
uint64_t prng_below(struct prng *rng, uint64_t bound);

/* True in `ppm` of 1,000,000 draws. Always draws once, so a changed rate does not shift the stream. */
bool prng_chance(struct prng *rng, uint32_t ppm);

void prng_bytes(struct prng *rng, void *dst, size_t n);

/* n lower-case hexadecimal digits and a NUL: tags, branches, Call-IDs. dst has n + 1 bytes. */
void prng_hex(struct prng *rng, char *dst, size_t n);

#endif
