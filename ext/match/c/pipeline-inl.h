/* Instanced per instruction set: submits arrivals of arrays in a pipeline that prefetches what each will need. */

#define AHEAD_BUCKET 15
#define AHEAD_HEAD 11
#define AHEAD_LISTS 7
#define AHEAD_PROBE 4
#define AHEAD_CHOOSE 2

#define DELETIONS 4

/* Delete pending postings under interests that the query is about to read: it must find there what single calls find. */
static inline void F(delete_early)(mx *m, mx_query *q, mx_deletion *d) {
    if (!d->n || d->pool != q->pool) return;
    uint64_t near = 0;
    uint32_t hit = 0;
    MX_LANES(q->n, j, near |= (uint64_t)(j < q->n) << (q->hash[j] & 63););
    for (uint32_t j = 0; j < d->n; j++) hit |= (uint32_t)(near >> (d->hash[j] & 63) & 1) << j;
    while (hit) { /* from the last on, so that none of them moves into a gap */
        uint32_t j = 31u - (uint32_t)__builtin_clz(hit);
        hit ^= 1u << j;
        F(delete_one)(m, d->pool, d->hash[j], d->post);
        d->n--;
        d->hash[j] = d->hash[d->n];
        d->at[j] = d->at[d->n];
    }
}

/* The entries and lists were found before other tickets came and went: update them. The log accepts stale entries and searches again if they
 * have changed; without a log the postings are added at once. */
static inline void F(renew)(mx *m, mx_query *q) {
    if (q->ready && m->log_limit && __builtin_expect(q->changes == m->changes, 1)) return;
    F(look)(m, q);
    if (!q->ready) return;
    F(sign)(m, q);
    q->folded = F(fold)(m, q->sig);
}

/* Delete the postings of tickets that died in the last arrivals in three stages: their buckets, lists and postings are prefetched in turn. */
static inline void F(delete_stages)(mx *m, mx_deletion *deletions, uint32_t i) {
    mx_deletion *d = &deletions[(i - 1) % DELETIONS];
    if (d->n) {
        F(locate)(m, d);
        F(fetch_located)(m, d);
    }
    F(fetch_heads)(m, &deletions[(i - 2) % DELETIONS]);
    d = &deletions[(i - 3) % DELETIONS];
    F(delete_all)(m, d);
}

/* Prefetch the arrays: each is read a few bytes at a time, too seldom for the hardware to prefetch it. */
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

/* Prefetch what an arrival will read whose entries were fetched, if `ready` is set. From then on `ready` says whether it uses the table; a pool
 * that became wide in between is searched exactly once more. */
static inline void F(prepare)(mx *m, mx_query *q, int table) {
    if (!q->ready) {
        q->lists = q->lone = 0;
        return;
    }
    F(kinds)(q);
    if (F(counted)(m)) {
        F(check)(m, q);
        F(name)(m, q);
    }
    q->ready = (uint8_t)(table && q->n && F(tabled)(m, q->pool));
    if (!q->ready) {
        F(bodies)(m, q);
        return;
    }
    F(sign)(m, q);
    F(keys)(m, q);
    F(fetch_lines)(m, q);
}

/* Search the table for an arrival, or prefetch what the windows will need. */
static inline void F(pick)(mx *m, const mx_arrivals *a, mx_query *q, mx_best *b) {
    *b = (mx_best){.slot = MX_NONE, .most_postings = a->most_postings, .most_tickets = a->most_tickets};
    if (!q->ready || a->only_insert) return;
    F(choose)(m, q, b);
    if (b->slot == MX_NONE) F(fetch_windows)(m, q);
    else __builtin_prefetch(&m->serials[b->slot]);
}

/* Check the partner found in the table, after earlier arrivals came and went. */
static inline void F(recheck)(mx *m, mx_query *q, mx_best *b) {
    if (b->slot != MX_NONE && (mx_gen(m, b->slot) != b->gen || !(m->hot[b->slot].flags & MX_LIVE))) { /* matched or removed meanwhile */
        b->slot = MX_NONE;
        b->score = b->value = b->bar = 0;
        F(choose)(m, q, b);
    }
    if (b->slot == MX_NONE) {
        F(look)(m, q);
        F(windows)(m, q, b);
    }
    if (b->slot == MX_NONE && q->level >= MX_ANYONE) F(anyone)(m, q, b);
}

/* Do the last stage: settle an arrival, and delete pending postings. */
static inline void F(finish)(mx *m, const mx_arrivals *a, uint32_t i, mx_deletion *deletions) {
    mx_query *q = &m->ring[i % MX_RING];
    mx_best *b = &m->bests[i % MX_RING];
    if (!q->ready)
        for (uint32_t k = 1; k < DELETIONS; k++) F(delete_early)(m, q, &deletions[(i - k) % DELETIONS]);
    F(renew)(m, q);
    if (!a->only_insert) {
        if (q->ready) F(recheck)(m, q, b);
        else F(search)(m, q, b, 1);
    }
    m->counts.postings += b->postings;
    m->counts.tickets += b->tickets;
    F(commit)(m, a, i, q, b, &deletions[i % DELETIONS], m->pools[q->pool].waiting < MX_THIN);
    F(delete_stages)(m, deletions, i);
}

/* Submit arrivals in a pipeline: arrival i + 15 prefetches buckets, i + 11 their entries, i + 7 table lines or postings, i + 4 candidates; i + 2
 * chooses, or prefetches windows of its lists; i is settled. */
static void F(pipeline)(mx *m, const mx_arrivals *a, uint32_t count) {
    mx_query *ring = m->ring;
    mx_deletion deletions[DELETIONS];
    for (int k = 0; k < DELETIONS; k++) deletions[k].n = 0;
    uint64_t before = a->cycles ? F(ticks)() : 0;
    for (uint32_t step = 0; step < count + AHEAD_BUCKET; step++) {
        if (step < count) {
            F(read_ahead)(a, step, count);
            F(comes)(m, a, step, &ring[step % MX_RING]);
        }
        uint32_t i = step - (AHEAD_BUCKET - AHEAD_HEAD);
        if (i < count) {
            mx_query *q = &ring[i % MX_RING];
            q->ready = (uint8_t)F(wide)(m, q->pool);
            if (q->ready) F(heads)(m, q);
        }
        i = step - (AHEAD_BUCKET - AHEAD_LISTS);
        if (i < count) {
            F(arrival)(m, a, i, &ring[i % MX_RING]);
            F(prepare)(m, &ring[i % MX_RING], !a->exact);
        }
        i = step - (AHEAD_BUCKET - AHEAD_PROBE);
        if (i < count) {
            if (ring[i % MX_RING].ready) F(probe_table)(m, &ring[i % MX_RING]);
            else if (m->pools[ring[i % MX_RING].pool].waiting >= 2 * MX_WIDE) F(fetch_bodies)(m, &ring[i % MX_RING]);
        }
        i = step - (AHEAD_BUCKET - AHEAD_CHOOSE);
        if (i < count) F(pick)(m, a, &ring[i % MX_RING], &m->bests[i % MX_RING]);
        if (step < AHEAD_BUCKET) continue;
        F(finish)(m, a, step - AHEAD_BUCKET, deletions);
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[step - AHEAD_BUCKET] = (uint32_t)(after - before);
            before = after;
        }
    }
    for (uint32_t k = DELETIONS - 1; k && count; k--) {
        mx_deletion *d = &deletions[(count - k) % DELETIONS];
        F(locate)(m, d);
        F(delete_all)(m, d);
    }
}
