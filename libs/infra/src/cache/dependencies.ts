import { CacheError, invalidOption } from './cache.errors.js';

/**
 * A source record, table, tag, namespace or key that an entry depends on, in the store's own form. Only the functions below
 * make one, so the side that builds and the side that invalidates encode every part the same way.
 */
export type Dependency = string & { readonly __dependency: unique symbol };

/**
 * Encodes a name: the result holds no separator (`:`, NUL), and different names have different results. Refuses lone
 * surrogates.
 */
export function encodePart(part: string): string {
  if (/\p{Cs}/u.test(part)) throw new CacheError('CACHE_INVALID_KEY', 'a part of a key holds half a character', false);
  return part.replace(/[^A-Za-z0-9._~@-]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function dependency(text: string): Dependency {
  return text as Dependency;
}

/** One record of the source: the entry shows it, or was computed from it. */
export function record(table: string, id: string): Dependency {
  return dependency(`r:${encodePart(table)}:${encodePart(id)}`);
}

/**
 * Which rows of a table exist or match a filter. It changes when rows are created, deleted, undeleted, or moved in or
 * out by a filtered field. An entry that lists rows needs it, because a row that does not exist yet has no `record` to
 * depend on.
 */
export function membership(table: string): Dependency {
  return dependency(`t:${encodePart(table)}`);
}

/**
 * Every existing record of a table, for an entry that was computed from very many of them. The entry falls whenever one
 * of them is invalidated, because `CacheService.invalidate` adds this dependency for each record. An entry that must
 * also fall for new rows needs `membership` as well.
 */
export function anyRecord(table: string): Dependency {
  return anyRecordOf(encodePart(table));
}

/** Like `anyRecord`, for a table name encoded as `recordTable` returns it. */
export function anyRecordOf(encodedTable: string): Dependency {
  return dependency(`f:${encodedTable}`);
}

/**
 * A whole table. For `invalidate` only: each entry that depends on a record, on any record or on the membership of a
 * table depends on it implicitly.
 */
export function wholeTable(table: string): Dependency {
  return dependency(`a:${encodePart(table)}`);
}

/**
 * A name of your own that entries share, such as `tag('prices of 2026')`: what is invalidated together without being a
 * record or a table of the source.
 */
export function tag(name: string): Dependency {
  return dependency(`g:${encodePart(name)}`);
}

/** All entries whose key begins with `domain:`. For `invalidate`; every such entry depends on it implicitly. */
export function namespace(domain: string): Dependency {
  return dependency(`n:${encodePart(domain)}`);
}

/** The entry stored under exactly this key. For `invalidate` only; it touches one partition. */
export function entry(key: string): Dependency {
  return dependency(`k:${key}`);
}

/** The key that an `entry` dependency names; undefined for every other kind. */
export function entryKey(d: Dependency): string | undefined {
  return d.startsWith('k:') ? d.slice(2) : undefined;
}

/** The encoded table name of a `record` dependency; undefined for every other kind. */
export function recordTable(d: Dependency): string | undefined {
  return d.startsWith('r:') ? d.slice(2, d.indexOf(':', 2)) : undefined;
}

/** Maximum dependencies of one invalidation. For more, invalidate the whole table or the namespace. */
const INVALIDATED_MAX = 10_000;

/**
 * The named dependencies and, for each record, also `anyRecord` of its table, for entries whose records were folded.
 * Refuses more than 10,000, and a list where a dependency is expected.
 */
export function invalidatedDependencies(named: readonly Dependency[]): Dependency[] {
  if (named.length > INVALIDATED_MAX) {
    const text = `an invalidation takes at most ${INVALIDATED_MAX} dependencies, not ${named.length}: use wholeTable or namespace`;
    throw invalidOption(text);
  }
  if (named.some((d) => typeof d !== 'string'))
    throw invalidOption(
      'an invalidation takes dependencies one by one, such as record(table, id), and no list of them',
    );
  const all = new Set<Dependency>(named);
  for (const d of [...all]) {
    const table = recordTable(d);
    if (table !== undefined) all.add(anyRecordOf(table));
  }
  return [...all];
}

/**
 * The dependencies that the store keeps for an entry: the declared ones, once each; the whole table of every record,
 * *any record* and membership; and the namespace of the key (its part before the first colon; a key without a colon has
 * none). Refuses an `entry`.
 */
export function storedDependencies(key: string, declared: Iterable<Dependency>): Dependency[] {
  const all = new Set<Dependency>();
  for (const d of declared) {
    if (d.startsWith('k:')) throw invalidOption(`${key} cannot depend on another entry`);
    all.add(d);
    const table = recordTable(d);
    if (table !== undefined) all.add(dependency(`a:${table}`));
    else if (d.startsWith('t:') || d.startsWith('f:')) all.add(dependency(`a:${d.slice(2)}`));
  }
  const colon = key.indexOf(':');
  if (colon > 0) {
    // Keys made by buckets hold the encoded domain, other keys the plain one: `namespace` finds both.
    const domain = key.slice(0, colon);
    all.add(dependency(`n:${domain}`));
    all.add(namespace(domain));
  }
  return [...all];
}
