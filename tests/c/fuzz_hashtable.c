/* The hash table against a plain array: what was put under an interest is found there, in its pool and no other, until it is taken
 * out, through splits and joins and chains. Hashes are chosen so that many fall into one bucket. */
#include "support.h"

#include "../../ext/match/c/hashtable.h"

enum { MOST = 4096, POOLS = 3, SLOTS = 8192 };

typedef struct {
    uint32_t hash, pool, entry, slot; /* entry: as it was put in; slot: of the ticket that waits with it */
    int tombstone;
} plain_t;

typedef struct {
    mx m;
    plain_t rows[MOST];
    uint32_t count, next; /* next: the slot of the next ticket; none comes twice */
} world_t;

static int is_list_of(const world_t *w, uint32_t entry, const plain_t *row) {
    const mx_list *l = &w->m.lists[entry >> 8];
    return !(entry & MX_LONE) && l->hash == row->hash && l->pool == row->pool && l->indexed;
}

/* A posting that found no place in its bucket became a list of one. */
static int is(const world_t *w, uint32_t entry, const plain_t *row) {
    if (entry == row->entry) return 1;
    return row->entry & MX_LONE && entry && is_list_of(w, entry, row) && w->m.lists[entry >> 8].post[0] == (row->entry & ~MX_LONE);
}

static uint32_t row_of(const world_t *w, uint32_t pool, uint32_t hash) {
    for (uint32_t i = 0; i < w->count; i++)
        if (w->rows[i].pool == pool && w->rows[i].hash == hash && !w->rows[i].tombstone) return i;
    return MOST;
}

static void check_bucket(const world_t *w, uint32_t number, uint32_t *entries) {
    const mx_bucket *b = &w->m.buckets[number];
    CHECK(b->count <= MX_ENTRIES);
    for (uint32_t k = 0; k < MX_ENTRIES; k++) {
        CHECK(k < b->count ? b->at[k] != MX_NOLIST && mx_place(&w->m, b->tag[k]) == number : !b->at[k] && !b->tag[k]);
        CHECK(k >= b->count || b->at[k] & MX_LONE || w->m.lists[b->at[k] >> 8].hash == b->tag[k]);
    }
    *entries += b->count;
    for (uint32_t lid = b->at[MX_ENTRIES] >> 8; lid != MX_NOLIST; lid = w->m.lists[lid].next, ++*entries) {
        CHECK(mx_place(&w->m, w->m.lists[lid].hash) == number && w->m.lists[lid].indexed);
        CHECK(mx_chained(b, w->m.lists[lid].hash));
    }
}

static void check_all(const world_t *w) {
    uint32_t entries = 0, alive = 0;
    for (uint32_t number = 1; number <= mx_buckets(&w->m); number++) check_bucket(w, number, &entries);
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->rows[i].tombstone) continue;
        CHECK(is(w, mx_find(&w->m, w->rows[i].pool, w->rows[i].hash), &w->rows[i]));
        alive++;
    }
    CHECK(entries == w->m.entries && alive <= entries && entries <= w->count);
    CHECK(!w->m.buckets[0].count);
}

static void put(world_t *w, uint32_t pool, uint32_t hash, int lone) {
    if (row_of(w, pool, hash) < MOST || w->count == MOST || w->next == SLOTS) return;
    plain_t *row = &w->rows[w->count++];
    *row = (plain_t){.hash = hash, .pool = pool, .slot = w->next++};
    w->m.hot[row->slot].pool = (uint16_t)pool;
    w->m.cold[row->slot].sig = row->slot + 1;
    row->entry = row->slot << 8 | MX_LONE;
    if (!lone) {
        uint32_t lid = mx_list_of(&w->m, hash, row->entry);
        row->entry = lid << 8;
    }
    mx_insert_entry(&w->m, hash, row->entry);
}

/* Take an entry out; a tombstone only if it stands there still. */
static void out(world_t *w, uint32_t i) {
    plain_t row = w->rows[i];
    w->rows[i] = w->rows[--w->count];
    uint32_t entries = w->m.entries, entry = row.tombstone ? row.entry : mx_find(&w->m, row.pool, row.hash);
    CHECK(row.tombstone || is(w, entry, &row));
    int there = mx_remove_entry(&w->m, row.hash, entry);
    CHECK(there || row.tombstone);
    CHECK(w->m.entries + (uint32_t)there <= entries); /* joining two buckets drops tombstones that find no place */
    if (there && !(entry & MX_LONE)) {
        w->m.lists[entry >> 8].len = 0;
        mx_drop(&w->m, entry >> 8);
    }
    if (!row.tombstone) CHECK(mx_find(&w->m, row.pool, row.hash) == MX_NOLIST || mx_find(&w->m, row.pool, row.hash) & MX_LONE);
    CHECK(!mx_remove_entry(&w->m, row.hash, entry));
}

/* A ticket dies, and its posting stays where it stands; one that is in a list is the list's business. */
static void die(world_t *w, uint32_t i) {
    plain_t *row = &w->rows[i];
    if (row->tombstone || mx_find(&w->m, row->pool, row->hash) != row->entry || !(row->entry & MX_LONE)) return;
    w->m.gens[row->slot >> 3] += 1u << (row->slot & 7) * 4;
    row->tombstone = 1;
}

static world_t *opened(uint64_t seed) {
    world_t *w = calloc(1, sizeof *w);
    CHECK(w);
    w->m.seed = seed;
    w->m.most_lists = MOST;
    w->m.lists_used = 1;
    w->m.nbuckets = 2048;
    w->m.mask = MX_FEWEST - 1;
    w->m.lists = calloc(MOST + 64, sizeof(mx_list));
    w->m.buckets = aligned_alloc(64, (w->m.nbuckets + 1) * sizeof(mx_bucket));
    w->m.hot = aligned_alloc(64, SLOTS * sizeof(mx_hot));
    w->m.cold = calloc(SLOTS, sizeof(mx_cold));
    w->m.gens = calloc(SLOTS / 8 + 1, 4);
    w->m.pools = calloc(POOLS, sizeof(mx_pool));
    CHECK(w->m.lists && w->m.buckets && w->m.hot && w->m.cold && w->m.gens && w->m.pools);
    memset(w->m.buckets, 0, (w->m.nbuckets + 1) * sizeof(mx_bucket));
    memset(w->m.hot, 0, SLOTS * sizeof(mx_hot));
    w->m.lists[MX_NOLIST].pool = 0xFFFF;
    return w;
}

static void closed(world_t *w) {
    check_all(w);
    while (w->count) out(w, w->count - 1);
    check_all(w);
    CHECK(!w->m.entries && !w->m.lists_live);
    free(w->m.lists);
    free(w->m.buckets);
    free(w->m.hot);
    free(w->m.cold);
    free(w->m.gens);
    free(w->m.pools);
    free(w);
}

/* An interest comes back from its hash, whatever pool and seed. */
static void there_and_back(const mx *m, uint32_t interest) {
    for (uint32_t pool = 0; pool < POOLS; pool++) CHECK(mx_interest(m, pool, mx_hash(m, pool, interest)) == interest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes_t in = {data, size};
    uint64_t seed = take16(&in);
    world_t *w = opened(seed << 32 | seed);
    while (in.left) {
        uint32_t what = take8(&in), low = take8(&in), high = take8(&in);
        uint32_t hash = (low & 0x3F) | high << 24, some = w->count ? (low << 8 | high) % w->count : 0;
        switch (what % 8) {
        case 0:
        case 1:
        case 2:
            put(w, what / 8 % POOLS, hash, what & 64);
            break;
        case 3:
            for (uint32_t k = 0; k < low; k++) put(w, what / 8 % POOLS, mx_hash(&w->m, 0, high << 8 | k), what & 64);
            break;
        case 4:
            if (w->count) out(w, some);
            break;
        case 5:
            for (uint32_t k = 0; k < low && w->count; k++) out(w, (some + k) % w->count);
            break;
        case 6:
            if (w->count) die(w, some);
            break;
        default:
            there_and_back(&w->m, low * 0x01010101u ^ high << 13);
        }
        if (what >= 248) check_all(w);
    }
    closed(w);
    return 0;
}
