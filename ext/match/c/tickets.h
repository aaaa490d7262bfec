/* Tickets by handle for the Python interface: as a query again, and what two of them share. */
#ifndef MX_TICKETS_H
#define MX_TICKETS_H
#include "hashtable.h"

/* The slot of a handle, or MX_NONE if its ticket no longer waits. */
MX_FN uint32_t mx_slot(const mx *m, uint64_t handle) {
    uint32_t slot = (uint32_t)handle;
    return slot < m->used && m->serials[slot] == handle >> 32 && m->hot[slot].flags & MX_LIVE ? slot : MX_NONE;
}

/* The handle of the ticket in a slot. */
MX_FN uint64_t mx_handle(const mx *m, uint32_t slot) { return (uint64_t)m->serials[slot] << 32 | slot; }

/* Set the level and floor of a waiting ticket. */
MX_FN void mx_relax(mx *m, uint32_t slot, uint32_t level, uint32_t floor) {
    mx_hot *t = &m->hot[slot];
    MX_ASSERT(t->flags & MX_LIVE && level <= MX_LIFTED && floor <= 0xFFFF);
    t->level = level & 3;
    t->flags = (floor ? t->flags | MX_FLOOR : t->flags & ~MX_FLOOR) & 63;
    m->cold[slot].floor = (uint16_t)floor;
}

/* Make a query of a waiting ticket, without its interests' current weights, its floor, and whether its pool is quiet. */
MX_FN void mx_recall(const mx *m, uint32_t slot, mx_query *q) {
    const mx_hot *t = &m->hot[slot];
    const mx_cold *c = &m->cold[slot];
    const mx_extra *x = &m->extras[c->extra];
    MX_ASSERT(t->flags & MX_LIVE && t->n <= MX_MOST);
    q->n = t->n;
    q->pool = t->pool;
    q->self = slot;
    q->person = t->person;
    q->level = t->level;
    q->client = c->client;
    q->since = c->since;
    q->nrec = 4;
    q->nblk = 0;
    q->place = 0;
    q->home = c->home;
    q->lift = MX_PLAIN;
    memcpy(q->rec, t->rec, sizeof t->rec);
    if (t->flags & MX_EXTRA) {
        MX_ASSERT(x->nrec <= MX_AVOID - 4 && x->nblk <= MX_AVOID);
        memcpy(q->rec + 4, x->rec, x->nrec * 4u);
        memcpy(q->blk, x->blk, x->nblk * 4u);
        q->nrec += x->nrec;
        q->nblk = x->nblk;
        q->place = x->place;
    }
    for (uint32_t j = 0; j < q->n; j++) q->interest[j] = mx_interest(m, t->pool, j < MX_INLINE ? t->ids[j] : x->ids[j - MX_INLINE]);
}

/* The interests in a mask, the heaviest first, equal ones in order; returns how many. */
MX_FN uint32_t mx_common_interests(const mx_query *q, uint32_t mask, uint32_t *interests) {
    uint32_t n = 0, weights[MX_MOST];
    for (; mask; mask &= mask - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(mask), weight = q->weighted ? q->w[i] : 1, at = n++;
        MX_ASSERT(i < q->n);
        for (; at && weights[at - 1] < weight; at--) {
            interests[at] = interests[at - 1];
            weights[at] = weights[at - 1];
        }
        interests[at] = q->interest[i];
        weights[at] = weight;
    }
    return n;
}
#endif
