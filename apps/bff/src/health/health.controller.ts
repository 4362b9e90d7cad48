import { cacheReport, type CacheReport } from '@bff/infra/health/cache-report';
import { Readiness } from '@bff/infra/health/readiness';
import { StoreHealth } from '@bff/infra/health/store.health';
import { WhmcsCacheService } from '@bff/modules/billing/whmcs-cache.service';
import { CatalogCacheService } from '@bff/modules/catalog/catalog-cache.service';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import type { EventsHealth } from '@bff/modules/change-events/events-report';
import { OrdersCacheService } from '@bff/modules/orders/orders-cache.service';
import { Controller, Get, Header, Res } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/public.decorator.js';
import { EventStreams } from '../events/event-streams.js';

/** The health of this process and of the systems that it depends on. Needs no token and reveals no customer data. */
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly store: StoreHealth,
    private readonly readiness: Readiness,
    private readonly events: EventsHealthService,
    private readonly catalog: CatalogCacheService,
    private readonly orders: OrdersCacheService,
    private readonly billing: WhmcsCacheService,
    private readonly streams: EventStreams,
  ) {}

  /**
   * Answers 200 also when it says `degraded`: the store, the change events or the notices are not in order, and this
   * process still serves.
   */
  @Get()
  @Header('cache-control', 'no-store')
  overall(): Promise<HealthCheckResult> {
    return this.checks.check([() => this.store.check(), () => this.eventsIndicator(), () => this.streamsIndicator()]);
  }

  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  /** 503 while this process starts or drains. An unavailable store is no reason: then the source answers. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const status = this.readiness.current;
    if (status !== 'ready') reply.status(503);
    return { status };
  }

  @Get('catalog/cache')
  @Header('cache-control', 'no-store')
  catalogCache(): Promise<CacheReport> {
    return cacheReport(this.catalog);
  }

  @Get('orders/cache')
  @Header('cache-control', 'no-store')
  ordersCache(): Promise<CacheReport> {
    return cacheReport(this.orders);
  }

  @Get('billing/cache')
  @Header('cache-control', 'no-store')
  billingCache(): Promise<CacheReport> {
    return cacheReport(this.billing);
  }

  /** 503 when no process receives change events although one should, or when the store cannot say. */
  @Get('sf-events')
  @Header('cache-control', 'no-store')
  async sfEvents(@Res({ passthrough: true }) reply: FastifyReply): Promise<EventsHealth & { timestamp: string }> {
    const health = await this.events.check();
    if (health.status === 'down') reply.status(503);
    return { timestamp: new Date().toISOString(), ...health };
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
}
