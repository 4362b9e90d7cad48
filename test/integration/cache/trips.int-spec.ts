import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const PROGRAM = join(process.cwd(), 'dist/test/checks/trips/main.js');
const START_MS = 120_000;

/** The file names in backticks in the paragraph of ARCHITECTURE that begins with this trip. */
function listed(trip: string): Set<string> {
  const [, paragraph = ''] = paragraphOf(trip);
  return new Set([...paragraph.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** The number of files that ARCHITECTURE gives for this trip, and its paragraph. */
function paragraphOf(trip: string): [number, string] {
  const page = readFileSync('ARCHITECTURE.md', 'utf8');
  const [, count, paragraph = ''] = new RegExp(`\\*\\*${trip}\\*\\* \\((\\d+)\\): ([^]*?)\\n\\n`).exec(page) ?? [];
  return [Number(count), paragraph];
}

/**
 * Limits how many files a read and a change pass through. If there is one more, ask whether it does anything of its own
 * on that way; if so, add it to the list of ARCHITECTURE and raise the limit.
 */
describe('the trips of a read and of a change', () => {
  let trips: Map<string, readonly string[]>;
  const names = (trip: string) => new Set((trips.get(trip) ?? []).map((file) => basename(file)));
  const room = (file: string) => file.slice(0, file.lastIndexOf('/'));

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, '--json'], { timeout: START_MS });
    trips = new Map(JSON.parse(stdout) as [string, string[]][]);
  }, START_MS);

  it.each([
    ['L1 hit', 6],
    ['L2 hit', 16],
    ['L2 hit that the L1 keeps', 21],
    ['miss', 30],
    ['message to acknowledged', 27],
  ])('%s: at most %i files', (name, max) => {
    expect(trips.get(name)).toBeDefined();
    expect(trips.get(name)?.length).toBeLessThanOrEqual(max);
  });

  it('are the lists of ARCHITECTURE', () => {
    expect(listed('L1 hit')).toEqual(names('L1 hit'));
    expect(listed('L2 hit')).toEqual(new Set([...names('L2 hit'), ...names('L2 hit that the L1 keeps')]));
    expect(listed('Message to acknowledged')).toEqual(names('message to acknowledged'));
    // A miss begins like an L2 hit; the page does not list these files again.
    const first = new Set([...listed('L2 hit'), ...listed('Miss')]);
    expect([...names('miss')].filter((name) => !first.has(name))).toEqual([]);
    expect([...listed('Miss')].filter((name) => !names('miss').has(name))).toEqual([]);
  });

  it.each([
    ['L1 hit', 'L1 hit'],
    ['L2 hit', 'L2 hit'],
    ['Miss', 'miss'],
    ['Message to acknowledged', 'message to acknowledged'],
  ])('%s: the number of ARCHITECTURE is the number of files', (title, trip) => {
    expect(paragraphOf(title)[0]).toBe(trips.get(trip)?.length);
  });

  it('an event goes through its domain once', () => {
    const rooms = (trips.get('message to acknowledged') ?? []).map(room);
    const visits = rooms.filter((each, i) => each.endsWith('modules/src/orders') && rooms[i - 1] !== each);
    expect(visits).toHaveLength(1);
  });
});
