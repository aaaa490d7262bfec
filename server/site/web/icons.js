// Draw icons: 24 grid, stroke 1.75, round ends. They are decoration: the name of a button is its text or its aria-label.
import { html } from "./html.js";

const paths = {
  gear: [
    "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
    [
      "M19 12c0-.5 0-.9-.1-1.3l2-1.6-2-3.4-2.4.9c-.7-.5-1.4-1-2.2-1.3L13.9 2.8",
      "h-3.8l-.4 2.5c-.8.3-1.5.8-2.2 1.3l-2.4-.9-2 3.4 2 1.6",
      "a8 8 0 0 0 0 2.6l-2 1.6 2 3.4 2.4-.9c.7.5 1.4 1 2.2 1.3l.4 2.5h3.8l.4-2.5c.8-.3 1.5-.8 2.2-1.3l2.4.9 2-3.4-2-1.6c.1-.4.1-.8.1-1.3Z",
    ].join(""),
  ],
  chat: ["M20.5 11.5a7.9 7.9 0 0 1-11.6 7L3.5 20.5l1.9-5.2a7.9 7.9 0 1 1 15.1-3.8Z"],
  video: ["M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z", "m15.5 10.5 6-3v9l-6-3"],
  eye: ["M2 12c2.3-4 5.7-6.5 10-6.5S19.7 8 22 12c-2.3 4-5.7 6.5-10 6.5S4.3 16 2 12Z", "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z"],
  discuss: [
    "M14.5 11.5a2 2 0 0 1-2 2H7l-4 3.5V5.5a2 2 0 0 1 2-2h7.5a2 2 0 0 1 2 2v6Z",
    "M17.5 8.5H19a2 2 0 0 1 2 2v10l-3.5-3.5H12a2 2 0 0 1-2-1.5",
  ],
  cap: ["M2 9.5 12 5l10 4.5L12 14 2 9.5Z", "M6 11.5v4.3c1.7 1.5 3.7 2.2 6 2.2s4.3-.7 6-2.2v-4.3", "M22 9.5V15"],
  go: ["m9 5 7 7-7 7"],
  flag: ["M5 21.5V4", "M5 4.5c4-2 7.5 2 14 0v10c-6.5 2-10-2-14 0"],
  more: ["M5.5 12h.01M12 12h.01M18.5 12h.01"],
  up: ["M12 19.5v-15", "m5.5 11 6.5-6.5 6.5 6.5"],
  down: ["M12 4.5v15", "m18.5 13-6.5 6.5L5.5 13"],
  close: ["m6 6 12 12M18 6 6 18"],
  save: ["M12 4v11.5", "m7 11 5 5 5-5", "M4.5 20h15"],
  lock: ["M6.5 10.5h11a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-6a2 2 0 0 1 2-2Z", "M7.5 10.5V7.5a4.5 4.5 0 0 1 9 0v3"],
  out: ["M12 3.5H6a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h6", "M10 12h11", "m17 8 4 4-4 4"],
  nobody: [
    "M9.3 4.6a4 4 0 0 1 5.7 5.5",
    "M8.1 6.7a4 4 0 0 0 4.8 4.7",
    "M4.5 20.5c.6-3.6 3.5-6 7.5-6 .7 0 1.4.1 2 .2",
    "M18.3 17.3c.6.9 1 2 1.2 3.2",
    "m3.5 3.5 17 17",
  ],
  heart: ["M12 20.5S3.5 15.5 3.5 9.3A4.7 4.7 0 0 1 12 6.6a4.7 4.7 0 0 1 8.5 2.7c0 6.2-8.5 11.2-8.5 11.2Z"],
  check: ["m4.5 12.5 5 5 10-11"],
};

/** Add icons of later screens: icons-rest.js. */
export const addIcons = (more) => Object.assign(paths, more);

export const icon = (name, extra = "") => html`
  <svg class=${`icon ${name} ${extra}`} viewBox="0 0 24 24" aria-hidden="true">
    ${paths[name].map(
      (d) => html`
        <path d=${d} stroke-width=${name === "more" ? 3 : null} />
      `,
    )}
  </svg>
`;

/** Draw the mark: two circles, and their intersection. */
export const mark = () => html`
  <svg class="mark" viewBox="0 0 34 22" aria-hidden="true">
    <path class="lens" d="M17 3.8a8.9 8.9 0 0 1 0 14.4a8.9 8.9 0 0 1 0-14.4Z" />
    <circle class="one" cx="11.75" cy="11" r="8.9" />
    <circle class="two" cx="22.25" cy="11" r="8.9" />
  </svg>
`;
