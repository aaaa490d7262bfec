/* One build of the matcher; `F` names it. Included by matcher.h once for each instruction set. */
#include "matcher_lookup.h"
#include "matcher_sweep.h"
#include "matcher_search.h"
#include "matcher_pairs.h"
#include "matcher_log.h"
#include "matcher_tickets.h"
#include "matcher_arrays.h"
