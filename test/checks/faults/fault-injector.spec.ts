import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../support/deferred.js';
import { FaultInjector } from './fault-injector.js';

describe('the fault injector', () => {
  it('knows which faults last, and when all have ended', async () => {
    const lasting = deferred<void>();
    const injector = new FaultInjector<{ kind: string }>(() => lasting.promise);
    injector.inject({ kind: 'a' });
    injector.inject({ kind: 'b' });
    expect(injector.open).toBe(2);
    lasting.resolve();
    await injector.ended();
    expect(injector.open).toBe(0);
    expect(injector.defects).toEqual([]);
  });

  it('keeps what could not be carried out, and goes on', async () => {
    const injector = new FaultInjector<{ kind: string }>(({ kind }) =>
      kind === 'bad' ? Promise.reject(new Error('no such server')) : Promise.resolve(),
    );
    injector.inject({ kind: 'bad' });
    injector.inject({ kind: 'good' });
    await injector.ended();
    expect(injector.defects.map(({ message }) => message)).toEqual(['bad: Error: no such server']);
  });

  it('runs the work of a lane in turn, also after a failure, and other lanes beside it', async () => {
    const order: string[] = [];
    const injector = new FaultInjector<{ kind: string }>(() => Promise.resolve());
    const first = deferred<void>();
    const note = (name: string) => async () => void order.push(name);
    const failing = injector.inLane('redis', async () => {
      await first.promise;
      throw new Error('in vain');
    });
    const second = injector.inLane('redis', note('second'));
    await injector.inLane('worker', note('other'));
    first.resolve();
    await expect(failing).rejects.toThrow('in vain');
    await second;
    expect(order).toEqual(['other', 'second']);
  });

  it('carries out a series one by one while the run goes on', async () => {
    const done: string[] = [];
    const injector = new FaultInjector<{ kind: string }>(async ({ kind }) => void done.push(kind));
    function* series(): Generator<{ kind: string }, never> {
      for (let n = 1; ; n++) yield { kind: `fault ${n}` };
    }
    injector.injectInTurn(series(), 0, () => done.length < 3);
    await injector.ended();
    expect(done).toEqual(['fault 1', 'fault 2', 'fault 3']);
  });
});
