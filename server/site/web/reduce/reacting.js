// Handle reactions: one of six faces at a line of the chat, from each of the two. chat.faces: {seq: {me, them, 1, 2}}.
import { FACES } from "../client/protocol.js";
import { clean } from "../text.js";
import { focus, patch, post, say } from "./state.js";

const put = (state, seq, who, face) => patch(state, "chat", { faces: { ...state.chat.faces, [seq]: { ...state.chat.faces[seq], [who]: face } } });

/** Whether this user may react to a line: the server must have numbered it. */
export const reactable = ({ from, seq, state }) => (from === "them" || from === "me") && seq > 0 && state !== "refused";

/** Return the focus to the button of the line that had it, or to the field. */
const back = ({ picking, stays }) => focus(stays ? `[data-key="${picking}"] .act` : "chat");

/** Offer the faces at a line. Without a `key`: the last line of the partner, or the one before the last offered. `stays`: opened at the line, but by no mouse. */
function open(state, { key, stays = false }) {
  if (state.phase !== "chat" || state.chat.role === "spy") return [state];
  const { lines, picking } = state.chat;
  const theirs = lines.filter(({ from }) => from === "them");
  const at = theirs.findIndex((entry) => entry.key === picking);
  const line = key ? lines.find((entry) => entry.key === key) : theirs.at(at > 0 ? at - 1 : -1);
  return line && reactable(line) ? [patch(state, "chat", { picking: line.key, stays })] : [state];
}

/** Show a face at a line, or take the same one back. */
function react(state, { key, face }) {
  const line = state.phase === "chat" && state.chat.lines.find((entry) => entry.key === key);
  if (!line || !reactable(line) || !(face in FACES)) return [state];
  const shown = state.chat.faces[line.seq]?.me === face ? undefined : face;
  const next = patch(put(state, line.seq, "me", shown), "chat", { picking: null });
  const [after, ...sent] = post(next, { type: "react", seq: line.seq, ...(shown && { face: shown }) });
  return [after, ...sent, say(shown ? "react.done" : "react.undone", { face: FACES[face] }), back({ ...state.chat, picking: key })];
}

function reacted(state, { frame }) {
  if (!state.chat || state.phase !== "chat") return [state];
  const { seq, face, from = "them" } = frame;
  const next = put(state, seq, from, face in FACES ? face : undefined);
  const line = state.chat.lines.find((entry) => entry.seq === seq);
  return [next, ...(face in FACES && line ? [say("react.told", { face: FACES[face], line: clean(line.text) })] : [])];
}

export const reactingEvents = {
  "react.open": open,
  "react.close": (state, { key }) => (state.chat?.picking ? [patch(state, "chat", { picking: null }), ...(key ? [back(state.chat)] : [])] : [state]),
  react,
};
export const reactingFrames = { react: reacted };
