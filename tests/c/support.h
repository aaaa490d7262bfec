/* What the tests of the C structures share: a check that always holds, bytes to choose by, dice with a seed. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))
#define CHECK(condition) ((condition) ? (void)0 : failed(#condition, __FILE__, __LINE__))

static inline void failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    abort();
}

/* Operations are read from bytes; behind the last one everything is 0. */
typedef struct {
    const uint8_t *at;
    size_t left;
} bytes_t;

UNUSED static uint32_t take8(bytes_t *b) {
    if (!b->left) return 0;
    b->left--;
    return *b->at++;
}

UNUSED static uint32_t take16(bytes_t *b) {
    uint32_t low = take8(b);
    return low | take8(b) << 8;
}

/* SplitMix64: the same numbers for the same seed, wherever it runs. */
UNUSED static uint64_t roll(uint64_t *seed) {
    uint64_t x = *seed += 0x9E3779B97F4A7C15ull;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

/* One input: random bytes, of a random share of which the upper bits are 0, so that small choices come often too. */
UNUSED static size_t random_bytes(uint64_t *seed, uint8_t *to, size_t most) {
    size_t size = 1 + roll(seed) % most;
    uint64_t narrow = roll(seed) % 4, mask = roll(seed) % 2 ? 0xFF : 0x1F;
    for (size_t i = 0; i < size; i++) {
        uint64_t x = roll(seed);
        to[i] = (uint8_t)(x >> 8 & (x % 4 < narrow ? mask : 0xFF));
    }
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target over `count` random inputs of up to `most` bytes. */
UNUSED static void run_seeded(uint64_t seed, int count, size_t most) {
    uint8_t *data = malloc(most);
    CHECK(data);
    while (count--) {
        size_t size = random_bytes(&seed, data, most);
        uint8_t *input = malloc(size); /* of just this size, so that the sanitizer sees who reads past it */
        CHECK(input);
        memcpy(input, data, size);
        LLVMFuzzerTestOneInput(input, size);
        free(input);
    }
    free(data);
}
#endif
