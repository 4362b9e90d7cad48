import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { factCount, facts } from '../source/universe.js';
import {
  formatChange,
  formatRead,
  parseChange,
  parseRead,
  VALUES_MAX,
  type ChangeLine,
  type ReadLine,
} from './history-lines.js';
import { History, historyFiles } from './history.js';
import { timeline } from './timeline.js';
import { Verifier } from './verifier.js';

const RECORD = facts.record(0, 7);
const KEY = 5;

describe('the history of several processes', () => {
  let folder: string;
  let verifier: Verifier;
  let history: History;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-history-'));
    verifier = new Verifier({ factCount, graceUs: 0 });
    history = new History(folder, verifier);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const changes = (by: number, ...lines: ChangeLine[]) =>
    appendFileSync(historyFiles(folder, by).changes, lines.map(formatChange).join(''));
  const reads = (by: number, ...lines: ReadLine[]) =>
    appendFileSync(historyFiles(folder, by).reads, lines.map(formatRead).join(''));
  const written = (at: number): ChangeLine => ({ kind: 'written', at });
  const oldValue = (index: number): ReadLine => {
    const value = { key: KEY, build: '1.1', fetchedAt: 10, ttlMs: 0, facts: [RECORD], versions: [0] };
    return { kind: 'value', index, value };
  };
  const read = (beganAt: number, value: number): ReadLine => ({
    kind: 'read',
    key: KEY,
    beganAt,
    endedAt: beganAt + 1,
    origin: 'l1',
    value,
    maxAgeUs: -1,
  });
  const acknowledged: ChangeLine = {
    kind: 'acknowledged',
    change: '1',
    operation: 'record',
    firstAt: 100,
    startedAt: 100,
    at: 200,
    facts: [RECORD],
    versions: [1],
  };
  const offered: ChangeLine = { kind: 'offered', build: '1.1', at: 20 };

  it('judges a read only when every process has written down what it acknowledged before', () => {
    history.joined(1);
    history.joined(2);
    reads(1, oldValue(0), read(300, 0));
    changes(1, offered, written(1000));
    changes(2, written(150));
    history.advance();
    expect(verifier.readCount).toBe(0);
    changes(2, acknowledged, written(1000));
    history.advance();
    expect(verifier.readCount).toBe(1);
    expect(verifier.violations.map(({ check }) => check)).toEqual(['G1']);
  });

  it('does not wait for a process that is gone, and reads what it has left', () => {
    history.joined(1);
    history.joined(2);
    reads(1, oldValue(0), read(300, 0));
    changes(1, offered, written(1000));
    changes(2, acknowledged);
    history.left(2);
    history.advance();
    expect(verifier.violationCount).toBe(1);
  });

  it('takes no line whose end is not there: its process was killed while it wrote', () => {
    history.joined(1);
    const whole = formatRead(read(300, -1));
    appendFileSync(historyFiles(folder, 1).reads, whole.slice(0, -3));
    history.left(1);
    history.advance();
    expect(verifier.readCount).toBe(0);
  });

  it('forgets values of long ago, and knows those that were described anew in their place', () => {
    history.joined(1);
    reads(1, oldValue(0), read(300, 0), oldValue(VALUES_MAX), read(301, VALUES_MAX), read(302, -1));
    changes(1, offered);
    history.left(1);
    history.advance();
    expect(verifier.readCount).toBe(3);
    expect(verifier.reads.l1).toBe(3);
  });

  it('tells how a violation came about, in the order of time', () => {
    history.joined(1);
    history.joined(2);
    reads(1, oldValue(0), read(120, 0), read(130, 0), read(300, 0));
    changes(1, offered);
    changes(2, { kind: 'begun', change: '1', at: 90, facts: [RECORD] }, acknowledged);
    history.left(1);
    history.left(2);
    history.advance();
    const [violation] = verifier.violations;
    if (!violation) throw new Error('nothing was found');
    const told = timeline(folder, violation, [{ at: 95, text: 'bus killed' }]).map((line) => line.trim());
    expect(told).toEqual([
      expect.stringMatching(/^0.020 ms.*process 1 offers build 1.1/),
      expect.stringMatching(/^0.090 ms.*process 2 changed Order 7/),
      expect.stringMatching(/^0.095 ms.*FAULT bus killed/),
      expect.stringMatching(/^0.120 ms.*process 1 reads .* Order 7 at version 0 \(2 times\)/),
      expect.stringMatching(/^0.200 ms.*process 2 has the acknowledgement .* Order 7 at version 1/),
      expect.stringMatching(/^0.300 ms.*process 1 VIOLATION reads/),
    ]);
  });

  it('reads back every kind of line as it was written', () => {
    const times = { askedAt: 1, grantedAt: 2, sentAt: 3, repliedAt: 4 };
    const lines: ChangeLine[] = [
      { kind: 'begun', change: '12', at: 5, facts: [1, 2] },
      { kind: 'refused', at: 6 },
      acknowledged,
      { kind: 'rebuilt', key: 3, fetchedAt: 7, at: 8 },
      offered,
      { kind: 'committed', build: '1.1', key: 3, reply: 'ok', ...times, ttlMs: 400, facts: [7, 8] },
      written(9),
    ];
    for (const line of lines) expect(parseChange(formatChange(line).trimEnd())).toEqual(line);
    const failed: ReadLine = { kind: 'failed', key: 1, beganAt: 2, endedAt: 5, code: 'SOURCE_FAILED' };
    const bounded: ReadLine = { kind: 'read', key: 1, beganAt: 2, endedAt: 5, origin: 'store', value: 3, maxAgeUs: 0 };
    for (const line of [oldValue(3), read(4, 3), bounded, failed])
      expect(parseRead(formatRead(line).trimEnd())).toEqual(line);
    expect(() => parseChange('z 1')).toThrow('no line of a history');
    expect(() => parseRead('z 1')).toThrow('no line of a history');
  });
});
