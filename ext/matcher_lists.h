/* Arena, lists and their hash: nothing here looks at a ticket.
 *
 * The arena hands out 64-byte units by size class; a freed body waits in its class. (pool, interest) finds its list by
 * linear hashing, which grows bucket by bucket: no step of it costs more than one chain. */
#ifndef MX_LISTS_H
#define MX_LISTS_H
#include "matcher_types.h"

/* Classes 0..10: a body of 2^class postings (12 bytes each); 16..31: a directory of 16 << (class - 16) chunks. */
static inline uint32_t mx_units(int class) {
    return class < 16 ? (uint32_t)(((12u << class) + 63) / 64) : 1u << (class - 16);
}

static uint32_t mx_take(mx *m, int class) {
    uint32_t off = m->arena_free[class], units = mx_units(class);
    if (off) {
        memcpy(&m->arena_free[class], m->arena + (size_t)off * 64, 4);
    } else {
        if (m->arena_top + units > m->arena_units) return 0;
        off = m->arena_top;
        m->arena_top += units;
    }
    m->arena_live += units;
    return off;
}

static void mx_give(mx *m, int class, uint32_t off) {
    memcpy(m->arena + (size_t)off * 64, &m->arena_free[class], 4);
    m->arena_free[class] = off;
    m->arena_live -= mx_units(class);
}

static inline uint32_t *mx_dir(const mx *m, const mx_list *l) { return (uint32_t *)(m->arena + (size_t)l->off * 64); }

/* Where posting `p` lies: its signature, and through `slots` its slot word. */
static inline uint64_t *mx_at(const mx *m, const mx_list *l, uint32_t p, uint32_t **slots) {
    char *base;
    int log = l->logcap;
    if (log > MX_LOGCHUNK) {
        base = m->arena + (size_t)mx_dir(m, l)[p >> MX_LOGCHUNK] * 64;
        p &= MX_CHUNK - 1;
        log = MX_LOGCHUNK;
    } else {
        base = m->arena + (size_t)l->off * 64;
    }
    *slots = (uint32_t *)(base + ((size_t)8 << log)) + p;
    return (uint64_t *)base + p;
}

/* Room for one more; a list longer than a chunk has a directory (logcap > 10: of 16 << (logcap - 11) chunks). */
static int mx_grow(mx *m, mx_list *l) {
    int log = l->logcap;
    if (!l->off) {
        l->off = mx_take(m, 2);
        l->logcap = 2;
        return l->off ? MX_OK : MX_ARENA_FULL;
    }
    if (log < MX_LOGCHUNK) {
        uint32_t off = mx_take(m, log + 1);
        if (!off) return MX_ARENA_FULL;
        char *to = m->arena + (size_t)off * 64, *from = m->arena + (size_t)l->off * 64;
        size_t n = l->len;
        memcpy(to, from, n * 8);
        memcpy(to + ((size_t)8 << (log + 1)), from + ((size_t)8 << log), n * 4);
        mx_give(m, log, l->off);
        l->off = off;
        l->logcap++;
        return MX_OK;
    }
    uint32_t chunks = l->len >> MX_LOGCHUNK, chunk;
    if (log == MX_LOGCHUNK) {
        uint32_t dir = mx_take(m, 16);
        if (!dir) return MX_ARENA_FULL;
        ((uint32_t *)(m->arena + (size_t)dir * 64))[0] = l->off;
        l->off = dir;
        l->logcap = 11;
        chunks = 1;
    } else if (chunks == 16u << (log - 11)) {
        uint32_t dir = mx_take(m, log + 6);
        if (!dir) return MX_ARENA_FULL;
        memcpy(m->arena + (size_t)dir * 64, mx_dir(m, l), (size_t)chunks * 4);
        mx_give(m, log + 5, l->off);
        l->off = dir;
        l->logcap++;
    }
    if (!(chunk = mx_take(m, MX_LOGCHUNK))) return MX_ARENA_FULL;
    mx_dir(m, l)[chunks] = chunk;
    return MX_OK;
}

static inline uint32_t mx_room(const mx_list *l) { /* postings that fit into what is there: chunks come one by one */
    if (!l->off) return 0;
    if (l->logcap <= MX_LOGCHUNK) return 1u << l->logcap;
    return l->len & (MX_CHUNK - 1) ? l->len + 1 : l->len;
}

static inline int mx_append(mx *m, mx_list *l, uint64_t sig, uint32_t post) {
    if (l->len == mx_room(l)) {
        int bad = mx_grow(m, l);
        if (bad) return bad;
    }
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, l->len, &slots);
    *sigs = sig;
    *slots = post;
    l->len++;
    return MX_OK;
}

/* Cut the list to `len`, giving back what is behind it. */
static void mx_cut(mx *m, mx_list *l, uint32_t len) {
    if (l->logcap > MX_LOGCHUNK) {
        uint32_t had = (l->len + MX_CHUNK - 1) >> MX_LOGCHUNK, keep = (len + MX_CHUNK - 1) >> MX_LOGCHUNK;
        uint32_t *dir = mx_dir(m, l);
        while (had > keep && had > 1) mx_give(m, MX_LOGCHUNK, dir[--had]);
        if (len <= MX_CHUNK / 2) {
            uint32_t chunk = dir[0];
            mx_give(m, l->logcap + 5, l->off);
            l->off = chunk;
            l->logcap = MX_LOGCHUNK;
        }
    }
    l->len = len;
    if (!len) {
        if (l->off) mx_give(m, l->logcap, l->off);
        l->off = 0;
        l->logcap = 0;
    } else if (l->logcap <= MX_LOGCHUNK && l->logcap > 2 && len <= 1u << (l->logcap - 2)) {
        int log = l->logcap - 1;
        uint32_t off = mx_take(m, log);
        if (!off) return;
        char *to = m->arena + (size_t)off * 64, *from = m->arena + (size_t)l->off * 64;
        memcpy(to, from, (size_t)len * 8);
        memcpy(to + ((size_t)8 << log), from + ((size_t)8 << l->logcap), (size_t)len * 4);
        mx_give(m, l->logcap, l->off);
        l->off = off;
        l->logcap = (uint8_t)log;
    }
}

static inline uint32_t mx_hash(const mx *m, uint32_t pool, uint32_t interest) {
    uint64_t x = ((uint64_t)pool << 32 | interest) ^ m->seed;
    x *= 0x9E3779B97F4A7C15ull;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ull;
    return (uint32_t)(x >> 32);
}

static inline uint32_t mx_bucket(const mx *m, uint32_t hash) {
    uint32_t b = hash & m->mask;
    return b < m->split ? hash & (m->mask * 2 + 1) : b;
}

static inline uint32_t mx_find(const mx *m, uint32_t pool, uint32_t interest) {
    uint32_t lid = m->buckets[mx_bucket(m, mx_hash(m, pool, interest))];
    while (lid != MX_NONE && !(m->lists[lid].interest == interest && m->lists[lid].pool == pool)) lid = m->lists[lid].next;
    return lid;
}

static void mx_split(mx *m) {
    if (m->mask * 2 + 1 >= m->nbuckets) return;
    uint32_t from = m->split, to = from + m->mask + 1, lid = m->buckets[from];
    m->buckets[from] = m->buckets[to] = MX_NONE;
    if (++m->split > m->mask) {
        m->split = 0;
        m->mask = m->mask * 2 + 1;
    }
    while (lid != MX_NONE) {
        mx_list *l = &m->lists[lid];
        uint32_t next = l->next, b = mx_bucket(m, mx_hash(m, l->pool, l->interest));
        l->next = m->buckets[b];
        m->buckets[b] = lid;
        lid = next;
    }
}

static void mx_unsplit(mx *m) {
    if (m->mask < 64) return;
    if (!m->split) {
        m->mask >>= 1;
        m->split = m->mask + 1;
    }
    uint32_t to = --m->split, lid = m->buckets[to + m->mask + 1];
    m->buckets[to + m->mask + 1] = MX_NONE;
    while (lid != MX_NONE) {
        uint32_t next = m->lists[lid].next;
        m->lists[lid].next = m->buckets[to];
        m->buckets[to] = lid;
        lid = next;
    }
}

/* The list of an interest in a pool, made if it is not there; MX_NONE: no room for another. */
static uint32_t mx_open(mx *m, uint32_t pool, uint32_t interest) {
    uint32_t lid = mx_find(m, pool, interest);
    if (lid != MX_NONE) return lid;
    if (m->list_free != MX_NONE) {
        lid = m->list_free;
        m->list_free = m->lists[lid].next;
    } else {
        if (m->lists_used == m->most_lists) return MX_NONE;
        lid = m->lists_used++;
    }
    mx_list *l = &m->lists[lid];
    uint32_t b = mx_bucket(m, mx_hash(m, pool, interest));
    memset(l, 0, sizeof *l);
    l->interest = interest;
    l->pool = (uint16_t)pool;
    l->next = m->buckets[b];
    l->touched = m->serial;
    uint32_t nth = m->pools[pool].lists++;
    l->bit = (uint8_t)(nth < MX_OWN ? nth : MX_OWN + mx_mix(m->seed + ((uint64_t)pool << 32 | interest)) % (64 - MX_OWN));
    m->buckets[b] = lid;
    m->lists_live++;
    m->opened++;
    if (m->lists_live > m->mask + 1 + m->split) mx_split(m);
    return lid;
}

static void mx_close(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    uint32_t *at = &m->buckets[mx_bucket(m, mx_hash(m, l->pool, l->interest))];
    while (*at != lid) at = &m->lists[*at].next;
    *at = l->next;
    if (l->off) mx_give(m, l->logcap > MX_LOGCHUNK ? l->logcap + 5 : l->logcap, l->off);
    l->off = 0;
    l->interest = MX_NONE - 1; /* no list */
    l->next = m->list_free;
    l->pool = 0xFFFF;
    m->list_free = lid;
    m->lists_live--;
    if (m->lists_live * 2 < m->mask + 1 + m->split) mx_unsplit(m);
}
#endif
