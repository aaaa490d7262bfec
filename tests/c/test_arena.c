/* The arena: random histories with fixed seeds, and a list that grows through every class and back. */
#include "fuzz_arena.c"

static void grow_and_shrink(void) {
    world_t *w = opened(65536);
    plain_t *plain = w->lists[0];
    for (uint32_t len = 0; len < MOST; len = plain->len) {
        append(w, plain, 1 + len / 16);
        check_list(w, plain);
    }
    CHECK(w->m.lists[plain->lid].size_class == MX_CHUNKED + 2); /* 40 chunks: a directory of 64 */
    check_units(w);
    while (plain->len) {
        cut(w, plain, plain->len - 1 - plain->len / 16);
        check_list(w, plain);
        check_units(w);
    }
    CHECK(!w->m.lists[plain->lid].size_class);
    closed(w);
}

int main(void) {
    grow_and_shrink();
    run_seeded(1, 150, 400);
    run_seeded(2, 4, 8000);
    return 0;
}
