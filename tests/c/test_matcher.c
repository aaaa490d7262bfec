/* The matcher: random histories with fixed seeds. What it is asked from Python: tests/ext/match/. */
#include "fuzz_matcher.c"

int main(void) {
    run_seeded(1, 400, 1500);
    run_seeded(2, 12, 30000);
    return 0;
}
