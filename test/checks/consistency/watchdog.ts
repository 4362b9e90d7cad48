import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Reads `+ pid` and `- pid`; kills the remaining pids when the pipe closes. The system closes it even after SIGKILL.
 */
const SCRIPT = `pids=
while read -r op pid; do
  left=
  for known in $pids; do [ "$known" = "$pid" ] || left="$left $known"; done
  pids=$left
  [ "$op" = + ] && pids="$pids $pid"
done
[ -n "$pids" ] && kill -9 $pids`;

/**
 * Ends the guarded processes when this process ends, however it ends. A stopped child does not notice that its parent
 * is gone, and would remain for ever.
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

  /** Call it when the process is gone, because its pid may soon belong to another process. */
  release(pid: number): void {
    this.shell.stdin.write(`- ${pid}\n`);
  }

  close(): void {
    this.shell.stdin.end();
  }
}
