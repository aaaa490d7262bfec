// Show what two users have in common: the only amber element of a chat. If they share nothing it is grey, and says so.
import { nameOf, partnerFace } from "../face.js";
import { html } from "../html.js";
import { mark } from "../icons.js";
import { clean } from "../text.js";
import { languageName, listed, parts, t } from "../words.js";

export function Card({ chat, mine }) {
  const { common, asked, college, language } = chat;
  const shared = common.length > 0;
  const bold = (word) => html`
    <b dir="auto">${clean(word)}</b>
  `;
  const first = shared ? parts("chat.both", { topics: listed(common, bold) }) : t(asked ? "chat.none" : "chat.unasked");
  const own = language && language.split("-")[0] === mine.split("-")[0]; // the other languages of the partner are unknown: any may do
  return html`
    <div class=${`card ${shared ? "" : "bare"}`}>
      ${shared && mark()}
      <div>
        <p>${first}</p>
        ${
          college &&
          html`
            <p>
              ${parts("chat.study", {
                college: html`
                  <b>${clean(college)}</b>
                `,
              })}
            </p>
          `
        }
        ${
          language &&
          language !== "*" &&
          html`
            <p>${t(own ? "chat.speak" : "chat.theirs", { language: languageName(language) })}</p>
          `
        }
        <p>${t("face.said", { name: nameOf(partnerFace(chat)) })}</p>
      </div>
    </div>
  `;
}
