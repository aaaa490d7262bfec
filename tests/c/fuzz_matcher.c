/* The matcher as a whole against a plain array of tickets, in every build that this machine runs: whoever is given as a partner
 * waits, is allowed and shares as much as is said; an exact search finds the most that anybody shares; nobody is left behind. */
#include "support.h"

#include "../../ext/match/c/matcher.h"

enum { CAPACITY = 512, POOLS = 3, ARRAY = 64, PERSONS = 24, GIVEN = 1 << 16 };

typedef struct {
    uint64_t handle;
    uint32_t pool, n, ids[MX_MOST], level, person, recent[4], blocked, floor, stands;
} plain_t;

typedef struct {
    mx *m;
    const mx_doors *doors;
    plain_t tickets[CAPACITY];
    uint32_t count, interests, given; /* given: tickets so far; a generation has four bits, so histories end before it matters */
    mx_query q;
} world_t;

static uint32_t shared(const plain_t *a, const plain_t *b) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++) n += a->ids[i] == b->ids[j];
    return n;
}

static int apart(const plain_t *a, const plain_t *b) {
    int hit = a->blocked == b->person || b->blocked == a->person || a->person == b->person;
    if (a->level == MX_LIFTED && b->level == MX_LIFTED) return hit;
    for (int k = 0; k < 4; k++) hit |= a->recent[k] == b->person || b->recent[k] == a->person;
    return hit;
}

/* What two share where they may meet, by rules 6 and 7; 0: they may not. */
static uint32_t worth(const plain_t *a, const plain_t *b, int quiet) {
    uint32_t n = shared(a, b), least = a->n < b->n ? a->n : b->n;
    if (a->pool != b->pool || apart(a, b)) return 0;
    if (!quiet && (a->level == MX_GOOD || b->level == MX_GOOD) && 2 * n < least) return 0;
    if (n < (quiet ? 0 : a->floor) || (!quiet && n < b->floor)) return 0;
    return n;
}

static plain_t *whose(world_t *w, uint64_t handle) {
    for (uint32_t i = 0; i < w->count; i++)
        if (w->tickets[i].handle == handle) return &w->tickets[i];
    return NULL;
}

static void gone(world_t *w, uint64_t handle) {
    plain_t *t = whose(w, handle);
    CHECK(t);
    *t = w->tickets[--w->count];
}

static void check_partner(world_t *w, const plain_t *me, const mx_best *b, int quiet, int exact) {
    uint32_t best = 0;
    int anyone = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        const plain_t *t = &w->tickets[i];
        if (t->handle == me->handle) continue;
        uint32_t n = worth(me, t, quiet);
        best = n > best ? n : best;
        anyone |= t->pool == me->pool && t->stands && t->level >= MX_ANYONE && !apart(me, t);
    }
    if (b->slot == MX_NONE) {
        CHECK(!exact || !best);
        CHECK(best || me->level < MX_ANYONE || !anyone);
        return;
    }
    const plain_t *t = whose(w, mx_handle(w->m, b->slot));
    CHECK(t && t->pool == me->pool && !apart(me, t));
    if (b->score) CHECK(worth(me, t, quiet) == b->score && (!exact || b->score == best));
    else CHECK(me->level >= MX_ANYONE && t->stands && (!exact || !best));
}

static void search(world_t *w, const plain_t *me, int quiet, int exact, mx_best *b) {
    *b = (mx_best){.slot = MX_NONE, .most_postings = exact ? 0 : 60, .most_tickets = exact ? 0 : 6};
    w->doors->resolve(w->m, &w->q, me->handle == UINT64_MAX);
    w->doors->search(w->m, &w->q, b, exact);
    if (exact) check_partner(w, me, b, quiet, 1);
    else if (b->slot != MX_NONE) check_partner(w, me, b, quiet, 0);
}

static void meet(world_t *w, const mx_best *b) {
    uint64_t handle = mx_handle(w->m, b->slot);
    w->doors->remove(w->m, b->slot, 1);
    gone(w, handle);
    CHECK(mx_slot(w->m, handle) == MX_NONE);
}

static plain_t stranger(world_t *w, bytes_t *in) {
    uint32_t what = take8(in), size = take8(in), n = size % 16 < 12 ? size % 6 : size % (MX_MOST + 1);
    plain_t t = {.handle = UINT64_MAX, .pool = what % POOLS, .level = what >> 2 & 3, .person = 1 + take8(in) % PERSONS};
    for (uint32_t k = 0; k < n; k++) {
        uint32_t id = (take8(in) | (k << 3 & 0x100)) % w->interests, twice = 0;
        for (uint32_t j = 0; j < t.n; j++) twice |= t.ids[j] == id;
        if (!twice) t.ids[t.n++] = id;
    }
    for (int k = 0; k < 4; k++) t.recent[k] = what & 16 ? take8(in) % (PERSONS + 1) : 0;
    t.blocked = what & 32 && what & 64 ? 1 + take8(in) % PERSONS : 0;
    t.floor = what >= 224 ? 2 : 0;
    if (!t.n) t.level = t.level < MX_ANYONE ? MX_ANYONE : t.level;
    return t;
}

static void ask(world_t *w, const plain_t *t, int quiet) {
    mx_query *q = &w->q;
    memset(q, 0, sizeof *q);
    q->lift = MX_PLAIN;
    q->n = q->total = t->n;
    q->pool = t->pool;
    q->self = MX_NONE;
    q->person = t->person;
    q->level = (uint8_t)t->level;
    q->quiet = (uint8_t)quiet;
    q->floor = quiet ? 0 : t->floor;
    memcpy(q->interest, t->ids, sizeof t->ids);
    q->nrec = 4;
    memcpy(q->rec, t->recent, sizeof t->recent);
    q->nblk = t->blocked != 0;
    q->blk[0] = t->blocked;
}

static void submit(world_t *w, bytes_t *in, uint32_t how) {
    int quiet = how & 1, exact = how & 2, look = how & 12;
    plain_t me = stranger(w, in);
    mx_best b;
    ask(w, &me, quiet);
    if (quiet) me.floor = 0;
    if (look) {
        search(w, &me, quiet, exact, &b);
        if (b.slot != MX_NONE) {
            meet(w, &b);
            return;
        }
    }
    w->doors->resolve(w->m, &w->q, 0);
    w->doors->ready(w->m, &w->q);
    uint32_t slot = w->doors->insert(w->m, &w->q);
    CHECK((slot == MX_NONE) == (w->count == CAPACITY));
    if (slot == MX_NONE) return;
    me.handle = mx_handle(w->m, slot);
    me.stands = me.level >= MX_ANYONE;
    w->tickets[w->count++] = me;
    w->given++;
}

static void retry(world_t *w, bytes_t *in, uint32_t how) {
    if (!w->count) return;
    plain_t *me = &w->tickets[take16(in) % w->count];
    uint32_t slot = mx_slot(w->m, me->handle), level = how >> 2 & 3;
    uint64_t handle = me->handle;
    mx_best b;
    CHECK(slot != MX_NONE);
    me->level = level > me->level ? level : me->level;
    me->floor = 0;
    mx_relax(w->m, slot, me->level, 0);
    mx_recall(w->m, slot, &w->q);
    CHECK(w->q.n == me->n && !memcmp(w->q.interest, me->ids, me->n * 4));
    w->q.floor = 0;
    w->q.quiet = how & 1;
    w->q.weighted = 0;
    w->q.total = me->n;
    search(w, me, how & 1, how & 2, &b);
    if (b.slot != MX_NONE) {
        w->doors->remove(w->m, slot, 1);
        gone(w, handle);
        meet(w, &b);
    } else if (me->level >= MX_ANYONE) {
        w->doors->stand(w->m, slot);
        me->stands = 1;
    }
}

/* Arrivals of an array, checked one by one afterwards, in their order. */
static void batch(world_t *w, bytes_t *in, uint32_t how) {
    uint32_t n = 1 + take8(in) % ARRAY, offsets[ARRAY + 1] = {0}, interests[ARRAY * MX_MOST], persons[ARRAY], recents[4 * ARRAY], score[ARRAY];
    uint16_t pools[ARRAY];
    uint8_t levels[ARRAY];
    int64_t partner[ARRAY], handle[ARRAY];
    plain_t who[ARRAY];
    mx_arrivals a = {.pools = pools,
                     .offsets = offsets,
                     .interests = interests,
                     .persons = persons,
                     .recents = recents,
                     .levels = levels,
                     .hold = how & 1,
                     .exact = how & 2,
                     .only_insert = (how & 12) == 12,
                     .partner = partner,
                     .handle = handle,
                     .score = score};
    a.most_postings = a.exact ? 0 : 60;
    a.most_tickets = a.exact ? 0 : 6;
    for (uint32_t i = 0; i < n; i++) {
        who[i] = stranger(w, in);
        who[i].floor = who[i].blocked = 0;
        memcpy(interests + offsets[i], who[i].ids, who[i].n * 4);
        offsets[i + 1] = offsets[i] + who[i].n;
        pools[i] = (uint16_t)who[i].pool;
        levels[i] = (uint8_t)who[i].level;
        persons[i] = who[i].person;
        memcpy(recents + 4 * i, who[i].recent, sizeof who[i].recent);
    }
    CHECK(w->doors->sound(&a, n, offsets[n], POOLS));
    CHECK(w->doors->batch(w->m, &a, n) == MX_OK);
    for (uint32_t i = 0; i < n; i++) {
        if (partner[i] >= 0) {
            const plain_t *t = whose(w, (uint64_t)partner[i]);
            CHECK(t && t->pool == who[i].pool && !apart(t, &who[i]));
            if (score[i]) CHECK(worth(&who[i], t, 0) == score[i]);
            else CHECK(who[i].level >= MX_ANYONE && t->stands);
            gone(w, (uint64_t)partner[i]);
        }
        CHECK(partner[i] >= 0 ? a.hold || handle[i] == MX_MET : handle[i] >= 0 || (handle[i] == MX_FULL && w->count == CAPACITY));
        if (handle[i] < 0) continue;
        who[i].handle = (uint64_t)handle[i];
        who[i].stands = who[i].level >= MX_ANYONE;
        w->tickets[w->count++] = who[i];
        w->given++;
    }
}

static world_t *opened(bytes_t *in) {
    uint32_t what = take8(in), variants = (uint32_t)mx_best_variant() + 1;
    world_t *w = calloc(1, sizeof *w);
    CHECK(w);
    w->m = mx_new(CAPACITY, 1 << 16, what & 1 ? 16 : 1u << 31, what & 2 ? 24 : 0, take8(in));
    CHECK(w->m);
    w->doors = &mx_variants[what / 16 % variants];
    w->interests = (uint32_t[]){3, 20, 100, 400}[what >> 2 & 3];
    for (uint32_t pool = 0; pool < POOLS; pool++) CHECK(mx_pool_open(w->m, pool) != MX_NOLIST);
    return w;
}

static void closed(world_t *w) {
    while (w->count) {
        uint64_t handle = w->tickets[w->count - 1].handle;
        uint32_t slot = mx_slot(w->m, handle);
        CHECK(slot != MX_NONE);
        w->doors->remove(w->m, slot, 1);
        gone(w, handle);
    }
    CHECK(!w->m->live && mx_alive() == 0);
    for (uint32_t pool = 0; pool < POOLS; pool++) CHECK(!w->m->pools[pool].waiting);
    mx_free(w->m);
    free(w);
}

static void dump(world_t *w, uint32_t number) {
    char text[4096];
    mx_text out = {text, sizeof text};
    if (w->count) mx_dump_ticket(w->m, mx_slot(w->m, w->tickets[number % w->count].handle), &out);
    mx_dump_bucket(w->m, 1 + number % mx_buckets(w->m), &out);
    mx_dump_list(w->m, 1 + number % (w->m->lists_used - 1), &out);
    CHECK(out.room && strlen(text) == sizeof text - out.room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes_t in = {data, size};
    world_t *w = opened(&in);
    while (in.left && w->given < GIVEN) {
        uint32_t what = take8(&in), how = what >> 3;
        switch (what & 7) {
        case 0:
        case 1:
        case 2:
            submit(w, &in, how);
            break;
        case 3:
            retry(w, &in, how);
            break;
        case 4:
        case 5:
            batch(w, &in, how);
            break;
        case 6:
            if (w->count) {
                uint64_t handle = w->tickets[take16(&in) % w->count].handle;
                w->doors->remove(w->m, mx_slot(w->m, handle), 1);
                gone(w, handle);
            }
            break;
        default:
            w->doors->flush(w->m, how);
            w->doors->hand(w->m, how * 64);
            dump(w, how);
        }
        CHECK(w->m->live == w->count);
    }
    closed(w);
    return 0;
}
