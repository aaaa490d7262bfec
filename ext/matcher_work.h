/* Instanced per instruction set: a ticket comes, goes, is looked for; arrays of arrivals in a pipeline. */

/* Lanes beyond the interests. */
static inline void F(pad)(mx_query *q) {
    for (uint32_t j = q->n; j < MX_INLINE; j++) {
        q->interest[j] = MX_NONE;
        q->lid[j] = MX_NOLIST;
    }
}

/* The lists of a query's interests in its pool. `how`: 0 find them, and count who arrives; -1 only find; 1 open what is
 * missing and sign. */
static int F(resolve)(mx *m, mx_query *q, int how) {
    F(pad)(q);
    if (how == 0) mx_arrived(m, q->pool);
    q->sig = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        uint32_t lid = how == 1 ? mx_open(m, q->pool, q->interest[j]) : mx_find(m, q->pool, q->interest[j]);
        q->lid[j] = lid;
        if (lid == MX_NOLIST) {
            if (how == 1) return MX_LISTS_FULL;
            continue;
        }
        mx_list *l = &m->lists[lid];
        l->touched = m->serial; /* it stays open for the next 64 tickets, or until what is in the log is in the lists */
        if (how == 0) mx_named(l, m->pools[q->pool].epoch);
        q->sig |= 1ull << (l->bit & 63);
    }
    return MX_OK;
}

/* In the arrays: the buckets of the interests. Padding is looked for in the bucket that is nobody's. */
static void F(place)(mx *m, mx_query *q) {
    MX_LANES(q->n, j, uint32_t h = mx_hash(m, q->pool, q->interest[j]); q->hash[j] = h; q->bucket[j] = j < q->n ? mx_place(m, h) : 0;);
    q->changes = m->changes;
}

/* The same, fetched. */
static inline void F(buckets)(mx *m, mx_query *q, const uint32_t *interests) {
#if MX_ISA == 4
    if (q->n <= 16) {
        __mmask16 there = (__mmask16)((1u << q->n) - 1);
        __m512i x = _mm512_mask_loadu_epi32(_mm512_set1_epi32((int)MX_NONE), there, interests);
        _mm512_storeu_si512(q->interest, x);
        x = _mm512_xor_si512(x, _mm512_set1_epi32((int)(uint32_t)m->seed));
        x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), _mm512_set1_epi32((int)0x85EBCA6Bu));
        x = _mm512_add_epi32(x, _mm512_set1_epi32((int)(q->pool * 0x9E3779B1u + (uint32_t)(m->seed >> 32))));
        x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 13)), _mm512_set1_epi32((int)0xC2B2AE35u));
        x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
        __m512i b = _mm512_and_si512(x, _mm512_set1_epi32((int)m->mask));
        b = _mm512_mask_and_epi32(b, _mm512_cmplt_epu32_mask(b, _mm512_set1_epi32((int)m->split)), x, _mm512_set1_epi32((int)(m->mask * 2 + 1)));
        _mm512_storeu_si512(q->hash, x);
        _mm512_storeu_si512(q->bucket, _mm512_maskz_add_epi32(there, b, _mm512_set1_epi32(1)));
        _mm512_storeu_si512(q->lid, _mm512_setzero_si512());
        q->changes = m->changes;
        MX_LANES(q->n, j, __builtin_prefetch(&m->buckets[q->bucket[j]]););
        return;
    }
#endif
    memcpy(q->interest, interests, q->n * 4);
    F(pad)(q);
    F(place)(m, q);
    for (uint32_t j = 0; j < q->n; j++) __builtin_prefetch(&m->buckets[q->bucket[j]]);
}

/* The list that a hash has in a bucket, or where its chain begins; MX_NOLIST: it has none. Almost always right. */
static inline uint32_t F(likely)(const mx_bucket *b, uint32_t hash) {
#if MX_ISA >= 3
    __m256i tags = _mm256_loadu_si256((const __m256i *)b->tag);
    uint32_t hits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(tags, _mm256_set1_epi32((int)hash)))) & ((1u << MX_ENTRIES) - 1);
#else
    uint32_t hits = mx_hits(b, hash);
#endif
    uint32_t lid = b->lid[__builtin_ctz(hits | 1u << (MX_ENTRIES - 1))];
    return hits ? lid : b->chain & (0u - mx_chained(b, hash));
}

/* A little later: the lists that stand there, fetched. */
static inline void F(heads)(mx *m, mx_query *q) {
    if (MX_RARELY(q->changes != m->changes)) F(place)(m, q);
    MX_LANES(q->n, j,
        const mx_bucket *b = &m->buckets[q->bucket[j]];
        q->made[j] = b->made;
        q->lid[j] = F(likely)(b, q->hash[j]);
    );
    MX_LANES(q->n, j, __builtin_prefetch(&m->lists[q->lid[j]]););
}

static inline void F(sign)(const mx *m, mx_query *q) {
    q->sig = 0;
    MX_LANES(q->n, j, q->sig |= (uint64_t)(q->lid[j] != MX_NOLIST) << (m->lists[q->lid[j]].bit & 63););
}

/* Lists may have been opened or split from where they were; closed only where nobody asked for them since (see `touched`). */
static inline void F(refresh)(mx *m, mx_query *q) {
    uint32_t stale = q->changes != m->changes;
    MX_LANES(q->n, j, stale |= (q->lid[j] == MX_NOLIST) & (m->buckets[q->bucket[j]].made != q->made[j]););
    if (!stale) return;
    if (q->changes != m->changes) F(place)(m, q);
    for (uint32_t j = 0; j < q->n; j++) {
        q->made[j] = m->buckets[q->bucket[j]].made;
        if (q->lid[j] == MX_NOLIST) q->lid[j] = mx_find(m, q->pool, q->interest[j]);
    }
    F(sign)(m, q);
}

/* Later still: which lists they are, and where their postings begin and end. */
static inline void F(lists)(mx *m, mx_query *q, int bodies) {
    uint8_t epoch = m->pools[q->pool].epoch;
    mx_arrived(m, q->pool);
    uint32_t astray = 0, long_ = 0;
    uint64_t sig = 0;
    MX_LANES(q->n, j, astray |= (uint32_t)((q->lid[j] != MX_NOLIST) & !mx_is(m, q->lid[j], q->pool, q->interest[j])) << j;);
    for (; MX_RARELY(astray); astray &= astray - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(astray);
        q->lid[j] = mx_find(m, q->pool, q->interest[j]);
    }
    MX_LANES(q->n, j,
        mx_list *l = &m->lists[q->lid[j]];
        l->touched = m->serial;
        mx_named(l, epoch);
        sig |= (uint64_t)(q->lid[j] != MX_NOLIST) << (l->bit & 63);
        long_ |= (uint32_t)(l->class != 0) << j;
    );
    q->sig = sig;
    if (bodies) for (uint32_t *s; long_; long_ &= long_ - 1) {
        mx_list *l = &m->lists[q->lid[__builtin_ctz(long_)]];
        mx_fetch_tail(m, l);
        __builtin_prefetch(mx_at(m, l, 0, &s));
    }
}

/* Open the lists that are missing; how many were, or MX_LISTS_FULL. */
static inline int F(complete)(mx *m, mx_query *q) {
    int missing = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        if (q->lid[j] != MX_NOLIST) continue;
        uint32_t lid = F(likely)(&m->buckets[q->bucket[j]], q->hash[j]); /* none, but for a count of `made` that went round */
        lid = lid == MX_NOLIST ? mx_make(m, q->pool, q->interest[j], q->hash[j]) : mx_open(m, q->pool, q->interest[j]);
        if (lid == MX_NOLIST) return MX_LISTS_FULL;
        q->lid[j] = lid;
        q->sig |= 1ull << (m->lists[lid].bit & 63);
        missing++;
    }
    return missing;
}

static inline int F(tabled)(mx *m, uint32_t pool) {
    mx_pool *p = &m->pools[pool];
    if (!m->table) return 0;
    if (p->tabled) {
        if (p->waiting < m->table_from / 64 || m->live < m->table_from / 2) p->tabled = 0;
    } else if (m->live >= m->table_from && p->waiting >= m->table_from / MX_TABLED) {
        p->tabled = 1;
    }
    return (int)p->tabled;
}

/* Postings of a ticket. Who comes in takes somebody's place sooner or later: so with `sweep` each list that grows looks
 * for its dead. A chunked list takes a step every so often, a body is swept when half of it is newer than that. */
static inline void F(enlist)(mx *m, const uint32_t *lids, uint32_t n, uint64_t sig, uint32_t post, uint32_t sweep) {
    uint32_t popular = 0;
    for (uint32_t j = 0; j < n; j++) {
        mx_list *l = &m->lists[lids[j]];
        F(list)(m, l, sig, post);
        popular |= (uint32_t)(l->len == MX_PROMOTE) << j;
        if (!sweep) continue;
        if (l->class >= MX_CHUNKED) {
            if (l->len % sweep == 0) F(step)(m, l);
        } else if (++l->dead * 2u > l->len) {
            F(compact)(m, l);
        }
    }
    if (MX_RARELY(popular)) for (; popular; popular &= popular - 1) F(promote)(m, &m->lists[lids[__builtin_ctz(popular)]]);
}

static inline uint32_t F(entry)(const mx *m, uint32_t i) {
    i += m->log_head;
    return i < m->log_limit ? i : i - m->log_limit;
}

/* Move the oldest of the log into the lists; the dead are dropped, which is the point of the log. What comes next is
 * fetched ahead: its line, its lists, their ends. */
static void F(flush)(mx *m, uint32_t count) {
    while (count-- && m->log_size) {
        uint32_t size = m->log_size, at, post, *s;
        if (size > 24) __builtin_prefetch(&m->hot[m->log[F(entry)(m, 24)] >> 8]);
        if (size > 16) {
            post = m->log[F(entry)(m, 16)];
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[t->ids[j]], 1);
        }
        if (size > 8) {
            post = m->log[F(entry)(m, 8)];
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0 && t->flags & MX_LIVE)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) {
                    mx_list *l = &m->lists[t->ids[j]];
                    mx_fetch_tail(m, l);
                    if (l->class >= MX_CHUNKED && l->len % MX_SWEEP == MX_SWEEP - 1) {
                        __builtin_prefetch(mx_at(m, l, l->rd, &s), 1);
                        __builtin_prefetch(s, 1);
                        if (l->rd - l->wr > 8) {
                            __builtin_prefetch(mx_at(m, l, l->wr, &s), 1);
                            __builtin_prefetch(s, 1);
                        }
                    }
                }
        }
        at = m->log_head;
        post = m->log[at];
        m->log_head = at + 1 == m->log_limit ? 0 : at + 1;
        m->log_size--;
        m->log_out++;
        mx_hot *t = &m->hot[post >> 8];
        if ((mx_gen(m, post >> 8) ^ post) & 15 || !(t->flags & MX_LIVE) || t->flags & MX_LISTED) continue;
        uint32_t lids[MX_MOST], n = F(lids)(m, post >> 8, lids);
        t->flags |= MX_LISTED;
        m->counts.flushed++;
        F(enlist)(m, lids, n, m->logsig[at], post, MX_SWEEP);
    }
}

/* Announce a ticket anew: what the table forgot, and under frequencies of now. In two halves: the one chosen the last
 * time, whose lines are here by now, is written; the next one is chosen. */
static void F(remind)(mx *m) {
    mx_query *q = &m->next;
    uint32_t slot = m->next_slot, gen = m->next_gen;
    if (slot != MX_NONE && m->hot[slot].flags & MX_LIVE && mx_gen(m, slot) == gen) {
        for (uint32_t k = 0; k < q->nkeys; k++) {
            uint64_t *line = m->table + (size_t)q->key[k] * 8;
            uint32_t posts[8], seen = 0, empty = 0;
            for (uint32_t e = 0; e < 8; e++) {
                uint64_t x = line[e];
                posts[e] = (uint32_t)x << 8 | (x >> 24 & 15);
                seen |= (x & 0xFFFFFFF) == (slot | (uint64_t)gen << 24) && x >> 28;
                empty |= (uint32_t)(x >> 28 == 0) << e;
            }
            if (seen) continue;
            uint32_t dead = (~F(alive8)(m, posts) | empty) & 0xFF, put;
            if (dead) put = (uint32_t)__builtin_ctz(dead);
            else if (m->announced & 1) continue; /* a full line: every second time only, the newest have the first right */
            else put = (m->serial + k) & 7;
            line[put] = (uint64_t)slot | (uint64_t)gen << 24 | q->q36 << 28;
        }
        m->announced++;
    }
    if (m->announce_hand >= m->used) m->announce_hand = 0;
    m->next_slot = slot = m->announce_hand++;
    m->next_gen = mx_gen(m, slot);
    __builtin_prefetch(&m->hot[slot + 4]);
    __builtin_prefetch(&m->cold[slot + 4]);
    if (m->hot[slot + 2].flags & MX_LIVE)
        for (uint32_t j = 0; j < m->hot[slot + 2].n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[m->hot[slot + 2].ids[j]]);
    if (!(m->hot[slot].flags & MX_LIVE) || !F(tabled)(m, m->cold[slot].pool)) {
        m->next_slot = MX_NONE;
        return;
    }
    q->pool = m->cold[slot].pool;
    q->n = F(lids)(m, slot, q->lid);
    F(pad)(q);
    F(sign)(m, q);
    F(keys)(m, q);
    F(fetch_lines)(m, q);
}

/* Make the query a waiting ticket; its lists are open. Returns the slot. */
static uint32_t F(insert)(mx *m, mx_query *q) {
    uint32_t slot;
    uint32_t nfree = m->used - m->live;
    if (nfree) {
        if (nfree > m->fifo_from) {
            slot = m->freed[m->free_head];
            m->free_head = m->free_head + 1 == m->capacity ? 0 : m->free_head + 1;
            uint32_t next = m->freed[m->free_head + 2 < m->capacity ? m->free_head + 2 : 0];
            __builtin_prefetch(&m->hot[next], 1);
            __builtin_prefetch(&m->cold[next], 1);
        } else {
            m->free_tail = m->free_tail ? m->free_tail - 1 : m->capacity - 1;
            slot = m->freed[m->free_tail];
        }
    } else {
        if (m->used == m->capacity) return MX_NONE;
        slot = m->used++;
    }
    mx_hot *t = &m->hot[slot];
    mx_cold *c = &m->cold[slot];
    uint32_t n = q->n, in = n < MX_INLINE ? n : MX_INLINE;
    uint32_t extra = n > in || q->nrec > 4 || q->nblk, xi = 0;
    if (extra) {
        if (m->extra_free != MX_NONE) {
            xi = m->extra_free;
            m->extra_free = m->extras[xi].next;
        } else {
            xi = m->extras_used++;
        }
        mx_extra *x = &m->extras[xi];
        x->nrec = q->nrec > 4 ? q->nrec - 4 : 0;
        x->nblk = q->nblk;
        if (n > in) memcpy(x->ids, q->lid + in, (n - in) * 4);
        if (q->nrec > 4) memcpy(x->rec, q->rec + 4, (q->nrec - 4u) * 4);
        memcpy(x->blk, q->blk, q->nblk * 4u);
    }
    for (uint32_t j = 0; j < MX_INLINE; j++) t->ids[j] = j < n ? q->lid[j] : MX_NONE;
    t->n = (uint8_t)n;
    t->level = q->level;
    t->nrec = q->nrec < 4 ? q->nrec : 4;
    t->person = q->person;
    memcpy(t->rec, q->rec, 16);
    c->client = q->client;
    c->since = q->since;
    c->serial = ++m->serial;
    c->total = q->total;
    c->extra = xi;
    c->pool = (uint16_t)q->pool;
    c->floor = (uint16_t)q->floor;
    m->live++;
    if (m->live == MX_LARGE && !m->huge) mx_large(m);
    if ((m->serial & 1023) == 0 && (m->huge || m->live >= m->table_from / 2)) {
        m->table_near |= m->live >= m->table_from / 2;
        mx_provide(m);
    }
    m->pools[q->pool].waiting++;
    uint32_t post = slot << 8 | mx_gen(m, slot);
    t->flags = (uint8_t)(MX_LIVE | (extra ? MX_EXTRA : 0) | (q->floor ? MX_FLOOR : 0));
    if (q->level >= MX_ANYBODY && m->pools[q->pool].anyone != MX_NOLIST) {
        t->flags |= MX_STANDS;
        F(list)(m, &m->lists[m->pools[q->pool].anyone], 1, post);
    }
    if (q->ready) {
        F(announce)(m, q, slot);
        if (m->announce_rate && m->serial % m->announce_rate == 0) F(remind)(m);
    }
    if (m->log_limit && (q->ready || MX_RARELY(m->pools[q->pool].logged > m->log_out))) { /* behind others of the pool in the log: keep the order */
        uint32_t at = F(entry)(m, m->log_size);
        m->log[at] = post;
        m->logsig[at] = q->sig;
        m->pools[q->pool].logged = ++m->log_in;
        if (++m->log_size == m->log_limit) F(flush)(m, 1);
        else if (!q->ready) F(flush)(m, 64);
        uint32_t round = 2 * m->opened + (m->serial & 1);
        m->opened = 0;
        F(clean)(m, round);
        return slot;
    }
    t->flags |= MX_LISTED;
    F(enlist)(m, q->lid, n, q->sig, post, 0);
    F(close)(m, 2 + 2 * m->opened);
    uint32_t steps = (m->serial & 3) == 0; /* where more was emptied than is remembered, two for each new list: so however many come, the empty ones go */
    if (m->emptied_in - m->emptied_out == MX_EMPTIED) steps += 2 * m->opened;
    m->opened = 0;
    F(clean)(m, steps);
    return slot;
}

/* A ticket is no more: its slot is free, its postings are dead where they stand. Returns how many lists they stand in,
 * to be buried there by the caller; 0 where it is not worth the while. */
static uint32_t F(end)(mx *m, uint32_t slot, uint32_t pool, int eager, mx_grave *g) {
    mx_hot *t = &m->hot[slot];
    uint32_t flags = t->flags, shift = (slot & 7) * 4, *gens = &m->gens[slot >> 3];
    g->n = 0;
    g->post = slot << 8 | (*gens >> shift & 15);
    if (flags & MX_LISTED) {
        if (eager) g->n = F(lids)(m, slot, g->lid);
        else m->owed = 2 * m->lists_used;
    }
    t->flags = 0;
    *gens = (*gens & ~(15u << shift)) | ((((*gens >> shift) + 1) & 15) << shift);
    if (MX_RARELY(flags & MX_EXTRA)) {
        uint32_t extra = m->cold[slot].extra;
        m->extras[extra].next = m->extra_free;
        m->extra_free = extra;
    }
    m->freed[m->free_tail] = slot;
    m->free_tail = m->free_tail + 1 == m->capacity ? 0 : m->free_tail + 1;
    m->live--;
    m->pools[pool].waiting--;
    if (MX_RARELY(flags & MX_STANDS)) F(bury)(m, m->pools[pool].anyone, g->post);
    return g->n;
}

/* A ticket goes. `eager`: nothing will be inserted in its stead, so its lists are swept here. */
static void F(remove)(mx *m, uint32_t slot, int eager) {
    mx_grave g;
    uint32_t n = F(end)(m, slot, m->cold[slot].pool, eager, &g);
    for (uint32_t j = 0; j < n; j++) F(bury)(m, g.lid[j], g.post);
    if (eager) F(clean)(m, 1);
}

/* From now on a waiting ticket takes anyone. */
static void F(stand)(mx *m, uint32_t slot) {
    mx_hot *t = &m->hot[slot];
    mx_pool *p = &m->pools[m->cold[slot].pool];
    if (t->flags & MX_STANDS || p->anyone == MX_NOLIST) return;
    t->flags |= MX_STANDS;
    F(list)(m, &m->lists[p->anyone], 1, slot << 8 | mx_gen(m, slot));
}

/* Look in the query's pool; the lists must be resolved for it. `how`: 1 exact, 0 within a budget. */
static void F(search)(mx *m, mx_query *q, mx_best *b, int how) {
    q->ready = 0;
    if (q->n) {
        if (!how && F(tabled)(m, q->pool)) {
            F(keys)(m, q);
            F(fetch_lines)(m, q);
            F(probe)(m, q);
            F(choose)(m, q, b);
            q->ready = 1;
            if (b->slot == MX_NONE) {
                F(fetch_windows)(m, q);
                F(windows)(m, q, b);
            }
        } else {
            F(exact)(m, q, b);
        }
    }
    if (b->slot == MX_NONE && q->level >= MX_ANYBODY) F(anyone)(m, q, b);
}

/* What `insert` needs where no search made it. */
static void F(ready)(mx *m, mx_query *q) {
    q->ready = 0;
    if (q->n && F(tabled)(m, q->pool)) {
        F(keys)(m, q);
        F(fetch_lines)(m, q);
        F(probe)(m, q);
        q->ready = 1;
    }
}

static inline uint64_t F(ticks)(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

/* Whether arrays are as they must be: known pools, levels, rising offsets, at most 32 interests, none twice. */
static int F(sound)(const mx_arrivals *a, uint32_t count, uint32_t most, uint32_t pools) {
    uint32_t bad = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = a->offsets[i], n = a->offsets[i + 1] - from;
        if (MX_RARELY(a->offsets[i + 1] < from || n > MX_MOST || a->offsets[i + 1] > most)) return 0;
        bad |= a->pools[i] >= pools;
        if (a->levels) bad |= a->levels[i] > MX_LIFTED;
        const uint32_t *ids = a->interests + from;
#if MX_ISA == 4
        if (n <= 16) {
            __mmask16 there = (__mmask16)((1u << n) - 1);
            __m512i x = _mm512_maskz_loadu_epi32(there, ids), twice = _mm512_conflict_epi32(x);
            bad |= _mm512_mask_test_epi32_mask(there, twice, twice) | _mm512_mask_cmpge_epu32_mask(there, x, _mm512_set1_epi32((int)MX_NOBODYS));
            continue;
        }
#endif
        for (uint32_t j = 0; j < n; j++) {
            bad |= ids[j] >= MX_NOBODYS;
            for (uint32_t k = 0; k < j; k++) bad |= ids[k] == ids[j];
        }
    }
    return !bad;
}

#define AHEAD_BUCKET 15
#define AHEAD_HEAD 11
#define AHEAD_LISTS 7
#define AHEAD_PROBE 4
#define AHEAD_CHOOSE 2
#define RING 16

/* Bury what waits to be buried in lists that the query is about to read: it must find there what single calls find. */
static inline void F(hasten)(mx *m, const mx_query *q, mx_grave *g) {
    if (!g->n) return;
    uint64_t near = 0;
    uint32_t hit = 0;
    MX_LANES(q->n, j, near |= 1ull << (q->lid[j] & 63););
    for (uint32_t j = 0; j < g->n; j++) hit |= (uint32_t)(near >> (g->lid[j] & 63) & 1) << j;
    for (; hit; hit &= hit - 1) {
        uint32_t *lid = &g->lid[__builtin_ctz(hit)];
        if (*lid == MX_NOLIST) continue;
        F(bury)(m, *lid, g->post);
        *lid = MX_NOLIST;
    }
}

/* Take the partner out, put the arrival in. */
static void F(commit)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q, const mx_best *b, mx_grave *g) {
    a->partner[i] = a->handle[i] = -1;
    a->score[i] = 0;
    if (b->slot != MX_NONE) {
        a->partner[i] = (int64_t)((uint64_t)m->cold[b->slot].serial << 32 | b->slot);
        a->score[i] = b->score;
        F(end)(m, b->slot, q->pool, !a->hold || !q->ready, g);
        if (m->pools[q->pool].waiting < MX_THIN) { /* all is near */
            for (uint32_t j = 0; j < g->n; j++) F(bury)(m, g->lid[j], g->post);
            g->n = 0;
        } else {
            for (uint32_t j = 0; j < g->n; j++) __builtin_prefetch(&m->lists[g->lid[j]], 1);
        }
    }
    if (b->slot == MX_NONE || a->hold) {
        int missing = F(complete)(m, q);
        if (MX_RARELY(missing < 0)) {
            a->handle[i] = MX_LISTS_FULL;
            return;
        }
        if (missing && q->ready) F(ready)(m, q);
        uint32_t slot = F(insert)(m, q);
        a->handle[i] = slot == MX_NONE ? MX_FULL : (int64_t)((uint64_t)m->serial << 32 | slot);
    }
}

/* Who comes, beside the interests. */
static inline void F(arrival)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q) {
    uint32_t n = q->n;
    q->self = MX_NONE;
    q->person = a->persons ? a->persons[i] : 0;
    q->level = a->levels ? a->levels[i] : MX_ANY;
    q->quiet = (uint8_t)a->quiet;
    q->nblk = 0;
    q->nrec = 0;
    q->floor = 0;
    if (a->recents) {
        memcpy(q->rec, a->recents + (size_t)i * 4, 16);
        q->nrec = 4;
    }
    q->client = a->clients ? a->clients[i] : i;
    q->since = a->now;
    q->weighted = m->weights != NULL;
    q->total = n;
    if (m->weights) {
        q->total = 0;
        for (uint32_t j = 0; j < n; j++) q->total += q->w[j] = m->weights[q->interest[j]];
    }
}

/* What the exact search reads first of lists that lie elsewhere. */
static inline void F(fetch_bodies)(const mx *m, const mx_query *q) {
    for (uint32_t j = 0; j < q->n; j++) {
        mx_list *l = &m->lists[q->lid[j]];
        uint32_t *slots;
        if (!l->class) continue;
        uint64_t *sigs = mx_at(m, l, 0, &slots);
        __builtin_prefetch(sigs + 8);
        __builtin_prefetch(sigs + 16);
        __builtin_prefetch(slots);
    }
}

/* Arrivals in a pipeline: arrival i + 15 fetches buckets, i + 11 list heads, i + 7 table lines or postings, i + 4
 * candidates; i + 2 chooses, or fetches windows of its lists; i is settled. */
static int F(batch)(mx *m, const mx_arrivals *a, uint32_t count) {
    static _Thread_local mx_query ring[RING];
    static _Thread_local mx_best bests[RING];
    mx_grave graves[4];
    for (int k = 0; k < 4; k++) graves[k].n = 0;
    uint64_t before = a->cycles ? F(ticks)() : 0;
    for (uint32_t step = 0; step < count + AHEAD_BUCKET; step++) {
        if (step < count) {
            mx_query *q = &ring[step % RING];
            q->n = a->offsets[step + 1] - a->offsets[step];
            q->pool = a->pools[step];
            F(buckets)(m, q, a->interests + a->offsets[step]);
        }
        uint32_t i = step - (AHEAD_BUCKET - AHEAD_HEAD);
        if (i < count) F(heads)(m, &ring[i % RING]);
        i = step - (AHEAD_BUCKET - AHEAD_LISTS);
        if (i < count) {
            mx_query *q = &ring[i % RING];
            int tabled = !a->exact && q->n && F(tabled)(m, q->pool);
            F(lists)(m, q, !tabled);
            F(arrival)(m, a, i, q);
            q->ready = (uint8_t)tabled;
            if (tabled) {
                F(keys)(m, q);
                F(fetch_lines)(m, q);
            }
        }
        i = step - (AHEAD_BUCKET - AHEAD_PROBE);
        if (i < count) {
            if (ring[i % RING].ready) F(probe)(m, &ring[i % RING]);
            else if (m->pools[ring[i % RING].pool].waiting >= MX_THIN / 4) F(fetch_bodies)(m, &ring[i % RING]);
        }
        i = step - (AHEAD_BUCKET - AHEAD_CHOOSE);
        if (i < count) {
            mx_query *q = &ring[i % RING];
            mx_best *b = &bests[i % RING];
            *b = (mx_best){.slot = MX_NONE, .most_postings = a->most_postings, .most_tickets = a->most_tickets};
            if (q->ready && !a->only_insert) {
                F(choose)(m, q, b);
                if (b->slot == MX_NONE) F(fetch_windows)(m, q);
                else __builtin_prefetch(&m->cold[b->slot]);
            }
        }
        if (step < AHEAD_BUCKET) continue;
        i = step - AHEAD_BUCKET;
        mx_query *q = &ring[i % RING];
        mx_best *b = &bests[i % RING];
        F(refresh)(m, q);
        if (a->only_insert) {
        } else if (q->ready) {
            if (b->slot != MX_NONE && (mx_gen(m, b->slot) != b->gen || !(m->hot[b->slot].flags & MX_LIVE))) { /* taken meanwhile */
                b->slot = MX_NONE;
                b->score = 0;
                F(choose)(m, q, b);
            }
            if (b->slot == MX_NONE) F(windows)(m, q, b);
            if (b->slot == MX_NONE && q->level >= MX_ANYBODY) F(anyone)(m, q, b);
        } else {
            F(hasten)(m, q, &graves[(i - 2) & 3]);
            F(hasten)(m, q, &graves[(i - 1) & 3]);
            F(search)(m, q, b, 1);
        }
        m->counts.postings += b->postings;
        m->counts.tickets += b->tickets;
        mx_grave *g = &graves[i & 3];
        g->n = 0;
        F(commit)(m, a, i, q, b, g);
        g = &graves[(i - 1) & 3]; /* the dead are buried when their lists have come */
        for (uint32_t j = 0; j < g->n; j++) mx_fetch_head(m, &m->lists[g->lid[j]]);
        g = &graves[(i - 2) & 3];
        for (uint32_t j = 0; j < g->n; j++) F(bury)(m, g->lid[j], g->post);
        g->n = 0;
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[i] = (uint32_t)(after - before);
            before = after;
        }
    }
    for (uint32_t k = 0; k < 2 && count; k++) {
        mx_grave *g = &graves[(count - 2 + k) & 3];
        for (uint32_t j = 0; j < g->n; j++) F(bury)(m, g->lid[j], g->post);
    }
    return MX_OK;
}
