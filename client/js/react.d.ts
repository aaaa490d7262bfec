// Declare the types of react.js.
import type { Client, Event, Events, Options, Snapshot } from "./v1.js";

export function useClient(url?: string, options?: Options): Client | null;
export function useSnapshot(me: Client | null): Snapshot;
export function useEvent<Type extends keyof Events>(me: Client | null, type: Type, hear: (event: Events[Type]) => void): void;
export function useEvent(me: Client | null, type: "*", hear: (event: Event) => void): void;
export function useStranger(url?: string, options?: Options): [Client | null, Snapshot];
