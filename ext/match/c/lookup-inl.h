/* Instanced per instruction set: finds the entries of interests, at once or, for arrays, in steps that prefetch. */

/* Probe a bucket by the tag alone: the first entry under a hash, or the start of its chain, of any hash; MX_NOLIST: none. */
static inline uint32_t F(probe)(const mx_bucket *b, uint32_t hash) {
#if MX_ISA >= 3
    __m256i tags = _mm256_loadu_si256((const __m256i *)b->tag); /* the eighth is no tag, and is treated as a hit */
    uint32_t hits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(tags, _mm256_set1_epi32((int)hash))));
#else
    uint32_t hits = mx_hits(b, hash);
#endif
    return b->at[__builtin_ctz(hits | 1u << MX_ENTRIES)];
}

/* The line of a candidate entry: its ticket's or its list's. */
static inline const char *F(candidate)(const mx *m, uint32_t entry) {
    uintptr_t hot = (uintptr_t)m->hot, lists = (uintptr_t)m->lists, lone = 0 - (uintptr_t)(entry >> 7 & 1);
    return (const char *)(lists + ((hot - lists) & lone) + (uintptr_t)(entry >> 8) * 64);
}

/* Find the buckets of the entries. */
static inline void F(place)(const mx *m, mx_query *q) {
    MX_LANES(q->n, j, q->bucket[j] = j < q->n ? mx_place(m, q->hash[j]) : 0;);
    q->changes = m->changes;
}

/* The same from the interests on, with prefetching. */
static inline void F(buckets)(mx *m, mx_query *q, const uint32_t *interests) {
#if MX_ISA == 4
    if (q->n <= 16) {
        __mmask16 there = (__mmask16)((1u << q->n) - 1);
        __m512i x = _mm512_maskz_loadu_epi32(there, interests);
        _mm512_storeu_si512(q->interest, x);
        x = _mm512_xor_si512(x, _mm512_set1_epi32((int)(uint32_t)m->seed));
        x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), _mm512_set1_epi32((int)MX_MUL1));
        x = _mm512_add_epi32(x, _mm512_set1_epi32((int)(q->pool * 0x9E3779B1u + (uint32_t)(m->seed >> 32))));
        x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 13)), _mm512_set1_epi32((int)MX_MUL2));
        x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
        __m512i b = _mm512_and_si512(x, _mm512_set1_epi32((int)m->mask));
        b = _mm512_mask_and_epi32(b, _mm512_cmplt_epu32_mask(b, _mm512_set1_epi32((int)m->split)), x, _mm512_set1_epi32((int)(m->mask * 2 + 1)));
        _mm512_storeu_si512(q->hash, x);
        _mm512_storeu_si512(q->bucket, _mm512_maskz_add_epi32(there, b, _mm512_set1_epi32(1)));
        _mm512_storeu_si512(q->at, _mm512_setzero_si512());
        q->changes = m->changes;
        MX_LANES(q->n, j, __builtin_prefetch(&m->buckets[q->bucket[j]]););
        return;
    }
#endif
    MX_ASSERT(q->n <= MX_MOST);
    if (q->n) memmove(q->interest, interests, q->n * 4); /* a batch without interests has no array */
    for (uint32_t j = 0; j < q->n; j++) q->hash[j] = mx_hash(m, q->pool, interests[j]);
    memset(q->at, 0, sizeof q->at);
    F(place)(m, q);
    for (uint32_t j = 0; j < q->n; j++) __builtin_prefetch(&m->buckets[q->bucket[j]]);
}

/* One step later: prefetch the candidates' lines. */
static inline void F(heads)(mx *m, mx_query *q) {
    if (MX_RARELY(q->changes != m->changes)) F(place)(m, q);
    MX_LANES(q->n, j, q->at[j] = F(probe)(&m->buckets[q->bucket[j]], q->hash[j]););
    MX_LANES(q->n, j, __builtin_prefetch(F(candidate)(m, q->at[j])););
}

/* Which entries are lists, which are postings. One by one: they were just written so, and reading them together would wait for the stores. */
static inline void F(kinds)(mx_query *q) {
    uint32_t lone = 0, any = 0;
    MX_LANES(q->n, j, lone |= (q->at[j] >> 7 & 1) << j; any |= (uint32_t)(q->at[j] != MX_NOLIST) << j;);
    q->lone = lone;
    q->lists = any & ~lone;
}

/* Find the entries of a query and their kinds. */
static inline void F(entries)(const mx *m, mx_query *q) {
#if MX_ISA == 4
#define AT(j) (int)F(probe)(&m->buckets[q->bucket[j]], q->hash[j])
    if (q->n <= MX_INLINE) { /* together in a register */
        __m512i x = _mm512_setr_epi32(AT(0), AT(1), AT(2), AT(3), AT(4), AT(5), AT(6), AT(7), AT(8), AT(9), 0, 0, 0, 0, 0, 0);
        _mm512_storeu_si512(q->at, x);
        q->lone = _mm512_test_epi32_mask(x, _mm512_set1_epi32(MX_LONE));
        q->lists = _mm512_test_epi32_mask(x, x) & ~q->lone;
        return;
    }
#undef AT
#endif
    MX_LANES(q->n, j, q->at[j] = F(probe)(&m->buckets[q->bucket[j]], q->hash[j]););
    F(kinds)(q);
}

/* Determine the kinds of entries and remove those of another interest. */
static inline void F(check)(mx *m, mx_query *q) {
    uint32_t astray = 0;
    for (uint32_t left = q->lists | q->lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left);
        astray |= (uint32_t)!mx_of(m, q->at[j], q->pool, q->hash[j]) << j;
    }
    if (m->owed)
        for (uint32_t left = q->lone; left; left &= left - 1) { /* a live one may be behind a tombstone */
            uint32_t j = (uint32_t)__builtin_ctz(left);
            astray |= (uint32_t)mx_dead(m, q->at[j]) << j;
        }
    if (__builtin_expect(astray == 0, 1)) return;
    for (; astray; astray &= astray - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(astray);
        q->at[j] = mx_find(m, q->pool, q->hash[j]);
    }
    F(kinds)(q);
}

/* Find the current entries. */
static inline void F(look)(mx *m, mx_query *q) {
    if (MX_RARELY(q->changes != m->changes)) F(place)(m, q);
    F(entries)(m, q);
    F(check)(m, q);
}

/* The signature bit of an interest. */
static inline uint64_t F(bit)(const mx *m, const mx_query *q, uint32_t j) {
    return 1ull << ((q->lists >> j & 1 ? m->lists[q->at[j] >> 8].bit : mx_common(q->hash[j])) & 63);
}

static inline void F(sign)(const mx *m, mx_query *q) {
    uint64_t sig = 0;
#if MX_ISA == 4
    if (q->n <= 16) {
        uint32_t lists = q->lists;
        __mmask16 plain = (__mmask16)((1u << q->n) - 1) & (__mmask16)~lists;
        __m512i x = _mm512_loadu_si512(q->hash), one = _mm512_set1_epi64(1), share = _mm512_set1_epi64(64 - MX_OWN), own = _mm512_set1_epi64(MX_OWN);
        __m512i lo = _mm512_srli_epi64(_mm512_mul_epu32(_mm512_cvtepu32_epi64(_mm512_castsi512_si256(x)), share), 32);
        __m512i hi = _mm512_srli_epi64(_mm512_mul_epu32(_mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(x, 1)), share), 32);
        lo = _mm512_maskz_sllv_epi64((__mmask8)plain, one, _mm512_add_epi64(lo, own));
        hi = _mm512_maskz_sllv_epi64((__mmask8)(plain >> 8), one, _mm512_add_epi64(hi, own));
        sig = (uint64_t)_mm512_reduce_or_epi64(_mm512_or_si512(lo, hi));
        for (; lists; lists &= lists - 1) sig |= 1ull << (m->lists[q->at[__builtin_ctz(lists)] >> 8].bit & 63);
        q->sig = sig;
        return;
    }
#endif
    for (uint32_t j = 0; j < q->n; j++) sig |= F(bit)(m, q, j);
    q->sig = sig;
}

/* Whether interests are counted: if the table, whose keys need this, is in use or will be soon. */
static inline int F(counted)(const mx *m) { return m->table && m->live >= m->table_from / 2; }

static inline void F(name)(mx *m, const mx_query *q) {
    uint8_t epoch = m->pools[q->pool].epoch;
    mx_arrived(m, q->pool);
    for (uint32_t left = q->lists; left; left &= left - 1) mx_named(&m->lists[q->at[__builtin_ctz(left)] >> 8], epoch);
}

/* Fetch the beginning and end of its lists' postings, and the signatures of single ones, which become lists: their misses overlap. */
static inline void F(bodies)(mx *m, mx_query *q) {
    for (uint32_t left = q->lone; left; left &= left - 1) __builtin_prefetch(&m->cold[q->at[__builtin_ctz(left)] >> 8]);
    for (uint32_t left = q->lists, *s; left; left &= left - 1) {
        mx_list *l = &m->lists[q->at[__builtin_ctz(left)] >> 8];
        if (!l->size_class) continue;
        mx_fetch_tail(m, l);
        __builtin_prefetch(mx_at(m, l, 0, &s));
    }
}

/* Prefetch what the exact search reads first of lists outside their line. */
static inline void F(fetch_bodies)(const mx *m, const mx_query *q) {
    for (uint32_t left = q->lists; left; left &= left - 1) {
        mx_list *l = &m->lists[q->at[__builtin_ctz(left)] >> 8];
        uint32_t *slots;
        if (!l->size_class) continue;
        uint64_t *sigs = mx_at(m, l, 0, &slots);
        __builtin_prefetch(sigs + 8);
        __builtin_prefetch(sigs + 16);
        __builtin_prefetch(slots);
    }
}

/* Find a single query's interests in its pool. `arrives`: and count it. */
static void F(resolve)(mx *m, mx_query *q, int arrives) {
    F(buckets)(m, q, q->interest);
    F(look)(m, q);
    F(bodies)(m, q);
    F(sign)(m, q);
    if (arrives && F(counted)(m)) F(name)(m, q);
}
