/* Instanced per instruction set: the postings of a ticket go into its lists, at once or through the log. */

/* Postings of a ticket. Who comes in takes somebody's place sooner or later: so with `sweep` each list that grows looks
 * for its dead. A chunked list takes a step every so often, a body is swept when half of it is newer than that. */
static inline void F(enlist)(mx *m, const uint32_t *lids, uint32_t n, uint64_t sig, uint32_t post, uint32_t sweep) {
    uint32_t popular = 0;
    for (uint32_t j = 0; j < n; j++) {
        mx_list *l = &m->lists[lids[j]];
        F(list)(m, l, sig, post);
        popular |= (uint32_t)(l->len == MX_PROMOTE) << j;
        if (!sweep) continue;
        if (l->class >= MX_CHUNKED) {
            if (l->len % sweep == 0) F(step)(m, l);
        } else if (++l->dead * 2u > l->len) {
            F(compact)(m, l);
        }
    }
    if (MX_RARELY(popular)) for (; popular; popular &= popular - 1) F(promote)(m, &m->lists[lids[__builtin_ctz(popular)]]);
}

static inline uint32_t F(entry)(const mx *m, uint32_t i) {
    i += m->log_head;
    return i < m->log_limit ? i : i - m->log_limit;
}

/* Move the oldest of the log into the lists; the dead are dropped, which is the point of the log. What comes next is
 * fetched ahead: its line, its lists, their ends. */
static void F(flush)(mx *m, uint32_t count) {
    while (count-- && m->log_size) {
        uint32_t size = m->log_size, at, post, *s;
        if (size > 24) __builtin_prefetch(&m->hot[m->log[F(entry)(m, 24)] >> 8]);
        if (size > 16) {
            post = m->log[F(entry)(m, 16)];
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[t->ids[j]], 1);
        }
        if (size > 8) {
            post = m->log[F(entry)(m, 8)];
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0 && t->flags & MX_LIVE)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) {
                    mx_list *l = &m->lists[t->ids[j]];
                    mx_fetch_tail(m, l);
                    if (l->class >= MX_CHUNKED && l->len % MX_SWEEP == MX_SWEEP - 1) {
                        __builtin_prefetch(mx_at(m, l, l->rd, &s), 1);
                        __builtin_prefetch(s, 1);
                        if (l->rd - l->wr > 8) {
                            __builtin_prefetch(mx_at(m, l, l->wr, &s), 1);
                            __builtin_prefetch(s, 1);
                        }
                    }
                }
        }
        at = m->log_head;
        post = m->log[at];
        m->log_head = at + 1 == m->log_limit ? 0 : at + 1;
        m->log_size--;
        m->log_out++;
        mx_hot *t = &m->hot[post >> 8];
        if ((mx_gen(m, post >> 8) ^ post) & 15 || !(t->flags & MX_LIVE) || t->flags & MX_LISTED) continue;
        uint32_t lids[MX_MOST], n = F(lids)(m, post >> 8, lids);
        t->flags |= MX_LISTED;
        m->counts.flushed++;
        F(enlist)(m, lids, n, m->logsig[at], post, MX_SWEEP);
    }
}
