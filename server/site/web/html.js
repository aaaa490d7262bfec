// Bind htm to preact: html`...` makes nodes of markup in the browser, without a build step.
import { h } from "./vendor/preact.mjs";
import htm from "./vendor/htm.mjs";

export const html = htm.bind(h);
