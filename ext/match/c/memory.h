/* Lay out the areas, and have memory present before it is needed. From 131,072 tickets on the areas use large pages. The first touch of one
 * takes as long as clearing 2 MiB (4 ms on a virtual machine whose host has not given the memory yet), so a helper thread touches what will be
 * needed next: it writes nothing and shares only the addresses. If it is late, or the kernel does not know the call, the matcher touches the
 * memory itself. */
#ifndef MX_MEMORY_H
#define MX_MEMORY_H
#include "hashtable.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define MX_LARGE (1u << 16)  /* tickets from which on large pages fill up soon: below, they would cost a small service 2 MiB per area */
#define MX_PAGE ((size_t)2 << 20)
#define MX_MARGIN ((size_t)8 << 20) /* most that is touched ahead: half of it is used up in 40 ms at a million and a half a second */

enum { MX_A_HOT, MX_A_COLD, MX_A_GENS, MX_A_FREED, MX_A_LISTS, MX_A_BUCKETS, MX_A_ARENA, MX_A_EXTRAS, MX_A_POOLS, MX_A_SERIALS, MX_A_TABLE };

/* Address and length of each area. */
MX_FN void mx_areas(const mx *m, void **areas, size_t *sizes) {
    void *all[MX_AREAS] = {m->hot, m->cold, m->gens, m->freed, m->lists, m->buckets, m->arena, m->extras, m->pools, m->serials, m->table};
    size_t long_[MX_AREAS] = {(m->capacity + 64ul) * sizeof(mx_hot),
                              (m->capacity + 64ul) * sizeof(mx_cold),
                              (m->capacity / 8 + 16ul) * 4,
                              m->capacity * 4ul,
                              (m->most_lists + 64ul) * sizeof(mx_list),
                              (m->nbuckets + 1ul) * sizeof(mx_bucket),
                              m->arena_units * 64ul,
                              (m->capacity + 1ul) * sizeof(mx_extra),
                              m->most_pools * sizeof(mx_pool),
                              (m->capacity + 64ul) * 4,
                              (size_t)64 << m->table_bits};
    memcpy(areas, all, sizeof all);
    memcpy(sizes, long_, sizeof long_);
}

/* How much of each area is in use. */
MX_FN void mx_in_use(const mx *m, size_t *used) {
    memset(used, 0, MX_AREAS * sizeof *used);
    used[MX_A_HOT] = m->used * sizeof(mx_hot);
    used[MX_A_COLD] = m->used * sizeof(mx_cold);
    used[MX_A_FREED] = used[MX_A_SERIALS] = m->used * 4ul;
    used[MX_A_LISTS] = m->lists_used * sizeof(mx_list);
    used[MX_A_BUCKETS] = (mx_buckets(m) + 1ul) * sizeof(mx_bucket);
    used[MX_A_ARENA] = m->arena_top * 64ul;
}

/* Use large pages from now on. */
MX_FN void mx_large(mx *m) {
    void *areas[MX_AREAS];
    size_t sizes[MX_AREAS];
    m->huge = 1;
    mx_areas(m, areas, sizes);
    mx_in_use(m, m->present);
    for (int i = 0; i < MX_AREAS; i++)
        if (areas[i] && i != MX_A_EXTRAS) madvise(areas[i], (sizes[i] + 4095) & ~(size_t)4095, MADV_HUGEPAGE);
}

MX_FN void *mx_help(void *of) {
    mx *m = of;
    for (int i = 0; i < MX_AREAS; i++)
        if (m->ahead[i].bytes) madvise(m->ahead[i].from, m->ahead[i].bytes, MADV_POPULATE_WRITE);
    __atomic_store_n(&m->helping, 0, __ATOMIC_RELEASE);
    return NULL;
}

/* Wait until no helper is running. */
MX_FN void mx_alone(mx *m) {
    if (m->helped) pthread_join(m->helper, NULL);
    m->helped = 0;
}

/* Have the memory touched that is needed next; called once in so many tickets. */
MX_FN void mx_provide(mx *m) {
    void *areas[MX_AREAS];
    size_t sizes[MX_AREAS], used[MX_AREAS];
    int any = 0;
    if (__atomic_load_n(&m->helping, __ATOMIC_ACQUIRE)) return;
    mx_areas(m, areas, sizes);
    mx_in_use(m, used);
    if (m->table && m->table_near) used[MX_A_TABLE] = sizes[MX_A_TABLE];
    for (int i = 0; i < MX_AREAS; i++) {
        size_t margin = m->huge ? used[i] / 8 : 0, upto;
        if (margin < MX_PAGE) margin = MX_PAGE;
        if (margin > MX_MARGIN) margin = MX_MARGIN;
        m->ahead[i].bytes = 0;
        if ((!m->huge && i != MX_A_TABLE) || !used[i] || used[i] + margin / 2 <= m->present[i] || m->present[i] >= sizes[i]) continue;
        upto = (used[i] + margin + MX_PAGE - 1) & ~(MX_PAGE - 1);
        if (upto > sizes[i]) upto = sizes[i] & ~(size_t)4095;
        if (upto <= m->present[i]) continue;
        size_t from = m->present[i] & ~(size_t)4095;
        m->ahead[i].from = (char *)areas[i] + from;
        m->ahead[i].bytes = upto - from;
        m->present[i] = upto;
        any = 1;
    }
    if (!any) return;
    mx_alone(m);
    m->helping = 1;
    m->helped = pthread_create(&m->helper, NULL, mx_help, m) == 0;
    if (!m->helped) m->helping = 0;
}
#endif
