import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import { CacheService } from '@bff/infra/cache/cache.service';
import { ConsumerLeases } from '@bff/infra/fleet/consumer-leases';
import { ProcessReports } from '@bff/infra/fleet/process-reports';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '../config/app-config.js';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable } from '@nestjs/common';
import { eventsAnswer, type EventsAnswer } from './events-answer.js';
import { EVENTS_COUNTED_TOPIC, sumOfCounted, withCounted, type CountedEvents } from './events-counters.js';
import {
  CONSUMER,
  CONSUMER_TOPIC,
  eventsDisabled,
  eventsHealth,
  type ConsumerReport,
  type EventsHealth,
} from './events-report.js';
import { changeDrivenMaxAgeSeconds } from './max-age.js';

/**
 * The health of change events across all processes, from any of them; its counters include processes that have ended.
 * While the store is away it does not reject, but says `down` (or, with events switched off, `degraded` as ever).
 */
@Injectable()
export class EventsHealthService {
  constructor(
    @Inject(ProcessReports) private readonly reports: ProcessReports,
    @Inject(ConsumerLeases) private readonly leases: ConsumerLeases,
    @Inject(CacheService) private readonly cache: CacheService,
    @Inject(SalesforceClient) private readonly salesforce: SalesforceClient,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** The answer of `GET /health/sf-events`. */
  async answer(): Promise<EventsAnswer> {
    return eventsAnswer(await this.check());
  }

  /** Includes the org's API usage if this process has called Salesforce. */
  async check(): Promise<EventsHealth> {
    const apiUsage = this.salesforce.apiUsage();
    return { ...(await this.stream()), ...(apiUsage && { apiUsage }) };
  }

  private async stream(): Promise<EventsHealth> {
    const { cache, events } = this.config;
    if (!events.enabled) return eventsDisabled(changeDrivenMaxAgeSeconds(this.config));
    try {
      const [reports, { live, ended }, ages, present] = await Promise.all([
        this.reports.read(CONSUMER_TOPIC),
        this.reports.readCounters(EVENTS_COUNTED_TOPIC),
        this.leases.feedAges(),
        this.leases.holder(CONSUMER),
      ]);
      const counted = sumOfCounted([...live, ...ended].map(({ content }) => content as CountedEvents));
      const contents = reports.map((report) => withCounted(report.content as ConsumerReport, counted));
      return eventsHealth(channelsOf(events), contents, {
        holder: present?.holder,
        ages,
        lostAfterMs: cache.feedLostMaxAgeSeconds * 1_000,
        relied: this.cache.watchedFeeds(),
      });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const reason = `the store does not answer, so the consumers cannot be asked: ${error.message}`;
      return { status: 'down', reason, consumers: 0, feeds: [], topics: [] };
    }
  }
}

function channelsOf(events: AppConfig['events']): readonly string[] {
  const { orderChannel, orderItemChannel, productChannel, pricebookEntryChannel, accountChannel } = events;
  return [
    orderChannel,
    orderItemChannel,
    productChannel,
    pricebookEntryChannel,
    accountChannel,
    events.accountEventChannel,
  ];
}
