/* The matcher in three builds of the same source, chosen at run time: AVX-512, AVX2, any other machine. */
#ifndef MX_H
#define MX_H
#include "dump.h"
#include "memory.h"
#include "tickets.h"

#define MX_PASTE2(a, b) mx_##a##_##b
#define MX_PASTE(a, b) MX_PASTE2(a, b)
#define F(name) MX_PASTE(name, MX_SUFFIX)

#define MX_ISA 1
#define MX_SUFFIX v1
#include "instance-inl.h"
#undef MX_ISA
#undef MX_SUFFIX

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MX_VARIANTS 3
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt")
#define MX_ISA 3
#define MX_SUFFIX v3
#include "instance-inl.h"
#undef MX_ISA
#undef MX_SUFFIX
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt,avx512f,avx512cd,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")
#define MX_ISA 4
#define MX_SUFFIX v4
#include "instance-inl.h"
#undef MX_ISA
#undef MX_SUFFIX
#pragma GCC pop_options
#else
#define MX_VARIANTS 1
#endif

/* The entry points, one set per build. */
typedef struct {
    void (*resolve)(mx *, mx_query *, int);
    void (*search)(mx *, mx_query *, mx_best *, int);
    void (*ready)(mx *, mx_query *);
    uint32_t (*insert)(mx *, mx_query *);
    void (*remove)(mx *, uint32_t, int);
    void (*stand)(mx *, uint32_t);
    void (*hand)(mx *, uint32_t);
    void (*flush)(mx *, uint32_t);
    int (*sound)(const mx_arrivals *, uint32_t, uint32_t, uint32_t);
    int (*batch)(mx *, const mx_arrivals *, uint32_t);
} mx_doors;

#define MX_DOORS(s) \
    {mx_resolve_##s, mx_search_##s, mx_ready_##s, mx_insert_##s, mx_remove_##s, mx_stand_##s, mx_hand_##s, mx_flush_##s, mx_sound_##s, mx_batch_##s}
static const mx_doors mx_variants[] __attribute__((unused)) = {
    MX_DOORS(v1),
#if MX_VARIANTS == 3
    MX_DOORS(v3),
    MX_DOORS(v4),
#endif
};
static const char *const mx_names[] __attribute__((unused)) = {"portable", "avx2", "avx512"};

MX_FN int mx_best_variant(void) {
#if MX_VARIANTS == 3
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vpopcntdq"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")) return 1;
#endif
    return 0;
}

static mx *mx_all; /* all matchers of the process */

/* Number of waiting tickets, over all matchers. */
MX_FN uint64_t mx_alive(void) {
    uint64_t alive = 0;
    for (const mx *m = mx_all; m; m = m->later) alive += m->live;
    return alive;
}

MX_FN void mx_free(mx *m) {
    mx_alone(m);
    mx **at = &mx_all;
    while (*at && *at != m) at = &(*at)->later;
    if (*at) *at = m->later; /* one whose memory could not be reserved is in no list yet */
    void *areas[MX_AREAS];
    size_t sizes[MX_AREAS];
    mx_areas(m, areas, sizes);
    for (int i = 0; i < MX_AREAS; i++)
        if (areas[i]) munmap(areas[i], (sizes[i] + 4095) & ~(size_t)4095);
    free(m->log);
    free(m->logsig);
    free(m->logat);
    free(m);
}

/* Reserve address space for the whole capacity, touched as it is used; 0 if there is none. */
MX_FN int mx_reserve(mx *m) {
    m->hot = mx_area(m, (m->capacity + 64ul) * sizeof(mx_hot));
    m->cold = mx_area(m, (m->capacity + 64ul) * sizeof(mx_cold));
    m->gens = mx_area(m, (m->capacity / 8 + 16ul) * 4);
    m->freed = mx_area(m, m->capacity * 4ul);
    m->serials = mx_area(m, (m->capacity + 64ul) * 4);
    m->lists = mx_area(m, (m->most_lists + 64ul) * sizeof(mx_list));
    m->buckets = mx_area(m, (m->nbuckets + 1ul) * sizeof(mx_bucket));
    m->arena = mx_area(m, m->arena_units * 64ul);
    m->extras = mx_area(m, (m->capacity + 1ul) * sizeof(mx_extra));
    m->pools = mx_area(m, m->most_pools * sizeof(mx_pool));
    if (!m->hot || !m->cold || !m->gens || !m->freed || !m->serials || !m->lists || !m->buckets || !m->arena || !m->extras || !m->pools) return 0;
    if (m->log_limit) {
        m->log = calloc(m->log_limit, 4);
        m->logsig = calloc(m->log_limit, 8);
        m->logat = calloc(m->log_limit, MX_INLINE * 4);
        if (!m->log || !m->logsig || !m->logat) return 0;
    }
    if (m->table_from < m->capacity) {
        m->table = mx_area(m, (size_t)64 << m->table_bits); /* touched when `table_from` tickets wait */
        if (!m->table) return 0;
        madvise(m->table, (size_t)64 << m->table_bits, MADV_HUGEPAGE);
    }
    return 1;
}

/* Make an empty matcher for `capacity` tickets; NULL if memory cannot be reserved. */
MX_FN mx *mx_new(uint32_t capacity, uint32_t most_lists, uint32_t table_from, uint32_t log_limit, uint64_t seed) {
    MX_ASSERT(capacity >= 8 && capacity < 1u << 24 && most_lists < 1u << 24); /* 24 bits in an entry */
    mx *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->capacity = capacity;
    m->most_lists = most_lists;
    m->most_pools = 65535;
    m->nbuckets = MX_FEWEST;
    while (m->nbuckets * (uint64_t)MX_LOAD < most_lists) m->nbuckets *= 2;
    m->arena_units = capacity * 8u > 1u << 16 ? capacity * 8u : 1u << 16; /* 512 bytes a ticket, 4 MiB at least; touched as used */
    m->arena_top = 1;
    m->table_from = table_from;
    m->log_limit = log_limit;
    m->slot_bits = 32u - (uint32_t)__builtin_clz(capacity | 1u << 15); /* 16 to 24 */
    m->table_bits = 10;
    /* 43 to 85 bytes a ticket: half of it keeps 0.5 % less, and 1 in 100 finds nothing there */
    while (m->table_bits < 24 && 3u << m->table_bits < capacity * 2u) m->table_bits++;
    if (!mx_reserve(m)) {
        mx_free(m);
        return NULL;
    }
    m->mask = MX_FEWEST - 1;
    m->extra_free = MX_NONE;
    m->lists[MX_NOLIST].pool = 0xFFFF;
    m->lists_used = 1;
    m->seed = seed;
    m->next_slot = MX_NONE;
    m->fifo_from = 65536;
    m->announce_rate = 8;
    m->later = mx_all;
    mx_all = m;
    return m;
}

/* Allocate what a pool needs before its first ticket; MX_NOLIST: no room. */
MX_FN uint32_t mx_pool_open(mx *m, uint32_t pool) {
    if (m->entries == m->most_lists) return MX_NOLIST;
    m->entries++; /* of no interest, and so in no bucket */
    return m->pools[pool].anyone = mx_blank(m, pool, 0);
}
#endif
