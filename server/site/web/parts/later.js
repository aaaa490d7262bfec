// A screen, a dialog or a piece that is fetched when it is first wanted, so that the first visit does not pay for it.
import { useLayoutEffect, useState } from "../vendor/hooks.mjs";
import { moveFocus } from "../focus.js";
import { html } from "../html.js";
import { mark } from "../icons.js";
import { rest } from "../rest.js";
import { get, send, show } from "../store.js";
import { t } from "../words.js";
import { Sheet } from "./sheet.js";

/** Screens that are fetched with the search, each `() => Promise`. */
export const soon = [];

/** `load`: () => import("./screen.js"); `name`: what it exports; `Meanwhile`: what stands there until it is here; `early`: with the search; `focus`: what takes it. */
function later(load, name, Meanwhile, { early = false, focus = "h1" } = {}) {
  let found = null;
  let asked = false;
  let failed = false;
  let shown = false;
  const places = new Set(); // where it stands: a part that is drawn anew for its own reasons alone does not hear of `show`
  const here = ([module]) => {
    found = module[name];
    show(get());
    for (const draw of places) draw(true);
    if (shown && document.activeElement === document.body) moveFocus(focus); // it was on what stood here meanwhile
  };
  const ask = (quietly) => {
    [asked, failed] = [true, false];
    return Promise.all([load(), rest()])
      .then(here)
      .catch(() => {
        [asked, failed] = [false, true];
        if (quietly !== true) send("rest.failed");
      });
  };
  if (early) soon.push(() => asked || ask(true));
  return function Later(props) {
    const [, draw] = useState(false);
    useLayoutEffect(() => {
      shown = true;
      places.add(draw);
      if (!found && !asked) ask();
      return () => places.delete(draw);
    }, []);
    if (found)
      return html`
        <${found} ...${props} />
      `;
    return html`
      <${Meanwhile} again=${failed && ask} />
    `;
  };
}

const Nothing = () => null;

/** A dialog stands there at once, so that the press is answered; its sentence shows itself only where it takes long. */
const Opening = () => html`
  <${Sheet} id="opening" title=${t("rest.wait")} />
`;

const Coming = ({ again }) => html`
  <main class="notice coming">
    ${mark()}
    <h1 tabindex="-1">${t(again ? "link.failed" : "rest.wait")}</h1>
    ${
      again &&
      html`
        <button type="button" class="button primary" onClick=${again}>${t("link.now")}</button>
      `
    }
  </main>
`;

export const laterPiece = (load, name) => later(load, name, Nothing);
export const laterSheet = (load, name) => later(load, name, Opening);
export const laterScreen = (load, name) => later(load, name, Coming);
export const soonScreen = (load, name, focus) => later(load, name, Coming, { early: true, focus });
