import { invalidOption } from '../../cache.errors.js';
import type { FetchContext } from '../../cache.types.js';
import type { ManyContext, ManyLoader } from './many-loader.js';

/** What a call for many ids needs to know of the bucket whose entries it fetches. */
export interface ManySource {
  /** Names the bucket in errors. */
  readonly name: string;
  readonly load: ManyLoader<unknown>;
  readonly keyOf: (parts: readonly string[]) => string;
}

/** One id of a call to the source, and who waits for its value. */
export interface Member {
  readonly parts: readonly string[];
  readonly context: FetchContext;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks the source for these ids, and gives each its value or its error. Never rejects. */
export async function callSource(
  source: ManySource,
  members: readonly Member[],
  run: (load: () => Promise<unknown>) => Promise<unknown> = (load) => load(),
): Promise<void> {
  const { load, name } = source;
  try {
    const ids = members.map(({ parts }) => parts);
    const values = await run(() => load(ids, contextOf(source, members)));
    if (!Array.isArray(values) || values.length !== members.length) throw wrongAnswer(name, values, members.length);
    members.forEach(({ resolve, reject }, i) => {
      const value: unknown = values[i];
      if (value instanceof Error) reject(value);
      else resolve(value);
    });
  } catch (error) {
    for (const { reject } of members) reject(error);
  }
}

/** Asks the source for one id, as a `Fetcher` does. */
export function callForOne(source: ManySource, parts: readonly string[], context: FetchContext): Promise<unknown> {
  return new Promise((resolve, reject) => void callSource(source, [{ parts, context, resolve, reject }]));
}

function contextOf({ keyOf, name }: ManySource, members: readonly Member[]): ManyContext {
  const byKey = new Map(members.map(({ parts, context }) => [keyOf(parts), context]));
  return {
    dependsOn: (...dependencies) => members.forEach(({ context }) => context.dependsOn(...dependencies)),
    of: (parts) => {
      const context = byKey.get(keyOf(parts));
      if (!context) throw invalidOption(`loadMany of ${name} names an id that it was not asked for: ${keyOf(parts)}`);
      return { dependsOn: context.dependsOn };
    },
    signal: allAborted(members.map(({ context }) => context.signal)),
  };
}

/** Aborted when all these signals are: while one of the ids is still wanted, the call goes on. */
function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const aborting = new AbortController();
  const pending = new Set(signals.filter(({ aborted }) => !aborted));
  if (pending.size === 0) aborting.abort();
  for (const signal of pending) {
    const note = () => {
      pending.delete(signal);
      if (pending.size === 0) aborting.abort();
    };
    signal.addEventListener('abort', note, { once: true });
  }
  return aborting.signal;
}

function wrongAnswer(name: string, values: unknown, count: number): Error {
  const given = Array.isArray(values) ? `${values.length} values` : typeof values;
  return invalidOption(`loadMany of ${name} answered ${given} for ${count} ids: it must answer one for each, in order`);
}
