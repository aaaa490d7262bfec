// Search until there is a partner, whatever a server asks first: a wait, a puzzle, a notice to read. Loaded by `Client.search`.

const unlimited = (_world, _limits, start) => new Promise(start);
const replaced = () => new DOMException("replaced", "AbortError");

/** Wait for the next event of one of these types. Throws when the client ends, the search is given up, or the user did something else. */
const next = ({ me, signal, isOver }, ...types) =>
  new Promise((done, fail) => {
    signal.throwIfAborted();
    const stop = (act) => (event) => {
      for (const off of all) off();
      act(event);
    };
    const over = stop(fail);
    const aborted = () => over(signal.reason);
    signal.addEventListener("abort", aborted);
    const all = [
      ...types.map((type) => me.on(type, stop(done))),
      me.on("closed", ({ reason }) => over(new Error(reason))),
      me.subscribe(() => isOver() && over(replaced())),
      () => signal.removeEventListener("abort", aborted),
    ];
  });

/** Show the notice that refuses the search. Returns whether it was read. */
async function read(search, notice) {
  const { notice: unread } = search.me.getSnapshot();
  const asked = unread ?? (await next(search, "notice"));
  if ((await notice(asked)) === false) return false;
  search.me.seen(asked.id);
  return true;
}

/** Let the caller solve the challenge that no program solves. Returns whether the server accepted the response. */
async function solved(search, challenge) {
  for (let { challenge: asked } = search.me.getSnapshot(); ; ) {
    asked ??= await next(search, "challenge");
    const response = await challenge(asked);
    if (typeof response !== "string" || search.isOver() || search.signal.aborted) return false;
    const answer = next(search, "solved", "challenge", "error");
    search.me.solve(asked.kind, response);
    asked = await answer;
    if (asked.type !== "challenge") return asked.type === "solved";
  }
}

/** Search again when this chat has ended, unless this side left it or began another search. */
function follow(me, tools, chat, policy) {
  const stop = () => {
    for (const off of all) off();
  };
  const again = () => {
    stop();
    search(me, Object.create(tools, { limited: { value: unlimited } }), policy).catch(
      (error) => ["AbortError", "Disconnected"].includes(error.name) || console.error("the search ended:", error),
    );
  };
  const all = [me.on("matched", (event) => event.chat === chat.chat || stop()), me.on("left", again), me.on("closed", stop)];
}

async function run(me, tools, policy, signal) {
  const { again = false, notice = (one) => console.warn(one.reason), challenge, ...wishes } = policy;
  for (;;) {
    let turn;
    try {
      const found = me.find(wishes, { signal });
      turn = tools.turn;
      const chat = await found;
      if (again) follow(me, tools, chat, policy);
      return chat;
    } catch (error) {
      const goes = { me, signal, isOver: () => tools.turn !== turn };
      if (error.code !== "notice" && error.code !== "challenge") throw error;
      const met = error.code === "notice" ? await read(goes, notice) : challenge && (await solved(goes, challenge));
      signal.throwIfAborted();
      if (goes.isOver()) throw replaced(); // the user searched otherwise, or left, while a callback ran
      if (!met) throw error;
    }
  }
}

/**
 * Do the work of `Client.search`. `tools`: `limited(world, limits, start, stop)` bounds the whole of it; `turn` changes when the user searches
 * or leaves.
 */
export function search(me, tools, policy, limits) {
  const end = new AbortController();
  const stop = () => {
    end.abort();
    if (me.getSnapshot().phase === "searching") me.leave();
  };
  return tools.limited(tools.world, limits, (done, fail) => void run(me, tools, policy, end.signal).then(done, fail), stop);
}
