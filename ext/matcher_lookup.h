/* Instanced per instruction set: from interests to their lists, at once or, in the arrays, in steps that fetch ahead. */

/* Lanes beyond the interests. */
static inline void F(pad)(mx_query *q) {
    for (uint32_t j = q->n; j < MX_INLINE; j++) {
        q->interest[j] = MX_NONE;
        q->lid[j] = MX_NOLIST;
    }
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

/* The lists of a query's interests in its pool. `how`: 0 find them, and count who arrives; -1 only find; 1 open what is
 * missing and sign. */
static int F(resolve)(mx *m, mx_query *q, int how) {
    F(pad)(q);
    if (how == 0) mx_arrived(m, q->pool);
    q->sig = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        uint32_t hash = mx_hash(m, q->pool, q->interest[j]), lid = F(likely)(&m->buckets[mx_place(m, hash)], hash);
        if (lid != MX_NOLIST && MX_RARELY(!mx_is(m, lid, q->pool, q->interest[j]))) lid = mx_find(m, q->pool, q->interest[j]);
        if (lid == MX_NOLIST && how == 1) lid = mx_make(m, q->pool, q->interest[j], hash);
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
