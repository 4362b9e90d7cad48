import { CacheService } from '@bff/infra/cache/cache.service';
import { cacheReport, type CacheReport } from '@bff/infra/health/cache-report';
import { Operators } from '@bff/infra/health/operators';
import { Readiness } from '@bff/infra/health/readiness';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import type { EventsAnswer } from '@bff/modules/change-events/events-answer';
import { Controller, Get, Header, Param, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/public.decorator.js';
import { problem, ProblemError } from '../problems/problem.js';
import { ForAnybody, OperatorGuard } from './operator.guard.js';
import { OverallHealthService, type OverallHealth } from './overall-health.js';

/**
 * The health of this process and of the systems that it depends on. Anybody learns the status; the details, which name
 * hosts, positions and errors, are for operators. None of it is customer data.
 */
@Public()
@UseGuards(OperatorGuard)
@Controller('health')
export class HealthController {
  constructor(
    private readonly operators: Operators,
    private readonly whole: OverallHealthService,
    private readonly readiness: Readiness,
    private readonly events: EventsHealthService,
    private readonly cache: CacheService,
  ) {}

  /**
   * Answers 200 also when it says `degraded`: the store, the change events, the notices or the sign-in are not in
   * order, and this process still serves.
   */
  @Get()
  @ForAnybody()
  @Header('cache-control', 'no-store')
  async overall(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OverallHealth | Pick<OverallHealth, 'status'>> {
    const health = this.operators.includes(request)
      ? await this.whole.details()
      : { status: await this.whole.summary() };
    if (health.status !== 'ok' && health.status !== 'degraded') reply.status(503);
    return health;
  }

  @Get('live')
  @ForAnybody()
  @Header('cache-control', 'no-store')
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  /**
   * 503 while this process starts or drains. A store or a source that is away is no reason, nor are credentials that
   * Salesforce refuses: no other process would be better off, and what is cached is still served.
   */
  @Get('ready')
  @ForAnybody()
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const status = this.readiness.current;
    if (status !== 'ready') reply.status(503);
    return { status };
  }

  /** How the reads of a domain were answered. Every `DomainCache` of this process has an address here by its name. */
  @Get(':domain/cache')
  @Header('cache-control', 'no-store')
  domainCache(@Param('domain') name: string): Promise<CacheReport> {
    const domain = this.cache.domains.get(name);
    if (domain) return cacheReport(domain);
    const known = [...this.cache.domains.keys()].sort().join(', ');
    throw new ProblemError(problem(404, 'cache-not-found', 'No such cache', `The caches are: ${known}.`));
  }

  /** 503 when no process receives change events although one should, or when the store cannot say. */
  @Get('sf-events')
  @Header('cache-control', 'no-store')
  async sfEvents(@Res({ passthrough: true }) reply: FastifyReply): Promise<EventsAnswer> {
    const answer = await this.events.answer();
    if (answer.status === 'down') reply.status(503);
    return answer;
  }
}
