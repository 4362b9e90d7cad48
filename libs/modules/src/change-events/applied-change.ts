import { entryKey, type Dependency } from '@bff/infra/cache/dependencies';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/** A change whose invalidation was acknowledged: whoever reads from now on reads what the source says now. */
export interface AppliedChange {
  /** Undefined for a gap: what happened is not known. */
  readonly event: SourceEvent | undefined;
  readonly dependencies: readonly Dependency[];
  /** The keys of the entries that fell, and of those that the event named although there were none. */
  readonly keys: readonly string[];
  /** Entries may have fallen that `keys` does not name. */
  readonly isWide: boolean;
}

/**
 * Told of every change after its invalidation was acknowledged and before its position is committed, so that a consumer
 * that dies in between tells it again. Being a provider of any imported module is what registers it.
 */
export abstract class AppliedChangeListener {
  /** The changes of one batch, in order. It must not reject: the stream would stand still. */
  abstract onApplied(changes: readonly AppliedChange[]): Promise<void>;
}

/** Says the same of the same event whenever and by whomever it is delivered; undefined where the event has no identity. */
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

/** The change as listeners are told of it. `isRetried`: an earlier attempt may have dropped entries and not said which. */
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
 * The changes of events that were invalidated in one call, in their order. Which of the entries fell for which event is not
 * known, so the last event stands for all of them.
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
