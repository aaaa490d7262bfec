// Read the reactions and the pictures of a chat from `matched` and `resumed`; reduce/reacting.js and photos.js handle each further one.

/** Return the reactions by line, from `resumed`: {seq: {me, them, 1, 2}}. Own ones that were not sent yet (`owed`) are added. */
export function facesOf({ reactions = [] }, owed = []) {
  const all = {};
  const mine = owed.filter(({ type }) => type === "react").map((frame) => ({ ...frame, own: true }));
  for (const { seq, face, own, from } of [...reactions, ...mine]) all[seq] = { ...all[seq], [own ? "me" : (from ?? "them")]: face };
  return all;
}

/** Return what is known of pictures: can: possible here; own, theirs: the side allows them; no: declined; came: those that the log does not show yet. */
export const photosOf = ({ pictures, album = {} }, before) => ({
  photos: { no: false, ...before, can: pictures === true, own: !!album.own, theirs: !!album.theirs, came: album.sent ?? [] },
});
