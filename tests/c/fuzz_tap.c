/* The tap against a plain list: what was written is read, whole and in order; what had no room was counted. Operations from bytes. The reader may
 * write what it likes: the writer stays within the ring all the same. */
#include "support.h"

#include "../../ext/net/tap.h"

enum { RING = 4096, LINES = 4096 };

typedef struct {
    uint32_t size, number;
    uint8_t first;
} line_t;

typedef struct {
    uint8_t *memory;
    tap_t writer, reader;
    line_t lines[LINES];
    uint32_t written, read, tried, dropped;
} world_t;

static world_t *opened(void) {
    world_t *w = calloc(1, sizeof(world_t));
    CHECK(w);
    w->memory = calloc(1, TAP_HEAD + RING);
    CHECK(w->memory);
    tap_open(&w->writer, w->memory, RING);
    tap_open(&w->reader, w->memory, RING);
    return w;
}

static void closed(world_t *w) {
    free(w->memory);
    free(w);
}

static void put(world_t *w, uint32_t size) {
    uint8_t *text = malloc(size ? size : 1);
    CHECK(text);
    memset(text, (int)(w->tried & 0xFF), size);
    uint32_t number = ++w->tried;
    if (tap_put(&w->writer, 7ull << 60 | number, number & 1, number, number / 2.0, text, size)) {
        CHECK(w->written < LINES);
        w->lines[w->written++] = (line_t){size, number, size ? text[0] : 0};
    } else {
        w->dropped++;
    }
    free(text);
    CHECK(w->writer.dropped == w->dropped && w->writer.shared->dropped == w->dropped);
}

static int take(world_t *w) {
    tap_entry_t entry;
    const uint8_t *text = NULL;
    int there = tap_next(&w->reader, &entry, &text);
    CHECK(there >= 0);
    if (!there) {
        CHECK(w->read == w->written);
        return 0;
    }
    line_t line = w->lines[w->read++];
    CHECK(entry.size == line.size && entry.number == line.number && entry.chat == (7ull << 60 | line.number));
    CHECK(entry.side == (line.number & 1) && entry.time == line.number / 2.0);
    for (uint32_t i = 0; i < line.size; i++) CHECK(text[i] == line.first);
    return 1;
}

/* A reader that lies about how far it is, and one that reads what nobody wrote. */
static void spoil(world_t *w, bytes_t *b) {
    tap_entry_t entry;
    const uint8_t *text = NULL;
    w->writer.shared->tail = (uint64_t)take16(b) << take8(b) % 48;
    for (uint32_t i = 0; i < 64; i++) tap_put(&w->writer, 1, 0, 1, 0, (const uint8_t *)"0123456789", take8(b) % 11);
    for (uint32_t i = 0; i < 64; i++) w->memory[TAP_HEAD + take16(b) % RING] = (uint8_t)take8(b);
    tap_open(&w->reader, w->memory, RING);
    for (int i = 0; i < 600 && tap_next(&w->reader, &entry, &text) > 0; i++) {
        CHECK(text >= w->memory + TAP_HEAD && text + entry.size <= w->memory + TAP_HEAD + RING);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes_t b = {data, size};
    world_t *w = opened();
    while (b.left && w->written < LINES - 1) {
        uint32_t what = take8(&b);
        if (what < 120) put(w, what % 100);
        else if (what < 140) put(w, take16(&b) % 5000);
        else if (what < 220) take(w);
        else if (what < 240) tap_done(&w->reader);
        else if (what < 250) tap_open(&w->writer, w->memory, RING); /* a writer that begins anew goes on */
        else {
            spoil(w, &b);
            break;
        }
    }
    closed(w);
    return 0;
}
