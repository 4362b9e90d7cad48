/**
 * The history of one process, as lines of text in two files. `<process>.changes` holds the events that promises are
 * derived from and is read at once. `<process>.reads` holds the reads that are judged; a read is processed when the
 * changes of every process are known up to its end. All instants are microseconds of the run's clock. Facts are written
 * `fact.version,fact.version`.
 */

/** How a read was answered: from L1 or L2, by its own fetch, by another's fetch, without the store, or not at all. */
export type Origin = 'l1' | 'store' | 'fetched' | 'shared' | 'bypass' | 'miss';

const ORIGIN_CODES: Readonly<Record<Origin, string>> = {
  l1: 'L',
  store: 'R',
  fetched: 'F',
  shared: 'S',
  bypass: 'B',
  miss: 'M',
};
const ORIGINS = Object.fromEntries(Object.entries(ORIGIN_CODES).map(([origin, code]) => [code, origin as Origin]));

/** Versions of facts, by index. */
export interface FactVersions {
  readonly facts: readonly number[];
  readonly versions: readonly number[];
}

/** A value as a reader saw it, with what the value says about itself. */
export interface SeenValue extends FactVersions {
  readonly key: number;
  /** `<process>.<number>`, different for each fetch and each `set`. */
  readonly build: string;
  /** When the fetch began; -1 for a value that was written with `set`. */
  readonly fetchedAt: number;
  /** 0: no TTL. */
  readonly ttlMs: number;
}

export type ChangeLine =
  /** The process is about to request the invalidation of a change, for the first time in this process. */
  | { readonly kind: 'begun'; readonly change: string; readonly at: number; readonly facts: readonly number[] }
  /** One attempt to invalidate was refused. */
  | { readonly kind: 'refused'; readonly at: number }
  /** The attempt that began at `startedAt` was acknowledged at `at`; the first attempt began at `firstAt`. */
  | (FactVersions & {
      readonly kind: 'acknowledged';
      readonly change: string;
      readonly operation: string;
      readonly firstAt: number;
      readonly startedAt: number;
      readonly at: number;
    })
  /**
   * A read with a bound on the age of its value was answered at `at`, through the store, by a fetch that began after
   * the read began.
   */
  | { readonly kind: 'rebuilt'; readonly key: number; readonly fetchedAt: number; readonly at: number }
  /** The process is about to offer a value to the store. */
  | { readonly kind: 'offered'; readonly build: string; readonly at: number }
  /** The store's answer to an offer. The lease was granted between `askedAt` and `grantedAt`. */
  | {
      readonly kind: 'committed';
      readonly build: string;
      readonly key: number;
      readonly reply: string;
      readonly askedAt: number;
      readonly grantedAt: number;
      readonly sentAt: number;
      readonly repliedAt: number;
      readonly ttlMs: number;
      readonly facts: readonly number[];
    }
  /** Every line from before this instant is in both files. */
  | { readonly kind: 'written'; readonly at: number };

export function formatChange(line: ChangeLine): string {
  switch (line.kind) {
    case 'begun':
      return `b ${line.change} ${line.at} ${line.facts.join(',')}\n`;
    case 'refused':
      return `x ${line.at}\n`;
    case 'acknowledged':
      return `a ${line.change} ${line.operation} ${line.firstAt} ${line.startedAt} ${line.at} ${formatVersions(line)}\n`;
    case 'rebuilt':
      return `n ${line.key} ${line.fetchedAt} ${line.at}\n`;
    case 'offered':
      return `o ${line.build} ${line.at}\n`;
    case 'committed': {
      const { build, key, reply, askedAt, grantedAt, sentAt, repliedAt, ttlMs, facts } = line;
      return `c ${build} ${key} ${reply} ${askedAt} ${grantedAt} ${sentAt} ${repliedAt} ${ttlMs} ${facts.join(',')}\n`;
    }
    case 'written':
      return `t ${line.at}\n`;
  }
}

export function parseChange(text: string): ChangeLine {
  const [code, ...fields] = text.split(' ');
  const n = (i: number) => Number(fields[i]);
  const s = (i: number) => fields[i] ?? '';
  switch (code) {
    case 'b':
      return { kind: 'begun', change: s(0), at: n(1), facts: numbers(s(2)) };
    case 'x':
      return { kind: 'refused', at: n(0) };
    case 'a': {
      const times = { firstAt: n(2), startedAt: n(3), at: n(4) };
      return { kind: 'acknowledged', change: s(0), operation: s(1), ...times, ...parseVersions(s(5)) };
    }
    case 'n':
      return { kind: 'rebuilt', key: n(0), fetchedAt: n(1), at: n(2) };
    case 'o':
      return { kind: 'offered', build: s(0), at: n(1) };
    case 'c': {
      const times = { askedAt: n(3), grantedAt: n(4), sentAt: n(5), repliedAt: n(6) };
      return { kind: 'committed', build: s(0), key: n(1), reply: s(2), ...times, ttlMs: n(7), facts: numbers(s(8)) };
    }
    case 't':
      return { kind: 'written', at: n(0) };
    default:
      throw new Error(`no line of a history: ${text}`);
  }
}

export type ReadLine =
  /** After this line, `index` stands for this value. */
  | { readonly kind: 'value'; readonly index: number; readonly value: SeenValue }
  | {
      readonly kind: 'read';
      readonly key: number;
      readonly beganAt: number;
      readonly endedAt: number;
      readonly origin: Origin;
      /** Index of the value that it returned; -1: none. */
      readonly value: number;
      /** The age that the read allowed when it began; -1: any. */
      readonly maxAgeUs: number;
    }
  | {
      readonly kind: 'failed';
      readonly key: number;
      readonly beganAt: number;
      readonly endedAt: number;
      readonly code: string;
    };

/**
 * Maximum number of values that reads can refer to at the same time; this bounds the memory of both sides. A writer
 * describes a value again if it was not among the last `VALUES_MAX` descriptions; `index % VALUES_MAX` is then used for
 * another value.
 */
export const VALUES_MAX = 4096;

export function formatRead(line: ReadLine): string {
  if (line.kind === 'value') {
    const { key, build, fetchedAt, ttlMs } = line.value;
    return `v ${line.index} ${key} ${build} ${fetchedAt} ${ttlMs} ${formatVersions(line.value)}\n`;
  }
  const { key, beganAt, endedAt } = line;
  const times = `${key} ${beganAt} ${endedAt - beganAt}`;
  return line.kind === 'read'
    ? `r ${times} ${ORIGIN_CODES[line.origin]} ${line.value}${line.maxAgeUs < 0 ? '' : ` ${line.maxAgeUs}`}\n`
    : `e ${times} ${line.code.replaceAll(/\s/g, '_')}\n`;
}

export function parseRead(text: string): ReadLine {
  const [code, a = '', b = '', c = '', d = '', e = '', f = ''] = text.split(' ');
  if (code === 'r') {
    const origin = ORIGINS[d] as Origin;
    const beganAt = Number(b);
    const maxAgeUs = f === '' ? -1 : Number(f);
    return { kind: 'read', key: Number(a), beganAt, endedAt: beganAt + Number(c), origin, value: Number(e), maxAgeUs };
  }
  if (code === 'v') {
    const value = { key: Number(b), build: c, fetchedAt: Number(d), ttlMs: Number(e), ...parseVersions(f) };
    return { kind: 'value', index: Number(a), value };
  }
  if (code === 'e') {
    return { kind: 'failed', key: Number(a), beganAt: Number(b), endedAt: Number(b) + Number(c), code: d };
  }
  throw new Error(`no line of a history: ${text}`);
}

function formatVersions({ facts, versions }: FactVersions): string {
  return facts.map((fact, i) => `${fact}.${versions[i]}`).join(',');
}

/** Reads `fact.version,fact.version`. */
export function parseVersions(text: string): FactVersions {
  const facts: number[] = [];
  const versions: number[] = [];
  for (const pair of text === '' ? [] : text.split(',')) {
    const dot = pair.indexOf('.');
    facts.push(Number(pair.slice(0, dot)));
    versions.push(Number(pair.slice(dot + 1)));
  }
  return { facts, versions };
}

function numbers(text: string): number[] {
  return text === '' ? [] : text.split(',').map(Number);
}
