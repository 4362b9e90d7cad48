import { StoreHealth } from '@bff/infra/health/store.health';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import type { CallRecord } from '@bff/infra/sources/source-calls';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { WhmcsClient } from '@bff/integrations/whmcs/whmcs.client';
import { HttpException, Inject, Injectable } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import { EventStreams } from '../events/event-streams.js';

/** The answer of `GET /health` to an operator: each part once with all that is known of it, and by status. */
export type OverallHealth = HealthCheckResult;

/** How long a status is given to others who ask: anybody may, and each check costs the store several requests. */
const STATUS_MS = 1_000;

/** The health of this process and of the systems that it depends on. */
@Injectable()
export class OverallHealthService {
  private status: { readonly at: number; readonly known: Promise<HealthCheckResult['status']> } | undefined;

  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly store: StoreHealth,
    private readonly events: EventsHealthService,
    private readonly streams: EventStreams,
    @Inject(SalesforceClient) private readonly salesforce: SalesforceClient,
    @Inject(WhmcsClient) private readonly whmcs: WhmcsClient,
  ) {}

  /**
   * The status alone, from a check that began at most a second ago, however many ask. They share a check that fails,
   * too: it has cost the store as much.
   */
  async summary(): Promise<HealthCheckResult['status']> {
    const now = performance.now();
    if (this.status === undefined || now - this.status.at >= STATUS_MS) {
      this.status = { at: now, known: this.details().then(({ status }) => status) };
    }
    return this.status.known;
  }

  /** Also resolves when something is down, which Terminus says by an exception. */
  async details(): Promise<OverallHealth> {
    return eachOnce(await this.checked());
  }

  private async checked(): Promise<HealthCheckResult> {
    try {
      return await this.checks.check([
        () => this.store.check(),
        () => this.eventsIndicator(),
        () => this.streamsIndicator(),
        () => this.salesforceIndicator(),
        () => this.sourceIndicator('whmcs', this.whmcs.callRecord()),
      ]);
    } catch (error) {
      const report = error instanceof HttpException ? error.getResponse() : undefined;
      if (typeof report === 'object' && 'details' in report) return report as HealthCheckResult;
      throw error;
    }
  }

  private async eventsIndicator() {
    const indicator = this.indicators.check('sf-events');
    const { status, reason, consumers } = await this.events.check();
    if (status === 'up') return indicator.up({ events: status });
    return indicator.degraded({ events: status, reason: reason ?? '', consumers });
  }

  /** Covers this process alone. */
  private streamsIndicator() {
    const indicator = this.indicators.check('browser-events');
    const { board, ...counters } = this.streams.state();
    if (board.status === 'up') return indicator.up({ ...counters });
    return indicator.degraded({ ...counters, reason: board.reason ?? '' });
  }

  /** The calls and the sign-in of this process; the process that consumes events shows its own in `sf-events`. */
  private async salesforceIndicator() {
    const refusal = this.salesforce.signInRefusal();
    const reason = refusal === undefined ? undefined : `sign-in refused: ${refusal}`;
    return this.sourceIndicator('salesforce', this.salesforce.callRecord(), reason);
  }

  private async sourceIndicator(name: string, record: CallRecord, known?: string) {
    const indicator = this.indicators.check(name);
    const reason = known ?? failureOf(record);
    const { lastSuccessAt, lastFailure } = record;
    const times = {
      ...(lastSuccessAt !== undefined && { lastSuccessAt: isoTime(lastSuccessAt) }),
      ...(lastFailure && { lastFailureAt: isoTime(lastFailure.at), lastFailureCode: lastFailure.code }),
    };
    return reason === undefined ? indicator.up(times) : indicator.degraded({ reason, ...times });
  }
}

/** Why a source counts as failing, by our codes alone; undefined if it does not. */
function failureOf({ failing, lastFailure }: CallRecord): string | undefined {
  if (failing === undefined || lastFailure === undefined) return undefined;
  const seconds = Math.max(0, Math.round((Date.now() - lastFailure.at) / 1_000));
  return (
    `no call has succeeded since ${isoTime(failing.since)}: ${failing.count} have failed, the newest ${seconds} s ago ` +
    `with ${lastFailure.code}`
  );
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

/** Terminus names a part twice, with everything. Here `info` and `error` have its status; `details` has the rest. */
function eachOnce({ status, info, error, details }: HealthCheckResult): OverallHealth {
  return { status, info: statusesOf(info), error: statusesOf(error), details };
}

function statusesOf(parts: HealthCheckResult['info'] = {}): NonNullable<HealthCheckResult['info']> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { status: part?.status ?? 'up' }]));
}
