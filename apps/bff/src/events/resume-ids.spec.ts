import { describe, expect, it } from '@jest/globals';
import { ResumeIds } from './resume-ids.js';

const secret = Buffer.alloc(32, 7).toString('base64');
const place = '1764525600000-0';

describe('[C1] the ids that browsers hold', () => {
  it('name a place for every process with the same key, and for no other', () => {
    const id = new ResumeIds(secret).seal(place);
    expect(new ResumeIds(secret).open(id)).toBe(place);
    expect(new ResumeIds().open(id)).toBeUndefined();
    expect(id).toMatch(/^[\w-]+$/);
  });

  it('tell their holder neither the place nor whether two are the same', () => {
    const ids = new ResumeIds(secret);
    const [one, other] = [ids.seal(place), ids.seal(place)];
    expect(one).not.toBe(other);
    for (const id of [one, other]) expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain('17645256');
  });

  it.each(['', place, 'a', 'A'.repeat(38), 'A'.repeat(100_000), '\0', '§'])('cannot be made up: %j', (made) => {
    expect(new ResumeIds(secret).open(made)).toBeUndefined();
  });

  it('cannot be changed', () => {
    const ids = new ResumeIds(secret);
    const bytes = Buffer.from(ids.seal(place), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(ids.open(changed.toString('base64url'))).toBeUndefined();
    }
  });
});
