import type { IncomingMessage } from 'node:http';
import type { Caller } from '../callers/caller.js';

/** What becomes known of a request while it is answered, for its line in the log. */
export interface RequestNotes {
  /** The pattern of the matched route, such as `/api/orders/:id`. */
  readonly route?: string | undefined;
  readonly caller?: Caller | undefined;
  /** The audit tells of its refusal, so its own line is for `debug`. @default false */
  readonly isAudited?: boolean;
}

const notes = new WeakMap<IncomingMessage, RequestNotes>();

/** Adds to what is known of a request. */
export function noteRequest(request: IncomingMessage, more: RequestNotes): void {
  notes.set(request, { ...notes.get(request), ...more });
}

/** What is known of a request so far. */
export function notesOf(request: IncomingMessage): RequestNotes {
  return notes.get(request) ?? {};
}
