import { z } from 'zod';
import type { SandboxParts } from '../sandbox-parts.js';

/** One fault: its fields, a one-sentence description, and how it is applied. */
export interface FaultDefinition<F extends z.ZodObject = z.ZodObject> {
  readonly fields: F;
  /** Describes for people what a client then sees. */
  readonly does: string;
  /** Sample fields that form a valid order. */
  readonly example: z.input<F>;
  /** Applies the fault and returns what it affected. */
  apply(order: z.output<F>, parts: SandboxParts): Record<string, unknown>;
  /** The part of a lasting fault that is still in force; undefined when nothing is. */
  inForce?(parts: SandboxParts): unknown;
  /** Ends the part that is still in force. */
  end?(parts: SandboxParts): void;
}

/** Types a definition: `apply` receives the fields that `fields` has checked. */
export function fault<F extends z.ZodObject>(definition: FaultDefinition<F>): FaultDefinition<F> {
  return definition;
}

/** A number of events, calls or connections, from 0 to 1,000,000. */
export const count = z.int().min(0).max(1_000_000);
/** A duration in ms of at most ten minutes. */
export const milliseconds = z.int().min(0).max(600_000);
/** An object's name, such as `Order` or `Thing__c`. */
export const objectName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'must be the name of an object, such as Order');
/** A record's id of 15 or 18 characters. */
export const anId = z.string().regex(/^\w{15}(\w{3})?$/, 'must be a record id of 15 or 18 characters');
