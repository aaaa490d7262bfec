// Load a screen, a dialog or a part when it is first needed, so that the first visit does not pay for it.
import { useLayoutEffect, useState } from "../vendor/hooks.mjs";
import { moveFocus } from "../focus.js";
import { html } from "../html.js";
import { mark } from "../icons.js";
import { rest } from "../rest.js";
import { get, send, show } from "../store.js";
import { t } from "../words.js";
import { Sheet } from "./sheet.js";

/** Screens that are loaded with the search, each `() => Promise`. */
export const soon = [];

/**
 * Make a component that is loaded later. `load`: () => import("./screen.js"); `name`: its export; `Meanwhile`: shown until then; `early`:
 * with the search; `focus`: the element to focus.
 */
function later(load, name, Meanwhile, { early = false, focus = "h1" } = {}) {
  let found = null;
  let asked = false;
  let failed = false;
  let shown = false;
  const places = new Set(); // the places that show it: a component that is rendered for reasons of its own does not receive `show`
  const here = ([module]) => {
    found = module[name];
    show(get());
    for (const draw of places) draw(true);
    if (shown && document.activeElement === document.body) moveFocus(focus); // the focus was on the placeholder
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

/** Open a dialog at once, so that the press has an effect; its sentence appears only if loading takes long. */
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
