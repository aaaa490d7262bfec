/* Instanced per instruction set: liveness of postings, and the sweeping that keeps lists short.
 *
 * A step looks at the eight postings at `rd` and moves the living down to `wr`, so order (the longest waiting first)
 * is kept; what lies between holds signature 0 and is never hit. */

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

static void F(step)(mx *m, mx_list *l) {
    uint32_t rd = l->rd, n = l->len - rd;
    if (n > 8) n = 8;
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, rd, &slots);
    uint32_t posts[8], alive;
    uint64_t held[8];
    memcpy(posts, slots, n * 4);
    memset(posts + n, 0, (8 - n) * 4);
    alive = F(alive8)(m, posts) & ((1u << n) - 1);
    m->counts.swept += n;
    if (l->wr == rd && alive == (1u << n) - 1) {
        l->wr = l->rd = rd + n;
#if MX_ISA == 4
    } else if ((l->logcap <= MX_LOGCHUNK || (l->wr & (MX_CHUNK - 1)) <= MX_CHUNK - 8) && l->wr + 8 <= l->len) { /* the target lies in one piece */
        uint32_t *to;
        uint64_t *at = mx_at(m, l, l->wr, &to);
        uint32_t k = (uint32_t)__builtin_popcount(alive);
        __mmask8 first = (__mmask8)((1u << k) - 1), valid = (__mmask8)((1u << n) - 1);
        __m512i x = _mm512_maskz_compress_epi64((__mmask8)alive, _mm512_maskz_loadu_epi64(valid, sigs));
        __m256i y = _mm256_maskz_compress_epi32((__mmask8)alive, _mm256_maskz_loadu_epi32(valid, posts));
        _mm512_mask_storeu_epi64(sigs, valid, _mm512_setzero_si512());
        _mm512_mask_storeu_epi64(at, first, x);
        _mm256_mask_storeu_epi32(to, first, y);
        l->wr += k;
        l->rd = rd + n;
#endif
    } else {
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

/* After a ticket's death: clean a short list at once, a long one by a step. */
static void F(bury)(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    if (l->len <= 64) {
        if (l->rd) do F(step)(m, l); while (l->rd);
        if (l->len) do F(step)(m, l); while (l->rd);
        if (!l->len && m->log_size == 0 && m->serial - l->touched > 64 && l->interest < MX_NONE - 1) mx_close(m, lid);
    } else {
        F(step)(m, l);
    }
}

/* The hand goes round all lists, so that nothing that died stays for more than one round. */
static void F(hand)(mx *m, uint32_t steps) {
    uint32_t age = m->log_size ? m->log_limit + 8192 : 64; /* lists of tickets in the log are empty and needed */
    while (steps--) {
        if (m->hand >= m->lists_used) {
            m->hand = 0;
            if (!m->lists_used) return;
        }
        mx_list *l = &m->lists[m->hand];
        __builtin_prefetch(l + 6);
        if (l[4].len && m->hand + 4 < m->lists_used) {
            uint32_t *s;
            __builtin_prefetch(mx_at(m, l + 4, l[4].rd, &s));
        }
        if (l->len > 64) {
            F(step)(m, l);
            F(step)(m, l);
        } else if (l->len) {
            do F(step)(m, l); while (l->rd);
        } else if (l->interest < MX_NONE - 1 && m->serial - l->touched > age) {
            mx_close(m, m->hand);
        }
        m->hand++;
    }
}
