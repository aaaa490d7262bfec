/* Instanced per instruction set: the table of pairs and triples, the fast way at a million.
 *
 * A line holds eight entries (slot | generation, 4 bits | folded signature, 36 bits or as many more as slots need fewer than
 * 24) of tickets that stand there under a subset of two or three of their interests; nothing is deleted, the dead are
 * overwritten first. A ticket stands under
 * subsets that between 1 and 100 waiting tickets are expected to share: there eight entries hold a partner who shares
 * all of it. Frequencies are those of the arrivals, live: who waits is another mixture, but partners come by arriving. */

/* Whether searches in a pool use the table. */
static inline int F(tabled)(mx *m, uint32_t pool) {
    mx_pool *p = &m->pools[pool];
    if (!m->table) return 0;
    if (p->tabled) {
        if (p->waiting < m->table_from / MX_TABLED / 2 || m->live < m->table_from / 2) p->tabled = 0;
    } else if (m->live >= m->table_from && p->waiting >= m->table_from / MX_TABLED) {
        p->tabled = 1;
    }
    return (int)p->tabled;
}

static inline uint64_t F(fold)(const mx *m, uint64_t s) {
    uint32_t width = 64 - 4 - m->slot_bits - 16; /* bits of the signature that no list owns */
    uint64_t x = s >> 16;
    return (s & 0xFFFF) | ((x | x >> width | x >> 2 * width) & ((1ull << width) - 1)) << 16;
}

/* An entry without its signature, as (slot << 8 | generation), and back. */
static inline uint32_t F(posted)(const mx *m, uint64_t entry) {
    return (uint32_t)(entry & ((1ull << m->slot_bits) - 1)) << 8 | (uint32_t)(entry >> m->slot_bits & 15);
}
static inline uint64_t F(written)(const mx *m, uint32_t slot, uint32_t gen, uint64_t sig) {
    return slot | ((uint64_t)gen | sig << 4) << m->slot_bits;
}

/* The signature bits that two of the query's interests share. */
static inline uint64_t F(twice)(const mx *m, const mx_query *q) {
    uint64_t once = 0, twice = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        uint64_t bit = F(fold)(m, F(bit)(m, q, j));
        twice |= once & bit;
        once |= bit;
    }
    return twice;
}

/* How often an interest was named, with its lane, the most frequent first. One without a list counts as never named. */
static inline uint32_t F(named_key)(const mx *m, const mx_query *q, uint32_t j, uint8_t epoch) {
    const mx_list *l = &m->lists[q->at[j] & MX_LONE ? MX_NOLIST : q->at[j] >> 8];
    uint32_t seen = mx_seen(l, epoch) + 1;
    return j < q->n ? ~((seen < 1u << 26 ? seen : (1u << 26) - 1) << 5 | j) : MX_NONE;
}

/* The line of the table for a subset of interests. */
static inline void F(key)(const mx *m, mx_query *q, uint64_t subset) {
    MX_ASSERT(q->nkeys <= MX_KEYS);
    q->key[q->nkeys++] = (uint32_t)((subset * 0x9E3779B97F4A7C15ull) >> (64 - m->table_bits));
}

/* Compute the keys of a query whose entries and signature are known. */
static void F(keys)(const mx *m, mx_query *q) {
    const mx_pool *p = &m->pools[q->pool];
    uint64_t hash[MX_INLINE];
    uint32_t named[MX_MOST], n = q->n < MX_INLINE ? q->n : MX_INLINE;
    uint8_t at[MX_MOST];
    int e[MX_INLINE];
    MX_LANES(q->n, j, named[j] = F(named_key)(m, q, j, p->epoch););
    q->folded = F(fold)(m, q->sig);
    q->folded2 = (uint32_t)__builtin_popcountll(q->folded) != q->n ? F(twice)(m, q) : 0;
    F(by_key)(named, q->n > MX_INLINE ? q->n : MX_INLINE, at);
    int lgn = mx_log2(p->waiting + 1), lga = mx_log2(p->seen + 1);
    for (uint32_t i = 0; i < n; i++) {
        hash[i] = q->hash[at[i]] + (1ull << 40); /* so that a pair with the interest of hash 0 differs from the other interest alone */
        e[i] = mx_log2(~named[at[i]] >> 5) - lga;
    }
    uint32_t keys = q->weighted ? MX_KEYS : MX_KEYS - 1;
    const int most = 1701; /* 256 * log2(100) */
    q->nkeys = 0;
    for (uint32_t a = 0; a + 2 < n && q->nkeys < keys; a++)
        for (uint32_t b = a + 1; b + 1 < n && q->nkeys < keys; b++) {
            int two = lgn + e[a] + e[b];
            if (two + e[b + 1] < 0) break;
            for (uint32_t c = b + 1; c < n && q->nkeys < keys; c++) {
                int three = two + e[c];
                if (three < 0) break;
                if (three <= most) F(key)(m, q, hash[a] + hash[b] + hash[c]);
            }
        }
    for (uint32_t a = 0; a + 1 < n && q->nkeys < keys; a++)
        for (uint32_t b = a + 1; b < n && q->nkeys < keys; b++) {
            int two = lgn + e[a] + e[b];
            if (two < 0) break;
            if (two <= most || n == 2) F(key)(m, q, hash[a] + hash[b]);
        }
    if (!q->nkeys)
        for (uint32_t a = 1; a < n && q->nkeys < keys; a++) F(key)(m, q, hash[a]);
    if (n) F(key)(m, q, hash[0]);
}

static inline void F(fetch_lines)(const mx *m, const mx_query *q) {
    for (uint32_t k = 0; k < q->nkeys; k++) __builtin_prefetch(m->table + (size_t)q->key[k] * 8, 1);
}

/* Find the candidates of the three highest estimates, and which entries of each line live. */
static void F(probe_table)(mx *m, mx_query *q) {
    uint64_t best = 0;
#if MX_ISA == 4
    __m512i counts[MX_KEYS + 1], most = _mm512_setzero_si512();
    __m256i posts[MX_KEYS + 1], slots = _mm256_set1_epi32((int)((1u << m->slot_bits) - 1));
    __m128i low = _mm_cvtsi32_si128((int)m->slot_bits), upto = _mm_cvtsi32_si128((int)m->slot_bits + 4);
    for (uint32_t k = 0; k < q->nkeys; k++) {
        __m512i x = _mm512_load_si512(m->table + (size_t)q->key[k] * 8), sig = _mm512_srl_epi64(x, upto);
        __m256i slot = _mm256_and_si256(_mm512_cvtepi64_epi32(x), slots), gen = _mm512_cvtepi64_epi32(_mm512_srl_epi64(x, low));
        __m256i g = _mm256_i32gather_epi32((const int *)m->gens, _mm256_srli_epi32(slot, 3), 4);
        g = _mm256_srlv_epi32(g, _mm256_slli_epi32(_mm256_and_si256(slot, _mm256_set1_epi32(7)), 2));
        __mmask8 alive = _mm256_testn_epi32_mask(_mm256_xor_si256(g, gen), _mm256_set1_epi32(15)) & _mm512_test_epi64_mask(sig, sig);
        __m512i c = _mm512_maskz_popcnt_epi64(alive, _mm512_and_si512(sig, _mm512_set1_epi64((long long)q->folded)));
        if (q->folded2) c = _mm512_mask_add_epi64(c, alive, c, _mm512_popcnt_epi64(_mm512_and_si512(sig, _mm512_set1_epi64((long long)q->folded2))));
        posts[k] = _mm256_or_si256(_mm256_slli_epi32(slot, 8), _mm256_and_si256(gen, _mm256_set1_epi32(15)));
        counts[k] = c;
        most = _mm512_max_epu64(most, c);
        q->alive[k] = alive;
    }
    best = _mm512_reduce_max_epu64(most);
    for (uint32_t level = 0; level < MX_LEVELS; level++) {
        uint32_t n = 0, *room = q->cand[level];
        __m512i wanted = _mm512_set1_epi64(best > level ? (long long)(best - level) : -1);
        for (uint32_t k = 0; k < q->nkeys; k++) {
            __mmask8 hit = _mm512_cmpeq_epi64_mask(counts[k], wanted);
            _mm256_storeu_si256((__m256i *)(room + n), _mm256_maskz_compress_epi32(hit, posts[k]));
            n += (uint32_t)__builtin_popcount(hit);
            n = n < MX_CANDS ? n : MX_CANDS;
        }
        q->ncand[level] = (uint8_t)n;
    }
#else
    uint8_t counts[MX_KEYS + 1][8];
    for (uint32_t k = 0; k < q->nkeys; k++) {
        const uint64_t *line = m->table + (size_t)q->key[k] * 8;
        q->alive[k] = 0;
        for (int i = 0; i < 8; i++) {
            uint64_t sig = line[i] >> (m->slot_bits + 4);
            uint32_t post = F(posted)(m, line[i]), live = sig && !mx_dead(m, post);
            counts[k][i] = (uint8_t)(live * (uint32_t)(__builtin_popcountll(sig & q->folded) + __builtin_popcountll(sig & q->folded2)));
            if (counts[k][i] > best) best = counts[k][i];
            q->alive[k] |= (uint8_t)(live << i);
        }
    }
    for (uint32_t level = 0; level < MX_LEVELS; level++) {
        uint32_t n = 0;
        memset(q->cand[level], 0, sizeof q->cand[level]);
        for (uint32_t k = 0; k < q->nkeys && best > level; k++)
            for (int i = 0; i < 8 && n < MX_CANDS; i++) {
                if (counts[k][i] == best - level) q->cand[level][n++] = F(posted)(m, m->table[(size_t)q->key[k] * 8 + i]);
            }
        q->ncand[level] = (uint8_t)n;
    }
#endif
    q->best = (uint32_t)best;
    for (uint32_t level = 0; level < MX_LEVELS; level++) /* more are rarely visited; what follows the last is stale, and does no harm */
        for (uint32_t j = 0; j < MX_CANDS / 2; j++) __builtin_prefetch(&m->hot[q->cand[level][j] >> 8]);
}

/* Choose the best of the probed. */
static void F(choose)(mx *m, mx_query *q, mx_best *b) {
    for (uint32_t level = 0; level < MX_LEVELS; level++) {
        uint32_t est = q->best - level;
        if (b->slot != MX_NONE && !q->weighted && b->score >= est) return;
        for (uint32_t j = 0; j < q->ncand[level]; j++) {
            uint32_t mask, score, post = q->cand[level][j], before = 0;
            for (uint32_t i = 0; i < j; i++) before |= q->cand[level][i] == post;
            if (before) continue; /* a ticket is in the table under several keys */
            if (!q->weighted && b->score >= 2 && b->tickets >= MX_LOOKS) return; /* high estimates: a better one is rare */
            score = F(verify)(m, q, b, post, &mask);
            if (score <= b->score) continue;
            b->score = b->bar = score;
            b->value = score * MX_PLAIN; /* at a million the home does not count */
            b->slot = post >> 8;
            b->gen = post & 15;
            b->mask = mask;
            if (!q->weighted && score >= est) return;
        }
    }
}
