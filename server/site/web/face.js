// Derive a face and an evening's name for each of the two in a chat from the chat's id, as server/http/words/chat_faces.py does. Nothing of
// it is kept, and it says nothing about the person.
import { html } from "./html.js";
import { t } from "./words.js";

const COLOUR = 0xf; // the bits that the colour shows
const OPPOSITE = 8; // what makes another colour of one
const SPRITE = new URL("./icons/faces.svg", import.meta.url).href;

/** Return the face of a side (1 or 2) of a chat. */
export function faceOf(chat, side) {
  const number = Number.parseInt(chat.slice(-8), 16) || 0;
  const [one, two] = [number & 0xffff, number >>> 16];
  if (side === 1) return one;
  return (one ^ two) & COLOUR ? two : two ^ OPPOSITE;
}

/** Return the face of the partner: of a pair the one by which they know each other. A server of before does not say which side this user is: then one face is for both. */
export const partnerFace = ({ id, side, face }) => face ?? faceOf(id, side === 1 ? 2 : 1);

export const hueOf = (face) => face & 15;

/** Return the name of a face: "Amber Heron". */
export const nameOf = (face) =>
  t("face.name", { colour: t("face.colours").split(", ")[hueOf(face)], animal: t("face.animals").split(", ")[(face >> 4) & 31] });

/** Draw a face: decoration beside its name. */
export function Face({ face }) {
  const pale = (face >> 9) & 15;
  return html`
    <svg class="mask" data-hue=${hueOf(face)} data-pale=${pale === hueOf(face) ? (pale + 7) & 15 : pale} aria-hidden="true">
      <use href=${`${SPRITE}#f${(face >> 13) & 7}`} />
    </svg>
  `;
}
