// Tables of events for users who both chose to meet again: the list, who of it is here, a wish that is refused.
import { adult, chat, hello, play, same } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { first } = await import(`${base}reduce/state.js`);

const [one, two] = ["one 9999999999 1", "two 9999999999 2"];
const home = () => play(first({ prefs: { ...adult.prefs, pairs: [one, two] } }), ["open"], hello).then({ type: "here", pairs: [1] });
const said = (run) => run.effects.filter((effect) => effect.do === "say").map(({ key }) => key);
const refused = (run, code) => run.then({ type: "error", code, of: "again" });

export const cases = {
  "when one of the list is forgotten, nobody is shown at another's place, and it is asked anew who is here": () => {
    const run = home();
    same(run.state.here, [1]);
    run.then(["pair.drop", { place: 0 }]);
    same([run.state.prefs.pairs, run.state.here, run.frames], [[two], [], [{ type: "here", pairs: ["two"] }]]);
    same(run.effects.filter((effect) => effect.do === "keep"), [{ do: "keep", pairs: { dropped: [one] } }]);
    same(run.then({ type: "here", pairs: [0] }).state.here, [0]);
  },
  "nobody of the list is shown after all of it is gone": () => {
    same(home().then(["forget"]).state.here, []);
    same(home().then(["start", {}], ["home"], { type: "here", pairs: [0] }, ["age", { adult: false }]).state.here, []);
    const banned = home().then({ type: "error", code: "banned" }, ["closed", { code: 4003 }]);
    same([banned.state.prefs.pairs, banned.state.here], [[], []]);
    const network = home().then({ type: "error", code: "banned", network: true }, ["closed", { code: 4003 }]);
    same([network.state.prefs.pairs, network.state.here], [[one, two], []], "their network was banned, which may be another's doing");
  },
  "an answer that comes after home is not kept: the list may change meanwhile": () => {
    same(home().then(["start", {}], { type: "here", pairs: [0, 1] }).state.here, []);
  },
  "a refused wish says why, and can be repeated where that may help": () => {
    const run = refused(chat().then(["befriend"]), "no_pair");
    same([run.state.chat.friend, said(run)], ["not", ["keep.not"]]);
    refused(run.then(["next"], { type: "matched", chat: "c2", role: "stranger", common: [], language: "en" }, ["befriend"]), "too_fast");
    same([run.state.chat.friend, said(run)], [undefined, ["link.failed"]]);
    refused(run.then({ type: "left", by: "stranger" }, ["befriend"]), "no_chat");
    same([run.state.chat.friend, run.state.ended.unknown, said(run)], [undefined, true, ["next.gone"]]);
  },
};
