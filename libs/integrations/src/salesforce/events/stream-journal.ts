import type { SessionEnd } from './cometd-session.js';

/** Where the source says what somebody who looks after it should know: one line for each change, never one an attempt. */
export type StreamLog = (level: 'info' | 'warn' | 'error', text: string) => void;

/** An event that cannot be applied is logged at its first failure, and then at every failure with a multiple of this number. */
const FAILURES_PER_LINE = 10;

const TROUBLES: Readonly<Record<SessionEnd['kind'], { readonly level: 'warn' | 'error'; readonly text: string }>> = {
  auth: { level: 'warn', text: 'the token of the change events was rejected' },
  closed: { level: 'warn', text: 'the stream of change events was closed' },
  failed: { level: 'warn', text: 'the stream of change events is lost' },
  limit: { level: 'error', text: 'the org has used up its change events of the day' },
  refused: { level: 'error', text: 'Salesforce refuses the sign-in of the change events' },
  overflow: { level: 'warn', text: 'the stream of change events pauses' },
};

/**
 * Turns what happens to the stream into lines of a log, each change of state once: lost (and again only when it is for
 * another reason), live again, a topic refused, an event that cannot be applied, and its recovery.
 */
export class StreamJournal {
  private trouble: SessionEnd['kind'] | undefined;
  private readonly refused = new Set<string>();

  constructor(private readonly log: StreamLog) {}

  lost({ kind, reason }: SessionEnd): void {
    if (this.trouble === kind) return;
    this.trouble = kind;
    const { level, text } = TROUBLES[kind];
    this.log(level, `${text}: ${reason}; trying again until it is live`);
  }

  topicRefused(topic: string, reason: string): void {
    if (this.refused.has(topic)) return;
    this.refused.add(topic);
    this.log('warn', `${topic} cannot be subscribed: ${reason}; trying again, the other topics go on`);
  }

  topicLive(topic: string): void {
    if (this.trouble !== undefined) this.log('info', 'the stream of change events is live again');
    this.trouble = undefined;
    if (this.refused.delete(topic)) this.log('info', `${topic} is live again`);
  }

  /** `failures` counts those of this event alone; `what` names it. */
  notApplied(topic: string, what: string, failures: number, reason: string): void {
    if (failures !== 1 && failures % FAILURES_PER_LINE !== 0) return;
    const times = failures === 1 ? '' : ` ${failures} times`;
    this.log('warn', `${topic}: ${what} could not be applied${times}: ${reason}; trying again until it is`);
  }

  applied(topic: string, what: string, failures: number): void {
    if (failures > 0) this.log('info', `${topic}: ${what} is applied, after ${failures} failures`);
  }
}
