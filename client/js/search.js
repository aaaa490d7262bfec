// Search until there is a partner, whatever a server asks first: a wait, a puzzle, a notice to read. Loaded by `Client.search`.

/** Wait for the next event of one of these types; throws when the client ends first. */
const next = (me, ...types) =>
  new Promise((done, fail) => {
    const stop = (act) => (event) => {
      for (const off of all) off();
      act(event);
    };
    const all = [...types.map((type) => me.on(type, stop(done))), me.on("closed", stop(({ reason }) => fail(new Error(reason))))];
  });

/** Show the notice that refuses the search. Returns whether it was read. */
async function read(me, notice) {
  const { notice: unread } = me.getSnapshot();
  const asked = unread ?? (await next(me, "notice"));
  if ((await notice(asked)) === false) return false;
  me.seen(asked.id);
  return true;
}

/** Let the caller solve the challenge that no program solves. Returns whether the server accepted the response. */
async function solved(me, challenge) {
  for (let { challenge: asked } = me.getSnapshot(); ; ) {
    asked ??= await next(me, "challenge");
    const response = await challenge(asked);
    if (typeof response !== "string") return false;
    const answer = next(me, "solved", "challenge", "error");
    me.solve(asked.kind, response);
    asked = await answer;
    if (asked.type !== "challenge") return asked.type === "solved";
  }
}

/** Search again when this chat has ended, unless this side left it or began another search. */
function follow(me, chat, policy) {
  const stop = () => {
    for (const off of all) off();
  };
  const again = () => {
    stop();
    search(me, policy).catch((error) => ["AbortError", "Disconnected"].includes(error.name) || console.error("the search ended:", error));
  };
  const all = [me.on("matched", (event) => event.chat === chat.chat || stop()), me.on("left", again), me.on("closed", stop)];
}

/** Do the work of `Client.search`. */
export async function search(me, policy, more) {
  const { again = false, notice = (one) => console.warn(one.reason), challenge, ...wishes } = policy;
  for (;;)
    try {
      const chat = await me.find(wishes, more);
      if (again) follow(me, chat, policy);
      return chat;
    } catch (error) {
      if (error.code === "notice" && (await read(me, notice))) continue;
      if (error.code === "challenge" && challenge && (await solved(me, challenge))) continue;
      throw error;
    }
}
