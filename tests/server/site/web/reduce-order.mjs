// In which order two people see what they wrote: the protocol's numbers decide, on both sides of a drop.
import { chat, cut, hello, same, says, yes } from "./reduce.mjs";

const heard = (seq, text) => ({ type: "message", seq, text });
const resumed = (more) => ({ type: "resumed", chat: "c1", role: "stranger", common: [], language: "en", ...more });
const shown = (run) => run.state.chat.lines.map(({ text }) => text);

export const cases = {
  "what came while I was away stands before what I wrote meanwhile": () => {
    const run = chat().then(heard(1, "hi"), cut, says("mine"), ["open"], hello, resumed({ seq: 3, taken: 0, missed: 2 }));
    run.then(heard(2, "two"), heard(3, "three"));
    same(shown(run), ["hi", "two", "three", "chat.missed", "mine"]);
    run.then({ type: "sent", id: run.state.chat.lines.at(-1).key, seq: 4 }, heard(5, "five"));
    same(shown(run), ["hi", "two", "three", "chat.missed", "mine", "five"]);
  },
  "what of mine had been taken before the drop stands where its number is": () => {
    const run = chat().then(heard(1, "hi"), says("taken"), says("too"), says("not"), cut, ["open"], hello);
    run.then(resumed({ seq: 5, taken: 2, missed: 2 }), heard(3, "three"), heard(5, "five"));
    same(shown(run), ["hi", "taken", "three", "too", "five", "chat.missed", "not"]);
  },
  "a line that crosses one of mine comes first if its number is lower": () => {
    const run = chat().then(says("one"), says("two"));
    const [one, two] = run.state.chat.lines.map(({ key }) => key);
    run.then({ type: "sent", id: one, seq: 1 }, heard(2, "theirs"), { type: "sent", id: two, seq: 3 });
    same(shown(run), ["one", "theirs", "two"]);
  },
  "a line whose number says that mine was taken comes behind it": () => {
    const run = chat().then(says("one"), heard(2, "answer"));
    same(shown(run), ["one", "answer"]);
  },
  "what was refused has no number and moves nothing": () => {
    const run = chat().then(heard(1, "hi"), says("refused"));
    const { key } = run.state.chat.lines[1];
    run.then({ type: "error", code: "slow", of: "message", id: key }, says("pending"), heard(2, "two"));
    same(shown(run), ["hi", "refused", "two", "pending"]);
  },
  "a watcher sees both in the order of their numbers": () => {
    const run = chat().then({ ...heard(1, "a"), from: 1 }, { ...heard(2, "b"), from: 2 }, { ...heard(3, "c"), from: 1 });
    same(shown(run), ["a", "b", "c"]);
  },
  "keys are never given twice, wherever a line stands": () => {
    const run = chat().then(says("one"), heard(1, "first"), says("two"), heard(2, "second"), says("three"));
    const keys = run.state.chat.lines.map(({ key }) => key);
    same(new Set(keys).size, 5);
    same(shown(run), ["first", "second", "one", "two", "three"]);
  },
  "that somebody typed is not said for ever when the link is lost": () => {
    const run = chat().then({ type: "typing", typing: true }, cut);
    yes(run.effects.some(({ do: name, key }) => name === "unsay" && key === "chat.typing.said"), "still said");
  },
};
