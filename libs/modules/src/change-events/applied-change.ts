import { entryKey, type Dependency } from '@bff/infra/cache/dependencies';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/**
 * A change whose invalidation was acknowledged: no read that begins from now on returns a value from before it; with a
 * bounded L1, no read that begins a second later.
 */
export interface AppliedChange {
  /** Undefined for a gap: the change itself is unknown. */
  readonly event: SourceEvent | undefined;
  readonly dependencies: readonly Dependency[];
  /** Keys of dropped entries, and of entries that the event names, whether they existed or not. */
  readonly keys: readonly string[];
  /** Whether entries that `keys` does not name may also have been dropped. */
  readonly isWide: boolean;
}

/**
 * Receives every change that made something wrong, after its invalidation was acknowledged and before its position is
 * saved, so that a consumer that dies in between delivers it again. A provider of any imported module is registered
 * automatically.
 */
export abstract class AppliedChangeListener {
  /**
   * Receives acknowledged changes in the order of their events. It must not reject: then every listener receives these
   * changes again, and their topic waits; after the third rejection in a row it goes on without a listener that rejects.
   */
  abstract onApplied(changes: readonly AppliedChange[]): Promise<void>;
}

/** Identifies an event, whenever and by whichever process it is delivered; undefined if the event has no identity. */
export function sourceOf(event: SourceEvent | undefined): string | undefined {
  if (event?.replayId === undefined) return undefined;
  const { topic, replayId } = event;
  switch (event.kind) {
    case 'change':
      return [topic, replayId, event.transactionKey, event.sequenceNumber, event.commitTimestamp].join(' ');
    case 'platform':
      return [topic, replayId, text(event.fields['EventUuid'] ?? event.fields['CreatedDate'])].join(' ');
    case 'undecodable':
      return [topic, replayId].join(' ');
  }
}

/** The change as listeners receive it. `isRetried`: an earlier attempt may have dropped entries without naming them. */
export function appliedChange(
  event: SourceEvent | undefined,
  dependencies: readonly Dependency[],
  { keys, dropped, deferred }: Invalidation,
  isRetried: boolean,
): AppliedChange {
  const named = dependencies.map(entryKey).filter((key) => key !== undefined);
  return {
    event,
    dependencies,
    keys: [...new Set([...named, ...keys])],
    isWide: isRetried || deferred > 0 || dropped > keys.length,
  };
}

/**
 * The changes of events that were invalidated in one call, in their order. It is unknown which entry fell for which
 * event, so the last event carries all of them.
 */
export function appliedChanges(
  parts: readonly { readonly event: SourceEvent; readonly dependencies: readonly Dependency[] }[],
  invalidation: Invalidation,
  isRetried: boolean,
): AppliedChange[] {
  const nothing: Invalidation = { dropped: 0, keys: [], deferred: 0 };
  return parts.map(({ event, dependencies }, i) => {
    const isLast = i === parts.length - 1;
    return appliedChange(event, dependencies, isLast ? invalidation : nothing, isLast && isRetried);
  });
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
