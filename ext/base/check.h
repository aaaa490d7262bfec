/* CHECK(condition): an invariant that is checked if SERENDIP_DEBUG is set (setup.py: SERENDIP_BUILD=debug or asan), and compiled to nothing
 * otherwise. */
#ifndef SERENDIP_NET_CHECK_H
#define SERENDIP_NET_CHECK_H

#ifdef SERENDIP_DEBUG
#include <stdio.h>
#include <stdlib.h>
#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: CHECK(%s) in %s\n", __FILE__, __LINE__, #condition, __func__); \
            abort();                                                                     \
        }                                                                                \
    } while (0)
#else
#define CHECK(condition) ((void)sizeof(condition)) /* never evaluated */
#endif

#endif
