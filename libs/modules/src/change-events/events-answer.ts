import type { EventsHealth } from './events-report.js';

/** Names of fields that hold an instant. */
const INSTANT = /(At|Since|Timestamp)$/;

/** A report in which every instant, a number of milliseconds since 1970, is written as ISO 8601 in UTC. */
export type WithWrittenInstants<T> = T extends readonly (infer Item)[]
  ? readonly WithWrittenInstants<Item>[]
  : T extends object
    ? {
        readonly [Field in keyof T]: Field extends `${string}${'At' | 'Since' | 'Timestamp'}`
          ? string | Extract<T[Field], undefined>
          : WithWrittenInstants<T[Field]>;
      }
    : T;

/** The answer of `GET /health/sf-events`. */
export type EventsAnswer = { readonly timestamp: string } & WithWrittenInstants<EventsHealth>;

/** The answer for this state, with every instant written as text; `timestamp` is `now`. */
export function eventsAnswer(health: EventsHealth, now = new Date()): EventsAnswer {
  return { timestamp: now.toISOString(), ...withWrittenInstants(health) };
}

function withWrittenInstants<T>(value: T, name = ''): WithWrittenInstants<T> {
  const written = (): unknown => {
    if (typeof value === 'number' && INSTANT.test(name)) return new Date(value).toISOString();
    if (Array.isArray(value)) return (value as readonly unknown[]).map((item) => withWrittenInstants(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, withWrittenInstants(part, field)]));
  };
  return written() as WithWrittenInstants<T>;
}
