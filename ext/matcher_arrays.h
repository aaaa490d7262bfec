/* Instanced per instruction set: arrays of arrivals in a pipeline. */

static inline uint64_t F(ticks)(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

/* Whether arrays are as they must be: known pools, levels, rising offsets, at most 32 interests, none twice. */
static int F(sound)(const mx_arrivals *a, uint32_t count, uint32_t most, uint32_t pools) {
    uint32_t bad = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = a->offsets[i], n = a->offsets[i + 1] - from;
        if (MX_RARELY(a->offsets[i + 1] < from || n > MX_MOST || a->offsets[i + 1] > most)) return 0;
        bad |= a->pools[i] >= pools;
        if (a->levels) bad |= a->levels[i] > MX_LIFTED;
        const uint32_t *ids = a->interests + from;
#if MX_ISA == 4
        if (n <= 16) {
            __mmask16 there = (__mmask16)((1u << n) - 1);
            __m512i x = _mm512_maskz_loadu_epi32(there, ids), twice = _mm512_conflict_epi32(x);
            bad |= _mm512_mask_test_epi32_mask(there, twice, twice) | _mm512_mask_cmpge_epu32_mask(there, x, _mm512_set1_epi32((int)MX_NOBODYS));
            continue;
        }
#endif
        for (uint32_t j = 0; j < n; j++) {
            bad |= ids[j] >= MX_NOBODYS;
            for (uint32_t k = 0; k < j; k++) bad |= ids[k] == ids[j];
        }
    }
    return !bad;
}

#define AHEAD_BUCKET 15
#define AHEAD_HEAD 11
#define AHEAD_LISTS 7
#define AHEAD_PROBE 4
#define AHEAD_CHOOSE 2

#define GRAVES 4

/* Bury what waits to be buried under interests that the query is about to read: it must find there what single calls find. */
static inline void F(hasten)(mx *m, mx_query *q, mx_grave *g) {
    if (!g->n || g->pool != q->pool) return;
    uint64_t near = 0;
    uint32_t hit = 0;
    MX_LANES(q->n, j, near |= (uint64_t)(j < q->n) << (q->hash[j] & 63););
    for (uint32_t j = 0; j < g->n; j++) hit |= (uint32_t)(near >> (g->hash[j] & 63) & 1) << j;
    while (hit) { /* from the last on, so that what moves into a hole is none of them */
        uint32_t j = 31u - (uint32_t)__builtin_clz(hit);
        hit ^= 1u << j;
        F(bury)(m, g->pool, g->hash[j], g->post);
        g->n--;
        g->hash[j] = g->hash[g->n];
        g->at[j] = g->at[g->n];
    }
}

/* Take the partner out, put the arrival in. Where all is near the partner is buried at once, and what that needs comes while the
 * arrival goes in. */
static void F(commit)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q, const mx_best *b, mx_grave *g) {
    int near = 0;
    a->partner[i] = a->handle[i] = -1;
    a->score[i] = 0;
    g->n = 0;
    if (b->slot != MX_NONE) {
        a->partner[i] = (int64_t)((uint64_t)m->serials[b->slot] << 32 | b->slot);
        a->score[i] = b->score;
        F(end)(m, b->slot, !a->hold || !q->ready, g);
        near = m->pools[q->pool].waiting < MX_THIN;
        if (near) F(dig)(m, g);
        if (near && a->hold) F(fetch_found)(m, g);
        if (!near) for (uint32_t j = 0; j < g->n; j++) __builtin_prefetch(&m->buckets[mx_place(m, g->hash[j])]);
    }
    if (b->slot == MX_NONE || a->hold) {
        if (!q->ready) F(sign)(m, q);
        uint32_t slot = MX_NONE;
        int full = m->most_lists - m->entries < q->n;
        if (!full) slot = F(insert)(m, q);
        a->handle[i] = slot != MX_NONE ? (int64_t)((uint64_t)m->serial << 32 | slot) : full ? MX_LISTS_FULL : MX_FULL;
    }
    if (near) F(bury_all)(m, g);
}

/* Who comes, beside the interests. */
static inline void F(arrival)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q) {
    uint32_t n = q->n;
    q->self = MX_NONE;
    q->person = a->persons ? a->persons[i] : 0;
    q->level = a->levels ? a->levels[i] : MX_ANY;
    q->quiet = (uint8_t)a->quiet;
    q->nblk = 0;
    q->nrec = 0;
    q->floor = 0;
    if (a->recents) {
        memcpy(q->rec, a->recents + (size_t)i * 4, 16);
        q->nrec = 4;
    }
    q->client = a->clients ? a->clients[i] : i;
    q->since = a->now;
    q->weighted = m->weights != NULL;
    q->total = n;
    if (m->weights) {
        q->total = 0;
        for (uint32_t j = 0; j < n; j++) q->total += q->w[j] = m->weights[q->interest[j]];
    }
}

/* What the exact search reads first of lists that lie elsewhere. */
static inline void F(fetch_bodies)(const mx *m, const mx_query *q) {
    for (uint32_t left = q->lists; left; left &= left - 1) {
        mx_list *l = &m->lists[q->at[__builtin_ctz(left)] >> 8];
        uint32_t *slots;
        if (!l->class) continue;
        uint64_t *sigs = mx_at(m, l, 0, &slots);
        __builtin_prefetch(sigs + 8);
        __builtin_prefetch(sigs + 16);
        __builtin_prefetch(slots);
    }
}

/* The entries and what hangs from them were looked for before others came and went: here they are made those of now. */
static inline void F(renew)(mx *m, mx_query *q) {
    if (q->ready && __builtin_expect(q->changes == m->changes, 1)) return;
    F(look)(m, q);
    if (!q->ready) return;
    F(sign)(m, q);
    q->folded = F(fold)(m, q->sig);
}

/* The dead of the last arrivals are buried in three steps: their buckets, lists and postings are fetched in turn. */
static inline void F(graves)(mx *m, mx_grave *graves, uint32_t i) {
    mx_grave *g = &graves[(i - 1) % GRAVES];
    if (g->n) {
        F(dig)(m, g);
        F(fetch_found)(m, g);
    }
    g = &graves[(i - 2) % GRAVES];
    for (uint32_t j = 0; j < g->n; j++)
        if (!(g->at[j] & MX_LONE)) mx_fetch_head(m, &m->lists[g->at[j] >> 8]);
    g = &graves[(i - 3) % GRAVES];
    if (g->n) F(bury_all)(m, g);
}

/* The arrays themselves: each is read a few bytes at a time, too seldom for the machine to see that it goes on. */
static inline void F(read_ahead)(const mx_arrivals *a, uint32_t step, uint32_t count) {
    uint32_t near = step + 8, far = step + 32;
    if (near < count) {
        __builtin_prefetch(a->interests + a->offsets[near]);
        if (a->recents) __builtin_prefetch(a->recents + (size_t)near * 4);
        if (a->clients) __builtin_prefetch(a->clients + near);
    }
    if (step % 16 || far >= count) return;
    __builtin_prefetch(a->offsets + far);
    __builtin_prefetch(a->pools + far);
    if (a->persons) __builtin_prefetch(a->persons + far);
}

/* Arrivals in a pipeline: arrival i + 15 fetches buckets, i + 11 what they lead to, i + 7 table lines or postings, i + 4
 * candidates; i + 2 chooses, or fetches windows of its lists; i is settled. */
static int F(batch)(mx *m, const mx_arrivals *a, uint32_t count) {
    mx_query *ring = m->ring;
    mx_best *bests = m->bests;
    mx_grave graves[GRAVES];
    for (int k = 0; k < GRAVES; k++) graves[k].n = 0;
    uint64_t before = a->cycles ? F(ticks)() : 0;
    for (uint32_t step = 0; step < count + AHEAD_BUCKET; step++) {
        if (step < count) {
            mx_query *q = &ring[step % MX_RING];
            q->n = a->offsets[step + 1] - a->offsets[step];
            F(read_ahead)(a, step, count);
            q->pool = a->pools[step];
            F(buckets)(m, q, a->interests + a->offsets[step]);
        }
        uint32_t i = step - (AHEAD_BUCKET - AHEAD_HEAD);
        if (i < count) F(heads)(m, &ring[i % MX_RING]);
        i = step - (AHEAD_BUCKET - AHEAD_LISTS);
        if (i < count) {
            mx_query *q = &ring[i % MX_RING];
            q->ready = (uint8_t)(!a->exact && q->n && F(tabled)(m, q->pool));
            F(arrival)(m, a, i, q);
            if (F(counted)(m)) {
                F(check)(m, q);
                F(name)(m, q);
            } else {
                F(kinds)(q);
            }
            if (q->ready) {
                F(sign)(m, q);
                F(keys)(m, q);
                F(fetch_lines)(m, q);
            } else {
                F(bodies)(m, q);
            }
        }
        i = step - (AHEAD_BUCKET - AHEAD_PROBE);
        if (i < count) {
            if (ring[i % MX_RING].ready) F(probe)(m, &ring[i % MX_RING]);
            else if (m->pools[ring[i % MX_RING].pool].waiting >= MX_THIN / 4) F(fetch_bodies)(m, &ring[i % MX_RING]);
        }
        i = step - (AHEAD_BUCKET - AHEAD_CHOOSE);
        if (i < count) {
            mx_query *q = &ring[i % MX_RING];
            mx_best *b = &bests[i % MX_RING];
            *b = (mx_best){.slot = MX_NONE, .most_postings = a->most_postings, .most_tickets = a->most_tickets};
            if (q->ready && !a->only_insert) {
                F(choose)(m, q, b);
                if (b->slot == MX_NONE) F(fetch_windows)(m, q);
                else __builtin_prefetch(&m->serials[b->slot]);
            }
        }
        if (step < AHEAD_BUCKET) continue;
        i = step - AHEAD_BUCKET;
        mx_query *q = &ring[i % MX_RING];
        mx_best *b = &bests[i % MX_RING];
        if (!q->ready)
            for (uint32_t k = 1; k < GRAVES; k++) F(hasten)(m, q, &graves[(i - k) % GRAVES]);
        F(renew)(m, q);
        if (a->only_insert) {
        } else if (q->ready) {
            if (b->slot != MX_NONE && (mx_gen(m, b->slot) != b->gen || !(m->hot[b->slot].flags & MX_LIVE))) { /* taken meanwhile */
                b->slot = MX_NONE;
                b->score = 0;
                F(choose)(m, q, b);
            }
            if (b->slot == MX_NONE) {
                F(look)(m, q);
                F(windows)(m, q, b);
            }
            if (b->slot == MX_NONE && q->level >= MX_ANYBODY) F(anyone)(m, q, b);
        } else {
            F(search)(m, q, b, 1);
        }
        m->counts.postings += b->postings;
        m->counts.tickets += b->tickets;
        F(commit)(m, a, i, q, b, &graves[i % GRAVES]);
        F(graves)(m, graves, i);
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[i] = (uint32_t)(after - before);
            before = after;
        }
    }
    for (uint32_t k = GRAVES - 1; k && count; k--) {
        mx_grave *g = &graves[(count - k) % GRAVES];
        F(dig)(m, g);
        F(bury_all)(m, g);
    }
    return MX_OK;
}
