// Keep what a reload must not lose: own lines of this chat, warnings under lines, the draft, and whether a camera was off or blurred or a
// call ended; in this tab and until the chat is over.
import { markOf } from "./pairs.js";
import { get, send, subscribe } from "./store.js";

const TALK = "serendip.talk";
const MOST = 200; // own lines, the newest
const REST = 300; // ms between two writes

let typed = ""; // text of the field, as last seen
let seen = null; // the chat that it belongs to
let newest = null;
let timer = 0;

const attempt = (act) => {
  try {
    return act();
  } catch {
    return null; // storage is refused, or full
  }
};

function recall() {
  const kept = attempt(() => JSON.parse(sessionStorage.getItem(TALK)));
  return Array.isArray(kept?.lines) && kept.lines.every(({ text }) => typeof text === "string") ? kept : null;
}

function write() {
  clearTimeout(timer);
  timer = 0;
  const { phase, chat, prefs, video } = get();
  if (phase !== "chat" || prefs.nothing || chat.role === "spy") return attempt(() => sessionStorage.removeItem(TALK));
  if (chat.reloaded) return null; // not read yet
  const lines = chat.lines
    .filter(({ from }) => from === "me")
    .slice(-MOST)
    .map(({ text, seq, ordinal, state }) => ({ text, seq, ordinal, state }));
  const tips = [...(chat.tips ?? []), ...chat.lines.filter(({ quiet }) => quiet)].map(({ of, text, values }) => ({ of, text, values }));
  const shows = chat.call ? { ...video.on, blur: video.ownBlur, veil: video.veil, drawn: video.blurred && video.looked } : undefined;
  const { id, tone, hung, quote, pair, friend } = chat;
  return attempt(() => sessionStorage.setItem(TALK, JSON.stringify({ chat: id, lines, tips, draft: typed, quote: quote?.text, tone, shows, hung, pair: markOf(pair), friend })));
}

function look({ phase, chat, last }) {
  if (phase === "chat" && chat.reloaded) {
    const kept = recall();
    if (kept?.chat === chat.id) typed = String(kept.draft ?? "");
    send("remember", { kept });
    return;
  }
  const mine = chat?.lines.findLast(({ from }) => from === "me")?.key;
  if (chat && chat.id !== seen) {
    if (seen && typed && last?.chat.id === seen) send("draft", { chat: seen, text: typed });
    typed = chat.draft ?? "";
  } else if (!chat && seen && typed) {
    const [of, text] = [seen, typed];
    [seen, typed] = [null, ""];
    send("draft", { chat: of, text });
  } else if (mine && mine !== newest) typed = document.querySelector("#message")?.value ?? typed;
  [seen, newest] = [chat?.id ?? null, mine];
  if (phase === "chat") timer ||= setTimeout(write, REST);
  else write();
}

addEventListener("input", ({ target }) => {
  if (target.id !== "message") return;
  typed = target.value;
  timer ||= setTimeout(write, REST);
});
addEventListener("pagehide", write);
subscribe(look);
look(get());
