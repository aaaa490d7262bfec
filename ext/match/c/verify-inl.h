/* Instanced per instruction set: which interests a candidate shares with the query, whether the pair is allowed, its weight. */

static inline uint32_t F(shared)(const mx *m, const mx_query *q, const mx_hot *t, uint32_t slot) {
    uint32_t mask = 0;
#if MX_ISA == 4
    __m512i mine = _mm512_loadu_si512(q->hash);
    __mmask16 even = 0, odd = 0; /* in mask registers until the end: moving each out costs more than comparing */
    for (uint32_t i = 0; i < MX_INLINE; i += 2) {
        even = _kor_mask16(even, _mm512_cmpeq_epi32_mask(mine, _mm512_set1_epi32((int)t->ids[i])));
        odd = _kor_mask16(odd, _mm512_cmpeq_epi32_mask(mine, _mm512_set1_epi32((int)t->ids[i + 1])));
    }
    mask = _kor_mask16(even, odd);
    if (MX_RARELY(q->n > 16)) {
        mine = _mm512_loadu_si512(q->hash + 16);
        for (uint32_t i = 0; i < MX_INLINE; i++) mask |= (uint32_t)_mm512_cmpeq_epi32_mask(mine, _mm512_set1_epi32((int)t->ids[i])) << 16;
    }
    mask &= (uint32_t)((1ull << q->n) - 1);
#else
    uint32_t n = t->n < MX_INLINE ? t->n : MX_INLINE;
    for (uint32_t j = 0; j < q->n; j++) {
        uint32_t hit = 0, id = q->hash[j];
        for (uint32_t i = 0; i < n; i++) hit |= t->ids[i] == id;
        mask |= hit << j;
    }
#endif
    if (MX_RARELY(t->n > MX_INLINE)) {
        const mx_extra *e = &m->extras[m->cold[slot].extra];
        for (uint32_t j = 0; j < q->n; j++)
            for (uint32_t i = 0; i < (uint32_t)t->n - MX_INLINE; i++) mask |= (uint32_t)(e->ids[i] == q->hash[j]) << j;
    }
    return mask;
}

/* Whether two tickets must not meet: recent partners until both are lifted, blocked ones always (rule 7), a person and themselves (two tabs of a
 * browser), and two of different places. */
static inline int F(apart)(const mx *m, const mx_query *q, const mx_hot *t, uint32_t slot) {
    uint32_t me = q->person, you = t->person, hit = (me == you) & (me != 0);
    int lifted = q->level == MX_LIFTED && t->level == MX_LIFTED;
    if (!lifted) {
#if MX_ISA == 4
        hit |= _mm_cmpeq_epi32_mask(_mm_load_si128((const __m128i *)t->rec), _mm_set1_epi32((int)me)) & (0u - (me != 0));
#else
        for (uint32_t i = 0; i < 4; i++) hit |= (t->rec[i] == me) & (me != 0);
#endif
        for (uint32_t i = 0; i < q->nrec; i++) hit |= (q->rec[i] == you) & (you != 0);
    }
    for (uint32_t i = 0; i < q->nblk; i++) hit |= q->blk[i] == you && you;
    if (t->flags & MX_EXTRA) {
        const mx_extra *e = &m->extras[m->cold[slot].extra];
        if (!lifted)
            for (uint32_t i = 0; i < e->nrec; i++) hit |= e->rec[i] == me && me;
        for (uint32_t i = 0; i < e->nblk; i++) hit |= e->blk[i] == me && me;
        hit |= e->place != q->place && e->place && q->place;
    }
    return hit != 0;
}

static inline uint32_t F(worth)(const mx_query *q, uint32_t mask) {
    if (!q->weighted) return (uint32_t)__builtin_popcount(mask);
    uint32_t sum = 0;
    for (; mask; mask &= mask - 1) sum += q->w[__builtin_ctz(mask)];
    return sum;
}

/* The weight of an allowed candidate, or 0. */
static inline uint32_t F(verify)(mx *m, const mx_query *q, mx_best *b, uint32_t post, uint32_t *mask) {
    uint32_t slot = post >> 8;
    if (mx_dead(m, post) || slot == q->self) return 0;
    const mx_hot *t = &m->hot[slot];
    b->tickets++;
    if (!(t->flags & MX_LIVE) || t->pool != q->pool || !t->n) return 0;
    *mask = F(shared)(m, q, t, slot);
    uint32_t score = F(worth)(q, *mask);
    if (!score) return 0;
    if (q->floor == MX_WHOLE || (t->flags & MX_FLOOR && !q->quiet && m->cold[slot].floor == MX_WHOLE))
        return t->n == q->n && (uint32_t)__builtin_popcount(*mask) == q->n && !F(apart)(m, q, t, slot) ? score : 0;
    if (score < q->floor) return 0;
    if (t->flags & MX_FLOOR && !q->quiet && score < m->cold[slot].floor) return 0;
    if (q->level == MX_GOOD || t->level == MX_GOOD) {
        if (!q->quiet) {
            uint32_t least = m->cold[slot].total;
            if (q->total < least) least = q->total;
            if (MX_GOOD_PART * score < least) return 0;
        }
    }
    return F(apart)(m, q, t, slot) ? 0 : score;
}
