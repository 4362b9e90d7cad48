import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const PROGRAM = join(process.cwd(), 'dist/test/checks/trips/main.js');
const START_MS = 120_000;

/**
 * The number of files that a read and a change pass through (`node dist/test/checks/trips/main.js` names them, in
 * order). A file more is a reason to ask whether it does anything of its own on that way.
 */
describe('the trips of a read and of a change', () => {
  let trips: Map<string, readonly string[]>;
  const room = (file: string) => file.slice(0, file.lastIndexOf('/'));

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, '--json']);
    trips = new Map(JSON.parse(stdout) as [string, string[]][]);
  }, START_MS);

  it.each([
    ['L1 hit', 7],
    ['L2 hit', 19],
    ['L2 hit that the L1 keeps', 23],
    ['miss', 35],
    ['message to acknowledged', 29],
  ])('%s: at most %i files', (name, max) => {
    expect(trips.get(name)).toBeDefined();
    expect(trips.get(name)?.length).toBeLessThanOrEqual(max);
  });

  it('an event goes through its domain once', () => {
    const rooms = (trips.get('message to acknowledged') ?? []).map(room);
    const visits = rooms.filter((each, i) => each.endsWith('modules/src/orders') && rooms[i - 1] !== each);
    expect(visits).toHaveLength(1);
  });
});
