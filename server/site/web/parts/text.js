// Copy or download a chat as text, made in the browser without the server.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { FACES } from "../client/protocol.js";
import { clean } from "../text.js";
import { listed, t } from "../words.js";
import { Copy } from "./copy.js";

/** Return the text: head, common interests, the question, the lines with their authors. */
export function textOf({ common, question, lines, faces = {} }, now) {
  const date = new Date(now).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });
  const who = (from) => (from === "me" ? t("chat.you") : from === "them" ? t("chat.stranger") : t("chat.strangern", { n: from }));
  const head = [
    t("text.head", { date }),
    ...(common.length ? [t("chat.both", { topics: listed(common.map(clean)).join("") })] : []),
    ...(question ? [`${t("chat.question")}: ${clean(question)}`] : []),
  ];
  const shown = (seq) => Object.entries(faces[seq] ?? {}).filter(([, face]) => face in FACES);
  const said = lines
    .filter(({ from }) => from !== "note")
    .flatMap(({ from, by, text, seq }) => [
      t("chat.said", { who: who(by ?? from) }) + (by ? t("photo.log") : clean(text)),
      ...shown(seq).map(([by, face]) => `    ${t("chat.said", { who: who(Number(by) || by) })}${FACES[face]}`),
    ]);
  return `${head.join("\n")}\n\n${said.join("\n")}\n`;
}

function download(text, now) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = `serendip-${new Date(now).toISOString().slice(0, 10)}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Offer both, as rows of a menu or as buttons (`kind`). */
export const OwnText = ({ chat, now, kind = "" }) => html`
  <${Copy} kind=${kind} text=${() => textOf(chat, now)} label=${t("text.copy")}>${icon("copy")}<//>
  <button type="button" class=${kind} onClick=${() => download(textOf(chat, now), now)}>${icon("save")}${t("text.download")}</button>
`;
