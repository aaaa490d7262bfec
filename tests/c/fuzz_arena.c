/* The arena and the lists in it against plain arrays: what was written is read again, no two bodies share a unit, what is given back
 * is counted. Operations from bytes; the first says how large the arena is, so that it runs full too. */
#include "support.h"

#include "../../ext/match/c/arena.h"

enum { LISTS = 6, BLOCKS = 16, MOST = 40000 };

typedef struct {
    uint32_t lid, len, posts[MOST]; /* the signature of a posting is a function of it */
} plain_t;

typedef struct {
    mx m;
    plain_t *lists[LISTS];
    uint32_t block[BLOCKS], size_class[BLOCKS], next;
    uint8_t *used;
} world_t;

static uint64_t sign(uint32_t post) { return post * 0x9E3779B97F4A7C15ull | 1; }

static void check_list(world_t *w, const plain_t *plain) {
    mx_list *l = &w->m.lists[plain->lid];
    CHECK(l->len == plain->len);
    for (uint32_t p = 0; p < plain->len; p++) {
        uint32_t *slots;
        uint64_t *sig = mx_at(&w->m, l, p, &slots);
        CHECK(*slots == plain->posts[p] && *sig == sign(plain->posts[p]));
    }
}

static void claim(world_t *w, uint32_t off, int size_class) {
    for (uint32_t k = 0; k < mx_units(size_class); k++) {
        CHECK(off + k < w->m.arena_top && off + k && !w->used[off + k]);
        w->used[off + k] = 1;
    }
}

/* No unit belongs to two, and as many are said to be in use as are. */
static void check_units(world_t *w) {
    memset(w->used, 0, w->m.arena_units);
    for (int i = 0; i < LISTS; i++) {
        mx_list *l = &w->m.lists[w->lists[i]->lid];
        if (l->size_class) claim(w, l->off, l->size_class);
        if (l->size_class < MX_CHUNKED) continue;
        uint32_t chunks = (l->len + MX_CHUNK - 1) >> MX_LOGCHUNK;
        for (uint32_t k = 0; k < (chunks ? chunks : 1); k++) claim(w, mx_dir(&w->m, l)[k], MX_CHUNKED - 1);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (w->block[i]) claim(w, w->block[i], (int)w->size_class[i]);
    uint32_t live = 0;
    for (uint32_t k = 0; k < w->m.arena_units; k++) live += w->used[k];
    CHECK(live == w->m.arena_live);
}

static void append(world_t *w, plain_t *plain, uint32_t count) {
    mx_list *l = &w->m.lists[plain->lid];
    while (count-- && plain->len < MOST) {
        if (mx_filled(l) && mx_grow(&w->m, l)) {
            CHECK(mx_filled(l)); /* full, and as it was */
            return;
        }
        uint32_t *slots, post = w->next++;
        uint64_t *sig = mx_at(&w->m, l, l->len, &slots);
        *sig = sign(post);
        *slots = post;
        l->len++;
        plain->posts[plain->len++] = post;
    }
}

static void cut(world_t *w, plain_t *plain, uint32_t len) {
    mx_list *l = &w->m.lists[plain->lid];
    plain->len = len;
    if (l->size_class >= MX_CHUNKED) {
        mx_cut(&w->m, l, len);
    } else {
        l->len = len;
        mx_shrink(&w->m, l);
        CHECK(l->len <= mx_caps[l->size_class]);
    }
}

static void renew(world_t *w, plain_t *plain) {
    cut(w, plain, 0); /* only what is empty is dropped */
    mx_drop(&w->m, plain->lid);
    plain->lid = mx_blank(&w->m, 0, 77);
    plain->len = 0;
}

/* A block of a class by itself, or its end; it holds what it says of itself until then. */
static void block(world_t *w, uint32_t i, int size_class) {
    if (w->block[i]) {
        const uint8_t *at = (uint8_t *)w->m.arena + (size_t)w->block[i] * 64;
        for (uint32_t k = 0; k < mx_units((int)w->size_class[i]) * 64; k++) CHECK(at[k] == (uint8_t)(i + 1));
        mx_give(&w->m, (int)w->size_class[i], w->block[i]);
        w->block[i] = 0;
        return;
    }
    uint32_t live = w->m.arena_live, off = mx_take(&w->m, size_class);
    if (!off) {
        CHECK(w->m.arena_live == live && w->m.arena_top + mx_units(size_class) > w->m.arena_units);
        return;
    }
    w->block[i] = off;
    w->size_class[i] = (uint32_t)size_class;
    memset(w->m.arena + (size_t)off * 64, (int)i + 1, (size_t)mx_units(size_class) * 64);
}

static world_t *opened(uint32_t units) {
    world_t *w = calloc(1, sizeof *w);
    CHECK(w);
    w->m.arena_units = units;
    w->m.arena_top = 1;
    w->m.most_lists = LISTS;
    w->m.lists_used = 1;
    w->m.arena = malloc((size_t)units * 64);
    w->m.lists = calloc(LISTS + 64, sizeof(mx_list));
    w->m.pools = calloc(1, sizeof(mx_pool));
    w->used = malloc(units);
    CHECK(w->m.arena && w->m.lists && w->m.pools && w->used);
    for (int i = 0; i < LISTS; i++) {
        w->lists[i] = calloc(1, sizeof(plain_t));
        CHECK(w->lists[i]);
        w->lists[i]->lid = mx_blank(&w->m, 0, 77);
    }
    return w;
}

static void closed(world_t *w) {
    for (int i = 0; i < LISTS; i++) {
        check_list(w, w->lists[i]);
        cut(w, w->lists[i], 0);
        mx_drop(&w->m, w->lists[i]->lid);
        free(w->lists[i]);
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (w->block[i]) block(w, i, 0);
    CHECK(!w->m.arena_live && !w->m.lists_live);
    free(w->m.arena);
    free(w->m.lists);
    free(w->m.pools);
    free(w->used);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes_t in = {data, size};
    world_t *w = opened((uint32_t[]){256, 2048, 16384, 65536}[take8(&in) & 3]);
    while (in.left) {
        uint32_t what = take8(&in), number = take16(&in);
        plain_t *plain = w->lists[what / 8 % LISTS];
        switch (what % 8) {
        case 0:
        case 1:
            append(w, plain, number % 80);
            break;
        case 2:
            append(w, plain, number % 6000);
            break;
        case 3:
            cut(w, plain, plain->len ? number % (plain->len + 1) : 0);
            break;
        case 4:
            cut(w, plain, plain->len - (plain->len ? number % (plain->len / 16 + 1) : 0));
            break;
        case 5:
            block(w, number % BLOCKS, 1 + (int)(number / BLOCKS % 20));
            break;
        case 6:
            check_list(w, plain);
            break;
        default:
            number % 16 ? append(w, plain, 1) : renew(w, plain);
        }
        if (what % 8 == 6 || !in.left) check_units(w);
    }
    closed(w);
    return 0;
}
