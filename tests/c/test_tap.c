/* The tap: random histories with fixed seeds, a full ring, and two threads at once. */
#include "fuzz_tap.c"

#include <pthread.h>

enum { TALK = 200000 };

static void full_and_emptied(void) {
    world_t *w = opened();
    put(w, RING); /* never fits */
    CHECK(w->dropped == 1);
    for (int round = 0; round < 50; round++) {
        uint32_t before = w->dropped;
        while (w->dropped == before) put(w, 30 + (uint32_t)round);
        while (w->dropped == before + 1) put(w, 0); /* into what is left */
        while (take(w)) continue;
        before = w->dropped;
        put(w, 8);
        CHECK(w->dropped == before + 1); /* read, and not given back */
        tap_done(&w->reader);
        put(w, 8);
        CHECK(w->dropped == before + 1 && take(w));
        tap_done(&w->reader);
    }
    closed(w);
}

static void *talks(void *of) {
    world_t *w = of;
    uint8_t text[64];
    for (uint32_t number = 1; number <= TALK; number++) {
        memset(text, (int)(number & 0xFF), sizeof(text));
        tap_put(&w->writer, number, 0, number, 0, text, number % 64);
    }
    return NULL;
}

static void two_at_once(void) {
    world_t *w = opened();
    pthread_t other;
    tap_entry_t entry;
    const uint8_t *text = NULL;
    uint64_t got = 0, last = 0;
    CHECK(!pthread_create(&other, NULL, talks, w));
    while (last < TALK && got + __atomic_load_n(&w->writer.shared->dropped, __ATOMIC_ACQUIRE) < TALK) {
        while (tap_next(&w->reader, &entry, &text) > 0) {
            CHECK(entry.number > last && entry.chat == entry.number && entry.size == entry.number % 64);
            for (uint32_t i = 0; i < entry.size; i++) CHECK(text[i] == (entry.number & 0xFF));
            last = entry.number;
            got++;
        }
        tap_done(&w->reader);
    }
    CHECK(!pthread_join(other, NULL));
    while (tap_next(&w->reader, &entry, &text) > 0) got++;
    CHECK(got && got + w->writer.dropped == TALK);
    closed(w);
}

int main(void) {
    full_and_emptied();
    two_at_once();
    run_seeded(1, 3000, 400);
    run_seeded(2, 60, 4000);
    return 0;
}
