// Other ways to meet. A screen registers itself here when it exists; a row is shown when the server offers the mode and the
// page has the screen.

const ways = [];

/** `way`: {is, offered(config), name(state), more(state), open(state)}; the order of registration is the order on the page. */
export const addWay = (way) => ways.push(way);

export const wayRows = (state) =>
  ways
    .filter((way) => way.offered(state.config))
    .map((way) => ({ is: way.is, name: way.name(state), more: way.more(state), open: () => way.open(state) }));
