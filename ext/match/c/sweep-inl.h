/* Instanced per instruction set: which postings live, and the sweeping that keeps lists short.
 *
 * Order (the longest waiting first) is kept everywhere. A body is swept as a whole when it is full or a quarter of it are
 * tombstones; in a chunked list a step looks at the eight postings at `rd` and moves the living down to `wr`, and what lies
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

/* Move the live postings of a list in one piece together. */
static void F(compact)(mx *m, mx_list *l) {
    uint32_t *slots, w = 0, n = l->len;
    uint64_t *sigs = mx_at(m, l, 0, &slots);
    MX_ASSERT(l->size_class < MX_CHUNKED && n <= mx_caps[l->size_class]);
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
    MX_ASSERT(w <= n);
    l->len = w;
    l->dead = 0;
}

/* Sweep one step of a chunked list. */
static void F(step)(mx *m, mx_list *l) {
    uint32_t rd = l->rd, n = l->len - rd;
    if (n > 8) n = 8;
    uint32_t *slots;
    uint64_t *sigs = mx_at(m, l, rd, &slots);
    uint32_t alive = F(alive)(m, slots, n);
    MX_ASSERT(l->size_class >= MX_CHUNKED && l->wr <= rd && rd < l->len);
    MX_ASSERT(!(rd & 7)); /* eight are never split over two chunks */
    m->counts.swept += n;
    if (l->wr == rd && alive == (1u << n) - 1) {
        l->wr = l->rd = rd + n;
#if MX_ISA == 4
    } else if ((l->wr & (MX_CHUNK - 1)) <= MX_CHUNK - 8) { /* the target is in one piece */
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
        uint64_t saved[8];
        memcpy(posts, slots, n * 4);
        memcpy(saved, sigs, n * 8);
        memset(sigs, 0, n * 8);
        for (uint32_t i = 0, w = l->wr; i < n; i++) {
            if (alive >> i & 1) {
                uint32_t *to;
                uint64_t *at = mx_at(m, l, w++, &to);
                *at = saved[i];
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
