import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Caller } from '../callers/caller.js';
import { LineBudget, type LeftOut } from './line-budget.js';

/**
 * Bounds the lines that requests cause beside the audit: of each kind and caller so many in a minute, then one line
 * with the number of the others. Callers who are not known are one.
 */
@Injectable()
export class RequestLines implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RequestLines.name);
  private readonly budget = new LineBudget((leftOut) => this.tell(leftOut));

  onModuleInit(): void {
    this.budget.start();
  }

  onApplicationShutdown(): void {
    this.budget.close();
  }

  /** Whether this line may be written; if not, it is counted. `kind`: words of ours, such as a status. */
  take(kind: string, caller: Caller | undefined): boolean {
    return this.budget.takes(kind, caller);
  }

  private tell({ kind, caller, count, from, to }: LeftOut): void {
    const { subject, account } = caller ?? {};
    this.logger.warn({ leftOut: count, lines: kind, from, to, subject, account }, `${count} lines left out: ${kind}`);
  }
}
