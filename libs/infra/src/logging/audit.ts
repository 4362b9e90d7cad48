import { Injectable, Logger } from '@nestjs/common';

/** The events that are recorded, and the level of their lines. docs/operating/logs.md says what each means. */
export const AUDIT_LEVELS = {
  'access.denied': 'warn',
  'account.not-linked': 'warn',
  'order.placed': 'info',
  'order.refused': 'warn',
  'order.outcome-unknown': 'warn',
  'rate.limited': 'warn',
  'webhook.applied': 'info',
  'webhook.refused': 'warn',
} as const;

/** An event that somebody may ask about later. */
export type AuditEvent = keyof typeof AUDIT_LEVELS;

/**
 * What a line says beside the event: words, codes and numbers of our own, ids of records. Never what a caller sent, and
 * no name of a customer: the line has the pseudonyms of the current caller anyway.
 */
export type AuditDetail = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line to the log for each write, each refusal and each limit, so that it can be counted and looked up. */
@Injectable()
export class Audit {
  private readonly logger = new Logger(Audit.name);

  /** Writes the line of this event. It has the request, subject and account in whose context this is called. */
  record(event: AuditEvent, detail: AuditDetail = {}): void {
    const line = { ...detail, audit: event };
    if (AUDIT_LEVELS[event] === 'warn') this.logger.warn(line, event);
    else this.logger.log(line, event);
  }
}
