/* The hash table: random histories with fixed seeds, and a table that grows to thousands and back. */
#include "fuzz_hashtable.c"

static void grow_and_shrink(int lone) {
    world_t *w = opened(7);
    for (uint32_t i = 0; i < MOST; i++) put(w, i % POOLS, mx_hash(&w->m, i % POOLS, i), lone);
    CHECK(mx_buckets(&w->m) > MOST / (MX_LOAD + 1));
    check_all(w);
    while (w->count) {
        out(w, w->count / 2);
        if (w->count % 512 == 0) check_all(w);
    }
    CHECK(mx_buckets(&w->m) < 2 * MX_FEWEST + 2);
    closed(w);
}

static void one_bucket_of_many(void) {
    world_t *w = opened(7);
    for (uint32_t i = 0; i < 256; i++) put(w, i % POOLS, i << 24, i & 1);
    check_all(w);
    CHECK(w->m.buckets[1].at[MX_ENTRIES]); /* seven stand in it, the rest are in its chain */
    closed(w);
}

int main(void) {
    grow_and_shrink(0);
    grow_and_shrink(1);
    one_bucket_of_many();
    run_seeded(1, 300, 600);
    run_seeded(2, 8, 12000);
    return 0;
}
