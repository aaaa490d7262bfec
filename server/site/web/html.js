// html`...` makes nodes of markup, in the browser, at run time: no build step. One place binds htm to preact.
import { h } from "./vendor/preact.mjs";
import htm from "./vendor/htm.mjs";

export const html = htm.bind(h);
