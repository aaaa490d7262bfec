/* Assertions. Invariant: MX_ASSERT states an invariant of the matcher, never a check of a caller's argument; it is compiled into debug and
 * sanitizer builds (SERENDIP_DEBUG) and is nothing in a release, where its condition is not even evaluated. */
#ifndef MX_CHECK_H
#define MX_CHECK_H

#ifdef SERENDIP_DEBUG
#include <stdio.h>
#include <stdlib.h>
#define MX_ASSERT(condition) ((condition) ? (void)0 : mx_failed(#condition, __FILE__, __LINE__))

static inline void mx_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}
#else
#define MX_ASSERT(condition) ((void)sizeof(!(condition)))
#endif

#endif
