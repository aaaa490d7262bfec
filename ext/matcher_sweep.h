/* Instanced per instruction set: liveness of postings, putting them into lists, and the sweeping that keeps lists short.
 *
 * Order (the longest waiting first) is kept everywhere. A body is swept as a whole when it is full or a quarter of it was
 * buried; in a chunked list a step looks at the eight postings at `rd` and moves the living down to `wr`, and what lies
 * between holds signature 0 and is never hit. */

/* Which of eight (slot << 8 | generation) words live. */
static inline uint32_t F(alive8)(const mx *m, const uint32_t *post) {
#if MX_ISA == 4
    __m256i v = _mm256_loadu_si256((const __m256i *)post), slot = _mm256_srli_epi32(v, 8);
    __m256i g = _mm256_i32gather_epi32((const int *)m->gens, _mm256_srli_epi32(slot, 3), 4);
    g = _mm256_srlv_epi32(g, _mm256_slli_epi32(_mm256_and_si256(slot, _mm256_set1_epi32(7)), 2));
    return _mm256_testn_epi32_mask(_mm256_xor_si256(g, v), _mm256_set1_epi32(15));
#else
    uint32_t mask = 0;
    for (int i = 0; i < 8; i++) mask |= (uint32_t)((((mx_gen(m, post[i] >> 8) ^ post[i]) & 15) == 0) << i);
    return mask;
#endif
}

/* Up to eight postings: which live. */
static inline uint32_t F(alive)(const mx *m, const uint32_t *slots, uint32_t n) {
#if MX_ISA == 4
    __mmask8 valid = (__mmask8)((1u << n) - 1);
    __m256i v = _mm256_maskz_loadu_epi32(valid, slots), slot = _mm256_srli_epi32(v, 8);
    __m256i g = _mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), valid, _mm256_srli_epi32(slot, 3), (const int *)m->gens, 4);
    g = _mm256_srlv_epi32(g, _mm256_slli_epi32(_mm256_and_si256(slot, _mm256_set1_epi32(7)), 2));
    return _mm256_mask_testn_epi32_mask(valid, _mm256_xor_si256(g, v), _mm256_set1_epi32(15));
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < n; i++) mask |= (uint32_t)(((mx_gen(m, slots[i] >> 8) ^ slots[i]) & 15) == 0) << i;
    return mask;
#endif
}

/* The living of a list that lies in one piece, moved together. */
static void F(compact)(mx *m, mx_list *l) {
    uint32_t *slots, w = 0, n = l->len;
    uint64_t *sigs = mx_at(m, l, 0, &slots);
    m->counts.swept += n;
    for (uint32_t k = 0; k < n; k += 8) {
        uint32_t rest = n - k < 8 ? n - k : 8, alive = F(alive)(m, slots + k, rest);
#if MX_ISA == 4
        __m512i x = _mm512_maskz_compress_epi64((__mmask8)alive, _mm512_maskz_loadu_epi64((__mmask8)((1u << rest) - 1), sigs + k));
        __m256i y = _mm256_maskz_compress_epi32((__mmask8)alive, _mm256_maskz_loadu_epi32((__mmask8)((1u << rest) - 1), slots + k));
        uint32_t left = (uint32_t)__builtin_popcount(alive);
        __mmask8 first = (__mmask8)((1u << left) - 1);
        _mm512_mask_storeu_epi64(sigs + w, first, x);
        _mm256_mask_storeu_epi32(slots + w, first, y);
        w += left;
#else
        for (uint32_t i = 0; i < rest; i++)
            if (alive >> i & 1) {
                sigs[w] = sigs[k + i];
                slots[w++] = slots[k + i];
            }
#endif
    }
    l->len = w;
    l->dead = 0;
}

/* One step in a chunked list. */
static void F(step)(mx *m, mx_list *l) {
    uint32_t rd = l->rd, n = l->len - rd;
    if (n > 8) n = 8;
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, rd, &slots);
    uint32_t alive = F(alive)(m, slots, n);
    m->counts.swept += n;
    if (l->wr == rd && alive == (1u << n) - 1) {
        l->wr = l->rd = rd + n;
#if MX_ISA == 4
    } else if ((l->wr & (MX_CHUNK - 1)) <= MX_CHUNK - 8) { /* the target lies in one piece */
        uint32_t *to;
        uint64_t *at = mx_at(m, l, l->wr, &to);
        uint32_t k = (uint32_t)__builtin_popcount(alive);
        __mmask8 first = (__mmask8)((1u << k) - 1), valid = (__mmask8)((1u << n) - 1);
        __m512i x = _mm512_maskz_compress_epi64((__mmask8)alive, _mm512_maskz_loadu_epi64(valid, sigs));
        __m256i y = _mm256_maskz_compress_epi32((__mmask8)alive, _mm256_maskz_loadu_epi32(valid, slots));
        _mm512_mask_storeu_epi64(sigs, valid, _mm512_setzero_si512());
        _mm512_mask_storeu_epi64(at, first, x);
        _mm256_mask_storeu_epi32(to, first, y);
        l->wr += k;
        l->rd = rd + n;
#endif
    } else {
        uint32_t posts[8];
        uint64_t held[8];
        memcpy(posts, slots, n * 4);
        memcpy(held, sigs, n * 8);
        memset(sigs, 0, n * 8);
        for (uint32_t i = 0, w = l->wr; i < n; i++) {
            if (alive >> i & 1) {
                uint32_t *to;
                uint64_t *at = mx_at(m, l, w++, &to);
                *at = held[i];
                *to = posts[i];
                l->wr = w;
            }
        }
        l->rd = rd + n;
    }
    if (l->rd == l->len) {
        uint32_t len = l->wr;
        l->rd = l->wr = 0;
        if (len < l->len) mx_cut(m, l, len);
    }
}

/* By which interests a ticket is known. */
static inline uint32_t F(known)(const mx *m, uint32_t slot, uint32_t *hash) {
    const mx_hot *t = &m->hot[slot];
    uint32_t n = t->n, in = n < MX_INLINE ? n : MX_INLINE;
    memcpy(hash, t->ids, sizeof t->ids);
    if (MX_RARELY(n > in)) memcpy(hash + in, m->extras[m->cold[slot].extra].ids, (n - in) * 4);
    return n;
}

/* A list that many name gets a bit of the signature for itself. Tickets in it are signed anew in all their lists (where
 * they must stand by now), while the pool is small; a bit too much in a signature costs a look, never a partner. */
static void F(promote)(mx *m, mx_list *l) {
    mx_pool *p = &m->pools[l->pool];
    uint32_t left = ~p->owned & ((1u << MX_OWN) - 1), bit, posts[MX_PROMOTE], hash[MX_MOST], *slots;
    if (!left || l->len != MX_PROMOTE || l->bit < MX_OWN || p->waiting > 32768 || p->logged > m->log_out || !l->hung) return;
    bit = (uint32_t)__builtin_ctz(left);
    mx_at(m, l, 0, &slots);
    memcpy(posts, slots, sizeof posts);
    for (uint32_t i = 0; i < MX_PROMOTE; i++) {
        if (mx_dead(m, posts[i])) continue;
        uint32_t n = F(known)(m, posts[i] >> 8, hash);
        m->cold[posts[i] >> 8].sig |= 1ull << bit;
        for (uint32_t j = 0; j < n; j++) {
            uint32_t entry = mx_find(m, l->pool, hash[j]);
            mx_list *o = &m->lists[entry & MX_LONE ? MX_NOLIST : entry >> 8];
            for (uint32_t at = 0, run; at < o->len; at += run) {
                uint64_t *sigs = mx_at(m, o, at, &slots);
                run = o->len - at;
                if (o->class >= MX_CHUNKED && run > MX_CHUNK - (at & (MX_CHUNK - 1))) run = MX_CHUNK - (at & (MX_CHUNK - 1));
                for (uint32_t k = 0; k < run; k++)
                    if (slots[k] == posts[i] && sigs[k]) sigs[k] |= 1ull << bit;
            }
        }
    }
    p->owned |= 1u << bit;
    m->changes++;
    l->bit = (uint8_t)bit;
}

/* One more posting. A full arena leaves it out: the ticket is still found by its other lists. */
static inline void F(list)(mx *m, mx_list *l, uint64_t sig, uint32_t post) {
    if (MX_RARELY(mx_filled(l))) {
        uint32_t had = l->len;
        if (l->class < MX_CHUNKED) F(compact)(m, l);
        if (l->len + (had >> 3) >= had && mx_grow(m, l) && mx_filled(l)) return;
    }
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, l->len, &slots);
    *sigs = sig;
    *slots = post;
    l->len++;
}

/* A ticket of a list died: take its posting out of a short one, count it in a body, sweep a step in a chunked one. */
static void F(unlist)(mx *m, uint32_t lid, uint32_t post) {
    mx_list *l = &m->lists[lid];
    if (l->class >= MX_CHUNKED) {
        F(step)(m, l);
        m->owed = mx_rounds(m);
        return;
    }
    if (l->len <= MX_PROMOTE * 2) {
        uint32_t *slots, n = l->len, at = 0;
        uint64_t *sigs = mx_at(m, l, 0, &slots);
#if MX_ISA == 4
        if (n <= 8) { /* without a branch that depends on where it stands */
            __mmask8 all = (__mmask8)((1u << n) - 1), stay;
            __m256i y = _mm256_maskz_loadu_epi32(all, slots);
            stay = _mm256_mask_cmpneq_epi32_mask(all, y, _mm256_set1_epi32((int)post));
            __m512i x = _mm512_maskz_compress_epi64(stay, _mm512_maskz_loadu_epi64(all, sigs));
            l->len = (uint32_t)__builtin_popcount(stay);
            _mm512_mask_storeu_epi64(sigs, all, x);
            _mm256_mask_storeu_epi32(slots, all, _mm256_maskz_compress_epi32(stay, y));
            if (MX_RARELY(l->class)) mx_shrink(m, l);
            if (!l->len) mx_close(m, lid);
            return;
        }
#endif
#if MX_ISA == 4
        for (__m512i dead = _mm512_set1_epi32((int)post); at < n; at += 16) {
            __mmask16 there = (__mmask16)(n - at < 16 ? (1u << (n - at)) - 1 : 0xFFFF);
            uint32_t hit = _mm512_mask_cmpeq_epi32_mask(there, _mm512_maskz_loadu_epi32(there, slots + at), dead);
            if (hit) {
                at += (uint32_t)__builtin_ctz(hit);
                break;
            }
        }
#else
        while (at < n && slots[at] != post) at++;
#endif
        if (at >= n) return;
        for (l->len = --n; at < n; at++) {
            slots[at] = slots[at + 1];
            sigs[at] = sigs[at + 1];
        }
    } else if (++l->dead * 4u > l->len) {
        F(compact)(m, l);
    } else {
        return;
    }
    if (MX_RARELY(l->class)) mx_shrink(m, l);
    if (!l->len) mx_close(m, lid);
}

/* A ticket died: take out what it has under one of its interests. */
static void F(bury)(mx *m, uint32_t pool, uint32_t hash, uint32_t post) {
    uint32_t entry = F(likely)(&m->buckets[mx_place(m, hash)], hash);
    if (MX_RARELY(entry != (post | MX_LONE) && !mx_of(m, entry, pool, hash))) entry = mx_find(m, pool, hash);
    if (entry == (post | MX_LONE)) mx_leave(m, hash, entry);
    else if (entry && !(entry & MX_LONE)) F(unlist)(m, entry >> 8, post);
    else m->owed = mx_rounds(m); /* it stands behind a dead one, or is gone */
}

/* Find what a dead ticket has. */
static inline void F(dig)(mx *m, mx_grave *g) {
    MX_LANES(g->n, j, g->at[j] = F(likely)(&m->buckets[j < g->n ? mx_place(m, g->hash[j]) : 0], g->hash[j]););
}

/* What was found, fetched. */
static inline void F(fetch_found)(mx *m, const mx_grave *g) {
    MX_LANES(g->n, j, __builtin_prefetch(F(leads)(m, g->at[j]), 1););
}

/* Take out all that a dead ticket has: first where it stands alone, as these come without a branch for each. */
static inline void F(bury_all)(mx *m, mx_grave *g) {
    uint32_t lone = 0, with = g->post | MX_LONE;
    MX_LANES(g->n, j, lone |= (uint32_t)(g->at[j] == with) << j;);
    for (uint32_t left = lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left);
        if (MX_RARELY(!mx_leave(m, g->hash[j], with))) F(bury)(m, g->pool, g->hash[j], g->post); /* two buckets were joined: it may be in a list now */
    }
    for (uint32_t left = (uint32_t)((1ull << g->n) - 1) & ~lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left), entry = g->at[j];
        if (__builtin_expect(entry && !(entry & MX_LONE) && mx_is(m, entry >> 8, g->pool, g->hash[j]), 1)) F(unlist)(m, entry >> 8, g->post);
        else F(bury)(m, g->pool, g->hash[j], g->post);
    }
    g->n = 0;
}

/* One more posting of an interest, whose entry is known. Who comes in takes somebody's place sooner or later: so with `sweep`
 * a list that grows looks for its dead; a chunked one takes a step every so often, a body is swept when half of it is
 * newer than that. Returns whether so many name it now that it may have a bit of its own. */
static inline uint32_t F(put)(mx *m, uint32_t hash, uint32_t entry, uint64_t sig, uint32_t post, uint32_t sweep) {
    if (!entry) {
        if (m->entries < m->most_lists) mx_enter(m, hash, post | MX_LONE); /* else it is found by its other interests, and in the table */
        return 0;
    }
    if (entry & MX_LONE) { /* the second: over the first if that is dead, else both in a list */
        uint32_t with = post | MX_LONE;
        mx_bucket *b = &m->buckets[mx_place(m, hash)];
        uint32_t k = (uint32_t)__builtin_ctz(mx_stands(b, hash, entry));
        if (!mx_dead(m, entry)) {
            uint32_t lid = mx_list_of(m, hash, entry);
            F(list)(m, &m->lists[lid], sig, post);
            with = lid << 8;
        }
        b->at[k] = with;
        return 0;
    }
    mx_list *l = &m->lists[entry >> 8];
    F(list)(m, l, sig, post);
    uint32_t popular = l->len == MX_PROMOTE;
    if (!sweep) return popular;
    if (l->class >= MX_CHUNKED) {
        if (l->len % sweep == 0) F(step)(m, l);
    } else if (++l->dead * 2u > l->len) {
        F(compact)(m, l);
    }
    return popular;
}

/* Give a bit of their own to lists that became popular; the ticket that made them so stands in all its lists by now. */
static void F(promote_all)(mx *m, uint32_t pool, const uint32_t *hash, uint32_t popular) {
    for (; popular; popular &= popular - 1) {
        uint32_t entry = mx_find(m, pool, hash[__builtin_ctz(popular)]);
        if (!(entry & MX_LONE)) F(promote)(m, &m->lists[entry >> 8]);
    }
}

static inline void F(look_at)(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    __builtin_prefetch(l + 8);
    if (l[4].class) {
        uint32_t *s;
        mx_at(m, l + 4, l[4].class >= MX_CHUNKED ? l[4].rd : 0, &s);
        __builtin_prefetch(s);
    }
    if (l->class >= MX_CHUNKED) {
        F(step)(m, l);
        if (l->class >= MX_CHUNKED) F(step)(m, l);
        return;
    }
    if (l->len && m->owed) F(compact)(m, l);
    mx_shrink(m, l);
    if (!l->len) mx_close(m, lid);
}

/* The hand goes round all lists and buckets, so that nothing that died stays for more than one round. */
static void F(hand)(mx *m, uint32_t steps) {
    while (steps--) {
        uint32_t at = m->hand++;
        if (at < m->lists_used) {
            F(look_at)(m, at);
        } else if (at - m->lists_used < mx_buckets(m)) {
            mx_bucket *b = &m->buckets[at - m->lists_used + 1];
            __builtin_prefetch(b + 8);
            for (uint32_t k = b->held; k--;)
                if (b->at[k] & MX_LONE && mx_dead(m, b->at[k])) {
                    mx_leave(m, b->tag[k], b->at[k]);
                    if (k > b->held) k = b->held; /* it was split or joined meanwhile */
                }
        } else {
            m->hand = 1;
        }
        m->owed -= m->owed != 0;
    }
}

/* The same, where there is anything to do. */
static inline void F(clean)(mx *m, uint32_t steps) {
    if (steps && m->owed) F(hand)(m, steps);
}
