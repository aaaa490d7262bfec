/* Instanced per instruction set: adds a ticket's postings under its interests, at once or through the log. */

/* Add the postings of a ticket whose entries are known. */
static inline void F(enlist)(mx *m, const mx_query *q, uint32_t post) {
    uint32_t popular = 0, there = (uint32_t)((1ull << q->n) - 1);
    for (uint32_t left = there & ~(q->lists | q->lone); left; left &= left - 1) mx_insert_entry(m, q->hash[__builtin_ctz(left)], post | MX_LONE);
    for (uint32_t left = q->lists | q->lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left);
        popular |= F(put)(m, q->hash[j], q->at[j], q->sig, post, 0) << j;
    }
    if (MX_RARELY(popular)) F(promote_all)(m, q->pool, q->hash, popular);
}

static inline uint32_t F(entry)(const mx *m, uint32_t i) {
    i += m->log_head;
    return i < m->log_limit ? i : i - m->log_limit;
}

/* The ticket that leaves the log after `ahead` others, or NULL if it is dead. */
static inline const mx_hot *F(leaves)(const mx *m, uint32_t ahead) {
    uint32_t post = m->log[F(entry)(m, ahead)];
    return mx_dead(m, post) || !(m->hot[post >> 8].flags & MX_LIVE) ? NULL : &m->hot[post >> 8];
}

/* Prefetch what the next tickets of the log need: their lines, their lists, the ends of these. */
static inline void F(flush_ahead)(mx *m) {
    uint32_t size = m->log_size, *s;
    if (size > 20) __builtin_prefetch(&m->hot[m->log[F(entry)(m, 20)] >> 8]);
    if (size > 12 && F(leaves)(m, 12)) {
        const uint32_t *at = m->logat + (size_t)F(entry)(m, 12) * MX_INLINE;
        for (uint32_t j = 0; j < MX_INLINE; j++) __builtin_prefetch(F(candidate)(m, at[j]), 1);
    }
    if (size > 6 && F(leaves)(m, 6)) {
        const uint32_t *at = m->logat + (size_t)F(entry)(m, 6) * MX_INLINE;
        for (uint32_t j = 0; j < MX_INLINE && at[j]; j++) {
            if (at[j] & MX_LONE) continue;
            mx_list *l = &m->lists[at[j] >> 8];
            mx_fetch_tail(m, l);
            if (l->size_class >= MX_CHUNKED && l->len % MX_SWEEP == MX_SWEEP - 1) {
                __builtin_prefetch(mx_at(m, l, l->rd, &s), 1);
                __builtin_prefetch(s, 1);
                if (l->rd - l->wr > 8) {
                    __builtin_prefetch(mx_at(m, l, l->wr, &s), 1);
                    __builtin_prefetch(s, 1);
                }
            }
        }
    }
}

/* Move the oldest of the log under their interests; dead ones are dropped, which is the purpose of the log. */
static void F(flush)(mx *m, uint32_t count) {
    while (count-- && m->log_size) {
        F(flush_ahead)(m);
        uint32_t at = m->log_head, post = m->log[at], slot = post >> 8, hash[MX_MOST], entries[MX_MOST], popular = 0;
        const uint32_t *came = m->logat + (size_t)at * MX_INLINE;
        m->log_head = at + 1 == m->log_limit ? 0 : at + 1;
        m->log_size--;
        m->log_out++;
        mx_hot *t = &m->hot[slot];
        if (mx_dead(m, post) || !(t->flags & MX_LIVE) || t->flags & MX_LISTED) continue;
        uint32_t n = F(known)(m, slot, hash), pool = t->pool;
        uint64_t sig = 0;
        t->flags |= MX_LISTED;
        m->counts.flushed++;
        for (uint32_t j = 0; j < n; j++) {
            uint32_t e = j < MX_INLINE ? came[j] : MX_NOLIST; /* a list's line shows whether it is still the same */
            if (e & MX_LONE || !e || !m->lists[e >> 8].indexed || !mx_is(m, e >> 8, pool, hash[j])) e = mx_find(m, pool, hash[j]);
            entries[j] = e;
            sig |= 1ull << ((e && !(e & MX_LONE) ? m->lists[e >> 8].bit : mx_common(hash[j])) & 63);
        }
        m->cold[slot].sig = sig;
        for (uint32_t j = 0; j < n; j++) popular |= F(put)(m, hash[j], entries[j], sig, post, MX_SWEEP) << j;
        if (MX_RARELY(popular)) F(promote_all)(m, pool, hash, popular);
    }
}
