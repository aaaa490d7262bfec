/* Instanced per instruction set: deletes the postings of dead tickets at once, in stages that prefetch, or when the hand visits them. A posting
 * whose ticket is dead is a tombstone: its generation has passed. */

/* Delete a dead ticket's posting under one of its interests. */
static void F(delete_one)(mx *m, uint32_t pool, uint32_t hash, uint32_t post) {
    uint32_t entry = F(probe)(&m->buckets[mx_place(m, hash)], hash);
    if (MX_RARELY(entry != (post | MX_LONE) && !mx_of(m, entry, pool, hash))) entry = mx_find(m, pool, hash);
    if (entry == (post | MX_LONE)) mx_remove_entry(m, hash, entry);
    else if (entry && !(entry & MX_LONE)) F(unlist)(m, entry >> 8, post);
    else m->owed = mx_rounds(m); /* it is behind another tombstone, or gone */
}

/* Find the postings of a dead ticket. */
static inline void F(locate)(mx *m, mx_deletion *d) {
    MX_LANES(d->n, j, d->at[j] = F(probe)(&m->buckets[j < d->n ? mx_place(m, d->hash[j]) : 0], d->hash[j]););
}

/* The same, with prefetching. */
static inline void F(fetch_located)(mx *m, const mx_deletion *d) { MX_LANES(d->n, j, __builtin_prefetch(F(candidate)(m, d->at[j]), 1);); }

/* One step later: prefetch where its postings are in lists. */
static inline void F(fetch_heads)(mx *m, const mx_deletion *d) {
    for (uint32_t j = 0; j < d->n; j++)
        if (!(d->at[j] & MX_LONE)) mx_fetch_head(m, &m->lists[d->at[j] >> 8]);
}

/* Delete all postings of a dead ticket: single ones first, which need no branch each. */
static inline void F(delete_all)(mx *m, mx_deletion *d) {
    uint32_t lone = 0, with = d->post | MX_LONE;
    if (!d->n) return; /* half of the arrivals in a thin pool find no partner */
    MX_LANES(d->n, j, lone |= (uint32_t)(d->at[j] == with) << j;);
    for (uint32_t left = lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left);
        if (MX_RARELY(!mx_remove_entry(m, d->hash[j], with)))
            F(delete_one)(m, d->pool, d->hash[j], d->post); /* two buckets were merged: it may be in a list now */
    }
    for (uint32_t left = (uint32_t)((1ull << d->n) - 1) & ~lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left), entry = d->at[j];
        if (__builtin_expect(entry && !(entry & MX_LONE) && mx_is(m, entry >> 8, d->pool, d->hash[j]), 1)) F(unlist)(m, entry >> 8, d->post);
        else F(delete_one)(m, d->pool, d->hash[j], d->post);
    }
    d->n = 0;
}

static inline void F(look_at)(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    __builtin_prefetch(l + 8);
    if (l[4].size_class) {
        uint32_t *s;
        mx_at(m, l + 4, l[4].size_class >= MX_CHUNKED ? l[4].rd : 0, &s);
        __builtin_prefetch(s);
    }
    if (l->size_class >= MX_CHUNKED) {
        F(step)(m, l);
        if (l->size_class >= MX_CHUNKED) F(step)(m, l);
        return;
    }
    if (l->len && m->owed) F(compact)(m, l);
    mx_shrink(m, l);
    if (!l->len) mx_close(m, lid);
}

/* Visit all lists and buckets in turn, so that no tombstone stays for more than one round. */
static void F(hand)(mx *m, uint32_t steps) {
    while (steps--) {
        uint32_t at = m->hand++;
        if (at < m->lists_used) {
            F(look_at)(m, at);
        } else if (at - m->lists_used < mx_buckets(m)) {
            mx_bucket *b = &m->buckets[at - m->lists_used + 1];
            __builtin_prefetch(b + 8);
            for (uint32_t k = b->count; k--;)
                if (b->at[k] & MX_LONE && mx_dead(m, b->at[k])) {
                    mx_remove_entry(m, b->tag[k], b->at[k]);
                    if (k > b->count) k = b->count; /* it was split or merged meanwhile */
                }
        } else {
            m->hand = 1;
        }
        m->owed -= m->owed != 0;
    }
}

/* The same, if there is anything to do. */
static inline void F(clean)(mx *m, uint32_t steps) {
    if (steps && m->owed) F(hand)(m, steps);
}
