import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import { ProcessReports } from '@bff/infra/cache/process-reports';
import { APP_CONFIG, type AppConfig } from '@bff/infra/config/app-config';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable } from '@nestjs/common';
import {
  CONSUMER_TOPIC,
  eventsDisabled,
  eventsHealth,
  type ConsumerReport,
  type EventsHealth,
} from './events-report.js';
import { changeDrivenMaxAgeSeconds } from './max-age.js';

/** How the change events of all live processes are doing; any process can be asked. Never rejects because the store is away. */
@Injectable()
export class EventsHealthService {
  constructor(
    @Inject(ProcessReports) private readonly reports: ProcessReports,
    @Inject(SalesforceClient) private readonly salesforce: SalesforceClient,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** With the org's API usage where this process has asked Salesforce anything. */
  async check(): Promise<EventsHealth> {
    const apiUsage = this.salesforce.apiUsage();
    return { ...(await this.stream()), ...(apiUsage && { apiUsage }) };
  }

  private async stream(): Promise<EventsHealth> {
    const { enabled, ...channels } = this.config.events;
    if (!enabled) return eventsDisabled(changeDrivenMaxAgeSeconds(this.config));
    try {
      const reports = await this.reports.read(CONSUMER_TOPIC);
      return eventsHealth(
        Object.values(channels),
        reports.map((report) => report.content as ConsumerReport),
      );
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const reason = `the store does not answer, so the consumers cannot be asked: ${error.message}`;
      return { status: 'down', reason, consumers: 0, topics: [] };
    }
  }
}
