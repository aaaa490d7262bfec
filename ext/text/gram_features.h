/* Hashes of the n-grams of a text, and sums of their rows of weights: loops that a compiler makes wide. A processor of x86 that has AVX2 runs a second
 * copy of them, in which eight hashes are computed at once; results are the same. */
#ifndef SERENDIP_TEXT_GRAM_FEATURES_H
#define SERENDIP_TEXT_GRAM_FEATURES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ROW_LANES = 8, GRAM_MAX = 5, GRAM_PRIME = 16777619 };

typedef uint64_t rows_t __attribute__((vector_size(2 * ROW_LANES))); /* two of them */
typedef uint16_t row_sums_t __attribute__((vector_size(2 * ROW_LANES)));

#define INLINED static inline __attribute__((always_inline))

INLINED uint32_t gram_key(uint32_t key, uint32_t code) { return (key ^ code) * (uint32_t)GRAM_PRIME; }
INLINED uint32_t gram_bucket(uint32_t key, uint32_t mask) { return (key ^ (key >> 15)) & mask; }

/* Write the buckets of the n-grams of three, four and five codes that begin at the first `count` codes; four more are behind those. */
INLINED void hash_whole(const uint32_t *restrict codes, size_t count, uint32_t mask, uint32_t *restrict buckets) {
    for (size_t at = 0; at < count; at++) {
        uint32_t key = gram_key(gram_key(gram_key(2166136261u, codes[at]), codes[at + 1]), codes[at + 2]);
        buckets[at] = gram_bucket(key, mask);
        key = gram_key(key, codes[at + 3]);
        buckets[count + at] = gram_bucket(key, mask);
        buckets[2 * count + at] = gram_bucket(gram_key(key, codes[at + 4]), mask);
    }
}

INLINED uint64_t row_of(const uint8_t *row) {
    uint64_t lanes;
    memcpy(&lanes, row, sizeof(lanes));
    return le64toh(lanes);
}

/* Write the sums of the first ROW_LANES weights of the rows of up to 257 buckets. `stride`: bytes of a row. */
INLINED void sum_rows(const uint8_t *weights, size_t stride, const uint32_t *buckets, size_t count, uint16_t *sums) {
    row_sums_t even = {0}, odd = {0};
    for (size_t at = 0; at < count; at += 2) {
        rows_t rows = {row_of(weights + buckets[at] * stride), at + 1 < count ? row_of(weights + buckets[at + 1] * stride) : 0};
        even += (row_sums_t)rows & 0xFF;
        odd += (row_sums_t)rows >> 8;
    }
    for (int lane = 0; lane < ROW_LANES / 2; lane++) {
        sums[2 * lane] = (uint16_t)(even[lane] + even[ROW_LANES / 2 + lane]);
        sums[2 * lane + 1] = (uint16_t)(odd[lane] + odd[ROW_LANES / 2 + lane]);
    }
}

/* Make all digits alike; return whether a code may be the third of its kind in a row (or the first is 0, as none is), and in `wide` whether one is
 * `least` or more. */
static inline int make_digits_alike(uint32_t *codes, size_t size, uint32_t least, int *wide) {
    uint32_t rows = size && codes[0] == 0, high = 0;
    for (size_t at = 0; at < size; at++) {
        uint32_t code = codes[at];
        codes[at] = code - 48u < 10u ? 48u : code;
        high |= code >= least;
    }
    for (size_t at = 2; at < size; at++) rows |= (codes[at] == codes[at - 1]) & (codes[at] == codes[at - 2]);
    *wide = (int)high;
    return (int)rows;
}

#if defined(__x86_64__)
#define IS_WIDE __builtin_cpu_supports("avx2")
__attribute__((target("avx2"), noinline))
#else
#define IS_WIDE 0
#endif
static void hash_wide(const uint32_t *codes, size_t count, uint32_t mask, uint32_t *buckets) { hash_whole(codes, count, mask, buckets); }

/* Write the buckets of all n-grams of a text; return their number: at the last four codes fewer begin. */
static inline size_t hash_grams(const uint32_t *codes, size_t size, uint32_t mask, uint32_t *buckets) {
    size_t count = size < GRAM_MAX ? 0 : size - GRAM_MAX + 1, made = 3 * count;
    if (IS_WIDE) hash_wide(codes, count, mask, buckets);
    else hash_whole(codes, count, mask, buckets);
    for (size_t begin = count; begin < size; begin++) {
        uint32_t key = 2166136261u;
        for (size_t at = begin; at < size; at++) {
            key = gram_key(key, codes[at]);
            if (at >= begin + 2) buckets[made++] = gram_bucket(key, mask);
        }
    }
    return made;
}

#endif
