import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { faultsOf, sharedNamesOf } from './lua-style.js';

const paths = execFileSync('git', ['ls-files', '*.lua'], { encoding: 'utf8' }).trim().split('\n');
const files = paths.map((path) => ({ path, name: basename(path, '.lua'), text: readFileSync(path, 'utf8') }));
const shared = files.find(({ name }) => name === '_partition') as (typeof files)[number];
const own = files.filter((file) => file !== shared);
/** Names that a script beside the shared part may not give to an argument. */
const namesBeside = (path: string) => (dirname(path) === dirname(shared.path) ? sharedNamesOf(shared.text) : []);

/** A script of a partition without a fault. The faults below are planted in it or in `SAVE`. */
const RENEW = `#!lua flags=allow-oom
-- renew: prolong a lease.
-- Atomic: between the check and the write, the lease could pass to another builder.
-- KEYS T:g
-- ARGV tag id leaseMs dep...
--   leaseMs: from now
-- -> 1 renewed, 0 lost
local tag, id, leaseMs = arguments(3, 'dep...')
local refused = use(tag)
return refused or R('PEXPIRE', T .. ':l:' .. id, leaseMs)
`;
/** A script without a fault that does not use the shared part. */
const SAVE = `-- save: store positions.
-- Atomic: nobody reads half of them.
-- KEYS base other
-- ARGV name (field position)...
-- -> 1
local base, other = KEYS[1], KEYS[2]
local name = ARGV[1]
local positions = { unpack(ARGV, 2) }
redis.call('HSET', base, name, other, unpack(positions))
return 1
`;

const planted = [
  {
    what: 'an argument by its number',
    text: RENEW.replace("':l:' .. id", "':l:' .. ARGV[2]"),
    says: /:10: `ARGV` below the names.*Name every key and argument at the top/,
  },
  {
    what: 'a key by its number',
    text: SAVE.replace("'HSET', base", "'HSET', KEYS[1]"),
    says: /:9: `KEYS` below the names/,
  },
  {
    what: 'a name that the header lacks',
    text: RENEW.replace('tag id leaseMs dep', 'tag id dep'),
    says: /the header lists the arguments `tag id`, and the script names `tag id leaseMs`/,
  },
  {
    what: 'names in another order than in the header',
    text: SAVE.replace('local base, other', 'local other, base'),
    says: /the header lists the keys `base other`, and the script names `other base`/,
  },
  {
    what: 'more names than numbers',
    text: RENEW.replace('arguments(3', 'arguments(2'),
    says: /3 names receive the arguments 1 to 2/,
  },
  {
    what: 'a list that the header lacks',
    text: RENEW.replace(' dep...\n', '\n'),
    says: /the header lists no list, and the script takes `dep...`/,
  },
  {
    what: 'a list that begins too late',
    text: SAVE.replace('{ unpack(ARGV, 2) }', '{ unpack(ARGV, 3) }'),
    says: /the list begins at 3, and the names before it end at 1/,
  },
  {
    what: 'an explanation of a name that is gone',
    text: RENEW.replace('--   leaseMs:', '--   leaseSeconds:'),
    says: /the header explains `leaseSeconds`, which it does not list/,
  },
  { what: 'no reply', text: RENEW.replace('-- -> 1 renewed, 0 lost\n', ''), says: /the header has no line `-- -> …`/ },
  {
    what: 'no reason to be atomic',
    text: RENEW.replace('-- Atomic: between', '-- Between'),
    says: /the header has no line `-- Atomic: …`/,
  },
  {
    what: 'no purpose',
    text: RENEW.replace('-- renew: prolong', '-- prolong'),
    says: /the header has no line `-- renew: …`/,
  },
  {
    what: 'an argument that hides a name of the shared part',
    text: RENEW.replaceAll(/\bid\b/g, 'clk'),
    says: /`clk` hides what _partition.lua calls so/,
  },
] as const;

describe('every Lua script', () => {
  it('is looked at', () => {
    expect(own.length).toBeGreaterThanOrEqual(23);
    expect(sharedNamesOf(shared.text)).toEqual(expect.arrayContaining(['R', 'T', 'clk', 'recent', 'use', 'trim']));
    expect(faultsOf('renew', RENEW, ['clk'])).toEqual([]);
    expect(faultsOf('save', SAVE, [])).toEqual([]);
  });

  it.each(own)('says and names at its top what it takes: $path', ({ path, name, text }) => {
    expect(faultsOf(name, text, namesBeside(path))).toEqual([]);
  });

  it('has a shared part that takes arguments in one place only', () => {
    const rest = shared.text.replace(/^local function (?:arguments|listed)\([^]*?^end$/gm, '').replace(/--.*$/gm, '');
    expect(rest).not.toMatch(/\b(?:ARGV|KEYS)\b/);
  });

  it('is no text in a source file, unless it names what it takes', () => {
    const sources = execFileSync('git', ['ls-files', 'apps/**/*.ts', 'libs/**/*.ts'], { encoding: 'utf8' });
    const bare = sources
      .trim()
      .split('\n')
      .filter((path) =>
        /\b(?:KEYS|ARGV)\[/.test(readFileSync(path, 'utf8').replaceAll(/\blocal [\w, ]+ = [^;]+;/g, '')),
      );
    expect(bare).toEqual([]);
  });

  it.each(planted)('is refused with $what', ({ text, says }) => {
    expect(faultsOf(text.startsWith('-- save') ? 'save' : 'renew', text, ['T', 'clk']).join('\n')).toMatch(says);
  });
});
