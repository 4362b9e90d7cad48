/**
 * Microseconds of the machine's monotonic clock since the run began. On Linux `process.hrtime` reads CLOCK_MONOTONIC,
 * which all processes of a machine share, so instants of different processes can be compared. The clock advances while
 * a process is stopped. Instants are rounded down: `a < b` means that a came before b.
 */
export class RunClock {
  constructor(private readonly origin: bigint) {}

  now(): number {
    return Number((process.hrtime.bigint() - this.origin) / 1000n);
  }
}
