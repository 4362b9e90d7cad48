import { currentCaller } from '@bff/infra/callers/caller';
import { Charges, collectCharges } from '@bff/infra/limits/charges';
import { Limits } from '@bff/infra/limits/limits';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { rateLimitFields } from './rate-limit-fields.js';
import { isSafe } from './safe-methods.js';

/**
 * Charges each write of a customer before its body is read and before anything but the account is fetched for it, and
 * tells the customer on every answer which of its limits were charged and what is left of them. `AccountGate` charges
 * the request itself.
 */
@Injectable()
export class LimitGate {
  private readonly chargesOf = new WeakMap<FastifyRequest, Charges>();

  constructor(@Inject(Limits) private readonly limits: Limits) {}

  /** Adds the hooks that note what a request is charged, from here to its answer. Authentication comes after them. */
  watch(instance: FastifyInstance): void {
    instance
      .addHook('onRequest', (request, _reply, done) => {
        const charges = new Charges();
        this.chargesOf.set(request, charges);
        collectCharges(charges, done);
      })
      // After a body has been read, the request goes on in the context of its socket.
      .addHook('preHandler', (request, _reply, done) => {
        const charges = this.chargesOf.get(request);
        if (charges) collectCharges(charges, done);
        else done();
      })
      .addHook('onSend', (request, reply, payload, done) => {
        reply.headers(this.fieldsOf(request));
        done(null, payload);
      });
  }

  /** Adds the hook that charges writes. Authentication, which sets the caller, comes before it. */
  guard(instance: FastifyInstance): void {
    instance.addHook('onRequest', (request, _reply, done) => {
      if (currentCaller() === undefined || isSafe(request.method)) done();
      else this.limits.charge('write', currentCaller()).then(() => done(), done);
    });
  }

  /** The header fields for an answer that is written past `onSend`. */
  fieldsOf(request: FastifyRequest): Readonly<Record<string, string>> {
    return rateLimitFields(this.chargesOf.get(request)?.standings ?? []);
  }
}
