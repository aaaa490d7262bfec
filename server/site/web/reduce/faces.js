// Read the reactions of a chat from `resumed`; reduce/reacting.js handles each further one.

/** Return the reactions by line, from `resumed`: {seq: {me, them, 1, 2}}. Own ones that were not sent yet (`owed`) are added. */
export function facesOf({ reactions = [] }, owed = []) {
  const all = {};
  const mine = owed.filter(({ type }) => type === "react").map((frame) => ({ ...frame, own: true }));
  for (const { seq, face, own, from } of [...reactions, ...mine]) all[seq] = { ...all[seq], [own ? "me" : (from ?? "them")]: face };
  return all;
}
