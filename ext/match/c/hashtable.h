/* Where the postings of an interest are found: linear hashing, which grows bucket by bucket, so that no step of it costs more
 * than one. Where people meet, most interests of those who wait have one ticket, whose posting stands in the bucket itself; a
 * list is made for the second. A bucket says by 32 bits of hash whose an entry is, so that its line is fetched without a look at
 * another's; only the pool is looked at there.
 *
 *   hash & mask -> bucket, 64 bytes
 *   +--------------------------------------+---------------+----------------------------------------+-------+
 *   | tag[7]: the hashes of its entries    | chained count | at[7]: the entries, `count` in front   | chain |
 *   +--------------------------------------+---------------+----|-----------------|-----------------+---|---+
 *                                                               |                 |                     |
 *        one ticket waits with it: slot << 8 | MX_LONE | gen  <-+                 |                     +-> list -> next list ...
 *                 |                                                               |                         (of eighths and later)
 *                 v                                two or more: number << 8  <----+
 *        mx_hot[slot], the ticket                                 |
 *                                                                 v
 *   list, 64 bytes
 *   +---------------------------------------------+---------------------------------+
 *   | hash, len, next, seen, pool, class, bit, .. | 3 signatures, 3 postings        |   class 0: all of them here
 *   +---------------------------------------------+----|----------------------------+
 *                                                  off | rd wr
 *               class 1..15                            v                    class 16 and up
 *   arena body: mx_caps[class] postings <--------------+--------------> arena directory of 16 << (class - 16) chunks
 *   +-------------------+----------------+                              +---------+---------+--------- -
 *   | u64 signature []  | u32 posting [] |                              | chunk 0 | chunk 1 | ...
 *   +-------------------+----------------+                              +----|----+----|----+--------- -
 *                                                                            v         v
 *   posting = slot << 8 | generation                       bodies of class 15: 1,024 postings each; [0, wr) swept,
 *   (a tombstone where the slot is a generation on)        [wr, rd) void (signature 0), [rd, len) to be swept */
#ifndef MX_HASHTABLE_H
#define MX_HASHTABLE_H
#include "arena.h"

#define MX_MUL1 0x85EBCA6Bu
#define MX_MUL2 0xC2B2AE35u

/* The hash of an interest in its pool. Each step is invertible, so no two interests of a pool share one. */
static inline uint32_t mx_hash(const mx *m, uint32_t pool, uint32_t interest) {
    uint32_t x = interest ^ (uint32_t)m->seed;
    x = (x ^ x >> 16) * MX_MUL1;
    x += pool * 0x9E3779B1u + (uint32_t)(m->seed >> 32);
    x = (x ^ x >> 13) * MX_MUL2;
    return x ^ x >> 16;
}

/* The inverse of an odd number modulo 2^32, by Newton's method: each round doubles the correct bits. */
static inline uint32_t mx_inverse(uint32_t a) {
    uint32_t x = a;
    for (int i = 0; i < 4; i++) x *= 2 - a * x;
    return x;
}

/* The interest of a hash. */
MX_FN uint32_t mx_interest(const mx *m, uint32_t pool, uint32_t hash) {
    uint32_t x = (hash ^ hash >> 16) * mx_inverse(MX_MUL2);
    x ^= x >> 13 ^ x >> 26;
    x = (x - pool * 0x9E3779B1u - (uint32_t)(m->seed >> 32)) * mx_inverse(MX_MUL1);
    return (x ^ x >> 16) ^ (uint32_t)m->seed;
}

static inline uint32_t mx_buckets(const mx *m) { return m->mask + 1 + m->split; }

static inline uint32_t mx_place(const mx *m, uint32_t hash) {
    uint32_t b = hash & m->mask;
    MX_ASSERT(m->split <= m->mask && mx_buckets(m) <= m->nbuckets);
    return 1 + (b < m->split ? hash & (m->mask * 2 + 1) : b);
}

/* Lists and buckets, twice: how many the hand visits after tombstones were left. */
static inline uint32_t mx_rounds(const mx *m) { return 2 * (m->lists_used + mx_buckets(m)); }

static inline int mx_is(const mx *m, uint32_t lid, uint32_t pool, uint32_t hash) {
    const mx_list *l = &m->lists[lid];
    return (l->hash == hash) & (l->pool == pool);
}

/* Whether an entry found under a hash is of this interest and pool. A dead posting may be any interest's. */
static inline int mx_of(const mx *m, uint32_t entry, uint32_t pool, uint32_t hash) {
    return entry & MX_LONE ? m->hot[entry >> 8].pool == pool : mx_is(m, entry >> 8, pool, hash);
}

/* Which entries of a bucket have this hash, as bits. */
static inline uint32_t mx_hits(const mx_bucket *b, uint32_t hash) {
    uint32_t hits = 0;
    for (uint32_t k = 0; k < MX_ENTRIES; k++) hits |= (uint32_t)(b->tag[k] == hash) << k;
    return hits;
}

/* Position of an entry in its bucket as a bit, or 0 if it is in the chain. */
static inline uint32_t mx_position(const mx_bucket *b, uint32_t hash, uint32_t entry) {
    uint32_t at = 0;
#if defined(__SSE2__)
    const __m128i *tags = (const __m128i *)b->tag, *ats = (const __m128i *)b->at;
    __m128i h = _mm_set1_epi32((int)hash), e = _mm_set1_epi32((int)entry);
    for (int k = 0; k < 2; k++) {
        __m128i same = _mm_and_si128(_mm_cmpeq_epi32(_mm_loadu_si128(tags + k), h), _mm_cmpeq_epi32(_mm_loadu_si128(ats + k), e));
        at |= (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(same)) << 4 * k;
    }
    at &= (1u << MX_ENTRIES) - 1;
#else
    for (uint32_t k = 0; k < MX_ENTRIES; k++) at |= (uint32_t)((b->at[k] == entry) & (b->tag[k] == hash)) << k;
#endif
    return at;
}

static inline uint32_t mx_chained(const mx_bucket *b, uint32_t hash) { return b->chained >> (hash >> 28) & 1; }

/* Find the entry of an interest in a pool, or MX_NOLIST. A dead posting only if there is nothing else: it may be of another pool. */
MX_FN uint32_t mx_find(const mx *m, uint32_t pool, uint32_t hash) {
    const mx_bucket *b = &m->buckets[mx_place(m, hash)];
    uint32_t dead = MX_NOLIST;
    for (uint32_t hits = mx_hits(b, hash); hits; hits &= hits - 1) {
        uint32_t entry = b->at[__builtin_ctz(hits)];
        if (!mx_of(m, entry, pool, hash)) continue;
        if (!(entry & MX_LONE) || !mx_dead(m, entry)) return entry;
        dead = entry;
    }
    if (!mx_chained(b, hash)) return dead;
    uint32_t lid = b->at[MX_ENTRIES] >> 8;
    while (lid != MX_NOLIST && !mx_is(m, lid, pool, hash)) lid = m->lists[lid].next;
    return lid != MX_NOLIST ? lid << 8 : dead;
}

/* Turn a single posting into a list; return its number. */
MX_FN uint32_t mx_list_of(mx *m, uint32_t hash, uint32_t entry) {
    uint32_t slot = entry >> 8, lid = mx_blank(m, m->hot[slot].pool, hash);
    mx_list *l = &m->lists[lid];
    MX_ASSERT(entry & MX_LONE && !mx_dead(m, entry));
    l->indexed = 1;
    l->len = 1;
    l->sig[0] = m->cold[slot].sig;
    l->post[0] = entry & ~MX_LONE;
    return lid;
}

static inline void mx_bucket_insert(mx *m, uint32_t hash, uint32_t entry) {
    mx_bucket *b = &m->buckets[mx_place(m, hash)];
    uint32_t k = b->count;
    MX_ASSERT(entry != MX_NOLIST && k <= MX_ENTRIES);
    MX_ASSERT(entry & MX_LONE || m->lists[entry >> 8].hash == hash);
    if (__builtin_expect(k < MX_ENTRIES, 1)) {
        b->count++;
        b->tag[k] = hash;
        b->at[k] = entry;
        return;
    }
    if (entry & MX_LONE && mx_dead(m, entry)) { /* its pool is unknown */
        m->entries--;
        return;
    }
    uint32_t lid = entry & MX_LONE ? mx_list_of(m, hash, entry) : entry >> 8;
    b->chained |= (uint16_t)(1u << (hash >> 28));
    m->lists[lid].next = b->at[MX_ENTRIES] >> 8;
    b->at[MX_ENTRIES] = lid << 8;
}

/* Remove an entry; 0 if it is not there. The last one fills the gap; a chain stays a chain until the bucket is split. */
static inline int mx_bucket_remove(mx *m, mx_bucket *b, uint32_t hash, uint32_t entry) {
    uint32_t at = mx_position(b, hash, entry);
    MX_ASSERT(!(at & (at - 1)) && at < 1u << b->count); /* at most once, and before the chain */
    if (__builtin_expect(at != 0, 1)) {
        uint32_t k = (uint32_t)__builtin_ctz(at), last = --b->count;
        b->tag[k] = b->tag[last];
        b->at[k] = b->at[last];
        b->tag[last] = b->at[last] = 0;
        return 1;
    }
    if (entry & MX_LONE) return 0;
    uint32_t lid = entry >> 8, before = b->at[MX_ENTRIES] >> 8;
    if (before == lid) {
        b->at[MX_ENTRIES] = m->lists[lid].next << 8;
        if (!b->at[MX_ENTRIES]) b->chained = 0;
        return 1;
    }
    while (before != MX_NOLIST && m->lists[before].next != lid) before = m->lists[before].next;
    if (before != MX_NOLIST) m->lists[before].next = m->lists[lid].next;
    return before != MX_NOLIST;
}

/* Empty a bucket and insert its entries where they belong now. */
MX_FN void mx_bucket_rehash(mx *m, uint32_t bucket) {
    mx_bucket *b = &m->buckets[bucket], was = *b;
    memset(b, 0, sizeof *b);
    for (uint32_t k = 0; k < was.count; k++) mx_bucket_insert(m, was.tag[k], was.at[k]);
    for (uint32_t lid = was.at[MX_ENTRIES] >> 8, next; lid != MX_NOLIST; lid = next) {
        next = m->lists[lid].next;
        mx_bucket_insert(m, m->lists[lid].hash, lid << 8);
    }
}

MX_FN void mx_split(mx *m) {
    if (m->mask * 2 + 1 >= m->nbuckets) return;
    uint32_t from = m->split + 1;
    m->changes++;
    if (++m->split > m->mask) {
        m->split = 0;
        m->mask = m->mask * 2 + 1;
    }
    MX_ASSERT(m->split <= m->mask && mx_buckets(m) <= m->nbuckets);
    mx_bucket_rehash(m, from);
}

MX_FN void mx_unsplit(mx *m) {
    if (m->mask < MX_FEWEST) return;
    if (!m->split) {
        m->mask >>= 1;
        m->split = m->mask + 1;
    }
    m->split--;
    m->changes++;
    MX_ASSERT(m->split <= m->mask && m->split + m->mask + 2 <= m->nbuckets);
    mx_bucket_rehash(m, m->split + m->mask + 2);
}

/* Add an entry. */
static inline void mx_insert_entry(mx *m, uint32_t hash, uint32_t entry) {
    mx_bucket_insert(m, hash, entry);
    if (++m->entries > MX_LOAD * mx_buckets(m)) mx_split(m);
}

/* Remove an entry; 0 if there was none. */
static inline int mx_remove_entry(mx *m, uint32_t hash, uint32_t entry) {
    if (!mx_bucket_remove(m, &m->buckets[mx_place(m, hash)], hash, entry)) return 0;
    MX_ASSERT(m->entries);
    if (--m->entries < MX_LOAD / 2 * mx_buckets(m)) mx_unsplit(m);
    return 1;
}

/* Close a list without postings. Log entries were signed with its bit: then it stays. */
MX_FN void mx_close(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    MX_ASSERT(!l->len);
    if (!l->indexed) return;
    if (l->bit < MX_OWN && m->pools[l->pool].logged > m->log_out) {
        m->owed = mx_rounds(m);
        return;
    }
    mx_remove_entry(m, l->hash, lid << 8);
    mx_drop(m, lid);
}
#endif
