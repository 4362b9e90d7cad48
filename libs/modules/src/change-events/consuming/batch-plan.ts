import type { Dependency } from '@bff/infra/cache/dependencies';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import type { Subscription } from '../change-subscriber.js';

/** Dependencies per call to the store: enough for hundreds of events, few enough for one short step of Redis. */
const DEPENDENCIES_OF_STEP = 1_000;

/** The dependencies that one event invalidates for one subscription. */
export interface StepPart {
  readonly event: SourceEvent;
  readonly dependencies: readonly Dependency[];
}

/** Events that are invalidated for one subscription in one call. */
export interface Step {
  readonly subscription: Subscription;
  readonly parts: StepPart[];
  /** The dependencies of all parts, each once. */
  readonly dependencies: Set<Dependency>;
  /** An earlier attempt may have dropped entries. */
  isTried: boolean;
  /** How often it failed for a reason other than an unavailable store. */
  failures: number;
}

/** The work of a batch, in its order. */
export interface BatchPlan {
  /** The steps that are still to be done. */
  readonly steps: Step[];
  /** Events that changed nothing that is shown. */
  readonly skipped: number;
  /** Events that no subscription is for. */
  readonly ignored: number;
}

/** Called when a subscription throws for an event. */
export type OnPoison = (event: SourceEvent, subscription: Subscription, error: unknown) => void;

/**
 * Guarantees that every dependency that a subscription names for an event of the batch is in one of the steps. If a
 * subscription throws for an event, the steps contain everything that the subscription vouches for.
 */
export function planBatch(
  events: readonly SourceEvent[],
  subscriptions: readonly Subscription[],
  onPoison: OnPoison,
): BatchPlan {
  const steps: Step[] = [];
  const open = new Map<Subscription, Step>();
  let skipped = 0;
  let ignored = 0;
  const add = (subscription: Subscription, part: StepPart): void => {
    let step = open.get(subscription);
    if (step === undefined || step.dependencies.size + part.dependencies.length > DEPENDENCIES_OF_STEP) {
      step = { subscription, parts: [], dependencies: new Set(), isTried: false, failures: 0 };
      open.set(subscription, step);
      steps.push(step);
    }
    step.parts.push(part);
    for (const dependency of part.dependencies) step.dependencies.add(dependency);
  };
  for (const event of events) {
    let isForSomebody = false;
    let isShown = false;
    for (const subscription of subscriptions) {
      const dependencies = dependenciesOf(event, subscription, onPoison);
      isForSomebody ||= dependencies !== undefined;
      if (dependencies === undefined || dependencies.length === 0) continue;
      isShown = true;
      add(subscription, { event, dependencies });
    }
    if (!isForSomebody) ignored += 1;
    else if (!isShown) skipped += 1;
  }
  return { steps, skipped, ignored };
}

function dependenciesOf(
  event: SourceEvent,
  subscription: Subscription,
  onPoison: OnPoison,
): readonly Dependency[] | undefined {
  try {
    return subscription.dependencies(event);
  } catch (error) {
    onPoison(event, subscription, error);
    return subscription.everything;
  }
}
