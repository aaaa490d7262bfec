/* The matcher's memory: tickets, lists of postings, the table of pairs. No policy, no Python.
 *
 * Ownership: one `mx` owns everything; a slot is a ticket's place, a handle is slot | serial << 32. All areas are
 * reserved at birth and touched as they are used, so growing never copies more than one chunk of 1,024 postings. */
#ifndef MX_TYPES_H
#define MX_TYPES_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for mmap's flags and madvise, with -std=c11 */
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "levels.h"

#define MX_NONE 0xFFFFFFFFu
#define MX_MOST 32        /* interests of a ticket */
#define MX_INLINE 10      /* so many of them in the ticket's line */
#define MX_AREAS 11
#define MX_AVOID 16       /* recent partners; as many blocked */
#define MX_KEYS \
    4 /* subsets under which a ticket stands in the table, beside its most popular interest; where all weigh 1 one fewer, which keeps 0.3 % less for 4 % of the rate */
#define MX_HITS 24 /* candidates that a scan collects before it checks them: 12, and what one step of 8 adds */
#define MX_CANDS 8 /* candidates of an estimate */
#define MX_LEVELS 3 /* estimates, from the highest down */
#define MX_LOOKS 4 /* candidates after which two shared interests are enough */
#define MX_TABLED 32 /* once `table_from` wait in total, this part of it is enough for a pool */
#define MX_CHUNK 1024 /* postings of a chunk of a long list */
#define MX_LOGCHUNK 10
#define MX_INPLACE 3 /* postings in the list's own line */
#define MX_CHUNKED 16 /* the first size class of lists that are longer than a chunk */
#define MX_NEAR 32768 /* tickets in total, below which all data is in the cache: arrays are not prefetched */
#define MX_WIDE 4096 /* tickets in a pool, from which on its data is outside the cache */
#define MX_THIN 131072 /* tickets in a pool, below which the postings of the dead are deleted at once */
#define MX_NOLIST 0 /* the null list: empty, of no interest; also the null entry */
#define MX_ENTRIES 7 /* interests that a bucket holds; the lists of further ones are in a chain */
#define MX_MOST_LISTS 16000000 /* a list's number has 24 bits */
#define MX_FEWEST 16 /* least number of buckets */
#define MX_LOAD 3 /* average interests per bucket: 21 bytes of bucket for one, and one in thirty is in a chain */
#define MX_LONE 0x80u /* in an entry: not a list, but the single posting itself */
#define MX_NOBODYS 0xFFFFFFFEu /* no interest from here on */
#define MX_SPAN (1u << 23) /* arrivals of a pool after which the counts of interests are halved */
#define MX_SWEEP 4 /* in pools with a table: postings added to a chunked list per step of sweeping */
#define MX_PROMOTE 32 /* postings at which a list gets a bit of its own */
#define MX_OWN 24 /* the most popular lists of a pool own a bit of the signature each; the others share 40 */
#define MX_RING 16 /* arrivals of an array in progress; a power of two */
#define MX_PLAIN 65536u /* see `lift` */
#define MX_WHOLE 0xFFFFu /* a floor: all interests of both tickets */
#define MX_RARELY(x) __builtin_expect(!!(x), 0)
#define MX_FN static __attribute__((unused)) /* a function of a header: a file that includes it need not use it */
/* Ten lanes at once, padding included: no branch that depends on how many interests there are. */
#define MX_LANES(n, j, ...) \
    do { \
        for (uint32_t j = 0; j < MX_INLINE; j++) { \
            __VA_ARGS__ \
        } \
        if (MX_RARELY((n) > MX_INLINE)) \
            for (uint32_t j = MX_INLINE; j < (n); j++) { \
                __VA_ARGS__ \
            } \
    } while (0)

enum { MX_LIVE = 1, MX_LISTED = 2, MX_EXTRA = 4, MX_STANDS = 8, MX_FLOOR = 16 };
/* Results; also in arrays of handles, where -1 means that the arrival was matched and does not wait. */
enum { MX_OK = 0, MX_MET = -1, MX_FULL = -2, MX_LISTS_FULL = -3, MX_ARENA_FULL = -4 };

/* What verifying a candidate reads: one cache line. An interest is known by its hash, which within a pool is a permutation of all interests (see
 * `mx_hash`); places beyond `n` repeat the first, which changes nothing. */
typedef struct {
    uint32_t ids[MX_INLINE];
    union {
        struct {
            uint8_t n, flags : 6, level : 2;
            uint16_t pool;
        };
        uint32_t head; /* the same, written in one store: the line may not be in the cache yet */
    };
    uint32_t person;
    uint32_t rec[4]; /* 0: none */
} mx_hot;

typedef struct {
    uint64_t client, sig;
    double since;
    union {
        struct {
            uint32_t extra : 24, home : 8; /* home: the user's process or host; 0: unknown */
        };
        uint32_t extra_home; /* both, written in one store, as `head` above */
    };
    uint16_t total, floor; /* the weight of all its interests; the least shared weight that it accepts */
} mx_cold;

/* Interests beyond the tenth, recent partners beyond the fourth, blocked persons, and the place that the ticket cannot leave; 0: none. */
typedef struct {
    uint32_t next;
    uint8_t nrec, nblk;
    uint16_t place;
    uint32_t ids[MX_MOST - MX_INLINE], rec[MX_AVOID - 4], blk[MX_AVOID];
} mx_extra;

/* An interest for which two tickets wait, or did: one line, with up to three postings. `size_class` says where more of them are: from 1 on in a
 * body of mx_caps[size_class] postings, from MX_CHUNKED on in chunks behind a directory, of which [0, wr) are clean, [wr, rd) void and [rd, len)
 * not yet swept in this round. Always the oldest first. */
typedef struct {
    uint32_t hash, len, next, seen; /* seen: arrivals that named it, halved with the pool's */
    uint16_t pool;
    uint8_t size_class, bit;
    uint16_t dead; /* tombstones since the last sweep of a body */
    uint8_t epoch, indexed; /* indexed: a bucket leads to it; it is neither free nor a list of tickets that accept anyone */
    union {
        uint64_t sig[MX_INPLACE];
        struct {
            uint32_t off, rd, wr;
        };
    };
    uint32_t post[MX_INPLACE], spare;
} mx_list;

/* Finds an interest by its hash: one cache line. An entry is a posting (slot << 8 | MX_LONE | generation) while one ticket waits with it, and a
 * list (number << 8) after there were two. `count` entries come first, then empty ones; lists without a place are in a chain, `chained` says
 * which hashes (by four bits). */
typedef struct {
    uint32_t tag[MX_ENTRIES];
    uint16_t chained;
    uint8_t count, spare;
    uint32_t at[MX_ENTRIES + 1]; /* the last: the start of the chain */
} mx_bucket;

typedef struct {
    uint32_t waiting, owned, anyone, seen; /* owned: signature bits that belong to one list each */
    uint64_t logged; /* the running number of its last ticket in the log */
    uint8_t tabled, epoch;
} mx_pool;

_Static_assert(sizeof(mx_hot) == 64, "a ticket is one cache line");
_Static_assert(sizeof(mx_cold) == 32, "two tickets' rest are one cache line");
_Static_assert(sizeof(mx_list) == 64, "a list is one cache line");
_Static_assert(sizeof(mx_bucket) == 64, "a bucket is one cache line");
_Static_assert(offsetof(mx_hot, rec) == 48, "the recent partners are a quarter of the line, read at once");
_Static_assert(offsetof(mx_bucket, at) == 32, "the tags are half of the line, read at once");

typedef struct {
    uint64_t postings, tickets, cut, fallbacks, flushed, swept;
} mx_counts;

/* Lanes n..9 of hash, bucket and at are padding: an unused bucket, no entry, so that loops process ten at once. */
typedef struct {
    uint32_t n, pool, self, person, total, nkeys, floor;
    uint32_t lift; /* MX_PLAIN, or more: what a weight shared with a ticket of the same home counts, in units of 1 / MX_PLAIN */
    uint8_t level, quiet, nrec, nblk, weighted, ready, home;
    uint16_t place;
    uint64_t sig, folded, folded2;
    uint32_t hash[MX_MOST], at[MX_MOST]; /* at: the entries of its interests */
    uint32_t lists, lone; /* which of them are lists, which are postings */
    uint32_t bucket[MX_MOST], changes; /* the buckets of its interests, and `changes` when they were found */
    uint32_t key[MX_KEYS + 1];
    uint8_t alive[MX_KEYS + 1], ncand[MX_LEVELS];
    uint32_t best, cand[MX_LEVELS][2 * MX_CANDS]; /* best: the highest estimate; the second half is space for writes */
    uint32_t interest[MX_MOST];
    uint16_t w[MX_MOST];
    uint32_t rec[MX_AVOID], blk[MX_AVOID];
    uint64_t client;
    double since;
} mx_query;

typedef struct {
    uint32_t slot, score, mask, cut;
    uint32_t postings, tickets;
    uint32_t most_postings, most_tickets; /* 0: no bound */
    uint32_t pos, list, gen; /* gen: the partner's generation when it was found */
    uint32_t value, bar; /* value: the score, lifted if both have one home; bar: the score that no better candidate has */
} mx_best;

/* A scan's query and candidates: `rank` is the most a candidate can be worth, higher if it is older in the list. */
typedef struct {
    uint64_t s1, s2, s3;
    const uint32_t *ubs; /* the most that p shared interests can be worth; not read if all weigh 1 */
    uint32_t left, need, list, n;
    uint32_t post[MX_HITS];
    uint64_t rank[MX_HITS];
} mx_pass;

/* Postings of a dead ticket to be deleted, and where they were found. */
typedef struct {
    uint32_t n, post, pool, hash[MX_MOST], at[MX_MOST];
} mx_deletion;

typedef struct mx {
    mx_hot *hot;
    mx_cold *cold;
    uint32_t *gens; /* four bits a slot */
    uint32_t *serials; /* of the ticket in each slot, or of its last one */
    uint32_t *freed;
    mx_list *lists;
    mx_bucket *buckets; /* the first is empty and of no hash */
    char *arena;
    uint64_t *table;
    uint32_t *log; /* a ring of tickets that are in the table and not yet in the lists */
    uint64_t *logsig;
    uint32_t *logat; /* the entries of its tickets on arrival, MX_INLINE each */
    mx_extra *extras;
    mx_pool *pools;
    const uint16_t *weights;
    uint32_t capacity, live, used, free_head, free_tail, serial;
    uint32_t most_lists, lists_used, lists_live, list_free; /* most_lists: interests with a posting, as a list or not */
    uint32_t entries, nbuckets, split, mask, hand, changes; /* changes: of the places of entries and of bits */
    uint32_t arena_units, arena_top, arena_free[32], arena_live;
    uint32_t table_bits, slot_bits, table_from, announce_hand, announced; /* one ticket in `announce_rate` insertions is written anew; 0: none */
    uint32_t log_limit, log_size, log_head, log_tail;
    uint32_t extras_used, extra_free, most_extras, most_pools, table_near; /* table_near: a pool will need the table soon */
    uint32_t fifo_from, announce_rate, huge;
    uint64_t seed, log_in, log_out;
    struct {
        char *from;
        size_t bytes;
    } ahead[MX_AREAS]; /* what the helper must touch */
    size_t present[MX_AREAS];
    pthread_t helper;
    int helped, helping; /* helping: set here, cleared by the helper when it is done */
    mx_query ring[MX_RING]; /* arrivals of an array, and their results */
    mx_best bests[MX_RING];
    mx_query next; /* the ticket to write anew, with its lines prefetched */
    uint32_t next_slot, next_gen, owed; /* owed: lists and buckets that the hand must visit since tombstones were left */
    size_t reserved;
    mx_counts counts;
    struct mx *later; /* of the list of all matchers */
} mx;

typedef struct {
    const uint16_t *pools;
    const uint32_t *offsets, *interests, *persons, *recents; /* recents: 4 a ticket, 0 for none */
    const uint64_t *clients;
    const uint8_t *levels;
    uint64_t first; /* the client of the first if `clients` is missing; the next numbers follow */
    double now;
    int hold, exact, quiet, only_insert;
    uint32_t most_postings, most_tickets;
    int64_t *partner, *handle;
    uint32_t *score, *cycles;
} mx_arrivals;

static inline uint64_t mx_mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    x ^= x >> 32;
    return x;
}

static inline uint32_t mx_person(uint64_t p) { /* 0 stays none; two persons with the same number are kept apart, no more */
    if (!p) return 0;
    uint32_t x = (uint32_t)(mx_mix(p) >> 32);
    return x ? x : 1;
}

static inline uint32_t mx_gen(const mx *m, uint32_t slot) { return m->gens[slot >> 3] >> ((slot & 7) * 4) & 15; }

/* Whether the ticket of a posting, or of an entry that is one, no longer waits. */
static inline int mx_dead(const mx *m, uint32_t post) { return ((mx_gen(m, post >> 8) ^ post) & 15) != 0; }

/* log2(x) in 1/256, linear between powers: at most 0.09 off. */
static inline int mx_log2(uint32_t x) {
    int e = 31 - __builtin_clz(x | 1);
    return e * 256 + (int)(((uint64_t)x << 8 >> e) & 255);
}

MX_FN void *mx_area(mx *m, size_t bytes) {
    bytes = (bytes + 4095) & ~(size_t)4095;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return NULL;
    m->reserved += bytes;
    return p;
}

#endif
