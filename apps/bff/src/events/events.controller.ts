import { currentCaller, runForCaller } from '@bff/infra/callers/caller';
import { Limits } from '@bff/infra/limits/limits';
import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { MappingService } from '@bff/modules/identity/mapping.service';
import { usersOfAccount, usersOfClient } from '@bff/modules/notifications/notification.types';
import { Controller, Get, Headers, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Account } from '../auth/account.decorator.js';
import { LimitGate } from '../limits/limit-gate.js';
import { EventStreams } from './event-streams.js';
import type { Subscriber } from './open-streams.js';
import { ResponseOutlet } from './response-outlet.js';
import { tokenSession } from './token-session.js';

const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies must neither buffer nor compress the stream: both would hold events back. nginx obeys `x-accel-buffering`.
  'cache-control': 'private, no-store, no-transform',
  'x-accel-buffering': 'no',
  // The connection ends with the stream, so that no idle connection delays the end of the process.
  connection: 'close',
};

/** Sends changes to the browsers that they concern (docs/reference/browser-events.md). */
@Controller('api/events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly mappings: MappingService,
    @Inject(Limits) private readonly limits: Limits,
    private readonly limitGate: LimitGate,
  ) {}

  @Get()
  async events(
    @Account() account: AccountMapping,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.method !== 'HEAD') await this.limits.charge('stream', currentCaller());
    this.streams.admit(account.salesforceAccountId);
    if (request.method === 'HEAD') {
      void reply.headers(HEAD).send();
      return;
    }
    const subscriber = this.subscriber(account, request);
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      ...this.limitGate.fieldsOf(request),
      ...HEAD,
    });
    const abandon = this.streams.add(subscriber, new ResponseOutlet(reply.raw), lastEventId || undefined);
    reply.raw.once('close', abandon);
    if (reply.raw.destroyed) abandon(); // the browser left while its token was checked
  }

  private subscriber(account: AccountMapping, request: FastifyRequest): Subscriber {
    const { salesforceAccountId, whmcsClientId } = account;
    const { subject, expiresAt } = tokenSession(request);
    const isStillAllowed = async () => {
      const now = await this.mappings.resolve(subject);
      return now?.salesforceAccountId === salesforceAccountId && now.whmcsClientId === whmcsClientId;
    };
    return {
      account: salesforceAccountId,
      audiences: [
        usersOfAccount(salesforceAccountId),
        ...(whmcsClientId === null ? [] : [usersOfClient(whmcsClientId)]),
      ],
      expiresAt,
      // The question is ours: a limit that the account has used up must not keep it from being answered.
      isStillAllowed: () => runForCaller(undefined, isStillAllowed),
    };
  }
}
