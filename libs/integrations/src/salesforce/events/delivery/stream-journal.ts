import type { StreamEnd } from './stream-end.js';
import type { StreamLog } from '../stream.options.js';

/** A batch or gap that cannot be applied is logged at its first failure, then at each multiple of this number. */
const FAILURES_PER_LINE = 10;

const TROUBLES: Readonly<Record<StreamEnd['kind'], { readonly level: 'warn' | 'error'; readonly text: string }>> = {
  auth: { level: 'warn', text: 'the token of the change events was rejected' },
  closed: { level: 'warn', text: 'the stream of change events was closed' },
  failed: { level: 'warn', text: 'the stream of change events is lost' },
  limit: { level: 'error', text: 'the org has used up its change events of the day' },
  busy: { level: 'error', text: 'Salesforce asks to be asked less often for change events' },
  refused: { level: 'error', text: 'Salesforce refuses the sign-in of the change events' },
  overflow: { level: 'warn', text: 'the stream of change events pauses' },
};

/**
 * Logs each change of state of the stream once: lost (again only for another kind of reason), live again, a topic
 * refused, events that cannot be applied, and their recovery. Events that still cannot be applied are logged again now
 * and then.
 */
export class StreamJournal {
  private trouble: StreamEnd['kind'] | undefined;
  /** Topics that were lost and are since then neither live again nor refused. */
  private readonly lostTopics = new Set<string>();
  private readonly refused = new Set<string>();

  constructor(private readonly log: StreamLog) {}

  /** Topics that break one after the other for the same reason share one line. */
  lost({ kind, reason }: StreamEnd, topics: Iterable<string>): void {
    for (const topic of topics) this.lostTopics.add(topic);
    if (this.trouble === kind) return;
    this.trouble = kind;
    const { level, text } = TROUBLES[kind];
    this.log(level, `${text}: ${reason}; trying again until it is live`);
  }

  topicRefused(topic: string, reason: string): void {
    this.notLost(topic);
    if (this.refused.has(topic)) return;
    this.refused.add(topic);
    this.log('warn', `${topic} cannot be subscribed: ${reason}; trying again, the other topics go on`);
  }

  topicLive(topic: string): void {
    this.notLost(topic);
    if (this.refused.delete(topic)) this.log('info', `${topic} is live again`);
  }

  /** `failures` counts the failures of this batch or gap alone; `what` names it. */
  notApplied(topic: string, what: string, failures: number, reason: string): void {
    if (failures !== 1 && failures % FAILURES_PER_LINE !== 0) return;
    const times = failures === 1 ? '' : ` ${failures} times`;
    this.log('warn', `${topic}: ${what} could not be applied${times}: ${reason}; trying again until it is`);
  }

  applied(topic: string, what: string, failures: number): void {
    if (failures > 0) this.log('info', `${topic}: ${what} applied, after ${failures} failures`);
  }

  /** Salesforce omits the changes of these objects without any error, so silence about them proves nothing. */
  unreadable(topic: string, entities: readonly string[]): void {
    const advice = 'not all of its changes arrive; give the integration user View All Records on it';
    for (const entity of entities) this.log('error', `${topic}: the user may not read all of ${entity}: ${advice}`);
  }

  readable(topic: string, entities: readonly string[]): void {
    for (const entity of entities) this.log('info', `${topic}: the user may read all of ${entity} now`);
  }

  private notLost(topic: string): void {
    this.lostTopics.delete(topic);
    if (this.trouble === undefined || this.lostTopics.size > 0) return;
    this.trouble = undefined;
    this.log('info', 'the stream of change events is live again');
  }
}
