/* A fuzz target where there is no libFuzzer: `target SECONDS SEED MOST KEEP FILE ...` runs the files, then random inputs until the
 * time is up, and prints how many it ran. The input at hand lies in the file KEEP while it runs, so that one that crashes stays. */
#include "support.h"
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_file(const char *name) {
    FILE *file = fopen(name, "rb");
    CHECK(file);
    CHECK(!fseek(file, 0, SEEK_END));
    long size = ftell(file);
    uint8_t *data = malloc((size_t)size + 1);
    CHECK(size >= 0 && data);
    rewind(file);
    CHECK(fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

static void keep(const char *name, const uint8_t *data, size_t size) {
    FILE *file = fopen(name, "wb");
    CHECK(file);
    CHECK(fwrite(data, 1, size, file) == size);
    fclose(file);
}

int main(int count, char **words) {
    CHECK(count >= 5);
    double until = now() + strtod(words[1], NULL);
    uint64_t seed = strtoull(words[2], NULL, 10);
    size_t most = strtoull(words[3], NULL, 10);
    uint8_t *data = malloc(most);
    CHECK(data && most);
    long runs = 0;
    for (int i = 5; i < count; i++, runs++) run_file(words[i]);
    for (; now() < until; runs++) {
        size_t size = random_bytes(&seed, data, most);
        keep(words[4], data, size);
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    remove(words[4]);
    printf("%ld executions\n", runs);
    return 0;
}
