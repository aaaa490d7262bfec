// Declare the types of album.js.
import type { Global, Limits, Picture } from "./v1.js";

/** The pictures of one chat. The client's snapshot has the same in `album`, and changes with it. */
export class Album {
  /** Whether this side allows pictures. */
  readonly own: boolean;
  /** Whether the partner does. While this side does not: they ask. */
  readonly theirs: boolean;
  readonly sent: readonly Omit<Picture, "type" | "id">[];
  /** Allow pictures, which asks the partner for them too; or allow them no more. */
  allow(own?: boolean): void;
  /** Send a JPEG, once both allow pictures; resolves when the server has checked it. Throws Refused. */
  send(jpeg: Global<"Blob"> | ArrayBuffer | Uint8Array, limits?: Limits): Promise<Picture>;
  /** Fetch a picture by its key; null: it is unknown, or the chat is over. */
  fetch(key: string, limits?: Limits): Promise<Global<"Blob"> | null>;
}
