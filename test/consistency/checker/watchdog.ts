import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Reads `+ pid` and `- pid`; kills what is left when the pipe closes, which the system does for us even after SIGKILL. */
const SCRIPT = `pids=
while read -r op pid; do
  left=
  for known in $pids; do [ "$known" = "$pid" ] || left="$left $known"; done
  pids=$left
  [ "$op" = + ] && pids="$pids $pid"
done
[ -n "$pids" ] && kill -9 $pids`;

/**
 * Ends our child processes when we end, however that comes about. A process that was stopped does not notice that its
 * parent is gone, and would stand there for ever.
 */
export class Watchdog {
  private readonly shell: ChildProcess & { readonly stdin: Writable };

  constructor() {
    this.shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.shell.unref();
    (this.shell.stdin as unknown as { unref(): void }).unref();
  }

  guard(pid: number): void {
    this.shell.stdin.write(`+ ${pid}\n`);
  }

  /** The process is gone; its pid may soon be somebody else's. */
  release(pid: number): void {
    this.shell.stdin.write(`- ${pid}\n`);
  }

  close(): void {
    this.shell.stdin.end();
  }
}
