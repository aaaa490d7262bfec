/* Instanced per instruction set: inserts, removes and searches for tickets. */

/* Write a ticket's hot line at once: it may not be in the cache yet. */
static inline void F(line)(mx_hot *t, const mx_query *q, uint32_t head) {
    uint32_t n = q->n, nrec = q->nrec < 4 ? q->nrec : 4;
#if MX_ISA == 4
    __mmask16 own = (__mmask16)((1u << (n < MX_INLINE ? n : MX_INLINE)) - 1);
    __m512i x = _mm512_mask_loadu_epi32(_mm512_set1_epi32((int)q->hash[0]), own, q->hash);
    x = _mm512_mask_set1_epi32(x, 1 << 10, (int)head);
    x = _mm512_mask_set1_epi32(x, 1 << 11, (int)q->person);
    x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi32((__mmask8)((1u << nrec) - 1), q->rec), 3);
    _mm512_store_si512(t, x);
#else
    for (uint32_t j = 0; j < MX_INLINE; j++) t->ids[j] = q->hash[j < n ? j : 0];
    t->head = head;
    t->person = q->person;
    for (uint32_t j = 0; j < 4; j++) t->rec[j] = j < nrec ? q->rec[j] : 0;
#endif
}

/* Allocate a slot, or return MX_NONE: of many free ones the one free longest, else the last, whose lines are in the cache. */
static inline uint32_t F(take_slot)(mx *m) {
    uint32_t nfree = m->used - m->live;
    MX_ASSERT(m->live <= m->used && m->used <= m->capacity);
    if (!nfree) return m->used == m->capacity ? MX_NONE : m->used++;
    if (nfree <= m->fifo_from) {
        m->free_tail = m->free_tail ? m->free_tail - 1 : m->capacity - 1;
        return m->freed[m->free_tail];
    }
    uint32_t slot = m->freed[m->free_head];
    m->free_head = m->free_head + 1 == m->capacity ? 0 : m->free_head + 1;
    uint32_t next = m->freed[m->free_head + 4 < m->capacity ? m->free_head + 4 : 0];
    __builtin_prefetch(&m->hot[next], 1);
    __builtin_prefetch(&m->cold[next], 1);
    return slot;
}

/* Store what a ticket's line does not hold; return where. */
static inline uint32_t F(spill)(mx *m, const mx_query *q) {
    uint32_t n = q->n, in = n < MX_INLINE ? n : MX_INLINE, xi = m->extra_free;
    if (xi != MX_NONE) m->extra_free = m->extras[xi].next;
    else xi = m->extras_used++;
    MX_ASSERT(xi <= m->capacity && q->nrec <= MX_AVOID && q->nblk <= MX_AVOID);
    mx_extra *x = &m->extras[xi];
    x->nrec = q->nrec > 4 ? q->nrec - 4 : 0;
    x->nblk = q->nblk;
    x->place = q->place;
    if (n > in) memcpy(x->ids, q->hash + in, (n - in) * 4);
    if (q->nrec > 4) memcpy(x->rec, q->rec + 4, (q->nrec - 4u) * 4);
    memcpy(x->blk, q->blk, q->nblk * 4u);
    return xi;
}

/* Count a ticket; memory for the next ones is touched once in a while. */
static inline void F(count_in)(mx *m, uint32_t pool) {
    m->live++;
    m->pools[pool].waiting++;
    if (m->live == MX_LARGE && !m->huge) mx_large(m);
    if ((m->serial & 1023) == 0 && (m->huge || m->live >= m->table_from / 2)) {
        m->table_near |= m->live >= m->table_from / 2;
        mx_provide(m);
    }
}

/* Add a ticket of the table to the log; it is added under its interests later, if it still waits. */
static inline void F(log)(mx *m, const mx_query *q, uint32_t post) {
    uint32_t at = F(entry)(m, m->log_size);
    MX_ASSERT(m->log_size < m->log_limit && at < m->log_limit);
    m->log[at] = post;
    m->logsig[at] = q->sig;
    memcpy(m->logat + (size_t)at * MX_INLINE, q->at, MX_INLINE * 4);
    m->pools[q->pool].logged = ++m->log_in;
    if (++m->log_size == m->log_limit) F(flush)(m, 1);
    else if (!q->ready) F(flush)(m, 64);
}

/* Make the query a waiting ticket; its entries and signature are current. Returns the slot, or MX_NONE if there is no room. */
static uint32_t F(insert)(mx *m, mx_query *q) {
    uint32_t slot = F(take_slot)(m);
    if (slot == MX_NONE) return MX_NONE;
    mx_hot *t = &m->hot[slot];
    mx_cold *c = &m->cold[slot];
    MX_ASSERT(slot < m->used && !(t->flags & MX_LIVE));
    uint32_t extra = q->n > MX_INLINE || q->nrec > 4 || q->nblk || q->place, xi = extra ? F(spill)(m, q) : 0;
    int listed = !(m->log_limit && (q->ready || MX_RARELY(m->pools[q->pool].logged > m->log_out))); /* not behind others of the pool in the log */
    int stands = q->level >= MX_ANYONE && m->pools[q->pool].anyone != MX_NOLIST;
    mx_hot first = {
        .n = (uint8_t)q->n,
        .level = q->level & 3,
        .pool = (uint16_t)q->pool,
        .flags = (MX_LIVE | (listed ? MX_LISTED : 0) | (extra ? MX_EXTRA : 0) | (stands ? MX_STANDS : 0) | (q->floor ? MX_FLOOR : 0)) & 63,
    };
    F(line)(t, q, first.head);
    c->client = q->client;
    c->sig = q->sig;
    c->since = q->since;
    c->extra_home = xi | (uint32_t)q->home << 24; /* a number of capacity has 24 bits */
    c->total = (uint16_t)(q->total < 0xFFFF ? q->total : 0xFFFF);
    c->floor = (uint16_t)q->floor;
    if (MX_RARELY(!++m->serial)) m->serial = 1; /* a handle is not 0 */
    m->serials[slot] = m->serial;
    F(count_in)(m, q->pool);
    uint32_t post = slot << 8 | mx_gen(m, slot);
    if (stands) F(list)(m, &m->lists[m->pools[q->pool].anyone], 1, post);
    if (q->ready) {
        F(announce)(m, q, slot);
        if (m->announce_rate && m->serial % m->announce_rate == 0) F(remind)(m);
    }
    if (!listed) {
        F(log)(m, q, post);
        F(clean)(m, m->serial & 1);
        return slot;
    }
    F(enlist)(m, q, post);
    F(clean)(m, (m->serial & 3) == 0);
    return slot;
}

/* End a ticket: its slot is free, its postings become tombstones. `d` lists the interests under which the caller must delete them; empty if it
 * is not worth the cost. */
static void F(end)(mx *m, uint32_t slot, int eager, mx_deletion *d) {
    mx_hot *t = &m->hot[slot];
    uint32_t flags = t->flags, shift = (slot & 7) * 4, *gens = &m->gens[slot >> 3];
    MX_ASSERT(slot < m->used && flags & MX_LIVE);
    MX_ASSERT(m->live && m->pools[t->pool].waiting);
    d->n = 0;
    d->pool = t->pool;
    d->post = slot << 8 | (*gens >> shift & 15);
    if (flags & MX_LISTED) {
        if (eager) d->n = F(known)(m, slot, d->hash);
        else m->owed = mx_rounds(m);
    }
    t->flags = 0;
    *gens = (*gens & ~(15u << shift)) | ((((*gens >> shift) + 1) & 15) << shift);
    if (MX_RARELY(flags & MX_EXTRA)) {
        uint32_t extra = m->cold[slot].extra;
        m->extras[extra].next = m->extra_free;
        m->extra_free = extra;
    }
    m->freed[m->free_tail] = slot;
    m->free_tail = m->free_tail + 1 == m->capacity ? 0 : m->free_tail + 1;
    m->live--;
    m->pools[d->pool].waiting--;
    if (MX_RARELY(flags & MX_STANDS)) F(unlist)(m, m->pools[d->pool].anyone, d->post);
}

/* Remove a ticket. `eager`: nothing will be inserted in its place, so its postings are deleted here. */
static void F(remove)(mx *m, uint32_t slot, int eager) {
    mx_deletion d;
    F(end)(m, slot, eager, &d);
    F(locate)(m, &d);
    F(fetch_located)(m, &d);
    F(fetch_heads)(m, &d);
    F(delete_all)(m, &d);
    if (eager) F(clean)(m, 1);
}

/* Let a waiting ticket accept anyone from now on. */
static void F(stand)(mx *m, uint32_t slot) {
    mx_hot *t = &m->hot[slot];
    mx_pool *p = &m->pools[t->pool];
    if (t->flags & MX_STANDS || p->anyone == MX_NOLIST) return;
    t->flags |= MX_STANDS;
    F(list)(m, &m->lists[p->anyone], 1, slot << 8 | mx_gen(m, slot));
}

/* Search the query's pool; its entries must be current. `how`: 1 exact, 0 within a budget. */
static void F(search)(mx *m, mx_query *q, mx_best *b, int how) {
    q->ready = 0;
    if (q->n) {
        if (!how && F(tabled)(m, q->pool)) {
            F(keys)(m, q);
            F(fetch_lines)(m, q);
            F(probe_table)(m, q);
            F(choose)(m, q, b);
            q->ready = 1;
            if (b->slot == MX_NONE) {
                F(fetch_windows)(m, q);
                F(windows)(m, q, b);
            }
        } else {
            F(exact)(m, q, b);
        }
    }
    if (b->slot == MX_NONE && q->level >= MX_ANYONE) F(anyone)(m, q, b);
}

/* Compute what `insert` needs if no search did. */
static void F(ready)(mx *m, mx_query *q) {
    q->ready = 0;
    if (q->n && F(tabled)(m, q->pool)) {
        F(keys)(m, q);
        F(fetch_lines)(m, q);
        F(probe_table)(m, q);
        q->ready = 1;
    }
}
