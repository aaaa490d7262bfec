/* Instanced per instruction set: submits an arrival from arrays; one after the other if all data is in the cache. */

static inline uint64_t F(ticks)(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

/* Whether arrays are valid: known pools, levels, ascending offsets, at most 32 interests, none twice. */
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

/* Read the interests of an arrival and find their buckets. */
static inline void F(comes)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q) {
    q->n = a->offsets[i + 1] - a->offsets[i];
    q->pool = a->pools[i];
    F(buckets)(m, q, a->interests + a->offsets[i]);
}

/* Read the fields of an arrival beside its interests. */
static inline void F(arrival)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q) {
    uint32_t n = q->n;
    q->self = MX_NONE;
    q->person = a->persons ? a->persons[i] : 0;
    q->level = a->levels ? a->levels[i] : MX_ANY;
    q->quiet = (uint8_t)a->quiet;
    q->nblk = 0;
    q->place = 0;
    q->home = 0;
    q->lift = MX_PLAIN;
    q->nrec = 0;
    q->floor = 0;
    if (a->recents) {
        memcpy(q->rec, a->recents + (size_t)i * 4, 16);
        q->nrec = 4;
    }
    q->client = a->clients ? a->clients[i] : a->first + i;
    q->since = a->now;
    q->weighted = m->weights != NULL;
    q->total = n;
    if (m->weights) {
        q->total = 0;
        for (uint32_t j = 0; j < n; j++) q->total += q->w[j] = m->weights[q->interest[j]];
    }
}

/* Remove the partner, insert the arrival. If all is `near` the partner's postings are deleted at once, and what that needs is fetched while the
 * arrival is inserted; else the caller deletes them. */
static void F(commit)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q, const mx_best *b, mx_deletion *d, int near) {
    a->partner[i] = -1;
    a->handle[i] = MX_MET;
    a->score[i] = 0;
    d->n = 0;
    if (b->slot != MX_NONE) {
        a->partner[i] = (int64_t)((uint64_t)m->serials[b->slot] << 32 | b->slot);
        a->score[i] = b->score;
        F(end)(m, b->slot, !a->hold || !q->ready, d);
        if (near) F(locate)(m, d);
        if (near && a->hold) F(fetch_located)(m, d);
        if (!near)
            for (uint32_t j = 0; j < d->n; j++) __builtin_prefetch(&m->buckets[mx_place(m, d->hash[j])]);
    }
    if (b->slot == MX_NONE || a->hold) {
        if (!q->ready) F(sign)(m, q);
        uint32_t slot = MX_NONE;
        int full = m->most_lists - m->entries < q->n;
        if (!full) slot = F(insert)(m, q);
        a->handle[i] = slot != MX_NONE ? (int64_t)((uint64_t)m->serial << 32 | slot) : full ? MX_LISTS_FULL : MX_FULL;
    }
    if (near) F(delete_all)(m, d);
}

/* Whether so many wait in a pool that its data is outside the cache, or that it may need the table. */
static inline int F(wide)(const mx *m, uint32_t pool) {
    uint32_t waiting = m->pools[pool].waiting;
    return waiting >= MX_WIDE || (m->table && waiting >= m->table_from / MX_TABLED / 2);
}

/* Whether the data that arrivals in a pool need is in the cache, or they are so few that it does not matter. */
static inline int F(near)(const mx *m, uint32_t pool) { return (m->live < MX_NEAR && !F(counted)(m)) || !F(wide)(m, pool); }

#define STRAIGHT 4 /* arrivals in progress: their buckets are prefetched, the rest is in the cache */

/* Submit arrivals one after the other as long as their data is in the cache: prefetching would cost more than it saves. Returns how many were
 * settled. */
static uint32_t F(straight)(mx *m, const mx_arrivals *a, uint32_t count) {
    mx_deletion d = {.n = 0};
    uint64_t before = a->cycles ? F(ticks)() : 0;
    uint32_t i = 0, come = 0;
    for (; i < count && F(near)(m, a->pools[i]); i++) {
        mx_query *q = &m->ring[i % STRAIGHT];
        mx_best b = {.slot = MX_NONE, .most_postings = a->most_postings, .most_tickets = a->most_tickets};
        for (; come < count && come < i + STRAIGHT; come++) F(comes)(m, a, come, &m->ring[come % STRAIGHT]);
        q->ready = 0;
        F(arrival)(m, a, i, q);
        F(look)(m, q);
        if (!a->only_insert) F(search)(m, q, &b, 1);
        m->counts.postings += b.postings;
        m->counts.tickets += b.tickets;
        F(commit)(m, a, i, q, &b, &d, 1);
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[i] = (uint32_t)(after - before);
            before = after;
        }
    }
    return i;
}
