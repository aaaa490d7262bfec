/* Instanced per instruction set: the table of pairs and triples, the fast way at a million.
 *
 * A line holds eight entries (slot | generation, 4 bits | folded signature, 36 bits or as many more as slots need fewer than
 * 24) of tickets that stand there under a subset of two or three of their interests; nothing is deleted, the dead are
 * overwritten first. A ticket stands under
 * subsets that between 1 and 100 waiting tickets are expected to share: there eight entries hold a partner who shares
 * all of it. Frequencies are those of the arrivals, live: who waits is another mixture, but partners come by arriving. */

/* Whether a pool is searched through the table. */
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
    uint32_t width = 64 - 4 - m->slot_bits - 16; /* of what is not owned */
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

/* Keys of a query whose entries and signature are known. What has no list counts as never named. */
static void F(keys)(const mx *m, mx_query *q) {
    const mx_pool *p = &m->pools[q->pool];
    uint64_t hash[MX_INLINE], twice = 0;
    uint32_t named[MX_MOST], n = q->n, top = q->n > MX_INLINE ? q->n : MX_INLINE;
    uint8_t at[MX_MOST];
    int e[MX_INLINE];
    MX_LANES(q->n, j,
        const mx_list *l = &m->lists[q->at[j] & MX_LONE ? MX_NOLIST : q->at[j] >> 8];
        uint32_t seen = mx_seen(l, p->epoch) + 1;
        named[j] = j < n ? ~((seen < 1u << 26 ? seen : (1u << 26) - 1) << 5 | j) : MX_NONE;
    );
    q->folded = F(fold)(m, q->sig);
    if ((uint32_t)__builtin_popcountll(q->folded) != n) { /* two stand under one bit */
        uint64_t once = 0;
        for (uint32_t j = 0; j < q->n; j++) {
            uint64_t bit = F(fold)(m, F(bit)(m, q, j));
            twice |= once & bit;
            once |= bit;
        }
    }
    q->folded2 = twice;
#if MX_ISA == 4
    if (top <= MX_INLINE) {
        __m512i all = F(row)(named);
        MX_LANES(q->n, j, at[__builtin_popcount(_mm512_cmplt_epu32_mask(all, _mm512_set1_epi32((int)named[j])))] = (uint8_t)j;);
    } else
#endif
    for (uint32_t j = 0, c = 0; j < top; j++) {
        if (named[j] == MX_NONE) continue;
        uint32_t k = c++;
        while (k && named[at[k - 1]] > named[j]) {
            at[k] = at[k - 1];
            k--;
        }
        at[k] = (uint8_t)j;
    }
    if (n > MX_INLINE) n = MX_INLINE;
    int lgn = mx_log2(p->waiting + 1), lga = mx_log2(p->seen + 1);
    for (uint32_t i = 0; i < n; i++) {
        hash[i] = q->hash[at[i]] + (1ull << 40); /* so that a pair with the interest whose hash is 0 is not the other alone */
        e[i] = mx_log2(~named[at[i]] >> 5) - lga;
    }
    uint32_t k = 0, keys = q->weighted ? MX_KEYS : MX_KEYS - 1, shift = 64 - m->table_bits;
    const int most = 1701; /* 256 * log2(100) */
#define KEY(x) q->key[k++] = (uint32_t)(((x) * 0x9E3779B97F4A7C15ull) >> shift)
    for (uint32_t a = 0; a + 2 < n && k < keys; a++)
        for (uint32_t b = a + 1; b + 1 < n && k < keys; b++) {
            int two = lgn + e[a] + e[b];
            if (two + e[b + 1] < 0) break;
            for (uint32_t c = b + 1; c < n && k < keys; c++) {
                int three = two + e[c];
                if (three < 0) break;
                if (three <= most) KEY(hash[a] + hash[b] + hash[c]);
            }
        }
    for (uint32_t a = 0; a + 1 < n && k < keys; a++)
        for (uint32_t b = a + 1; b < n && k < keys; b++) {
            int two = lgn + e[a] + e[b];
            if (two < 0) break;
            if (two <= most || n == 2) KEY(hash[a] + hash[b]);
        }
    if (!k)
        for (uint32_t a = 1; a < n && k < keys; a++) KEY(hash[a]);
    if (n) KEY(hash[0]);
#undef KEY
    q->nkeys = k;
}

static inline void F(fetch_lines)(const mx *m, const mx_query *q) {
    for (uint32_t k = 0; k < q->nkeys; k++) __builtin_prefetch(m->table + (size_t)q->key[k] * 8, 1);
}

/* The candidates of the three highest estimates, and which entries of each line live. */
static void F(probe)(mx *m, mx_query *q) {
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
    for (uint32_t level = 0; level < MX_LEVELS; level++) /* more are rarely looked at; what is behind the last is old, and costs nothing */
        for (uint32_t j = 0; j < MX_CANDS / 2; j++) __builtin_prefetch(&m->hot[q->cand[level][j] >> 8]);
}

/* The best of the probed. */
static void F(choose)(mx *m, mx_query *q, mx_best *b) {
    for (uint32_t level = 0; level < MX_LEVELS; level++) {
        uint32_t est = q->best - level;
        if (b->slot != MX_NONE && !q->weighted && b->score >= est) return;
        for (uint32_t j = 0; j < q->ncand[level]; j++) {
            uint32_t mask, score, post = q->cand[level][j], before = 0;
            for (uint32_t i = 0; i < j; i++) before |= q->cand[level][i] == post;
            if (before) continue; /* a ticket stands under several keys */
            if (!q->weighted && b->score >= 2 && b->tickets >= MX_LOOKS) return; /* the estimates are high: who looks on finds more now and then */
            score = F(verify)(m, q, b, post, &mask);
            if (score <= b->score) continue;
            b->score = score;
            b->slot = post >> 8;
            b->gen = post & 15;
            b->mask = mask;
            if (!q->weighted && score >= est) return;
        }
    }
}

/* Put a ticket under its keys: over a dead entry, else over one in turn. `q->alive` must be of now. */
static inline void F(announce)(mx *m, const mx_query *q, uint32_t slot) {
    uint64_t entry = F(written)(m, slot, mx_gen(m, slot), q->folded);
    for (uint32_t k = 0; k < q->nkeys; k++) {
        uint32_t dead = ~q->alive[k] & 0xFFu;
        m->table[(size_t)q->key[k] * 8 + (dead ? (uint32_t)__builtin_ctz(dead) : (m->serial + k) & 7)] = entry;
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
                uint64_t sig = x >> (m->slot_bits + 4);
                posts[e] = F(posted)(m, x);
                seen |= posts[e] == (slot << 8 | gen) && sig;
                empty |= (uint32_t)(sig == 0) << e;
            }
            if (seen) continue;
            uint32_t dead = (~F(alive8)(m, posts) | empty) & 0xFF, put;
            if (dead) put = (uint32_t)__builtin_ctz(dead);
            else if (m->announced & 1) continue; /* a full line: every second time only, the newest have the first right */
            else put = (m->serial + k) & 7;
            line[put] = F(written)(m, slot, gen, q->folded);
        }
        m->announced++;
    }
    if (m->announce_hand >= m->used) m->announce_hand = 0;
    m->next_slot = slot = m->announce_hand++;
    m->next_gen = mx_gen(m, slot);
    __builtin_prefetch(&m->hot[slot + 6]);
    __builtin_prefetch(&m->cold[slot + 6]);
    if (m->hot[slot + 4].flags & MX_LIVE)
        for (uint32_t j = 0; j < MX_INLINE; j++) __builtin_prefetch(&m->buckets[mx_place(m, m->hot[slot + 4].ids[j])]);
    if (m->hot[slot + 2].flags & MX_LIVE)
        for (uint32_t j = 0; j < m->hot[slot + 2].n && j < MX_INLINE; j++) {
            uint32_t hash = m->hot[slot + 2].ids[j], entry = F(likely)(&m->buckets[mx_place(m, hash)], hash);
            if (!(entry & MX_LONE)) __builtin_prefetch(&m->lists[entry >> 8]);
        }
    if (!(m->hot[slot].flags & MX_LIVE) || !F(tabled)(m, m->hot[slot].pool)) {
        m->next_slot = MX_NONE;
        return;
    }
    q->pool = m->hot[slot].pool;
    q->n = F(known)(m, slot, q->hash);
    memset(q->at, 0, sizeof q->at);
    F(place)(m, q);
    F(look)(m, q);
    q->sig = m->cold[slot].sig;
    q->weighted = m->weights != NULL;
    F(keys)(m, q);
    F(fetch_lines)(m, q);
}

/* Where in a long list the second window lies: another place for every query, so that no posting is out of reach. */
static inline uint32_t F(somewhere)(const mx *m, const mx_query *q, uint32_t j, const mx_list *l) {
    return (uint32_t)((mx_mix(q->client * 32 + j + m->seed) >> 32) * (l->len - 32) >> 32);
}

static inline void F(fetch_windows)(const mx *m, const mx_query *q) {
    for (uint32_t left = q->lists; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left), *s;
        mx_list *l = &m->lists[q->at[j] >> 8];
        if (!l->len || !l->class) continue;
        __builtin_prefetch(mx_at(m, l, l->len > 64 ? l->len - 16 : 0, &s));
        __builtin_prefetch(s);
        if (l->len > 64) {
            uint64_t *sigs = mx_at(m, l, F(somewhere)(m, q, j, l), &s);
            __builtin_prefetch(sigs);
            __builtin_prefetch(sigs + 8);
            __builtin_prefetch(s);
        }
    }
}

/* Nothing in the table: windows of the lists, the rarest first; the budget is theirs. */
static void F(windows)(mx *m, mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST];
    uint32_t n = F(order)(m, q, at), ubs[MX_MOST + 1];
    m->counts.fallbacks++;
    F(pass) c = {.ubs = ubs, .left = n, .list = MX_MOST};
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = F(bit)(m, q, at[i]);
        c.s2 |= c.s1 & bit;
        c.s1 |= bit;
    }
    c.s3 = c.s2;
    if (q->weighted) F(bounds)(q, at, 0, n, 0, ubs);
    b->list = MX_NONE;
    c.need = F(least)(q, ubs, n, b->score);
    uint32_t most = b->most_tickets, limit = b->tickets + 24;
    for (uint32_t i = 0; i < n && i < MX_INLINE && b->tickets < limit && (b->slot == MX_NONE || i < 3) && c.need <= n; i++) {
        uint32_t entry = q->at[at[i]];
        mx_list *l = &m->lists[entry & MX_LONE ? MX_NOLIST : entry >> 8];
        int whole = l->class < MX_CHUNKED && l->len <= 64;
        uint32_t from[2] = {whole ? 0 : l->len - 16, whole ? 0 : F(somewhere)(m, q, at[i], l)};
        for (int k = 0; k < 2 - whole; k++) {
            b->most_tickets = b->tickets + 8 < limit ? b->tickets + 8 : limit; /* neither window takes it all */
            if (entry & MX_LONE) F(lone)(m, q, b, entry, MX_MOST);
            else F(scan)(m, q, b, &c, l, from[k], whole ? l->len : from[k] + 16);
            if (c.n && !F(tired)(b)) F(settle)(m, q, b, &c);
            c.n = b->cut = 0;
            c.need = F(least)(q, ubs, n, b->score);
        }
    }
    b->most_tickets = most;
}
