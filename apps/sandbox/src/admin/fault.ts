import { z } from 'zod';
import type { SandboxParts } from '../sandbox-parts.js';

/**
 * One kind of fault: the fields of an order that fires it, a short description, and the functions that apply and end
 * it.
 */
export interface FaultDefinition<F extends z.ZodObject = z.ZodObject> {
  readonly fields: F;
  /** Describes the effect for people; `GET /sandbox/faults` and the page show it. */
  readonly does: string;
  /** Sample fields, with which an order is valid. */
  readonly example: z.input<F>;
  /** Applies the fault and returns what it affected. */
  apply(order: z.output<F>, parts: SandboxParts): Record<string, unknown>;
  /**
   * The effect that is still in force, as `GET /sandbox/faults` shows it; undefined if there is none. Only a fault that
   * can last has this function.
   */
  inForce?(parts: SandboxParts): unknown;
  /** Ends the effect that is still in force. */
  end?(parts: SandboxParts): void;
}

/**
 * Returns the definition as it is. The call is for the types: `apply` receives exactly the fields that `fields` has
 * checked.
 */
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
