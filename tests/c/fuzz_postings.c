/* Lists of postings against a plain array, in every build that this machine runs: the living are there, each once, with their
 * signature, the oldest first, whoever died and whatever was swept meanwhile. */
#include "support.h"

#include "../../ext/match/c/matcher.h"

enum { MOST = 12000 };

typedef struct {
    void (*list)(mx *, mx_list *, uint64_t, uint32_t);
    void (*unlist)(mx *, uint32_t, uint32_t);
    void (*compact)(mx *, mx_list *);
    void (*step)(mx *, mx_list *);
} build_t;

static const build_t builds[] = {
    {mx_list_v1, mx_unlist_v1, mx_compact_v1, mx_step_v1},
#if MX_VARIANTS == 3
    {mx_list_v3, mx_unlist_v3, mx_compact_v3, mx_step_v3},
    {mx_list_v4, mx_unlist_v4, mx_compact_v4, mx_step_v4},
#endif
};

typedef struct {
    mx *m;
    const build_t *build;
    uint32_t lid, count, alive;
    uint8_t dead[MOST]; /* by slot, which is the order in which they came */
} world_t;

static uint64_t sign(uint32_t slot) { return (slot + 1) * 0x9E3779B97F4A7C15ull | 1; }

static mx_list *list(const world_t *w) { return &w->m->lists[w->lid]; }

static void check(const world_t *w) {
    mx_list *l = list(w);
    uint32_t slot = 0, alive = 0;
    CHECK(l->size_class < MX_CHUNKED || (l->wr <= l->rd && l->rd <= l->len));
    for (uint32_t p = 0; p < l->len; p++) {
        uint32_t *slots;
        const uint64_t *sig = mx_at(w->m, l, p, &slots);
        if (l->size_class >= MX_CHUNKED && p >= l->wr && p < l->rd) {
            CHECK(!*sig);
            continue;
        }
        if (mx_dead(w->m, *slots)) continue;
        while (slot < w->count && w->dead[slot]) slot++;
        CHECK(*slots == (slot << 8) && *sig == sign(slot));
        slot++;
        alive++;
    }
    CHECK(alive == w->alive);
}

static void add(world_t *w, uint32_t count) {
    while (count-- && w->count < MOST) {
        uint32_t slot = w->count++;
        w->build->list(w->m, list(w), sign(slot), slot << 8);
        w->alive++;
    }
}

static void die(world_t *w, uint32_t slot, int deleted) {
    if (slot >= w->count || w->dead[slot]) return;
    w->dead[slot] = 1;
    w->alive--;
    w->m->gens[slot >> 3] += 1u << (slot & 7) * 4;
    if (deleted) w->build->unlist(w->m, w->lid, slot << 8);
}

static void sweep(world_t *w, uint32_t steps) {
    if (list(w)->size_class < MX_CHUNKED) w->build->compact(w->m, list(w));
    while (steps-- && list(w)->size_class >= MX_CHUNKED) w->build->step(w->m, list(w));
    mx_shrink(w->m, list(w));
}

static world_t *opened(uint32_t build) {
    world_t *w = calloc(1, sizeof *w);
    CHECK(w);
    w->m = mx_new(MOST, 100, 1u << 31, 0, 1);
    CHECK(w->m);
    w->build = &builds[build % (uint32_t)(mx_best_variant() + 1)];
    w->lid = mx_blank(w->m, 0, 5); /* in no bucket: nobody closes it when it is empty */
    return w;
}

static void closed(world_t *w) {
    check(w);
    for (uint32_t slot = 0; slot < w->count; slot++) die(w, slot, slot % 3);
    sweep(w, 2 * MOST);
    check(w);
    CHECK(!list(w)->len);
    mx_drop(w->m, w->lid);
    CHECK(!w->m->arena_live);
    mx_free(w->m);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes_t in = {data, size};
    world_t *w = opened(take8(&in));
    while (in.left) {
        uint32_t what = take8(&in), number = take16(&in), run = number % 64;
        uint32_t some = w->count ? number % w->count : 0;
        switch (what % 8) {
        case 0:
            add(w, 1);
            break;
        case 1:
            add(w, run);
            break;
        case 2:
            add(w, what < 64 ? number % 3000 : run);
            break;
        case 3:
            die(w, some, 1);
            break;
        case 4:
            die(w, some, 0);
            break;
        case 5:
        case 6:
            for (uint32_t k = 0; k < run; k++) die(w, some + k * (1 + what / 64), what % 8 == 5);
            break;
        default:
            sweep(w, run);
        }
        if (what >= 240) check(w);
    }
    closed(w);
    return 0;
}
