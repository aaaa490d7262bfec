/* Instanced per instruction set: adds a posting to a list and removes it. */

/* The hashes of a ticket's interests. */
static inline uint32_t F(known)(const mx *m, uint32_t slot, uint32_t *hash) {
    const mx_hot *t = &m->hot[slot];
    uint32_t n = t->n, in = n < MX_INLINE ? n : MX_INLINE;
    memcpy(hash, t->ids, sizeof t->ids);
    if (MX_RARELY(n > in)) memcpy(hash + in, m->extras[m->cold[slot].extra].ids, (n - in) * 4);
    return n;
}

/* Give a popular list a signature bit of its own. While the pool is small, its tickets are signed anew in all their lists (where they must be by
 * now); a surplus bit in a signature costs a check, never a partner. */
static void F(promote)(mx *m, mx_list *l) {
    mx_pool *p = &m->pools[l->pool];
    uint32_t left = ~p->owned & ((1u << MX_OWN) - 1), bit, posts[MX_PROMOTE], hash[MX_MOST], *slots;
    if (!left || l->len != MX_PROMOTE || l->bit < MX_OWN || p->waiting > 32768 || p->logged > m->log_out || !l->indexed) return;
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
                if (o->size_class >= MX_CHUNKED && run > MX_CHUNK - (at & (MX_CHUNK - 1))) run = MX_CHUNK - (at & (MX_CHUNK - 1));
                for (uint32_t k = 0; k < run; k++)
                    if (slots[k] == posts[i] && sigs[k]) sigs[k] |= 1ull << bit;
            }
        }
    }
    p->owned |= 1u << bit;
    m->changes++;
    l->bit = (uint8_t)bit;
}

/* Add a posting. A full arena drops it: the ticket is still found by its other lists. */
static inline void F(list)(mx *m, mx_list *l, uint64_t sig, uint32_t post) {
    if (MX_RARELY(mx_filled(l))) {
        uint32_t had = l->len;
        if (l->size_class < MX_CHUNKED) F(compact)(m, l);
        if (l->len + (had >> 3) >= had && mx_grow(m, l) && mx_filled(l)) return;
    }
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, l->len, &slots);
    MX_ASSERT(!mx_dead(m, post) && !(post & MX_LONE));
    *sigs = sig;
    *slots = post;
    l->len++;
}

/* A ticket of a list died: remove its posting from a short one, count it in a body, sweep a step in a chunked one. */
static void F(unlist)(mx *m, uint32_t lid, uint32_t post) {
    mx_list *l = &m->lists[lid];
    MX_ASSERT(lid != MX_NOLIST && mx_dead(m, post));
    if (l->size_class >= MX_CHUNKED) {
        F(step)(m, l);
        m->owed = mx_rounds(m);
        return;
    }
    if (l->len <= MX_PROMOTE * 2) {
        uint32_t *slots, n = l->len, at = 0;
        uint64_t *sigs = mx_at(m, l, 0, &slots);
#if MX_ISA == 4
        if (n <= 8) { /* without a branch on its position */
            __mmask8 all = (__mmask8)((1u << n) - 1), stay;
            __m256i y = _mm256_maskz_loadu_epi32(all, slots);
            stay = _mm256_mask_cmpneq_epi32_mask(all, y, _mm256_set1_epi32((int)post));
            __m512i x = _mm512_maskz_compress_epi64(stay, _mm512_maskz_loadu_epi64(all, sigs));
            l->len = (uint32_t)__builtin_popcount(stay);
            _mm512_mask_storeu_epi64(sigs, all, x);
            _mm256_mask_storeu_epi32(slots, all, _mm256_maskz_compress_epi32(stay, y));
            if (MX_RARELY(l->size_class)) mx_shrink(m, l);
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
    if (MX_RARELY(l->size_class)) mx_shrink(m, l);
    if (!l->len) mx_close(m, lid);
}

/* Add a posting of an interest whose entry is known. Each arrival replaces another ticket sooner or later: so with `sweep` a growing list
 * searches for dead postings; a chunked one sweeps a step at intervals, a body is swept when half of it is newer than that. Returns whether so
 * many name it now that it may have a bit of its own. */
static inline uint32_t F(put)(mx *m, uint32_t hash, uint32_t entry, uint64_t sig, uint32_t post, uint32_t sweep) {
    if (!entry) {
        if (m->entries < m->most_lists) mx_insert_entry(m, hash, post | MX_LONE); /* else its other interests and the table find it */
        return 0;
    }
    if (entry & MX_LONE) { /* the second: replaces the first if that is dead, else both move to a list */
        uint32_t with = post | MX_LONE;
        mx_bucket *b = &m->buckets[mx_place(m, hash)];
        uint32_t at = mx_position(b, hash, entry), k = (uint32_t)__builtin_ctz(at);
        MX_ASSERT(at && k < b->count); /* the entry is current */
        if (!mx_dead(m, entry)) {
            uint32_t lid = mx_list_of(m, hash, entry);
            F(list)(m, &m->lists[lid], sig, post);
            with = lid << 8;
        }
        b->at[k] = with;
        return 0;
    }
    mx_list *l = &m->lists[entry >> 8];
    MX_ASSERT(l->indexed && l->hash == hash && l->pool == m->hot[post >> 8].pool);
    F(list)(m, l, sig, post);
    uint32_t popular = l->len == MX_PROMOTE;
    if (!sweep) return popular;
    if (l->size_class >= MX_CHUNKED) {
        if (l->len % sweep == 0) F(step)(m, l);
    } else if (++l->dead * 2u > l->len) {
        F(compact)(m, l);
    }
    return popular;
}

/* Give popular lists a bit of their own; the ticket that made them so is in all its lists by now. */
static void F(promote_all)(mx *m, uint32_t pool, const uint32_t *hash, uint32_t popular) {
    for (; popular; popular &= popular - 1) {
        uint32_t entry = mx_find(m, pool, hash[__builtin_ctz(popular)]);
        if (!(entry & MX_LONE)) F(promote)(m, &m->lists[entry >> 8]);
    }
}
