/* Instanced per instruction set: searches windows of the lists if the table of pairs has no partner. */

/* Position of the second window in a long list: another for every query, so that no posting is out of reach. */
static inline uint32_t F(somewhere)(const mx *m, const mx_query *q, uint32_t j, const mx_list *l) {
    return (uint32_t)((mx_mix(q->client * 32 + j + m->seed) >> 32) * (l->len - 32) >> 32);
}

static inline void F(fetch_windows)(const mx *m, const mx_query *q) {
    for (uint32_t left = q->lists; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left), *s;
        mx_list *l = &m->lists[q->at[j] >> 8];
        if (!l->len || !l->size_class) continue;
        __builtin_prefetch(mx_at(m, l, l->len > 64 ? l->len - 16 : 0, &s));
        __builtin_prefetch(s);
        if (l->len > 64) {
            uint64_t *sigs = mx_at(m, l, F(somewhere)(m, q, j, l), &s);
            __builtin_prefetch(sigs);
            __builtin_prefetch(sigs + 8);
            __builtin_prefetch(s);
        }
    }
}

/* Search windows of the lists, the rarest first; the budget is split between them. */
static void F(windows)(mx *m, mx_query *q, mx_best *b) {
    uint8_t at[MX_MOST];
    uint32_t n = F(order)(m, q, at), ubs[MX_MOST + 1];
    m->counts.fallbacks++;
    mx_pass c = {.ubs = ubs, .left = n, .list = MX_MOST};
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = F(bit)(m, q, at[i]);
        c.s2 |= c.s1 & bit;
        c.s1 |= bit;
    }
    c.s3 = c.s2;
    if (q->weighted) F(bounds)(q, at, 0, n, 0, ubs);
    b->list = MX_NONE;
    c.need = F(least)(q, ubs, n, b->bar);
    uint32_t most = b->most_tickets, limit = b->tickets + 24;
    for (uint32_t i = 0; i < n && i < MX_INLINE && b->tickets < limit && (b->slot == MX_NONE || i < 3) && c.need <= n; i++) {
        uint32_t entry = q->at[at[i]];
        mx_list *l = &m->lists[entry & MX_LONE ? MX_NOLIST : entry >> 8];
        int whole = l->size_class < MX_CHUNKED && l->len <= 64;
        uint32_t from[2] = {whole ? 0 : l->len - 16, whole ? 0 : F(somewhere)(m, q, at[i], l)};
        for (int k = 0; k < 2 - whole; k++) {
            b->most_tickets = b->tickets + 8 < limit ? b->tickets + 8 : limit; /* no window uses it all */
            if (entry & MX_LONE) F(lone)(m, q, b, entry, MX_MOST);
            else F(scan)(m, q, b, &c, l, from[k], whole ? l->len : from[k] + 16);
            if (c.n && !F(tired)(b)) F(settle)(m, q, b, &c);
            c.n = b->cut = 0;
            c.need = F(least)(q, ubs, n, b->bar);
        }
    }
    b->most_tickets = most;
}
