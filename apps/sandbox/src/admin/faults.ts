import { z } from 'zod';
import type { SandboxParts } from '../sandbox-parts.js';
import { eventFaults } from './event-faults.js';
import type { FaultDefinition } from './fault.js';
import { orgFaults } from './org-faults.js';
import { requestFaults } from './request-faults.js';
import { streamFaults } from './stream-faults.js';

const FAULTS = { ...requestFaults, ...streamFaults, ...eventFaults, ...orgFaults };

/** Drops the index signature that the type of a fault without fields has. */
type Fields<T> = { readonly [Name in keyof T as string extends Name ? never : Name]: T[Name] };
type Orders = {
  [Name in keyof typeof FAULTS]: { readonly fault: Name } & Fields<z.input<(typeof FAULTS)[Name]['fields']>>;
};

/** An order that fires a fault, as `POST /sandbox/faults` takes it: the fault's name and its fields. */
export type Fault = Orders[keyof Orders];

/** A checked order, ready to be carried out. */
export interface CheckedFault {
  readonly name: string;
  carryOut(parts: SandboxParts): Record<string, unknown>;
}

/** The checked order, or one text for each problem that it has. */
export function checkFault(body: unknown): CheckedFault | { readonly problems: readonly string[] } {
  const named = z.looseObject({ fault: z.string() }).safeParse(body);
  if (!named.success) return { problems: ['the body has to be a JSON object with the field "fault"'] };
  const { fault: name, ...order } = named.data;
  if (!Object.hasOwn(FAULTS, name)) {
    return { problems: [`there is no fault "${name.slice(0, 80)}", only ${Object.keys(FAULTS).join(', ')}`] };
  }
  const definition = FAULTS[name as keyof typeof FAULTS] as unknown as FaultDefinition;
  const parsed = definition.fields.strict().safeParse(order);
  if (!parsed.success) {
    return { problems: parsed.error.issues.map((issue) => `${issue.path.join('.') || name}: ${issue.message}`) };
  }
  return { name, carryOut: (parts) => definition.apply(parsed.data, parts) };
}

/** The list of faults for people and for the page: name, description, example and fields of each. */
export function faultCatalogue(): Record<string, unknown>[] {
  return definitions().map(([name, { does, example, fields }]) => ({
    fault: name,
    does,
    example: { fault: name, ...example },
    fields: z.toJSONSchema(fields, { io: 'input' })['properties'] ?? {},
  }));
}

/**
 * The faults whose effects still last, by name, each with what is left of it; effects that are complete do not count.
 */
export function faultsInForce(parts: SandboxParts): Record<string, unknown> {
  const held = definitions().map(([name, definition]) => [name, definition.inForce?.(parts)] as const);
  return Object.fromEntries(held.filter(([, value]) => value !== undefined));
}

/**
 * Ends every fault in force. Effects that are complete stay, such as elapsed time, revoked tokens, changed records,
 * added fields and selected objects.
 */
export function endFaults(parts: SandboxParts): void {
  for (const [, definition] of definitions()) definition.end?.(parts);
}

function definitions(): [string, FaultDefinition][] {
  return Object.entries(FAULTS);
}
