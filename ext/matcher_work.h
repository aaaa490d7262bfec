/* Instanced per instruction set: a ticket comes, goes, is looked for; arrays of arrivals in a pipeline. */

/* The lists of a query's interests in its pool; `make`: open what is missing. */
static inline void F(hash)(const mx *m, mx_query *q) {
    for (uint32_t j = 0; j < q->n; j++) q->len[j] = mx_hash(m, q->pool, q->interest[j]);
}

/* The same where q->len holds the hashes already. */
static void F(resolve_hashed)(mx *m, mx_query *q) {
    uint64_t sig = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        uint32_t lid = m->buckets[mx_bucket(m, q->len[j])], interest = q->interest[j];
        while (lid != MX_NONE && !(m->lists[lid].interest == interest && m->lists[lid].pool == q->pool)) lid = m->lists[lid].next;
        q->lid[j] = lid;
        q->len[j] = 0;
        if (lid == MX_NONE) continue;
        mx_list *l = &m->lists[lid];
        l->touched = m->serial;
        q->len[j] = l->len - (l->rd - l->wr);
        sig |= 1ull << l->bit;
    }
    q->sig = sig;
}

static int F(resolve)(mx *m, mx_query *q, int make) {
    uint64_t sig = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        uint32_t lid = make ? mx_open(m, q->pool, q->interest[j]) : mx_find(m, q->pool, q->interest[j]);
        if (lid == MX_NONE && make) return MX_LISTS_FULL;
        q->lid[j] = lid;
        if (lid == MX_NONE) {
            q->len[j] = 0;
            continue;
        }
        mx_list *l = &m->lists[lid];
        l->touched = m->serial; /* it stays open for the next 64 tickets, or until what is in the log is in the lists */
        q->len[j] = l->len - (l->rd - l->wr);
        sig |= 1ull << l->bit;
    }
    q->sig = sig;
    return MX_OK;
}

/* The same again a little later: lists may have been opened and have grown; none was closed (see `touched`). */
static inline void F(refresh)(mx *m, mx_query *q) {
    for (uint32_t j = 0; j < q->n; j++) {
        if (q->lid[j] == MX_NONE) {
            if ((q->lid[j] = mx_find(m, q->pool, q->interest[j])) == MX_NONE) continue;
            q->sig |= 1ull << m->lists[q->lid[j]].bit;
        }
        const mx_list *l = &m->lists[q->lid[j]];
        q->len[j] = l->len - (l->rd - l->wr);
    }
}

/* Open the lists that are still missing; how many, or MX_LISTS_FULL. */
static inline int F(complete)(mx *m, mx_query *q) {
    int missing = 0;
    for (uint32_t j = 0; j < q->n; j++) {
        if (q->lid[j] != MX_NONE) continue;
        if ((q->lid[j] = mx_open(m, q->pool, q->interest[j])) == MX_NONE) return MX_LISTS_FULL;
        mx_list *l = &m->lists[q->lid[j]];
        l->touched = m->serial;
        q->len[j] = l->len;
        q->sig |= 1ull << l->bit;
        missing++;
    }
    return missing;
}

static inline int F(tabled)(mx *m, uint32_t pool) {
    mx_pool *p = &m->pools[pool];
    if (!m->table) return 0;
    if (p->tabled) {
        if (p->waiting < m->table_from / 2) p->tabled = 0;
    } else if (p->waiting >= m->table_from) {
        p->tabled = 1;
    }
    return (int)p->tabled;
}

static inline void F(list)(mx *m, mx_list *l, uint64_t sig, uint32_t post) {
    mx_append(m, l, sig, post); /* a full arena leaves the posting out: the ticket is still found by its other lists */
}

/* Postings of a ticket, and a step of sweeping in each list they go to. */
static void F(enlist)(mx *m, const uint32_t *lids, uint32_t n, uint64_t sig, uint32_t post, int sweep) {
    for (uint32_t j = 0; j < n; j++) {
        mx_list *l = &m->lists[lids[j]];
        F(list)(m, l, sig, post);
        if (sweep && (l->len < 16 || l->len % (uint32_t)sweep == 0)) F(step)(m, l);
    }
}

static inline uint32_t F(lids)(const mx *m, uint32_t slot, uint32_t *lids) {
    const mx_hot *t = &m->hot[slot];
    uint32_t n = t->n, in = n < MX_INLINE ? n : MX_INLINE;
    memcpy(lids, t->ids, in * 4);
    if (n > in) memcpy(lids + in, m->extras[m->cold[slot].extra].ids, (n - in) * 4);
    return n;
}

/* Move the oldest `count` of the log into the lists; the dead are dropped, which is the point of the log. */
static void F(flush)(mx *m, uint32_t count) {
    if (count > m->log_size) count = m->log_size;
    uint32_t lids[MX_MOST];
#define ENTRY(i) m->log[(m->log_head + (i)) % m->log_limit]
    for (uint32_t i = 0; i < count + 24; i++) {
        if (i < count) __builtin_prefetch(&m->hot[ENTRY(i) >> 8]);
        if (i >= 8 && i - 8 < count) {
            uint32_t post = ENTRY(i - 8);
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[t->ids[j]], 1);
        }
        if (i >= 16 && i - 16 < count) {
            uint32_t post = ENTRY(i - 16), *s;
            const mx_hot *t = &m->hot[post >> 8];
            if (((mx_gen(m, post >> 8) ^ post) & 15) == 0 && t->flags & MX_LIVE)
                for (uint32_t j = 0; j < t->n && j < MX_INLINE; j++) {
                    const mx_list *l = &m->lists[t->ids[j]];
                    if (!l->len) continue;
                    __builtin_prefetch(mx_at(m, l, l->len - 1, &s), 1);
                    __builtin_prefetch(s, 1);
                    if (l->len > 16) {
                        __builtin_prefetch(mx_at(m, l, l->rd, &s), 1);
                        __builtin_prefetch(s, 1);
                        if (l->rd - l->wr > 8) {
                            __builtin_prefetch(mx_at(m, l, l->wr, &s), 1);
                            __builtin_prefetch(s, 1);
                        }
                    }
                }
        }
        if (i >= 24) {
            uint32_t post = ENTRY(i - 24), slot = post >> 8;
            mx_hot *t = &m->hot[slot];
            if ((mx_gen(m, slot) ^ post) & 15 || !(t->flags & MX_LIVE) || t->flags & MX_LISTED) continue;
            t->flags |= MX_LISTED;
            m->counts.flushed++;
            uint32_t at = (m->log_head + i - 24) % m->log_limit, n = F(lids)(m, slot, lids);
            F(enlist)(m, lids, n, m->logsig[at], post, 2);
        }
    }
#undef ENTRY
    m->log_head = (m->log_head + count) % m->log_limit;
    m->log_size -= count;
    m->log_out += count;
}

/* Announce a ticket anew: what the table forgot, and under frequencies of now. In two halves: the one chosen the last
 * time, whose lines are here by now, is written; the next one is chosen. */
static void F(remind)(mx *m) {
    mx_query *q = &m->next;
    uint32_t slot = m->next_slot, gen = m->next_gen;
    if (slot != MX_NONE && m->hot[slot].flags & MX_LIVE && mx_gen(m, slot) == gen) {
        for (uint32_t k = 0; k < q->nkeys; k++) {
            uint64_t *line = m->table + (size_t)q->key[k] * 8;
            uint32_t posts[8], seen = 0, empty = 0;
            for (uint32_t e = 0; e < 8; e++) {
                uint64_t x = line[e];
                posts[e] = (uint32_t)x << 8 | (x >> 24 & 15);
                seen |= (x & 0xFFFFFFF) == (slot | (uint64_t)gen << 24) && x >> 28;
                empty |= (uint32_t)(x >> 28 == 0) << e;
            }
            if (seen) continue;
            uint32_t dead = (~F(alive8)(m, posts) | empty) & 0xFF, put;
            if (dead) put = (uint32_t)__builtin_ctz(dead);
            else if (m->announced & 1) continue; /* a full line: every second time only, the newest have the first right */
            else put = (m->serial + k) & 7;
            line[put] = (uint64_t)slot | (uint64_t)gen << 24 | q->q36 << 28;
        }
        m->announced++;
    }
    if (m->announce_hand >= m->used) m->announce_hand = 0;
    m->next_slot = slot = m->announce_hand++;
    m->next_gen = mx_gen(m, slot);
    __builtin_prefetch(&m->hot[slot + 4]);
    __builtin_prefetch(&m->cold[slot + 4]);
    if (m->hot[slot + 2].flags & MX_LIVE)
        for (uint32_t j = 0; j < m->hot[slot + 2].n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[m->hot[slot + 2].ids[j]]);
    if (!(m->hot[slot].flags & MX_LIVE) || !F(tabled)(m, m->cold[slot].pool)) {
        m->next_slot = MX_NONE;
        return;
    }
    q->pool = m->cold[slot].pool;
    q->n = F(lids)(m, slot, q->lid);
    for (uint32_t j = 0; j < q->n; j++) {
        const mx_list *l = &m->lists[q->lid[j]];
        q->len[j] = l->len - (l->rd - l->wr);
    }
    F(keys)(m, q);
    F(fetch_lines)(m, q);
}

/* Make the query a waiting ticket; its lists are open. Returns the slot. */
static uint32_t F(insert)(mx *m, mx_query *q, int sweep) {
    uint32_t slot;
    uint32_t nfree = m->used - m->live;
    if (nfree) {
        if (nfree > m->fifo_from) {
            slot = m->freed[m->free_head];
            m->free_head = m->free_head + 1 == m->capacity ? 0 : m->free_head + 1;
            uint32_t next = m->freed[m->free_head + 2 < m->capacity ? m->free_head + 2 : 0];
            __builtin_prefetch(&m->hot[next], 1);
            __builtin_prefetch(&m->cold[next], 1);
        } else {
            m->free_tail = m->free_tail ? m->free_tail - 1 : m->capacity - 1;
            slot = m->freed[m->free_tail];
        }
    } else {
        if (m->used == m->capacity) return MX_NONE;
        slot = m->used++;
    }
    mx_hot *t = &m->hot[slot];
    mx_cold *c = &m->cold[slot];
    uint32_t n = q->n, in = n < MX_INLINE ? n : MX_INLINE;
    uint32_t extra = n > in || q->nrec > 4 || q->nblk, xi = 0;
    if (extra) {
        if (m->extra_free != MX_NONE) {
            xi = m->extra_free;
            m->extra_free = m->extras[xi].next;
        } else {
            xi = m->extras_used++;
        }
        mx_extra *x = &m->extras[xi];
        x->nrec = q->nrec > 4 ? q->nrec - 4 : 0;
        x->nblk = q->nblk;
        if (n > in) memcpy(x->ids, q->lid + in, (n - in) * 4);
        if (q->nrec > 4) memcpy(x->rec, q->rec + 4, (q->nrec - 4u) * 4);
        memcpy(x->blk, q->blk, q->nblk * 4u);
    }
    memcpy(t->ids, q->lid, in * 4);
    for (uint32_t j = in; j < MX_INLINE; j++) t->ids[j] = MX_NONE;
    t->n = (uint8_t)n;
    t->level = q->level;
    t->nrec = q->nrec < 4 ? q->nrec : 4;
    t->person = q->person;
    memcpy(t->rec, q->rec, 16);
    c->client = q->client;
    c->since = q->since;
    c->serial = ++m->serial;
    c->total = q->total;
    c->extra = xi;
    c->pool = (uint16_t)q->pool;
    c->floor = (uint16_t)q->floor;
    m->live++;
    if (m->live == 1u << 17 && !m->huge) mx_large(m);
    m->pools[q->pool].waiting++;
    uint32_t post = slot << 8 | mx_gen(m, slot);
    t->flags = (uint8_t)(MX_LIVE | (extra ? MX_EXTRA : 0) | (q->floor ? MX_FLOOR : 0));
    if (q->level >= MX_ANYBODY && m->pools[q->pool].anyone != MX_NONE) {
        t->flags |= MX_STANDS;
        F(list)(m, &m->lists[m->pools[q->pool].anyone], 1, post);
    }
    if (q->ready) {
        F(announce)(m, q, slot);
        if (m->announce_rate && m->serial % m->announce_rate == 0) F(remind)(m);
    }
    if (m->log_limit && (q->ready || m->pools[q->pool].logged > m->log_out)) { /* behind others of the pool in the log: keep the order */
        uint32_t at = m->log_head + m->log_size;
        if (at >= m->log_limit) at -= m->log_limit;
        m->log[at] = post;
        m->logsig[at] = q->sig;
        m->pools[q->pool].logged = ++m->log_in;
        if (++m->log_size == m->log_limit) F(flush)(m, 512 < m->log_limit ? 512 : m->log_limit);
        else if (!q->ready) F(flush)(m, 64);
        if ((m->serial & 7) == 0) {
            F(hand)(m, 4 + 2 * m->opened);
            m->opened = 0;
        }
        return slot;
    }
    t->flags |= MX_LISTED;
    F(enlist)(m, q->lid, n, q->sig, post, sweep ? (int)m->sweep_every : 0);
    uint32_t steps = 2 * m->opened + ((m->serial & 3) == 0); /* two for each new list: however many come, the empty ones go */
    m->opened = 0;
    if (steps) F(hand)(m, steps);
    return slot;
}

/* A ticket goes. `eager`: nothing will be inserted in its stead, so its lists are swept here. */
static void F(remove)(mx *m, uint32_t slot, int eager) {
    mx_hot *t = &m->hot[slot];
    mx_cold *c = &m->cold[slot];
    uint32_t lids[MX_MOST], n = 0, flags = t->flags;
    if (eager && flags & MX_LISTED) n = F(lids)(m, slot, lids);
    t->flags = 0;
    uint32_t shift = (slot & 7) * 4, *g = &m->gens[slot >> 3];
    *g = (*g & ~(15u << shift)) | ((((*g >> shift) + 1) & 15) << shift);
    if (flags & MX_EXTRA) {
        m->extras[c->extra].next = m->extra_free;
        m->extra_free = c->extra;
    }
    c->serial = 0;
    m->freed[m->free_tail] = slot;
    m->free_tail = m->free_tail + 1 == m->capacity ? 0 : m->free_tail + 1;
    m->live--;
    m->pools[c->pool].waiting--;
    for (uint32_t j = 0; j < n; j++) F(bury)(m, lids[j]);
    if (flags & MX_STANDS) F(bury)(m, m->pools[c->pool].anyone);
    if (eager) F(hand)(m, 2);
}

/* From now on a waiting ticket takes anyone. */
static void F(stand)(mx *m, uint32_t slot) {
    mx_hot *t = &m->hot[slot];
    mx_pool *p = &m->pools[m->cold[slot].pool];
    if (t->flags & MX_STANDS || p->anyone == MX_NONE) return;
    t->flags |= MX_STANDS;
    F(list)(m, &m->lists[p->anyone], 1, slot << 8 | mx_gen(m, slot));
}

/* Look in the query's pool; the lists must be resolved for it. `how`: 1 exact, 0 within a budget. */
static void F(search)(mx *m, mx_query *q, mx_best *b, int how) {
    q->ready = 0;
    if (q->n) {
        if (!how && F(tabled)(m, q->pool)) {
            F(keys)(m, q);
            F(fetch_lines)(m, q);
            F(probe)(m, q);
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
    if (b->slot == MX_NONE && q->level >= MX_ANYBODY) F(anyone)(m, q, b);
}

/* What `insert` needs where no search made it. */
static void F(ready)(mx *m, mx_query *q) {
    q->ready = 0;
    if (q->n && F(tabled)(m, q->pool)) {
        F(keys)(m, q);
        F(fetch_lines)(m, q);
        F(probe)(m, q);
        q->ready = 1;
    }
}

static inline uint64_t F(ticks)(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

#define AHEAD_BUCKET 14
#define AHEAD_HEAD 10
#define AHEAD_LISTS 6
#define AHEAD_PROBE 3
#define RING 32

/* Take the partner out, put the arrival in. */
static void F(commit)(mx *m, const mx_arrivals *a, uint32_t i, mx_query *q, const mx_best *b) {
    if (b->slot != MX_NONE) {
        a->partner[i] = (int64_t)((uint64_t)m->cold[b->slot].serial << 32 | b->slot);
        a->score[i] = b->score;
        F(remove)(m, b->slot, !a->hold);
    }
    if (b->slot == MX_NONE || a->hold) {
        int missing = F(complete)(m, q);
        if (missing < 0) {
            a->handle[i] = MX_LISTS_FULL;
            return;
        }
        if (!q->ready || missing) F(ready)(m, q);
        uint32_t slot = F(insert)(m, q, a->hold);
        a->handle[i] = slot == MX_NONE ? MX_FULL : (int64_t)((uint64_t)m->cold[slot].serial << 32 | slot);
    }
}

/* Arrivals in a pipeline: arrival i + 14 fetches buckets, i + 10 list heads, i + 6 table lines or postings, i + 2 candidates. */
static int F(batch)(mx *m, const mx_arrivals *a, uint32_t count) {
    static _Thread_local mx_query ring[RING];
    uint64_t before = a->cycles ? F(ticks)() : 0;
    mx_best late;
    uint32_t late_of = MX_NONE;
    for (uint32_t step = 0; step < count + AHEAD_BUCKET; step++) {
        if (step < count) {
            mx_query *q = &ring[step % RING];
            q->n = a->offsets[step + 1] - a->offsets[step];
            q->pool = a->pools[step];
            memcpy(q->interest, a->interests + a->offsets[step], q->n * 4);
            F(hash)(m, q);
            for (uint32_t j = 0; j < q->n; j++) __builtin_prefetch(&m->buckets[mx_bucket(m, q->len[j])]);
        }
        uint32_t i = step - (AHEAD_BUCKET - AHEAD_HEAD);
        if (step >= AHEAD_BUCKET - AHEAD_HEAD && i < count) {
            mx_query *q = &ring[i % RING];
            for (uint32_t j = 0; j < q->n; j++) {
                uint32_t lid = m->buckets[mx_bucket(m, q->len[j])];
                if (lid != MX_NONE) __builtin_prefetch(&m->lists[lid]);
            }
        }
        i = step - (AHEAD_BUCKET - AHEAD_LISTS);
        if (step >= AHEAD_BUCKET - AHEAD_LISTS && i < count) {
            mx_query *q = &ring[i % RING];
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
            q->ready = 0;
            F(resolve_hashed)(m, q);
            if (n && !a->exact && F(tabled)(m, q->pool)) {
                F(keys)(m, q);
                F(fetch_lines)(m, q);
                q->ready = 1;
                if (!m->log_limit)
                    for (uint32_t j = 0; j < n; j++) {
                        const mx_list *l = &m->lists[q->lid[j]];
                        uint32_t *s;
                        if (!l->len) continue;
                        __builtin_prefetch(mx_at(m, l, l->len - 1, &s), 1);
                        __builtin_prefetch(s, 1);
                    }
            } else
                for (uint32_t j = 0; j < n; j++) {
                    if (q->lid[j] == MX_NONE) continue;
                    const mx_list *l = &m->lists[q->lid[j]];
                    uint32_t *s;
                    if (!l->len) continue;
                    __builtin_prefetch(mx_at(m, l, l->len - 1, &s), 1);
                    __builtin_prefetch(s, 1);
                    if (l->len > 4) __builtin_prefetch(mx_at(m, l, 0, &s));
                }
        }
        i = step - (AHEAD_BUCKET - AHEAD_PROBE);
        if (step >= AHEAD_BUCKET - AHEAD_PROBE && i < count && ring[i % RING].ready) {
            mx_query *q = &ring[i % RING];
            F(probe)(m, q);
            if (q->empty) F(fetch_windows)(m, q);
        }
        if (step < AHEAD_BUCKET) continue;
        i = step - AHEAD_BUCKET;
        mx_query *q = &ring[i % RING];
        if (late_of != MX_NONE) {
            F(commit)(m, a, late_of, &ring[late_of % RING], &late);
            late_of = MX_NONE;
        }
        a->partner[i] = -1;
        a->handle[i] = -1;
        a->score[i] = 0;
        mx_best b = {.slot = MX_NONE, .most_postings = a->most_postings, .most_tickets = a->most_tickets};
        if (a->only_insert) {
        } else if (q->ready) {
            F(choose)(m, q, &b);
            if (b.slot == MX_NONE) F(windows)(m, q, &b);
            if (b.slot == MX_NONE && q->level >= MX_ANYBODY) F(anyone)(m, q, &b);
        } else {
            F(refresh)(m, q);
            F(search)(m, q, &b, 1);
        }
        m->counts.postings += b.postings;
        m->counts.tickets += b.tickets;
        if (q->ready) { /* what it touches comes while the next arrivals are prepared */
            if (b.slot != MX_NONE) __builtin_prefetch(&m->cold[b.slot], 1);
            late = b;
            late_of = i;
        } else {
            F(commit)(m, a, i, q, &b);
        }
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[i] = (uint32_t)(after - before);
            before = after;
        }
    }
    if (late_of != MX_NONE) F(commit)(m, a, late_of, &ring[late_of % RING], &late);
    return MX_OK;
}
