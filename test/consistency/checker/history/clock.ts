/**
 * Microseconds of the machine's monotonic clock since the run began. On Linux `process.hrtime` reads CLOCK_MONOTONIC,
 * which is one clock for all processes of a machine, so instants of different processes can be compared; a process that
 * is stopped finds it advanced when it goes on. Rounded down: `a < b` means that a came before b.
 */
export class RunClock {
  constructor(private readonly origin: bigint) {}

  now(): number {
    return Number((process.hrtime.bigint() - this.origin) / 1000n);
  }
}
