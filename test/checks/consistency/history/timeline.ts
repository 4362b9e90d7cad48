import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { factName, keys } from '../source/universe.js';
import { LineTail } from './line-tail.js';
import { parseChange, parseRead, VALUES_MAX, type ChangeLine, type ReadLine } from './history-lines.js';
import type { Violation } from './violation.js';

/** An event that the run itself caused or saw. */
export interface RunEvent {
  readonly at: number;
  readonly text: string;
}

interface Entry {
  readonly at: number;
  readonly by: number | undefined;
  readonly text: string;
}

const LINES_MAX = 60;
/**
 * How long before a violation the timeline begins: its cause may lie a little earlier. Faults are shown from 1.5 s
 * before that.
 */
const BEFORE_US = 20_000;

/**
 * The events around a violation, in order: changes of the fact, builds and reads of the key, and faults; of more than
 * 60 those in the middle are left out. It reads the files from their beginning, so use it for one violation, not for
 * many.
 */
export function timeline(folder: string, violation: Violation, faults: readonly RunEvent[]): string[] {
  const from = violation.from - BEFORE_US;
  const isNear = (at: number) => at >= from && at <= violation.to;
  const entries: Entry[] = faults
    .filter(({ at }) => at >= from - 1_500_000 && at <= violation.to)
    .map(({ at, text }) => ({ at, by: undefined, text: `FAULT ${text}` }));
  for (const file of readdirSync(folder)) {
    const by = Number(file.split('.')[0]);
    if (file.endsWith('.changes'))
      for (const line of lines(folder, file, parseChange)) entries.push(...ofChange(by, line, violation));
    if (file.endsWith('.reads')) entries.push(...ofReads(by, lines(folder, file, parseRead), violation, from));
  }
  const near = entries.filter((entry) => entry.by === undefined || isNear(entry.at)).sort((a, b) => a.at - b.at);
  const shown = near.length <= LINES_MAX ? near : [...near.slice(0, LINES_MAX / 2), ...near.slice(-LINES_MAX / 2)];
  const text = shown.map(
    ({ at, by, text }) =>
      `${(at / 1000).toFixed(3).padStart(12)} ms  ${by === undefined ? '' : `process ${by} `}${text}`,
  );
  if (near.length > LINES_MAX) text.splice(LINES_MAX / 2, 0, `… ${near.length - LINES_MAX} lines left out …`);
  return text;
}

function* lines<T>(folder: string, file: string, parse: (text: string) => T): Generator<T> {
  const tail = new LineTail(join(folder, file));
  for (let text = tail.peek(); text !== undefined; text = tail.peek()) {
    yield parse(text);
    tail.take();
  }
  tail.close();
}

function ofChange(by: number, line: ChangeLine, { fact, key, read }: Violation): Entry[] {
  switch (line.kind) {
    case 'begun':
      if (fact === undefined || !line.facts.includes(fact)) return [];
      return [
        { at: line.at, by, text: `changed ${factName(fact)} (change ${line.change}) and begins to invalidate it` },
      ];
    case 'acknowledged': {
      const i = fact === undefined ? -1 : line.facts.indexOf(fact);
      if (i < 0) return [];
      const text = `has the acknowledgement of change ${line.change} (${line.operation}), ${factName(line.facts[i] as number)} at version ${line.versions[i]}, asked for at ${(line.startedAt / 1000).toFixed(3)}`;
      return [{ at: line.at, by, text }];
    }
    case 'rebuilt':
      if (line.key !== key) return [];
      return [
        { at: line.at, by, text: `was given a value built anew, fetched at ${(line.fetchedAt / 1000).toFixed(3)}` },
      ];
    case 'offered':
      return line.build === read?.value?.build
        ? [{ at: line.at, by, text: `offers build ${line.build} to the store` }]
        : [];
    case 'committed':
      if (line.key !== key) return [];
      return [
        { at: line.grantedAt, by, text: `was granted the lease for build ${line.build}` },
        { at: line.repliedAt, by, text: `was answered ${line.reply} to build ${line.build}` },
      ];
    default:
      return [];
  }
}

/** The reads of the key by one process. Consecutive reads with the same result become one line with a count. */
function ofReads(by: number, all: Iterable<ReadLine>, { key, fact, read }: Violation, from: number): Entry[] {
  const entries: { at: number; by: number; text: string; same: string; times: number }[] = [];
  const values: string[] = [];
  for (const line of all) {
    if (line.kind === 'value') {
      const { build, facts, versions } = line.value;
      const i = fact === undefined ? -1 : facts.indexOf(fact);
      const version = i < 0 ? '' : `, ${factName(facts[i] as number)} at version ${versions[i]}`;
      values[line.index % VALUES_MAX] = `build ${build}${version}`;
      continue;
    }
    if (line.key !== key || line.endedAt < from) continue;
    const returned =
      line.kind === 'failed' ? line.code : line.value < 0 ? 'nothing' : (values[line.value % VALUES_MAX] ?? '');
    const same = `${line.kind === 'read' ? line.origin : 'failed'}: ${returned}`;
    const isIt = read?.by === by && read.beganAt === line.beganAt && read.endedAt === line.endedAt;
    const last = entries.at(-1);
    if (last?.same === same && !isIt) last.times++;
    else
      entries.push({
        at: line.beganAt,
        by,
        same,
        times: 1,
        text: `${isIt ? 'VIOLATION ' : ''}reads ${keys[key]?.text}: ${same}`,
      });
  }
  return entries.map(({ times, text, ...entry }) => ({
    ...entry,
    text: times > 1 ? `${text} (${times} times)` : text,
  }));
}
