/* Instanced per instruction set: the exact search.
 *
 * Lists from the rarest on. Behind list i an unseen ticket shares at most what is left, so the search ends when the best
 * found is worth as much. In list i only the bits of the interests i.. count: an unseen ticket has none of the earlier ones. */

#if MX_ISA == 4
/* Ten lanes from registers: loading them from memory just written would stall; the others are the highest. */
static inline __m512i F(row)(const uint32_t *k) {
    return _mm512_setr_epi32((int)k[0], (int)k[1], (int)k[2], (int)k[3], (int)k[4], (int)k[5], (int)k[6], (int)k[7], (int)k[8], (int)k[9], -1, -1, -1,
                             -1, -1, -1);
}
#endif

/* The lanes whose key is not MX_NONE, the least key first. Keys differ; if `top` is ten all of them are set. */
static inline void F(by_key)(const uint32_t *keys, uint32_t top, uint8_t *at) {
    MX_ASSERT(top >= MX_INLINE && top <= MX_MOST);
#if MX_ISA == 4
    if (top <= MX_INLINE) { /* its rank is the number of smaller keys */
        __m512i all = F(row)(keys);
        MX_LANES(top, j, at[__builtin_popcount(_mm512_cmplt_epu32_mask(all, _mm512_set1_epi32((int)keys[j])))] = (uint8_t)j;);
        return;
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
}

/* How many postings an interest has, with its lane; MX_NONE: none. */
static inline uint32_t F(length_key)(const mx *m, const mx_query *q, uint32_t j) {
    uint32_t lone = q->at[j] >> 7 & 1;
    uint32_t len = m->lists[lone ? MX_NOLIST : q->at[j] >> 8].len | lone;
    return len ? len << 5 | j : MX_NONE;
}

/* Sort a query's interests by their number of postings, the fewest first; return how many have any. */
static inline uint32_t F(order)(const mx *m, const mx_query *q, uint8_t *at) {
    uint32_t keys[MX_MOST], count = 0, top = q->n > MX_INLINE ? q->n : MX_INLINE;
    if (!q->lists) {
        for (uint32_t left = q->lone; left; left &= left - 1) at[count++] = (uint8_t)__builtin_ctz(left);
        return count;
    }
    MX_LANES(q->n, j, keys[j] = F(length_key)(m, q, j); count += keys[j] != MX_NONE;);
    F(by_key)(keys, top, at);
    return count;
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

/* Check tickets that are in the log and not yet in the lists. */
static void F(logged)(mx *m, const mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST] = {0};
    uint32_t ubs[MX_MOST + 1], n = q->n;
    mx_pass c = {.left = n, .list = MX_MOST, .ubs = ubs};
    for (uint32_t j = 0; j < n; j++) {
        uint64_t bit = F(bit)(m, q, j);
        c.s3 |= c.s2 & bit;
        c.s2 |= c.s1 & bit;
        c.s1 |= bit;
        at[j] = (uint8_t)j;
    }
    if (q->weighted) F(bounds)(q, at, 0, n, 0, ubs);
    c.need = F(least)(q, ubs, n, b->bar);
    uint32_t size = m->log_size, head = m->log_head, run = m->log_limit - head < size ? m->log_limit - head : size;
    if (c.need > n) return;
    if (!F(run)(m, q, b, &c, m->logsig + head, m->log + head, run, 0) && run < size) F(run)(m, q, b, &c, m->logsig, m->log, size - run, run);
    if (c.n && !(b->most_tickets && b->tickets >= b->most_tickets)) F(settle)(m, q, b, &c);
}

/* The best partner in one pool; exact unless a bound of `b` cuts it. The query's entries stand for that pool. */
static void F(exact)(mx *m, mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST];
    uint32_t n = F(order)(m, q, at);
    int logged = m->pools[q->pool].logged > m->log_out, sated = 0; /* sated: what the budget cut off could only have had the query's home */
    b->list = MX_NONE;
    /* a candidate below the query's own floor need not be checked */
    uint32_t floor = q->floor == MX_WHOLE ? q->total : q->floor, below = floor > 1 && b->slot == MX_NONE ? floor - 1 : 0;
    if (below) b->score = b->bar = below;
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
        for (uint32_t i = 0; i < n && rest[i] > b->bar && !b->cut; i++) {
            uint32_t entry = q->at[at[i]];
            if (entry & MX_LONE) {
                F(lone)(m, q, b, entry, i);
                continue;
            }
            mx_list *l = &m->lists[entry >> 8];
            mx_pass c;
            c.s1 = s1[i];
            c.s2 = s2[i];
            c.s3 = s3[i];
            c.ubs = ubs;
            c.left = n - i;
            c.list = i;
            c.n = 0;
            if (q->weighted) F(bounds)(q, at, i, n, 1, ubs);
            c.need = F(least)(q, ubs, c.left, b->bar);
            if (c.need > c.left) continue;
            if (i + 1 < n && l->len > 64) { /* prefetch the next list, which is longer, while this one is read */
                uint32_t *s;
                uint64_t *next = mx_at(m, &m->lists[q->at[at[i + 1]] >> 8], 0, &s);
                for (int k = 0; k < 4; k++) __builtin_prefetch(next + 8 * k);
            }
            if (l->size_class < MX_CHUNKED) F(scan)(m, q, b, &c, l, 0, l->len);
            else if (!F(scan)(m, q, b, &c, l, 0, l->wr)) F(scan)(m, q, b, &c, l, l->rd, l->len);
            if (c.n && !(b->most_tickets && b->tickets >= b->most_tickets)) F(settle)(m, q, b, &c);
            sated = b->score >= rest[i];
        }
    }
    if (MX_RARELY(logged) && !b->cut && q->total > b->bar) F(logged)(m, q, b);
    if (b->slot == MX_NONE) b->score = b->bar = 0;
    if (b->cut && !sated) m->counts.cut++;
}

/* Find the ticket that has accepted anyone the longest in this pool and may be met. */
static void F(anyone)(mx *m, const mx_query *q, mx_best *b) {
    uint32_t lid = m->pools[q->pool].anyone;
    if (lid == MX_NONE) return;
    mx_list *l = &m->lists[lid];
    int chunked = l->size_class >= MX_CHUNKED;
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
        if (!(t->flags & MX_STANDS) || t->level < MX_ANYONE || t->pool != q->pool || F(apart)(m, q, t, slot)) continue;
        b->slot = slot;
        b->gen = post & 15;
        b->score = 0;
        b->mask = 0;
        return;
    }
}
