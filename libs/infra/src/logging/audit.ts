import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { currentCaller } from '../callers/caller.js';
import { LineBudget, type LeftOut } from './line-budget.js';

/** The events that are recorded, and the level of their lines. docs/operating/logs.md says what each means. */
export const AUDIT_LEVELS = {
  'access.denied': 'warn',
  'account.not-linked': 'warn',
  'limit.reached': 'warn',
  'operator.denied': 'warn',
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
 * These have a line each time: something was, or may have been, done, and no other line names it. Limits of writes and
 * the signature of the webhook bound them.
 */
const EACH: ReadonlySet<AuditEvent> = new Set(['order.placed', 'order.outcome-unknown', 'webhook.applied']);

/**
 * What a line says beside the event: words, codes and numbers of our own, ids of records. Never what a caller sent, and
 * no name of a customer: the line has the pseudonyms of the current caller anyway.
 */
export interface AuditDetail extends Readonly<Record<string, string | number | boolean | undefined>> {
  /** Why; as the policy and the limit, one of few words or codes. The count of lines that are left out names it. */
  readonly reason?: string | undefined;
  readonly policy?: string | undefined;
  readonly limit?: string | undefined;
}

/**
 * Writes one line to the log for each write, each refusal and each limit, so that it can be counted and looked up.
 * Refusals and limits of one caller (those of nobody who is known together) are bounded for each event: after so many
 * lines in a minute there is one more, with their number, when the minute ends.
 */
@Injectable()
export class Audit implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Audit.name);
  private readonly budget = new LineBudget((leftOut) => this.tell(leftOut));

  onModuleInit(): void {
    this.budget.start();
  }

  onApplicationShutdown(): void {
    this.budget.close();
  }

  /**
   * Writes the line of this event, or counts it. The line has the request, subject and account in whose context this is
   * called.
   */
  record(event: AuditEvent, detail: AuditDetail = {}): void {
    const why = detail.reason ?? detail.policy ?? detail.limit;
    if (EACH.has(event) || this.budget.takes(event, currentCaller(), why)) this.write(event, detail, event);
  }

  private tell({ kind, caller, count, reasons, from, to }: LeftOut): void {
    const { subject, account } = caller ?? {};
    const line = { leftOut: count, reasons, from, to, subject, account };
    this.write(kind as AuditEvent, line, `${kind}: ${count} lines left out`);
  }

  private write(event: AuditEvent, detail: object, message: string): void {
    const line = { ...detail, audit: event };
    if (AUDIT_LEVELS[event] === 'warn') this.logger.warn(line, message);
    else this.logger.log(line, message);
  }
}
