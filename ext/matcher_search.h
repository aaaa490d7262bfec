/* Instanced per instruction set: which of one's interests a ticket shares, whether the pair may meet, the exact search.
 *
 * Exact: lists from the rarest on. Behind list i an unseen ticket shares at most what is left, so the search ends when
 * the best found is worth as much. In list i only the bits of the interests i.. count: an unseen ticket has none of
 * the earlier ones. The popcount of signature AND bits bounds the overlap before the ticket is touched. */

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

/* Whether two persons are to be kept apart (rule 7): recent partners until both are lifted, the blocked always. */
static inline int F(apart)(const mx *m, const mx_query *q, const mx_hot *t, uint32_t slot) {
    uint32_t hit = 0, me = q->person, you = t->person;
    int lifted = q->level == MX_LIFTED && t->level == MX_LIFTED;
    if (!lifted) {
#if MX_ISA == 4
        hit = _mm_cmpeq_epi32_mask(_mm_load_si128((const __m128i *)t->rec), _mm_set1_epi32((int)me)) & (0u - (me != 0));
#else
        for (uint32_t i = 0; i < 4; i++) hit |= (t->rec[i] == me) & (me != 0);
#endif
        for (uint32_t i = 0; i < q->nrec; i++) hit |= (q->rec[i] == you) & (you != 0);
    }
    for (uint32_t i = 0; i < q->nblk; i++) hit |= q->blk[i] == you && you;
    if (t->flags & MX_EXTRA) {
        const mx_extra *e = &m->extras[m->cold[slot].extra];
        if (!lifted) for (uint32_t i = 0; i < e->nrec; i++) hit |= e->rec[i] == me && me;
        for (uint32_t i = 0; i < e->nblk; i++) hit |= e->blk[i] == me && me;
    }
    return hit != 0;
}

static inline uint32_t F(worth)(const mx_query *q, uint32_t mask) {
    if (!q->weighted) return (uint32_t)__builtin_popcount(mask);
    uint32_t sum = 0;
    for (; mask; mask &= mask - 1) sum += q->w[__builtin_ctz(mask)];
    return sum;
}

/* The worth of a candidate that may be met, or 0. */
static inline uint32_t F(verify)(mx *m, const mx_query *q, mx_best *b, uint32_t post, uint32_t *mask) {
    uint32_t slot = post >> 8;
    if (mx_dead(m, post) || slot == q->self) return 0;
    const mx_hot *t = &m->hot[slot];
    b->tickets++;
    if (!(t->flags & MX_LIVE) || t->pool != q->pool || !t->n) return 0;
    *mask = F(shared)(m, q, t, slot);
    uint32_t score = F(worth)(q, *mask);
    if (!score || score < q->floor) return 0;
    if (t->flags & MX_FLOOR && !q->quiet && score < m->cold[slot].floor) return 0;
    if (q->level == MX_GOOD || t->level == MX_GOOD) {
        if (!q->quiet) {
            uint32_t least = m->cold[slot].total;
            if (q->total < least) least = q->total;
            if (2 * score < least) return 0;
        }
    }
    return F(apart)(m, q, t, slot) ? 0 : score;
}

/* What is being scanned for, and whom it may have found: `rank` is the most a candidate can be worth, the sooner in the
 * list the higher. */
typedef struct {
    uint64_t s1, s2, s3;
    const uint32_t *ubs; /* the most that p shared interests can be worth; not read where all weigh 1 */
    uint32_t left, need, list, n;
    uint32_t post[MX_HITS];
    uint64_t rank[MX_HITS];
} F(pass);

static inline uint64_t F(rank)(uint32_t worth, uint32_t pos) { return (uint64_t)worth << 32 | (uint32_t)~pos; }

/* Better than the best, or as good and sooner in the same list. */
static inline void F(keep)(const mx *m, mx_best *b, uint32_t post, uint32_t score, uint32_t mask, uint32_t list, uint32_t pos) {
    if (score < b->score || !score || (score == b->score && !(b->list == list && pos < b->pos))) return;
    b->score = score;
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

/* Look at one candidate; 0 where it and so all others can be no better, or no more may be looked at. */
static inline int F(consider)(mx *m, const mx_query *q, mx_best *b, F(pass) *c, uint32_t top, uint64_t rank) {
    uint32_t mask = 0, post = c->post[top], pos = ~(uint32_t)rank;
    if (rank <= F(rank)(b->score, b->list == c->list ? b->pos : 0)) return 0;
    uint32_t score = F(verify)(m, q, b, post, &mask);
    F(keep)(m, b, post, score, mask, c->list, pos);
    return !F(tired)(b);
}

/* Look at the candidates, the most promising first; among equals the first in the first list stays. */
static void F(settle)(mx *m, const mx_query *q, mx_best *b, F(pass) *c) {
    uint32_t n = c->n;
    c->n = 0;
#if MX_ISA == 4
    if (n > 4) { /* in registers: each time one was struck out in memory the next load would wait for it */
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

/* The only one under an interest; returns 1 when the budget is used up. */
static inline int F(lone)(mx *m, const mx_query *q, mx_best *b, uint32_t entry, uint32_t list) {
    uint32_t mask = 0;
    if (b->most_postings && b->postings >= b->most_postings) {
        b->cut = 1;
        return 1;
    }
    b->postings++;
    uint32_t score = F(verify)(m, q, b, entry & ~MX_LONE, &mask);
    F(keep)(m, b, entry & ~MX_LONE, score, mask, list, 0);
    return F(tired)(b);
}

#if MX_ISA == 4
/* Ten lanes from registers, which memory they were just written to would not give at once; the others are the highest. */
static inline __m512i F(row)(const uint32_t *k) {
    return _mm512_setr_epi32((int)k[0], (int)k[1], (int)k[2], (int)k[3], (int)k[4], (int)k[5], (int)k[6], (int)k[7], (int)k[8], (int)k[9], -1, -1, -1, -1, -1, -1);
}
#endif

/* Which of one's interests have postings, the fewest first; returns how many. */
static inline uint32_t F(order)(const mx *m, const mx_query *q, uint8_t *at) {
    uint32_t keys[MX_MOST], count = 0, top = q->n > MX_INLINE ? q->n : MX_INLINE;
    if (!q->lists) {
        for (uint32_t left = q->lone; left; left &= left - 1) at[count++] = (uint8_t)__builtin_ctz(left);
        return count;
    }
    MX_LANES(q->n, j,
        uint32_t lone = q->at[j] >> 7 & 1;
        uint32_t len = m->lists[lone ? MX_NOLIST : q->at[j] >> 8].len | lone;
        keys[j] = len ? len << 5 | j : MX_NONE;
        count += len != 0;
    );
#if MX_ISA == 4
    if (top <= MX_INLINE) { /* its rank is the number of those before it */
        __m512i all = F(row)(keys);
        MX_LANES(q->n, j, at[__builtin_popcount(_mm512_cmplt_epu32_mask(all, _mm512_set1_epi32((int)keys[j])))] = (uint8_t)j;);
        return count;
    }
#endif
    for (uint32_t j = 0, n = 0; j < top; j++) {
        if (keys[j] == MX_NONE) continue;
        uint32_t k = n++;
        while (k && keys[at[k - 1]] > keys[j]) {
            at[k] = at[k - 1];
            k--;
        }
        at[k] = (uint8_t)j;
    }
    return count;
}

static inline uint32_t F(least)(const mx_query *q, const uint32_t *ubs, uint32_t left, uint32_t best) {
    if (!q->weighted) return best + 1;
    uint32_t p = 1;
    while (p <= left && ubs[p] <= best) p++;
    return p;
}

/* Scan `count` postings in a row; returns 1 when no better one can follow, or the budget is used up. */
static int F(run)(mx *m, const mx_query *q, mx_best *b, F(pass) *c, const uint64_t *sigs, const uint32_t *slots, uint32_t count, uint32_t pos) {
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
            c->need = F(least)(q, c->ubs, c->left, b->score);
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
static int F(scan)(mx *m, const mx_query *q, mx_best *b, F(pass) *c, mx_list *l, uint32_t from, uint32_t to) {
    while (from < to) {
        uint32_t *slots, end = to;
        uint64_t *sigs = mx_at(m, l, from, &slots);
        if (l->class >= MX_CHUNKED && from >> MX_LOGCHUNK != (to - 1) >> MX_LOGCHUNK) end = ((from >> MX_LOGCHUNK) + 1) << MX_LOGCHUNK;
        if (F(run)(m, q, b, c, sigs, slots, end - from, from)) return 1;
        from = end;
    }
    return 0;
}

/* ubs[p] for p = 1.. : interest at[i] with the p - 1 heaviest of at[i + 1..] where `first`, else the p heaviest of all. */
static void F(bounds)(const mx_query *q, const uint8_t *at, uint32_t i, uint32_t n, int first, uint32_t *ubs) {
    uint32_t tops[MX_MOST], c = 0;
    for (uint32_t j = i + (first != 0); j < n; j++) {
        uint32_t w = q->w[at[j]], k = c++;
        while (k && tops[k - 1] < w) {
            tops[k] = tops[k - 1];
            k--;
        }
        tops[k] = w;
    }
    uint32_t p = 1;
    ubs[0] = 0;
    if (first) ubs[p++] = q->w[at[i]];
    for (uint32_t j = 0; j < c; j++, p++) ubs[p] = ubs[p - 1] + tops[j];
}

/* Look at tickets that are in the log and not yet in the lists. */
static void F(logged)(mx *m, const mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST] = {0};
    uint32_t ubs[MX_MOST + 1], n = q->n;
    F(pass) c = {.left = n, .list = MX_MOST, .ubs = ubs};
    for (uint32_t j = 0; j < n; j++) {
        uint64_t bit = F(bit)(m, q, j);
        c.s3 |= c.s2 & bit;
        c.s2 |= c.s1 & bit;
        c.s1 |= bit;
        at[j] = (uint8_t)j;
    }
    if (q->weighted) F(bounds)(q, at, 0, n, 0, ubs);
    c.need = F(least)(q, ubs, n, b->score);
    uint32_t size = m->log_size, head = m->log_head, run = m->log_limit - head < size ? m->log_limit - head : size;
    if (c.need > n) return;
    if (!F(run)(m, q, b, &c, m->logsig + head, m->log + head, run, 0) && run < size) F(run)(m, q, b, &c, m->logsig, m->log, size - run, run);
    if (c.n && !(b->most_tickets && b->tickets >= b->most_tickets)) F(settle)(m, q, b, &c);
}

/* The best partner in one pool; exact unless a bound of `b` cuts it. The query's entries stand for that pool. */
static void F(exact)(mx *m, mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST];
    uint32_t n = F(order)(m, q, at);
    int logged = m->pools[q->pool].logged > m->log_out;
    b->list = MX_NONE;
    /* nothing below one's own floor is worth a look */
    uint32_t below = q->floor > 1 && b->slot == MX_NONE ? q->floor - 1 : 0;
    if (below) b->score = below;
    if (n) {
        uint64_t s1[MX_MOST + 1], s2[MX_MOST + 1], s3[MX_MOST + 1];
        uint32_t rest[MX_MOST + 1], ubs[MX_MOST + 1];
        s1[n] = s2[n] = s3[n] = 0;
        rest[n] = 0;
        for (uint32_t i = n; i--;) {
            uint64_t bit = F(bit)(m, q, at[i]);
            s3[i] = s3[i + 1] | (s2[i + 1] & bit);
            s2[i] = s2[i + 1] | (s1[i + 1] & bit);
            s1[i] = s1[i + 1] | bit;
            rest[i] = rest[i + 1] + (q->weighted ? q->w[at[i]] : 1);
        }
        for (uint32_t i = 0; i < n && rest[i] > b->score && !b->cut; i++) {
            uint32_t entry = q->at[at[i]];
            if (entry & MX_LONE) {
                F(lone)(m, q, b, entry, i);
                continue;
            }
            mx_list *l = &m->lists[entry >> 8];
            F(pass) c;
            c.s1 = s1[i];
            c.s2 = s2[i];
            c.s3 = s3[i];
            c.ubs = ubs;
            c.left = n - i;
            c.list = i;
            c.n = 0;
            if (q->weighted) F(bounds)(q, at, i, n, 1, ubs);
            c.need = F(least)(q, ubs, c.left, b->score);
            if (c.need > c.left) continue;
            if (i + 1 < n && l->len > 64) { /* the next list comes while this one is read; it is longer */
                uint32_t *s;
                uint64_t *next = mx_at(m, &m->lists[q->at[at[i + 1]] >> 8], 0, &s);
                for (int k = 0; k < 4; k++) __builtin_prefetch(next + 8 * k);
            }
            if (l->class < MX_CHUNKED) F(scan)(m, q, b, &c, l, 0, l->len);
            else if (!F(scan)(m, q, b, &c, l, 0, l->wr)) F(scan)(m, q, b, &c, l, l->rd, l->len);
            if (c.n && !(b->most_tickets && b->tickets >= b->most_tickets)) F(settle)(m, q, b, &c);
        }
    }
    if (MX_RARELY(logged) && !b->cut && q->total > b->score) F(logged)(m, q, b);
    if (b->slot == MX_NONE) b->score = 0;
    if (b->cut) m->counts.cut++;
}

/* Who has stood at `anyone` longest in this pool and may be met. */
static void F(anyone)(mx *m, const mx_query *q, mx_best *b) {
    uint32_t lid = m->pools[q->pool].anyone;
    if (lid == MX_NONE) return;
    mx_list *l = &m->lists[lid];
    int chunked = l->class >= MX_CHUNKED;
    for (uint32_t p = 0; p < l->len; p++) {
        if (chunked && p == l->wr) p = l->rd;
        if (p >= l->len) return;
        uint32_t *slots;
        mx_at(m, l, p, &slots);
        uint32_t post = *slots, slot = post >> 8;
        if ((b->most_postings && b->postings >= b->most_postings) || (b->most_tickets && b->tickets >= b->most_tickets)) {
            b->cut = 1;
            m->counts.cut++;
            return;
        }
        b->postings++;
        if (mx_dead(m, post) || slot == q->self) continue;
        const mx_hot *t = &m->hot[slot];
        b->tickets++;
        if (!(t->flags & MX_STANDS) || t->level < MX_ANYBODY || t->pool != q->pool || F(apart)(m, q, t, slot)) continue;
        b->slot = slot;
        b->gen = post & 15;
        b->score = 0;
        b->mask = 0;
        return;
    }
}
