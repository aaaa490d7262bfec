/* Counts the blocks of fuzzed C. The compiler calls __sanitizer_cov_trace_pc at the beginning of each; libFuzzer has one too, which refuses it,
 * so each source gets its own (`-include`), and all add to one counter of the program (host.c). */
#ifndef SERENDIP_STEPS_H
#define SERENDIP_STEPS_H
extern unsigned long serendip_steps;

static void __sanitizer_cov_trace_pc(void) __attribute__((used));
static void __sanitizer_cov_trace_pc(void) { serendip_steps++; }
#endif
