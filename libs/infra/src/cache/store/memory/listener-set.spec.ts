import { describe, expect, it } from '@jest/globals';
import { ListenerSet } from './listener-set.js';

describe('ListenerSet', () => {
  it('calls nobody inside the operation that tells, and everybody soon after', async () => {
    const heard: string[] = [];
    const set = new ListenerSet<string>(() => undefined);
    set.add((message) => heard.push(`a ${message}`));
    set.add((message) => heard.push(`b ${message}`));
    set.tell('1');
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual(['a 1', 'b 1']);
  });

  it('[E24] keeps the error of one listener from the others, and reports it', async () => {
    const [heard, errors]: [string[], unknown[]] = [[], []];
    const set = new ListenerSet<string>((error) => errors.push(error));
    const broken = new Error('broken listener');
    set.add(() => {
      throw broken;
    });
    set.add((message) => heard.push(message));
    set.tell('1');
    await Promise.resolve();
    expect(heard).toEqual(['1']);
    expect(errors).toEqual([broken]);
  });

  it('[E24] calls a listener no more once it has unsubscribed, even for what was announced before', async () => {
    const heard: string[] = [];
    const set = new ListenerSet<string>(() => undefined);
    const unsubscribe = set.add((message) => heard.push(message));
    set.tell('1');
    unsubscribe();
    set.tell('2');
    await Promise.resolve();
    expect(heard).toEqual([]);
  });
});
