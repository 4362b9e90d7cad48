import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SwitchOrder, SwitchReport } from '../processes/bus-switch.messages.js';

const PROGRAM = join(process.cwd(), 'dist/test/support/processes/bus-switch.js');

/**
 * The process through which the buses of the nodes of a Cluster reach each other. It is a process of its own so that
 * the one that judges a run does not slow the bus.
 */
export class BusSwitch {
  private constructor(
    private readonly child: ChildProcess,
    /** The port at which each node's bus is reachable for the others. */
    readonly ports: readonly number[],
  ) {}

  static async start(nodeCount: number): Promise<BusSwitch> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build" first ("npm test" does)`);
    const child = fork(PROGRAM, [String(nodeCount)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const report = await nextReport(child);
    return new BusSwitch(child, report.kind === 'ready' ? report.ports : []);
  }

  /** Resolves when the order is in effect. */
  async order(order: SwitchOrder): Promise<void> {
    const done = nextReport(this.child);
    this.child.send(order);
    await done;
  }

  async stop(): Promise<void> {
    if (!this.child.connected) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}

/** The switch's next report. Rejects if its process ends instead. */
async function nextReport(child: ChildProcess): Promise<SwitchReport> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the switch of the bus has ended (code ${code})`);
  });
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [SwitchReport];
  ended.catch(() => undefined);
  return report;
}
