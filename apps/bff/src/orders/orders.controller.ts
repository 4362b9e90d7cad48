import type { AccountMapping } from '@bff/modules/identity/identity.types';
import type { OrderDetail, OrderSummary } from '@bff/modules/orders/order.types';
import { ORDERS_SHOWN_MAX } from '@bff/modules/orders/order-queries';
import { OrdersService } from '@bff/modules/orders/orders.service';
import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Account } from '../auth/account.decorator.js';
import { idempotencyKeyOf } from '../http/idempotency-key.js';
import { salesforceId, valid } from '../http/validation.js';
import { problem, ProblemError } from '../problems/problem.js';

const ITEM = z.strictObject({ productId: salesforceId, quantity: z.number().int().min(1).max(1000) });
const ORDER = z.strictObject({ items: z.array(ITEM).min(1).max(50) });

/** Lists, shows and places orders: those of the caller's account alone. */
@Controller('api/orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  /** The headers say whether the list was cut: its body stays a list. */
  @Get()
  async list(
    @Account() account: AccountMapping,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<readonly OrderSummary[]> {
    const { orders, isComplete } = await this.orders.list(account.salesforceAccountId);
    reply.header('list-limit', String(ORDERS_SHOWN_MAX)).header('list-complete', String(isComplete));
    return orders;
  }

  @Get(':id')
  async get(@Account() account: AccountMapping, @Param('id') given: string): Promise<OrderDetail> {
    const order = await this.orders.get(account.salesforceAccountId, valid(salesforceId, given, 'id'));
    if (order) return order;
    throw new ProblemError(problem(404, 'order-not-found', 'No such order', 'This account has no order with this id.'));
  }

  /**
   * A request that is repeated with its `Idempotency-Key` within 24 hours places no second order: it gets the answer of
   * the first, or a 409 while the first is under way.
   */
  @Post()
  @HttpCode(201)
  async create(
    @Account() account: AccountMapping,
    @Body() body: unknown,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ id: string }> {
    const key = idempotencyKeyOf(headers['idempotency-key']);
    const id = await this.orders.create(account.salesforceAccountId, valid(ORDER, body, 'body'), key);
    reply.header('location', `/api/orders/${id}`);
    return { id };
  }
}
