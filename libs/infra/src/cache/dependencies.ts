import { CacheError } from './cache.errors.js';

/**
 * What an entry was built from, in the store's own form. Made only by the functions below, so that every part is
 * encoded the same way on the side that fills and on the side that invalidates.
 */
export type Dependency = string & { readonly __dependency: unique symbol };

/** Guarantees a name that holds no separator (`:`, NUL), and that two different inputs never meet. Refuses half characters. */
export function encodePart(part: string): string {
  if (/\p{Cs}/u.test(part)) throw new CacheError('CACHE_INVALID_KEY', 'a part of a key holds half a character', false);
  return part.replace(/[^A-Za-z0-9._~@-]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function dependency(text: string): Dependency {
  return text as Dependency;
}

/** One record of the source: the entry showed it, or was computed from it. */
export function record(table: string, id: string): Dependency {
  return dependency(`r:${encodePart(table)}:${encodePart(id)}`);
}

/**
 * Which rows of a table exist or match a filter: rows created, deleted, undeleted, or moved in or out by a filtered
 * field. An entry that lists rows needs it, because a row that is not there yet has no `record` to depend on.
 */
export function membership(table: string): Dependency {
  return dependency(`t:${encodePart(table)}`);
}

/**
 * Every record of a table that there is: the entry was computed from very many of them. It falls whenever one of them is
 * invalidated, because `CacheService.invalidate` names it with each; a row that is new needs `membership`, too.
 */
export function anyRecord(table: string): Dependency {
  return anyRecordOf(encodePart(table));
}

/** The same, of a table as `recordTable` names it. */
export function anyRecordOf(encodedTable: string): Dependency {
  return dependency(`f:${encodedTable}`);
}

/**
 * Everything of a table. For `invalidate` only: each entry that depends on a record or on the membership of a table
 * depends on the whole of it without saying so.
 */
export function wholeTable(table: string): Dependency {
  return dependency(`a:${encodePart(table)}`);
}

/** All entries whose key begins with `domain:`. For `invalidate`; every such entry depends on it without saying so. */
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

/** The table of a `record` dependency, encoded as it stands there; undefined for every other kind. */
export function recordTable(d: Dependency): string | undefined {
  return d.startsWith('r:') ? d.slice(2, d.indexOf(':', 2)) : undefined;
}

/** What these invalidate altogether: beside each record what depends on any record of its table. */
export function invalidatedDependencies(named: Iterable<Dependency>): Dependency[] {
  const all = new Set<Dependency>(named);
  for (const d of [...all]) {
    const table = recordTable(d);
    if (table !== undefined) all.add(anyRecordOf(table));
  }
  return [...all];
}

/**
 * The dependencies that the store keeps for an entry: those declared, once each, with the whole table behind every
 * record and membership, and the namespace of the key (its part before the first colon; a key without one has none).
 */
export function storedDependencies(key: string, declared: Iterable<Dependency>): Dependency[] {
  const all = new Set<Dependency>();
  for (const d of declared) {
    if (d.startsWith('k:'))
      throw new CacheError('CACHE_INVALID_OPTION', `${key} cannot depend on another entry`, false);
    all.add(d);
    const table = recordTable(d);
    if (table !== undefined) all.add(dependency(`a:${table}`));
    else if (d.startsWith('t:') || d.startsWith('f:')) all.add(dependency(`a:${d.slice(2)}`));
  }
  const colon = key.indexOf(':');
  if (colon > 0) {
    // Keys made by buckets hold the domain encoded, others as it is: `namespace` finds both.
    const domain = key.slice(0, colon);
    all.add(dependency(`n:${domain}`));
    all.add(namespace(domain));
  }
  return [...all];
}
