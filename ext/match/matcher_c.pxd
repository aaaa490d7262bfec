"""Declare the C functions of `c/` for `ext/match/matcher.pyx`; no other module includes these, because they are static."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "c/matcher.h" nogil:
    enum:
        MX_NONE, MX_NOLIST, MX_NOBODYS, MX_MOST, MX_MOST_LISTS, MX_AVOID, MX_ANYONE, MX_LIFTED, MX_FULL, MX_LISTS_FULL, MX_PLAIN
    ctypedef struct mx_hot:
        pass
    ctypedef struct mx_cold:
        uint64_t client
        double since
        uint16_t total
    ctypedef struct mx_list:
        pass
    ctypedef struct mx_pool:
        uint32_t waiting
    ctypedef struct mx_counts:
        uint64_t postings, tickets, cut, fallbacks, flushed, swept
    ctypedef struct mx_query:
        uint32_t n, pool, self, person, total, floor, lift
        uint8_t level, quiet, nrec, nblk, weighted, home
        uint16_t place
        uint32_t interest[32]
        uint16_t w[32]
        uint32_t rec[16]
        uint32_t blk[16]
        uint64_t client
        double since
    ctypedef struct mx_best:
        uint32_t slot, score, mask, cut, postings, tickets, most_postings, most_tickets
    ctypedef struct mx_text:
        char *at
        size_t room
    ctypedef struct mx:
        mx_cold *cold
        mx_pool *pools
        const uint16_t *weights
        uint32_t capacity, live, lists_live, lists_used, entries, arena_live, log_size
        uint32_t most_pools, most_lists, table_bits, announced
        size_t reserved
        mx_counts counts
    ctypedef struct mx_arrivals:
        const uint16_t *pools
        const uint32_t *offsets
        const uint32_t *interests
        const uint32_t *persons
        const uint32_t *recents
        const uint64_t *clients
        const uint8_t *levels
        double now
        int hold, exact, quiet, only_insert
        uint32_t most_postings, most_tickets
        int64_t *partner
        int64_t *handle
        uint32_t *score
        uint32_t *cycles
    ctypedef struct mx_doors:
        void (*resolve)(mx *, mx_query *, int) noexcept nogil
        void (*search)(mx *, mx_query *, mx_best *, int) noexcept nogil
        void (*ready)(mx *, mx_query *) noexcept nogil
        uint32_t (*insert)(mx *, mx_query *) noexcept nogil
        void (*remove)(mx *, uint32_t, int) noexcept nogil
        void (*stand)(mx *, uint32_t) noexcept nogil
        void (*hand)(mx *, uint32_t) noexcept nogil
        void (*flush)(mx *, uint32_t) noexcept nogil
        int (*sound)(const mx_arrivals *, uint32_t, uint32_t, uint32_t) noexcept nogil
        int (*batch)(mx *, const mx_arrivals *, uint32_t) noexcept nogil
    const mx_doors mx_variants[3]
    const char *const mx_names[3]
    int mx_best_variant()
    mx *mx_new(uint32_t, uint32_t, uint32_t, uint32_t, uint64_t)
    void mx_free(mx *)
    uint32_t mx_pool_open(mx *, uint32_t)
    uint32_t mx_person(uint64_t)
    uint32_t mx_buckets(const mx *)
    uint64_t mx_alive()
    uint32_t mx_slot(const mx *, uint64_t)
    uint64_t mx_handle(const mx *, uint32_t)
    void mx_relax(mx *, uint32_t, uint32_t, uint32_t)
    void mx_recall(const mx *, uint32_t, mx_query *)
    uint32_t mx_common_interests(const mx_query *, uint32_t, uint32_t *)
    void mx_dump_ticket(const mx *, uint32_t, mx_text *)
    void mx_dump_bucket(const mx *, uint32_t, mx_text *)
    void mx_dump_list(const mx *, uint32_t, mx_text *)
