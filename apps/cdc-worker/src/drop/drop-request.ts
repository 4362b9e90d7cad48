import { entry, namespace, record, tag, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';

export const USAGE = `npm run drop -- <what>
  <key>                 the entry with this key:            orders:account:0015g0000000001AAA
  record TABLE/ID       all that was built from a record:   record Order/8015g0000000006AAA
  table TABLE           all that shows rows of a table:     table Order
  domain NAME           all entries of a domain:            domain orders
  tag NAME              all that a fetcher gave this tag:   tag prices
Drops entries in every process, and returns when no process serves them any more. It reads the same configuration as the
BFF (REDIS_URL, APP_NAME, CACHE_PARTITIONS …; .env too). Nothing is deleted at the source; browsers are not told.
Names are case-sensitive. Exit code 1: not acknowledged, so old values may still be served: run it again. 2: nothing was
tried; a domain that no process has is refused like this.`;

/** What to drop, and what the operator called it. */
export interface DropRequest {
  readonly dependency: Dependency;
  readonly text: string;
  /** The domain that is dropped as a whole. */
  readonly domain?: string;
  /** The table that is dropped, as a whole or one record of it. */
  readonly table?: string;
}

/** What the arguments ask to drop. Throws an error that says what is wrong with them. */
export function dropRequest(args: readonly string[]): DropRequest {
  const [kind, name, ...more] = args;
  if (kind === undefined || kind === '') throw new Error('Say what to drop.');
  if (more.length > 0 || kind.startsWith('-')) throw new Error(`This is not known: ${args.join(' ')}`);
  const isKind = kind === 'record' || kind === 'table' || kind === 'domain' || kind === 'tag';
  if (!isKind && name === undefined) return { dependency: entry(kind), text: `the key ${kind}` };
  if (!isKind || name === undefined || name === '') throw new Error(`This is not known: ${args.join(' ')}`);
  const dependency = dependencyOf(kind, name);
  const named = kind === 'domain' ? { domain: name } : kind === 'tag' ? {} : { table: name.split('/')[0] as string };
  return { dependency, text: `the ${kind} ${name}`, ...named };
}

function dependencyOf(kind: 'record' | 'table' | 'domain' | 'tag', name: string): Dependency {
  if (kind === 'table') return wholeTable(name);
  if (kind === 'domain') return namespace(name);
  if (kind === 'tag') return tag(name);
  const [, table, id] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  if (table === undefined || id === undefined) throw new Error(`A record is TABLE/ID, such as Order/801…, not ${name}`);
  // An id of Salesforce has 15 or 18 characters, and dependencies hold 18.
  return record(table, isSalesforceId(id) ? toSalesforceId(id) : id);
}
