// Count own messages as the server does: after a resume `taken` and `refused` tell the fate of each, and which ones to send again.

/**
 * Return what became of a message with this `ordinal` in its chat: `sent`, `refused`, or null if the server never received it, so that it
 * is to be sent again under a new ordinal behind `taken`. Ordinal 0: it was not sent yet.
 * @param {number} ordinal
 * @param {{ taken?: number, refused?: number[] }} resumed
 * @returns {"sent" | "refused" | null}
 */
export const fate = (ordinal, { taken = 0, refused = [] }) =>
  !ordinal || ordinal > taken ? null : refused.includes(ordinal) ? "refused" : "sent";
