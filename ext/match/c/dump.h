/* Describe a ticket, a bucket or a list in lines of text for debugging: from Python by `Matcher.dump`, from a debugger by a call. Changes
 * nothing; a text that is too long for its buffer is cut. */
#ifndef MX_DUMP_H
#define MX_DUMP_H
#include "hashtable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define MX_DUMPED 32 /* postings of a list that are printed */

typedef struct {
    char *at;
    size_t room;
} mx_text;

__attribute__((format(printf, 2, 3))) MX_FN void mx_say(mx_text *out, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int n = vsnprintf(out->at, out->room, format, values);
    va_end(values);
    if (n < 0 || (size_t)n >= out->room) n = out->room ? (int)out->room - 1 : 0;
    out->at += n;
    out->room -= (size_t)n;
}

MX_FN void mx_say_posting(const mx *m, uint32_t post, mx_text *out) {
    uint32_t slot = post >> 8;
    mx_say(out, "slot %u generation %u: ", slot, post & 15);
    if (mx_dead(m, post)) mx_say(out, "tombstone");
    else mx_say(out, "client %" PRIu64 " of pool %u", m->cold[slot].client, m->hot[slot].pool);
}

MX_FN void mx_say_entry(const mx *m, uint32_t hash, uint32_t entry, mx_text *out) {
    if (entry & MX_LONE) {
        mx_say(out, "hash %08x alone, ", hash);
        mx_say_posting(m, entry, out);
    } else if (entry) {
        const mx_list *l = &m->lists[entry >> 8];
        mx_say(out, "hash %08x list %u, interest %u of pool %u, %u postings", hash, entry >> 8, mx_interest(m, l->pool, l->hash), l->pool, l->len);
    } else {
        mx_say(out, "hash %08x nowhere", hash);
    }
    mx_say(out, "\n");
}

/* The ticket of a slot, and the entries of its interests. */
MX_FN void mx_dump_ticket(const mx *m, uint32_t slot, mx_text *out) {
    const mx_hot *t = &m->hot[slot];
    const mx_cold *c = &m->cold[slot];
    MX_ASSERT(slot < m->used && t->n <= MX_MOST);
    mx_say(out, "ticket in slot %u serial %u generation %u%s%s%s\n", slot, m->serials[slot], mx_gen(m, slot), t->flags & MX_LIVE ? ", waits" : "",
           t->flags & MX_LISTED ? ", in the lists" : ", in the log", t->flags & MX_STANDS ? ", takes anyone" : "");
    mx_say(out, "  client %" PRIu64 " pool %u level %u since %g floor %u weight %u signature %016" PRIx64 "\n", c->client, t->pool, t->level,
           c->since, c->floor, c->total, c->sig);
    for (uint32_t j = 0; j < t->n; j++) {
        uint32_t hash = j < MX_INLINE ? t->ids[j] : m->extras[c->extra].ids[j - MX_INLINE];
        mx_say(out, "  interest %u in bucket %u, ", mx_interest(m, t->pool, hash), mx_place(m, hash));
        mx_say_entry(m, hash, mx_find(m, t->pool, hash), out);
    }
}

/* A bucket, from 1 to mx_buckets: its entries and its chain. */
MX_FN void mx_dump_bucket(const mx *m, uint32_t number, mx_text *out) {
    const mx_bucket *b = &m->buckets[number];
    MX_ASSERT(number <= mx_buckets(m) && b->count <= MX_ENTRIES);
    mx_say(out, "bucket %u of %u: %u of %u entries, chained %04x\n", number, mx_buckets(m), b->count, MX_ENTRIES, b->chained);
    for (uint32_t k = 0; k < b->count; k++) {
        mx_say(out, "  ");
        mx_say_entry(m, b->tag[k], b->at[k], out);
    }
    for (uint32_t lid = b->at[MX_ENTRIES] >> 8; lid != MX_NOLIST && out->room > 1; lid = m->lists[lid].next) {
        mx_say(out, "  chain: ");
        mx_say_entry(m, m->lists[lid].hash, lid << 8, out);
    }
}

/* A list, from 1 to lists_used: its line, and its oldest postings. */
MX_FN void mx_dump_list(const mx *m, uint32_t lid, mx_text *out) {
    mx_list *l = &m->lists[lid];
    MX_ASSERT(lid < m->lists_used);
    mx_say(out, "list %u: interest %u of pool %u, hash %08x, bit %u, named %u times, %s\n", lid, mx_interest(m, l->pool, l->hash), l->pool, l->hash,
           l->bit, l->seen, l->indexed ? "in a bucket" : "in no bucket");
    mx_say(out, "  %u postings in class %u\n", l->len, l->size_class);
    for (uint32_t p = 0, shown = 0; p < l->len && shown < MX_DUMPED; p++, shown++) {
        uint32_t *slots;
        if (l->size_class >= MX_CHUNKED && p == l->wr) p = l->rd;
        const uint64_t *sig = mx_at(m, l, p, &slots);
        mx_say(out, "  %u: signature %016" PRIx64 " ", p, *sig);
        mx_say_posting(m, *slots, out);
        mx_say(out, "\n");
    }
}
#endif
