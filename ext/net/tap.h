/* The tap: a ring in shared memory with copies of a worker's chat lines, read by a process behind delivery. Invariant: the writer never waits,
 * and trusts nothing that the reader wrote. Two processes share the ring; one writes, one reads. Head and tail count the bytes written and read
 * since the start, each in a cache line of its own. An entry is never split: if it does not fit before the end, the rest of the ring is skipped.
 * If the ring is full, the line is dropped and counted. */
#ifndef SERENDIP_NET_TAP_H
#define SERENDIP_NET_TAP_H

#include <stdint.h>
#include <string.h>

enum { TAP_HEAD = 4096, TAP_MARK = 0x31706154, TAP_SKIP = -1 };

/* The first page of the memory; the ring is behind it. */
typedef struct {
    uint32_t mark, size;
    uint8_t pad0[56];
    uint64_t head, dropped; /* written by the writer */
    uint8_t pad1[48];
    uint64_t tail; /* written by the reader */
    uint8_t pad2[56];
} tap_shared_t;

/* Precedes each text, which is padded to eight bytes. `time`: Unix seconds. */
typedef struct {
    uint32_t size, number;
    uint64_t chat;
    double time;
    uint32_t side, unused;
} tap_entry_t;

/* One end, in its process. The writer's head and the reader's tail are private; the values in shared memory are copies for the other end. */
typedef struct {
    tap_shared_t *shared;
    uint8_t *data;
    uint64_t size, head, tail, dropped, written; /* lines: without room, and written by this end */
} tap_t;

static inline void tap_open(tap_t *tap, void *memory, uint64_t size) {
    tap->shared = (tap_shared_t *)memory;
    tap->data = (uint8_t *)memory + TAP_HEAD;
    tap->size = size;
    tap->head = __atomic_load_n(&tap->shared->head, __ATOMIC_ACQUIRE);
    tap->tail = __atomic_load_n(&tap->shared->tail, __ATOMIC_ACQUIRE);
    tap->dropped = __atomic_load_n(&tap->shared->dropped, __ATOMIC_RELAXED);
    tap->written = 0;
}

static inline uint64_t tap_room(const tap_t *tap) {
    uint64_t used = tap->head - tap->tail;
    return used <= tap->size ? tap->size - used : 0;
}

static inline uint64_t tap_entry_size(uint64_t text) { return sizeof(tap_entry_t) + ((text + 7) & ~(uint64_t)7); }

/* Write a line; return whether there was room. A line without room is counted as dropped. */
static inline int tap_put(tap_t *tap, uint64_t chat, uint32_t side, uint32_t number, double time, const uint8_t *text, uint32_t size) {
    uint64_t at = tap->head & (tap->size - 1), need = tap_entry_size(size), skip = tap->size - at < need ? tap->size - at : 0;
    tap_entry_t entry = {size, number, chat, time, side, 0};
    if (tap_room(tap) < skip + need) {
        tap->tail = __atomic_load_n(&tap->shared->tail, __ATOMIC_ACQUIRE);
        if (tap_room(tap) < skip + need) {
            __atomic_store_n(&tap->shared->dropped, ++tap->dropped, __ATOMIC_RELAXED);
            return 0;
        }
    }
    if (skip) {
        uint32_t passed = (uint32_t)TAP_SKIP;
        memcpy(tap->data + at, &passed, sizeof(passed));
        at = 0;
    }
    memcpy(tap->data + at, &entry, sizeof(entry));
    memcpy(tap->data + at + sizeof(entry), text, size);
    tap->head += skip + need;
    tap->written++;
    __atomic_store_n(&tap->shared->head, tap->head, __ATOMIC_RELEASE);
    return 1;
}

/* Find the next line, valid until `tap_done`. Return 1; 0: there is none; -1: the ring was not written by `tap_put`. */
static inline int tap_next(tap_t *tap, tap_entry_t *entry, const uint8_t **text) {
    for (;;) {
        uint64_t at = tap->tail & (tap->size - 1), used = tap->head - tap->tail, rest = tap->size - at;
        if (!used) {
            tap->head = __atomic_load_n(&tap->shared->head, __ATOMIC_ACQUIRE);
            used = tap->head - tap->tail;
            if (!used) return 0;
        }
        if (used > tap->size || used % 8 || rest % 8) return -1;
        memcpy(&entry->size, tap->data + at, sizeof(entry->size));
        if (entry->size == (uint32_t)TAP_SKIP) {
            if (rest > used) return -1;
            tap->tail += rest;
            continue;
        }
        uint64_t need = tap_entry_size(entry->size);
        if (need > used || need > rest) return -1;
        memcpy(entry, tap->data + at, sizeof(*entry));
        *text = tap->data + at + sizeof(*entry);
        tap->tail += need;
        return 1;
    }
}

/* Release what was read to the writer. */
static inline void tap_done(tap_t *tap) { __atomic_store_n(&tap->shared->tail, tap->tail, __ATOMIC_RELEASE); }

#endif
