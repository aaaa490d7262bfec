/* Postings: random histories with fixed seeds, and thousands that come and go, in every build. */
#include "fuzz_postings.c"

static void come_and_go(uint32_t build, uint32_t every) {
    world_t *w = opened(build);
    uint32_t oldest = 0;
    while (w->count < MOST) {
        add(w, 50);
        check(w);
        for (uint32_t k = 0; k < 50 && w->alive > 3000; k += every) die(w, oldest += every, 1);
    }
    CHECK(list(w)->size_class >= MX_CHUNKED);
    closed(w);
}

/* A death takes its posting out of a short list at once. */
static void short_lists_have_no_tombstones(uint32_t build) {
    world_t *w = opened(build);
    add(w, 2 * MX_PROMOTE);
    for (uint32_t k = 0; k < 2 * MX_PROMOTE; k++) {
        die(w, k * 37 % (2 * MX_PROMOTE), 1);
        CHECK(list(w)->len == w->alive);
        check(w);
    }
    closed(w);
}

int main(void) {
    for (uint32_t build = 0; build <= (uint32_t)mx_best_variant(); build++) {
        come_and_go(build, 1);
        come_and_go(build, 7);
        short_lists_have_no_tombstones(build);
    }
    run_seeded(1, 300, 600);
    run_seeded(2, 8, 6000);
    return 0;
}
