import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';
import type { Fault } from './fault-schedule.js';
import type { FaultScene } from './fault-scene.js';
import { ServerFaults } from './server-faults.js';

/** How long the source goes on changing after the state with which Redis comes back. */
const OLDER_MS = 700;
/** Empties database 1 and copies every key of database 0 into it, atomically. */
const COPY_ALL = `redis.call('SELECT', 1) redis.call('FLUSHDB') redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end`;

/** Faults of one server. */
export class StandaloneFaults extends ServerFaults {
  constructor(
    private readonly redis: RedisServer,
    scene: FaultScene,
  ) {
    super(scene);
  }

  protected get servers(): readonly RedisServer[] {
    return [this.redis];
  }

  async hit(fault: Fault): Promise<void> {
    const { scene } = this;
    switch (fault.kind) {
      case 'redis-asleep':
        scene.note(fault, `Redis sleeps for ${fault.ms} ms`);
        return scene.disturbing(() => this.ask('DEBUG', 'SLEEP', fault.ms / 1000));
      case 'redis-stopped':
        scene.note(fault, `Redis stopped for ${fault.ms} ms`);
        return scene.disturbing(async () => {
          this.redis.pause();
          await elapse(fault.ms);
          this.redis.resume();
        });
      case 'redis-emptied':
        return scene.emptying(fault, 'Redis emptied', () => this.ask('FLUSHALL'));
      case 'redis-restarted-empty':
        return scene.emptying(fault, 'Redis killed and restarted empty', () => this.restart());
      case 'redis-restarted-older':
        return scene.emptying(fault, `Redis killed and restarted as it was ${OLDER_MS} ms before`, async () => {
          await this.ask('SAVE');
          await elapse(OLDER_MS);
          await this.redis.restart();
          await this.forgetSnapshot();
        });
      case 'redis-reloaded-older':
        return scene.emptying(fault, `Redis reloads what it held ${OLDER_MS} ms before, and runs on`, async () => {
          await this.ask('SAVE');
          await elapse(OLDER_MS);
          await this.ask('DEBUG', 'RELOAD', 'NOSAVE');
          await this.forgetSnapshot();
          scene.tell('reloaded');
        });
      case 'redis-swapped':
        return scene.emptying(fault, `SWAPDB with a copy of ${OLDER_MS} ms before`, async () => {
          await this.ask('EVAL', COPY_ALL, 0);
          await elapse(OLDER_MS);
          await this.ask('SWAPDB', 0, 1);
          scene.tell('swapped');
        });
      default:
        throw new Error(`${fault.kind} is no fault of a single server`);
    }
  }

  private ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.admin.ask(this.redis, command, ...args);
  }

  private async restart(): Promise<void> {
    await this.forgetSnapshot();
    await this.redis.restart();
  }

  private async forgetSnapshot(): Promise<void> {
    const [, folder] = ((await this.ask('CONFIG', 'GET', 'dir')) ?? []) as string[];
    if (folder) await rm(join(folder, 'dump.rdb'), { force: true });
  }
}
