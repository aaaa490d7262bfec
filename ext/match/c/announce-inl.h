/* Instanced per instruction set: writes a ticket into the table of pairs, and again after the table has forgotten it. */

/* Write a ticket under its keys: over a dead entry, else over one in turn. `q->alive` must be current. */
static inline void F(announce)(mx *m, const mx_query *q, uint32_t slot) {
    uint64_t entry = F(written)(m, slot, mx_gen(m, slot), q->folded);
    for (uint32_t k = 0; k < q->nkeys; k++) {
        uint32_t dead = ~q->alive[k] & 0xFFu;
        m->table[(size_t)q->key[k] * 8 + (dead ? (uint32_t)__builtin_ctz(dead) : (m->serial + k) & 7)] = entry;
    }
}

/* Write a ticket anew whose entries were overwritten, under current frequencies. In two halves: the one chosen last time, whose lines are in the
 * cache by now, is written; the next one is chosen. */
static void F(remind)(mx *m) {
    mx_query *q = &m->next;
    uint32_t slot = m->next_slot, gen = m->next_gen;
    if (slot != MX_NONE && m->hot[slot].flags & MX_LIVE && mx_gen(m, slot) == gen) {
        for (uint32_t k = 0; k < q->nkeys; k++) {
            uint64_t *line = m->table + (size_t)q->key[k] * 8;
            uint32_t posts[8], seen = 0, empty = 0;
            for (uint32_t e = 0; e < 8; e++) {
                uint64_t x = line[e];
                uint64_t sig = x >> (m->slot_bits + 4);
                posts[e] = F(posted)(m, x);
                seen |= posts[e] == (slot << 8 | gen) && sig;
                empty |= (uint32_t)(sig == 0) << e;
            }
            if (seen) continue;
            uint32_t dead = (~F(alive8)(m, posts) | empty) & 0xFF, put;
            if (dead) put = (uint32_t)__builtin_ctz(dead);
            else if (m->announced & 1) continue; /* a full line: every second time only, new tickets have precedence */
            else put = (m->serial + k) & 7;
            line[put] = F(written)(m, slot, gen, q->folded);
        }
        m->announced++;
    }
    if (m->announce_hand >= m->used) m->announce_hand = 0;
    m->next_slot = slot = m->announce_hand++;
    m->next_gen = mx_gen(m, slot);
    __builtin_prefetch(&m->hot[slot + 6]);
    __builtin_prefetch(&m->cold[slot + 6]);
    if (m->hot[slot + 4].flags & MX_LIVE)
        for (uint32_t j = 0; j < MX_INLINE; j++) __builtin_prefetch(&m->buckets[mx_place(m, m->hot[slot + 4].ids[j])]);
    if (m->hot[slot + 2].flags & MX_LIVE)
        for (uint32_t j = 0; j < m->hot[slot + 2].n && j < MX_INLINE; j++) {
            uint32_t hash = m->hot[slot + 2].ids[j], entry = F(probe)(&m->buckets[mx_place(m, hash)], hash);
            if (!(entry & MX_LONE)) __builtin_prefetch(&m->lists[entry >> 8]);
        }
    if (!(m->hot[slot].flags & MX_LIVE) || !F(tabled)(m, m->hot[slot].pool)) {
        m->next_slot = MX_NONE;
        return;
    }
    q->pool = m->hot[slot].pool;
    q->n = F(known)(m, slot, q->hash);
    memset(q->at, 0, sizeof q->at);
    F(place)(m, q);
    F(look)(m, q);
    q->sig = m->cold[slot].sig;
    q->weighted = m->weights != NULL;
    F(keys)(m, q);
    F(fetch_lines)(m, q);
}
