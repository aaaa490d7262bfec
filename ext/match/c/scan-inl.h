/* Instanced per instruction set: postings in a row against a signature, and the candidates that this leaves.
 *
 * The popcount of signature AND bits bounds what a ticket shares before it is touched. */

static inline uint64_t F(rank)(uint32_t worth, uint32_t pos) { return (uint64_t)worth << 32 | (uint32_t)~pos; }

/* Keep a candidate that is better than the best, or as good and older in the same list. One of the query's own home counts for more. */
static inline void F(improve)(const mx *m, const mx_query *q, mx_best *b, uint32_t post, uint32_t score, uint32_t mask, uint32_t list, uint32_t pos) {
    if (!score || score <= b->bar) {
        if (!score || score < b->bar || b->list != list || pos >= b->pos) return;
    }
    uint32_t value = score * (q->lift != MX_PLAIN && m->cold[post >> 8].home == q->home ? q->lift : MX_PLAIN);
    if (value < b->value || (value == b->value && !(b->list == list && pos < b->pos))) return;
    b->score = score;
    b->value = value;
    b->bar = value / q->lift;
    b->slot = post >> 8;
    b->gen = post & 15;
    b->mask = mask;
    b->pos = pos;
    b->list = list;
    __builtin_prefetch(&m->serials[b->slot]);
}

static inline int F(tired)(mx_best *b) {
    if (!b->most_tickets || b->tickets < b->most_tickets) return 0;
    b->cut = 1;
    return 1;
}

/* Check one candidate; 0 if it and so all others can be no better, or the budget is used up. */
static inline int F(consider)(mx *m, const mx_query *q, mx_best *b, mx_pass *c, uint32_t top, uint64_t rank) {
    uint32_t mask = 0, post = c->post[top], pos = ~(uint32_t)rank;
    if (rank <= F(rank)(b->bar, b->list == c->list ? b->pos : 0)) return 0;
    uint32_t score = F(verify)(m, q, b, post, &mask);
    F(improve)(m, q, b, post, score, mask, c->list, pos);
    return !F(tired)(b);
}

/* Check the candidates, the most promising first; among equals the first in the first list stays. */
static void F(settle)(mx *m, const mx_query *q, mx_best *b, mx_pass *c) {
    uint32_t n = c->n;
    c->n = 0;
#if MX_ISA == 4
    if (n > 4) { /* in registers: striking one out in memory would make the next load wait */
        __m512i x[MX_HITS / 8];
        for (uint32_t k = 0; k < MX_HITS / 8; k++)
            x[k] = _mm512_maskz_loadu_epi64(n >= 8 * k + 8 ? 0xFF : n > 8 * k ? (__mmask8)((1u << (n - 8 * k)) - 1) : 0, c->rank + 8 * k);
        for (;;) {
            __m512i most = x[0];
            uint32_t at = 0;
            for (uint32_t k = 1; k < MX_HITS / 8; k++) most = _mm512_max_epu64(most, x[k]);
            uint64_t rank = _mm512_reduce_max_epu64(most);
            if (!rank) return;
            most = _mm512_set1_epi64((long long)rank);
            for (uint32_t k = 0; k < MX_HITS / 8; k++) {
                __mmask8 same = _mm512_cmpeq_epu64_mask(x[k], most);
                at |= (uint32_t)same << 8 * k;
                x[k] = _mm512_mask_mov_epi64(x[k], same, _mm512_setzero_si512());
            }
            if (!F(consider)(m, q, b, c, (uint32_t)__builtin_ctz(at), rank)) return;
        }
    }
#endif
    for (uint32_t left = n; left; left--) {
        uint32_t top = 0;
        for (uint32_t i = 1; i < n; i++) top = c->rank[i] > c->rank[top] ? i : top;
        if (!F(consider)(m, q, b, c, top, c->rank[top])) return;
        c->rank[top] = 0;
    }
}

/* Check the single posting of an interest; 1 when the budget is used up. */
static inline int F(lone)(mx *m, const mx_query *q, mx_best *b, uint32_t entry, uint32_t list) {
    uint32_t mask = 0;
    if (b->most_postings && b->postings >= b->most_postings) {
        b->cut = 1;
        return 1;
    }
    b->postings++;
    uint32_t score = F(verify)(m, q, b, entry & ~MX_LONE, &mask);
    F(improve)(m, q, b, entry & ~MX_LONE, score, mask, list, 0);
    return F(tired)(b);
}

static inline uint32_t F(least)(const mx_query *q, const uint32_t *ubs, uint32_t left, uint32_t best) {
    if (!q->weighted) return best + 1;
    uint32_t p = 1;
    while (p <= left && ubs[p] <= best) p++;
    return p;
}

/* Scan `count` postings in a row; 1 when no better one can follow, or the budget is used up. */
static int F(run)(mx *m, const mx_query *q, mx_best *b, mx_pass *c, const uint64_t *sigs, const uint32_t *slots, uint32_t count, uint32_t pos) {
    if (b->most_postings && b->postings + count > b->most_postings) {
        count = b->most_postings > b->postings ? b->most_postings - b->postings : 0;
        b->cut = 1;
    }
    uint64_t s1 = c->s1, s2 = c->s2, s3 = c->s3;
    for (uint32_t k = 0; k < count; k += 8) {
        uint32_t rest = count - k, hit;
#if MX_ISA == 4
        __mmask8 valid = rest >= 8 ? 0xFF : (__mmask8)((1u << rest) - 1);
        __m512i x = _mm512_maskz_loadu_epi64(valid, sigs + k);
        __m512i p8 = _mm512_popcnt_epi64(_mm512_and_si512(x, _mm512_set1_epi64((long long)s1)));
        if (s2) p8 = _mm512_add_epi64(p8, _mm512_popcnt_epi64(_mm512_and_si512(x, _mm512_set1_epi64((long long)s2))));
        if (s3) p8 = _mm512_mask_add_epi64(p8, _mm512_test_epi64_mask(x, _mm512_set1_epi64((long long)s3)), p8, _mm512_set1_epi64(MX_MOST));
        hit = _mm512_mask_cmpge_epu64_mask(valid, p8, _mm512_set1_epi64(c->need));
        if (__builtin_expect(hit == 0, 1)) continue;
        uint64_t counts[8];
        _mm512_storeu_si512(counts, p8);
#else
        uint32_t counts[8], upto = rest < 8 ? rest : 8;
        hit = 0;
        for (uint32_t i = 0; i < upto; i++) {
            uint64_t x = sigs[k + i];
            counts[i] = (uint32_t)__builtin_popcountll(x & s1);
            if (s2) counts[i] += (uint32_t)__builtin_popcountll(x & s2);
            if (s3 && x & s3) counts[i] += MX_MOST;
            hit |= (uint32_t)(counts[i] >= c->need) << i;
        }
#endif
        for (; hit; hit &= hit - 1) {
            uint32_t i = (uint32_t)__builtin_ctz(hit), p = counts[i] < c->left ? (uint32_t)counts[i] : c->left, post = slots[k + i];
            __builtin_prefetch(&m->hot[post >> 8]);
            c->post[c->n] = post;
            c->rank[c->n++] = F(rank)(q->weighted ? c->ubs[p] : p, pos + k + i);
        }
        if (c->n >= 12 || (c->n >= 4 && b->score < 2 && c->list < 2 && !q->weighted)) {
            F(settle)(m, q, b, c);
            c->need = F(least)(q, c->ubs, c->left, b->bar);
            if (b->cut || c->need > c->left) {
                b->postings += k + 8 < count ? k + 8 : count;
                return 1;
            }
        }
    }
    b->postings += count;
    return (int)b->cut;
}

/* Scan postings [from, to) of a list. */
static int F(scan)(mx *m, const mx_query *q, mx_best *b, mx_pass *c, mx_list *l, uint32_t from, uint32_t to) {
    while (from < to) {
        uint32_t *slots, end = to;
        uint64_t *sigs = mx_at(m, l, from, &slots);
        if (l->size_class >= MX_CHUNKED && from >> MX_LOGCHUNK != (to - 1) >> MX_LOGCHUNK) end = ((from >> MX_LOGCHUNK) + 1) << MX_LOGCHUNK;
        if (F(run)(m, q, b, c, sigs, slots, end - from, from)) return 1;
        from = end;
    }
    return 0;
}
