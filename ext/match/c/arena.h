/* Arena and lists: nothing here looks at a ticket, or knows how a list is found.
 *
 * The arena hands out 64-byte units by size class; a freed body waits in its class. */
#ifndef MX_ARENA_H
#define MX_ARENA_H
#include "types.h"

/* Class 0: in the list's line. 1..15: a body of mx_caps[class] postings of 12 bytes, in the fewest units. From 16 on a directory of 16 <<
 * (size_class - 16) chunks, which are bodies of class 15. */
static const uint16_t mx_caps[MX_CHUNKED] = {MX_INPLACE, 5, 10, 16, 21, 32, 42, 64, 85, 128, 170, 256, 341, 512, 682, MX_CHUNK};
static const uint8_t mx_sizes[MX_CHUNKED] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192};

static inline uint32_t mx_units(int size_class) { return size_class < MX_CHUNKED ? mx_sizes[size_class] : 1u << (size_class - MX_CHUNKED); }

MX_FN uint32_t mx_take(mx *m, int size_class) {
    MX_ASSERT(size_class > 0 && size_class < 32); /* class 0 is in the list's line, 0 is no offset */
    uint32_t off = m->arena_free[size_class], units = mx_units(size_class);
    if (off) {
        memcpy(&m->arena_free[size_class], m->arena + (size_t)off * 64, 4);
    } else {
        if (m->arena_top + units > m->arena_units) return 0;
        off = m->arena_top;
        m->arena_top += units;
    }
    m->arena_live += units;
    MX_ASSERT(off && off + units <= m->arena_top && m->arena_live < m->arena_top);
    return off;
}

MX_FN void mx_give(mx *m, int size_class, uint32_t off) {
    MX_ASSERT(off && off + mx_units(size_class) <= m->arena_top);
    MX_ASSERT(off != m->arena_free[size_class] && m->arena_live >= mx_units(size_class));
    memcpy(m->arena + (size_t)off * 64, &m->arena_free[size_class], 4);
    m->arena_free[size_class] = off;
    m->arena_live -= mx_units(size_class);
}

static inline uint32_t *mx_dir(const mx *m, const mx_list *l) {
    MX_ASSERT(l->size_class >= MX_CHUNKED && l->off);
    return (uint32_t *)(m->arena + (size_t)l->off * 64);
}

/* Where posting `p` is: its signature, and through `slots` its slot word. */
static inline uint64_t *mx_at(const mx *m, mx_list *l, uint32_t p, uint32_t **slots) {
    char *base;
    uint32_t size_class = l->size_class;
    MX_ASSERT(size_class >= MX_CHUNKED ? p >> MX_LOGCHUNK < 16u << (size_class - MX_CHUNKED) : p < mx_caps[size_class]);
    if (size_class == 0) {
        *slots = l->post + p;
        return l->sig + p;
    }
    if (size_class >= MX_CHUNKED) {
        base = m->arena + (size_t)mx_dir(m, l)[p >> MX_LOGCHUNK] * 64;
        p &= MX_CHUNK - 1;
        size_class = MX_CHUNKED - 1;
    } else {
        base = m->arena + (size_t)l->off * 64;
    }
    *slots = (uint32_t *)(base + (size_t)8 * mx_caps[size_class]) + p;
    return (uint64_t *)base + p;
}

/* Whether there is no place for the next posting: chunks are added one by one. */
static inline int mx_filled(const mx_list *l) {
    return l->size_class < MX_CHUNKED ? l->len == mx_caps[l->size_class] : (l->len & (MX_CHUNK - 1)) == 0;
}

/* Prefetch the place of the next posting. */
static inline void mx_fetch_tail(const mx *m, mx_list *l) {
    if (!l->size_class || !l->len) return;
    uint32_t *slots;
    __builtin_prefetch(mx_at(m, l, l->len - mx_filled(l), &slots), 1);
    __builtin_prefetch(slots, 1);
}

/* Prefetch the place where dead postings are searched next. */
static inline void mx_fetch_head(const mx *m, mx_list *l) {
    if (!l->size_class) return;
    uint32_t *slots;
    __builtin_prefetch(mx_at(m, l, l->size_class >= MX_CHUNKED ? l->rd : 0, &slots), 1);
    __builtin_prefetch(slots, 1);
}

/* Move a list that fits to a body of another class. */
MX_FN int mx_move(mx *m, mx_list *l, int size_class) {
    uint32_t off = 0, *from_slots, *to_slots, n = l->len;
    MX_ASSERT(size_class < MX_CHUNKED && l->size_class < MX_CHUNKED && size_class != l->size_class);
    MX_ASSERT(n <= mx_caps[size_class] && n <= mx_caps[l->size_class]);
    if (size_class && !(off = mx_take(m, size_class))) return MX_ARENA_FULL;
    uint64_t *from = mx_at(m, l, 0, &from_slots), saved[MX_INPLACE], *to = saved;
    int had = l->size_class;
    uint32_t was = had ? l->off : 0;
    if (size_class) {
        to = (uint64_t *)(m->arena + (size_t)off * 64);
        to_slots = (uint32_t *)(to + mx_caps[size_class]);
    } else {
        to_slots = l->post;
    }
    memcpy(to, from, n * 8ul);
    memmove(to_slots, from_slots, n * 4ul);
    if (size_class) {
        l->off = off;
        l->rd = l->wr = 0;
    } else {
        memcpy(l->sig, saved, n * 8ul);
    }
    l->size_class = (uint8_t)size_class;
    if (had) mx_give(m, had, was);
    return MX_OK;
}

/* Make room for one more. */
MX_FN int mx_grow(mx *m, mx_list *l) {
    int size_class = l->size_class;
    if (size_class < MX_CHUNKED - 1) return mx_move(m, l, size_class + 1);
    uint32_t chunks = l->len >> MX_LOGCHUNK, chunk;
    MX_ASSERT(size_class == MX_CHUNKED - 1 ? l->len <= MX_CHUNK : mx_filled(l));
    if (size_class == MX_CHUNKED - 1) {
        uint32_t dir = mx_take(m, MX_CHUNKED);
        if (!dir) return MX_ARENA_FULL;
        ((uint32_t *)(m->arena + (size_t)dir * 64))[0] = l->off;
        l->off = dir;
        l->rd = l->wr = 0;
        l->size_class = MX_CHUNKED;
        if (l->len < MX_CHUNK) return MX_OK;
        chunks = 1;
    } else if (chunks == 16u << (size_class - MX_CHUNKED)) {
        uint32_t dir = mx_take(m, size_class + 1);
        if (!dir) return MX_ARENA_FULL;
        memcpy(m->arena + (size_t)dir * 64, mx_dir(m, l), (size_t)chunks * 4);
        mx_give(m, size_class, l->off);
        l->off = dir;
        l->size_class++;
    }
    if (!(chunk = mx_take(m, MX_CHUNKED - 1))) return MX_ARENA_FULL;
    mx_dir(m, l)[chunks] = chunk;
    return MX_OK;
}

/* A chunked list was swept to its end: cut it to `len` and free the rest. */
MX_FN void mx_cut(mx *m, mx_list *l, uint32_t len) {
    uint32_t had = (l->len + MX_CHUNK - 1) >> MX_LOGCHUNK, keep = (len + MX_CHUNK - 1) >> MX_LOGCHUNK;
    uint32_t *dir = mx_dir(m, l);
    MX_ASSERT(len <= l->len && !l->rd && !l->wr);
    while (had > keep && had > 1) mx_give(m, MX_CHUNKED - 1, dir[--had]);
    l->len = len;
    if (len <= MX_CHUNK / 2) {
        uint32_t chunk = dir[0];
        mx_give(m, l->size_class, l->off);
        l->off = chunk;
        l->size_class = MX_CHUNKED - 1;
        l->dead = 0;
    }
}

/* A body that is three quarters empty becomes a smaller one. */
static inline void mx_shrink(mx *m, mx_list *l) {
    int size_class = l->size_class;
    if (!size_class || size_class >= MX_CHUNKED || l->len * 4u > mx_caps[size_class]) return;
    while (size_class && mx_caps[size_class - 1] >= l->len + l->len / 2 + 1u) size_class--;
    mx_move(m, l, size_class);
}

/* The signature bit of an interest whose list has none of its own. */
static inline uint32_t mx_common(uint32_t hash) { return MX_OWN + (uint32_t)(hash * (64ull - MX_OWN) >> 32); }

/* Make an empty list that no bucket leads to yet. There is room for as many as there are entries. */
MX_FN uint32_t mx_blank(mx *m, uint32_t pool, uint32_t hash) {
    uint32_t lid = m->list_free;
    if (lid != MX_NOLIST) m->list_free = m->lists[lid].next;
    else lid = m->lists_used++;
    mx_list *l = &m->lists[lid];
    MX_ASSERT(lid != MX_NOLIST && lid < m->most_lists + 64); /* the area ends there */
    MX_ASSERT(!l->len && !l->size_class && !l->indexed);
    memset(l, 0, sizeof *l);
    l->hash = hash;
    l->pool = (uint16_t)pool;
    l->seen = 1;
    l->epoch = m->pools[pool].epoch;
    l->bit = (uint8_t)mx_common(hash);
    m->lists_live++;
    return lid;
}

/* Free an empty list. */
MX_FN void mx_drop(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    MX_ASSERT(lid != MX_NOLIST && lid < m->lists_used && m->lists_live);
    MX_ASSERT(!l->len && l->size_class < MX_CHUNKED); /* chunks are freed when the list is cut */
    if (l->size_class) mx_give(m, l->size_class, l->off);
    if (l->bit < MX_OWN) {
        m->pools[l->pool].owned &= ~(1u << l->bit);
        m->changes++;
    }
    l->size_class = l->indexed = 0;
    l->len = 0;
    l->next = m->list_free;
    m->list_free = lid;
    m->lists_live--;
}

/* How many arrivals named it, on its pool's current scale. */
static inline uint32_t mx_seen(const mx_list *l, uint8_t epoch) { return l->seen >> ((epoch - l->epoch) & 31); }

static inline void mx_named(mx_list *l, uint8_t epoch) {
    l->seen = mx_seen(l, epoch) + 1;
    l->epoch = epoch;
}

static inline void mx_arrived(mx *m, uint32_t pool) {
    mx_pool *p = &m->pools[pool];
    if (MX_RARELY(++p->seen >= MX_SPAN)) {
        p->seen /= 2;
        p->epoch++;
    }
}
#endif
