/* Instanced per instruction set: the entry point for arrays. */

/* Submit arrivals in order. */
static int F(batch)(mx *m, const mx_arrivals *a, uint32_t count) {
    uint32_t done = F(straight)(m, a, count);
    if (done == count) return MX_OK;
    mx_arrivals rest = *a;
    rest.first += done;
    rest.pools += done;
    rest.offsets += done;
    if (a->persons) rest.persons += done;
    if (a->recents) rest.recents += 4 * (size_t)done;
    if (a->clients) rest.clients += done;
    if (a->levels) rest.levels += done;
    rest.partner += done;
    rest.handle += done;
    rest.score += done;
    if (a->cycles) rest.cycles += done;
    F(pipeline)(m, &rest, count - done);
    return MX_OK;
}
