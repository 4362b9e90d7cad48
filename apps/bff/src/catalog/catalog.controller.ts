import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { CatalogService } from '@bff/modules/catalog/catalog.service';
import type { CatalogPage, Category, Eligibility } from '@bff/modules/catalog/catalog.types';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { Account } from '../auth/account.decorator.js';
import { QueryNames } from '../http/query-names.guard.js';
import { valid } from '../http/validation.js';
import { problem, ProblemError } from '../problems/problem.js';

const QUERY = z.strictObject({ region: z.string().min(1).max(80).optional() });

/** The catalog, which all customers share, and what the caller's account may order. */
@Controller('api/catalog')
export class CatalogController {
  constructor(private readonly catalog: CatalogService) {}

  @Get()
  categories(): Promise<Category[]> {
    return this.catalog.categories();
  }

  @Get('eligibility')
  async eligibility(@Account() account: AccountMapping): Promise<Eligibility> {
    const eligibility = await this.catalog.eligibility(account.salesforceAccountId);
    if (!eligibility) throw new ProblemError(problem(404, 'account-not-found', 'No such account'));
    return eligibility;
  }

  @Get(':category')
  @QueryNames('region')
  async page(@Param('category') category: string, @Query() query: unknown): Promise<CatalogPage> {
    const region = await this.region(valid(QUERY, query, 'query').region);
    const page = await this.catalog.page(category, region);
    if (page) return page;
    const known = (await this.catalog.categories()).map(({ slug }) => slug).join(', ');
    throw new ProblemError(problem(404, 'category-not-found', 'No such category', `The categories are: ${known}.`));
  }

  /** Only existing regions become part of a key, so callers cannot fill the cache with invented ones. */
  private async region(given: string | undefined): Promise<string | undefined> {
    if (given === undefined) return undefined;
    const region = await this.catalog.region(given);
    if (region !== undefined) return region;
    const known = (await this.catalog.regions()).join(', ') || 'none';
    const detail = `query.region: there is no such region; the regions are: ${known}`;
    throw new ProblemError(problem(400, 'invalid-request', 'The request is not valid', detail));
  }
}
