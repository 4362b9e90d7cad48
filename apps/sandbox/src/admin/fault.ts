import { z } from 'zod';
import type { SandboxParts } from '../sandbox-parts.js';

/** One thing that can be made to happen: its fields, what it does in a sentence, and how it is ordered. */
export interface FaultDefinition<F extends z.ZodObject = z.ZodObject> {
  readonly fields: F;
  /** For people: what a client then sees. */
  readonly does: string;
  /** Fields with which it can be tried. */
  readonly example: z.input<F>;
  /** Does it, and returns what it affected. */
  apply(order: z.output<F>, parts: SandboxParts): Record<string, unknown>;
  /** What of it still holds, for a fault that lasts; undefined when nothing does. */
  inForce?(parts: SandboxParts): unknown;
  /** Ends what still holds. */
  end?(parts: SandboxParts): void;
}

/** Gives the definition its types: the fields that `apply` gets are those that were checked. */
export function fault<F extends z.ZodObject>(definition: FaultDefinition<F>): FaultDefinition<F> {
  return definition;
}

/** How many of something, bounded. */
export const count = z.int().min(0).max(1_000_000);
/** A length of time of at most ten minutes. */
export const milliseconds = z.int().min(0).max(600_000);
/** `Order`, `Thing__c` */
export const objectName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'must be the name of an object, such as Order');
/** A record's id of 15 or 18 characters. */
export const anId = z.string().regex(/^\w{15}(\w{3})?$/, 'must be a record id of 15 or 18 characters');
