/**
 * Whether the store vouched for a build: `none` if the build was never offered, `unknown` if the answer was not
 * received.
 */
export type BuildOutcome = 'none' | 'unknown' | 'accepted' | 'refused';

const CODES: readonly BuildOutcome[] = ['none', 'unknown', 'accepted', 'refused'];
/**
 * Replies by which the store vouches for a build: no dependency was invalidated. An `expired` build is only too late to
 * be kept.
 */
const VOUCHED_FOR = ['ok', 'expired'];

/** The outcome of every build of a run, one byte each. */
export class BuildOutcomes {
  private readonly ofProcess = new Map<number, Uint8Array>();

  offered(build: string): void {
    if (this.of(build) === 'none') this.set(build, 'unknown');
  }

  replied(build: string, reply: string): void {
    if (reply === 'unknown') return;
    this.set(build, VOUCHED_FOR.includes(reply) ? 'accepted' : 'refused');
  }

  of(build: string): BuildOutcome {
    const [by, number] = parts(build);
    return CODES[this.ofProcess.get(by)?.[number] ?? 0] as BuildOutcome;
  }

  private set(build: string, outcome: BuildOutcome): void {
    const [by, number] = parts(build);
    let codes = this.ofProcess.get(by) ?? new Uint8Array(1024);
    if (number >= codes.length) {
      const grown = new Uint8Array(Math.max(number + 1, codes.length * 2));
      grown.set(codes);
      codes = grown;
    }
    codes[number] = CODES.indexOf(outcome);
    this.ofProcess.set(by, codes);
  }
}

function parts(build: string): [by: number, number: number] {
  const [by, number] = build.split('.');
  return [Number(by), Number(number)];
}
