/* Instanced per instruction set: a ticket comes, goes, is looked for; arrays of arrivals in a pipeline. */

/* The lists of a query's interests in its pool; `make`: open what is missing. */
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
        if (sweep && (l->len < 32 || l->len % m->sweep_every == 0)) F(step)(m, l);
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
            F(enlist)(m, lids, n, m->logsig[at], post, 1);
        }
    }
#undef ENTRY
    m->log_head = (m->log_head + count) % m->log_limit;
    m->log_size -= count;
    m->log_out += count;
}

/* Announce tickets anew, `count` of them from where the hand is: what the table forgot, and under frequencies of now. */
static void F(remind)(mx *m, uint32_t count) {
    mx_query q;
    memset(&q, 0, sizeof q);
    for (uint32_t i = 0; i < count; i++) {
        if (m->announce_hand >= m->used) m->announce_hand = 0;
        uint32_t slot = m->announce_hand++;
        __builtin_prefetch(&m->hot[slot + 16]);
        __builtin_prefetch(&m->cold[slot + 16]);
        if (m->hot[slot + 8].flags & MX_LIVE)
            for (uint32_t j = 0; j < m->hot[slot + 8].n && j < MX_INLINE; j++) __builtin_prefetch(&m->lists[m->hot[slot + 8].ids[j]]);
        if (!(m->hot[slot].flags & MX_LIVE)) continue;
        q.pool = m->cold[slot].pool;
        if (!F(tabled)(m, q.pool)) continue;
        q.n = F(lids)(m, slot, q.lid);
        for (uint32_t j = 0; j < q.n; j++) {
            const mx_list *l = &m->lists[q.lid[j]];
            q.len[j] = l->len - (l->rd - l->wr);
        }
        F(keys)(m, &q);
        F(fetch_lines)(m, &q);
        uint32_t gen = mx_gen(m, slot);
        for (uint32_t k = 0; k < q.nkeys; k++) {
            uint64_t *line = m->table + (size_t)q.key[k] * 8;
            uint32_t put = (m->serial + k + i) & 7, dead = 8;
            for (uint32_t e = 0; e < 8; e++) {
                uint64_t x = line[e];
                uint32_t s = x & 0xFFFFFF;
                if (s == slot && (x >> 24 & 15) == gen && x >> 28) {
                    dead = 9;
                    break;
                }
                if (!(x >> 28) || (mx_gen(m, s) ^ (uint32_t)(x >> 24)) & 15) dead = e;
            }
            if (dead == 9) continue;
            if (dead < 8) put = dead;
            else if (m->announced & 1) continue; /* a full line: every second time only, the newest have the first right */
            line[put] = (uint64_t)slot | (uint64_t)gen << 24 | q.q36 << 28;
        }
        m->announced++;
    }
}

/* Make the query a waiting ticket; its lists are open. Returns the slot. */
static uint32_t F(insert)(mx *m, mx_query *q, int sweep) {
    uint32_t slot;
    uint32_t nfree = m->used - m->live;
    if (nfree) {
        if (nfree > m->fifo_from) {
            slot = m->freed[m->free_head];
            m->free_head = m->free_head + 1 == m->capacity ? 0 : m->free_head + 1;
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
    m->pools[q->pool].waiting++;
    uint32_t post = slot << 8 | mx_gen(m, slot);
    t->flags = (uint8_t)(MX_LIVE | (extra ? MX_EXTRA : 0) | (q->floor ? MX_FLOOR : 0));
    if (q->level >= MX_ANYBODY && m->pools[q->pool].anyone != MX_NONE) {
        t->flags |= MX_STANDS;
        F(list)(m, &m->lists[m->pools[q->pool].anyone], 1, post);
    }
    if (q->ready) {
        F(announce)(m, q, slot);
        if (m->announce_rate && (m->serial & 255) == 0) F(remind)(m, m->announce_rate);
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
    F(enlist)(m, q->lid, n, q->sig, post, sweep);
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
            if (b->slot == MX_NONE) F(windows)(m, q, b);
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
#define AHEAD_PROBE 2
#define RING 16

/* Arrivals in a pipeline: arrival i + 14 fetches buckets, i + 10 list heads, i + 6 table lines or postings, i + 2 candidates. */
static int F(batch)(mx *m, const mx_arrivals *a, uint32_t count) {
    static _Thread_local mx_query ring[RING];
    uint64_t before = a->cycles ? F(ticks)() : 0;
    for (uint32_t step = 0; step < count + AHEAD_BUCKET; step++) {
        if (step < count) {
            uint32_t pool = a->pools[step];
            for (uint32_t o = a->offsets[step]; o < a->offsets[step + 1]; o++) __builtin_prefetch(&m->buckets[mx_bucket(m, mx_hash(m, pool, a->interests[o]))]);
        }
        uint32_t i = step - (AHEAD_BUCKET - AHEAD_HEAD);
        if (step >= AHEAD_BUCKET - AHEAD_HEAD && i < count) {
            uint32_t pool = a->pools[i];
            for (uint32_t o = a->offsets[i]; o < a->offsets[i + 1]; o++) {
                uint32_t lid = m->buckets[mx_bucket(m, mx_hash(m, pool, a->interests[o]))];
                if (lid != MX_NONE) __builtin_prefetch(&m->lists[lid]);
            }
        }
        i = step - (AHEAD_BUCKET - AHEAD_LISTS);
        if (step >= AHEAD_BUCKET - AHEAD_LISTS && i < count) {
            mx_query *q = &ring[i % RING];
            uint32_t n = a->offsets[i + 1] - a->offsets[i];
            q->n = n;
            q->pool = a->pools[i];
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
            memcpy(q->interest, a->interests + a->offsets[i], n * 4);
            q->weighted = m->weights != NULL;
            q->total = n;
            if (m->weights) {
                q->total = 0;
                for (uint32_t j = 0; j < n; j++) q->total += q->w[j] = m->weights[q->interest[j]];
            }
            q->ready = 0;
            F(resolve)(m, q, 0);
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
            if (q->empty)
                for (uint32_t j = 0; j < q->n; j++) {
                    if (q->lid[j] == MX_NONE) continue;
                    const mx_list *l = &m->lists[q->lid[j]];
                    uint32_t *s;
                    if (!l->len) continue;
                    __builtin_prefetch(mx_at(m, l, l->len > 80 ? l->len - 16 : 0, &s));
                    __builtin_prefetch(s);
                }
        }
        if (step < AHEAD_BUCKET) continue;
        i = step - AHEAD_BUCKET;
        mx_query *q = &ring[i % RING];
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
            F(resolve)(m, q, 0); /* lists may have come and gone since */
            F(search)(m, q, &b, 1);
        }
        m->counts.postings += b.postings;
        m->counts.tickets += b.tickets;
        if (b.slot != MX_NONE) {
            a->partner[i] = (int64_t)((uint64_t)m->cold[b.slot].serial << 32 | b.slot);
            a->score[i] = b.score;
            F(remove)(m, b.slot, !a->hold);
        }
        if (b.slot == MX_NONE || a->hold) {
            uint32_t missing = m->lists_live;
            if (F(resolve)(m, q, 1)) {
                a->handle[i] = MX_LISTS_FULL;
                continue;
            }
            missing -= m->lists_live;
            if (a->exact || !q->ready || missing) F(ready)(m, q);
            uint32_t slot = F(insert)(m, q, a->hold);
            a->handle[i] = slot == MX_NONE ? MX_FULL : (int64_t)((uint64_t)m->cold[slot].serial << 32 | slot);
        }
        if (a->cycles) {
            uint64_t after = F(ticks)();
            a->cycles[i] = (uint32_t)(after - before);
            before = after;
        }
    }
    return MX_OK;
}
