import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '@bff/modules/config/app-config';
import { Audit } from '@bff/infra/logging/audit';
import { Nonces } from '@bff/infra/nonces/nonces';
import { BillingChanges, type BillingChange } from '@bff/modules/billing/billing-changes';
import { Body, Controller, Headers, HttpCode, Inject, Logger, Post } from '@nestjs/common';
import { z } from 'zod';
import { Public } from '../auth/public.decorator.js';
import { valid } from '../http/validation.js';
import { problem, ProblemError } from '../problems/problem.js';
import { RawBody } from './raw-bodies.js';
import { signatureFault, type SignatureHeaders } from './webhook-signature.js';

const ID = z.number().int().min(1).max(999_999_999_999_999);
/** The sender gives each message a new `id`, so that two changes of one invoice in one second have two signatures. */
const common = {
  id: z.string().regex(/^[A-Za-z0-9._-]{8,64}$/, 'must be 8 to 64 letters, digits, . _ or -'),
  clientId: ID,
};
const MESSAGE = z.discriminatedUnion('event', [
  z.strictObject({ ...common, event: z.literal('invoice.changed'), invoiceId: ID }),
  z.strictObject({ ...common, event: z.literal('service.changed'), serviceId: ID }),
  z.strictObject({ ...common, event: z.literal('payment-methods.changed') }),
  z.strictObject({ ...common, event: z.literal('client.changed') }),
]) satisfies z.ZodType<BillingChange>;

/** How long repeats are refused while a message is being applied; longer than applying it can take. */
const CLAIM_MS = 30_000;

/**
 * Receives the changes that WHMCS announces (docs/reference/whmcs-webhook.md). 204 promises that no read can return the
 * old data; 503 promises nothing, and the sender must repeat the message. Exists only if a secret is configured.
 */
@Public()
@RawBody()
@Controller('webhooks/whmcs')
export class WhmcsWebhookController {
  private readonly logger = new Logger(WhmcsWebhookController.name);

  constructor(
    private readonly changes: BillingChanges,
    @Inject(Nonces) private readonly nonces: Nonces,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    private readonly audit: Audit,
  ) {}

  @Post()
  @HttpCode(204)
  async receive(
    @Headers('x-evergreen-timestamp') timestamp: string | undefined,
    @Headers('x-evergreen-signature') signature: string | undefined,
    @Body() body: unknown,
  ): Promise<void> {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const nonce = this.authenticated({ timestamp, signature }, bytes);
    const message = valid(MESSAGE, json(bytes), 'body');
    if ((await this.nonces.claim(nonce, CLAIM_MS)) === 'known') throw repeated();
    try {
      await this.changes.apply(message, `whmcs ${message.id}`);
      this.audit.record('webhook.applied', { message: message.id, change: message.event });
    } catch (error) {
      // The sender may then repeat the same message at once or, if the release fails as well, after half a minute.
      await this.nonces.release(nonce).catch(() => undefined);
      throw error;
    }
    await this.remember(nonce);
  }

  /** Returns the signature, which distinguishes this message from every other. */
  private authenticated(headers: SignatureHeaders, bytes: Buffer): string {
    const { secret, toleranceSeconds } = this.config.whmcs.webhook;
    if (secret === undefined) throw new Error('the webhook has no secret, so it has no address');
    const fault = signatureFault(headers, bytes, { secret, toleranceSeconds, nowMs: Date.now() });
    if (fault === undefined) return headers.signature as string;
    const found = problem(
      401,
      'webhook-not-signed',
      'Not signed',
      `The message is not signed as it must be: ${fault}.`,
    );
    throw new ProblemError(found, { 'www-authenticate': 'Evergreen-HMAC-SHA256' }, { reason: fault });
  }

  /**
   * Keeps the nonce for as long as the message's timestamp can be accepted: it may lie one tolerance ahead, and is
   * accepted until one tolerance after it.
   */
  private async remember(nonce: string): Promise<void> {
    const lifeMs = 2_000 * this.config.whmcs.webhook.toleranceSeconds + CLAIM_MS;
    await this.nonces.keep(nonce, lifeMs).catch((error: unknown) => {
      // The message has been applied all the same. If it comes again, it is applied again, which costs a fetch.
      this.logger.warn(`a webhook may be taken twice: ${(error as Error).message}`);
    });
  }
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ProblemError(problem(400, 'invalid-request', 'The request is not valid', 'The body is not valid JSON.'));
  }
}

function repeated(): ProblemError {
  const detail = 'This very message was taken before. Give every message an id of its own.';
  return new ProblemError(problem(409, 'webhook-repeated', 'Sent before', detail), {}, { reason: 'taken before' });
}
