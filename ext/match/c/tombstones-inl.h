/* Instanced per instruction set: taking out what a dead ticket has, at once, in steps that fetch ahead, or when the hand comes by. */

/* A ticket died: take out what it has under one of its interests. */
static void F(bury)(mx *m, uint32_t pool, uint32_t hash, uint32_t post) {
    uint32_t entry = F(likely)(&m->buckets[mx_place(m, hash)], hash);
    if (MX_RARELY(entry != (post | MX_LONE) && !mx_of(m, entry, pool, hash))) entry = mx_find(m, pool, hash);
    if (entry == (post | MX_LONE)) mx_leave(m, hash, entry);
    else if (entry && !(entry & MX_LONE)) F(unlist)(m, entry >> 8, post);
    else m->owed = mx_rounds(m); /* it stands behind a dead one, or is gone */
}

/* Find what a dead ticket has. */
static inline void F(dig)(mx *m, mx_grave *g) {
    MX_LANES(g->n, j, g->at[j] = F(likely)(&m->buckets[j < g->n ? mx_place(m, g->hash[j]) : 0], g->hash[j]););
}

/* What was found, fetched. */
static inline void F(fetch_found)(mx *m, const mx_grave *g) {
    MX_LANES(g->n, j, __builtin_prefetch(F(leads)(m, g->at[j]), 1););
}

/* Take out all that a dead ticket has: first where it stands alone, as these come without a branch for each. */
static inline void F(bury_all)(mx *m, mx_grave *g) {
    uint32_t lone = 0, with = g->post | MX_LONE;
    if (!g->n) return; /* half of who comes into a thin pool meet nobody */
    MX_LANES(g->n, j, lone |= (uint32_t)(g->at[j] == with) << j;);
    for (uint32_t left = lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left);
        if (MX_RARELY(!mx_leave(m, g->hash[j], with))) F(bury)(m, g->pool, g->hash[j], g->post); /* two buckets were joined: it may be in a list now */
    }
    for (uint32_t left = (uint32_t)((1ull << g->n) - 1) & ~lone; left; left &= left - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(left), entry = g->at[j];
        if (__builtin_expect(entry && !(entry & MX_LONE) && mx_is(m, entry >> 8, g->pool, g->hash[j]), 1)) F(unlist)(m, entry >> 8, g->post);
        else F(bury)(m, g->pool, g->hash[j], g->post);
    }
    g->n = 0;
}

static inline void F(look_at)(mx *m, uint32_t lid) {
    mx_list *l = &m->lists[lid];
    __builtin_prefetch(l + 8);
    if (l[4].class) {
        uint32_t *s;
        mx_at(m, l + 4, l[4].class >= MX_CHUNKED ? l[4].rd : 0, &s);
        __builtin_prefetch(s);
    }
    if (l->class >= MX_CHUNKED) {
        F(step)(m, l);
        if (l->class >= MX_CHUNKED) F(step)(m, l);
        return;
    }
    if (l->len && m->owed) F(compact)(m, l);
    mx_shrink(m, l);
    if (!l->len) mx_close(m, lid);
}

/* The hand goes round all lists and buckets, so that nothing that died stays for more than one round. */
static void F(hand)(mx *m, uint32_t steps) {
    while (steps--) {
        uint32_t at = m->hand++;
        if (at < m->lists_used) {
            F(look_at)(m, at);
        } else if (at - m->lists_used < mx_buckets(m)) {
            mx_bucket *b = &m->buckets[at - m->lists_used + 1];
            __builtin_prefetch(b + 8);
            for (uint32_t k = b->held; k--;)
                if (b->at[k] & MX_LONE && mx_dead(m, b->at[k])) {
                    mx_leave(m, b->tag[k], b->at[k]);
                    if (k > b->held) k = b->held; /* it was split or joined meanwhile */
                }
        } else {
            m->hand = 1;
        }
        m->owed -= m->owed != 0;
    }
}

/* The same, where there is anything to do. */
static inline void F(clean)(mx *m, uint32_t steps) {
    if (steps && m->owed) F(hand)(m, steps);
}
