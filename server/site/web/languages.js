// List the languages to chat in: the server's list if it is of use, else the most spoken online; always the browser's own, the present
// choice, and "any".

const USUAL = "en ar bn cs da de el es fa fi fr he hi hu id it ja ko nb nl pl pt ro ru sv th tr uk ur vi zh".split(" ");

const primary = (tag) => tag.split("-")[0].toLowerCase();

/** Return the chat language of a first visit. */
export const ofBrowser = () => primary(navigator.language || "en").replace(/^no$/, "nb");

export function offered(listed, present) {
  const base = listed?.length > 1 ? listed : USUAL;
  const own = (navigator.languages ?? []).map(primary);
  const tags = [...new Set([...own.filter((tag) => base.includes(tag)), ...base, present])].filter((tag) => tag !== "*");
  return [...tags, "*"];
}
