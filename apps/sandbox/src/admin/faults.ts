import { z } from 'zod';
import type { SandboxParts } from '../sandbox-parts.js';
import { eventFaults } from './event-faults.js';
import type { FaultDefinition } from './fault.js';
import { orgFaults } from './org-faults.js';
import { requestFaults } from './request-faults.js';
import { streamFaults } from './stream-faults.js';

/** Everything that can be made to happen, by its name. */
const FAULTS = { ...requestFaults, ...streamFaults, ...eventFaults, ...orgFaults };

/** Without the index signature that a fault without fields has. */
type Fields<T> = { readonly [Name in keyof T as string extends Name ? never : Name]: T[Name] };
type Orders = {
  [Name in keyof typeof FAULTS]: { readonly fault: Name } & Fields<z.input<(typeof FAULTS)[Name]['fields']>>;
};

/** An order to make something happen, as `POST /sandbox/faults` takes it: its name and its fields. */
export type Fault = Orders[keyof Orders];

/** An order that was checked, ready to be carried out. */
export interface CheckedFault {
  readonly name: string;
  carryOut(parts: SandboxParts): Record<string, unknown>;
}

/** The order if it is one, or what is wrong with it, in words that say what would be right. */
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

/** What the list of faults shows of each, for people and for the page. */
export function faultCatalogue(): Record<string, unknown>[] {
  return definitions().map(([name, { does, example, fields }]) => ({
    fault: name,
    does,
    example: { fault: name, ...example },
    fields: z.toJSONSchema(fields, { io: 'input' })['properties'] ?? {},
  }));
}

/** What still holds of what was ordered, by fault; empty when everything is as at the start. */
export function faultsInForce(parts: SandboxParts): Record<string, unknown> {
  const held = definitions().map(([name, definition]) => [name, definition.inForce?.(parts)] as const);
  return Object.fromEntries(held.filter(([, value]) => value !== undefined));
}

/** Ends everything that holds. What has been done stays: time that passed, tokens, records, fields, selected objects. */
export function endFaults(parts: SandboxParts): void {
  for (const [, definition] of definitions()) definition.end?.(parts);
}

function definitions(): [string, FaultDefinition][] {
  return Object.entries(FAULTS);
}
