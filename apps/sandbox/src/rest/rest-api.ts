import type { Channels } from '../events/channels.js';
import type { EventAllocation } from '../events/event-allocation.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import { notFound, SalesforceFault } from '../org/org.errors.js';
import type { Org } from '../org/org.js';
import type { Permissions } from '../org/permissions.js';
import { queryColumns } from '../soql/columns.js';
import { runQuery } from '../soql/query-runner.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { composite } from './composite/composite.js';
import { compositeBatch } from './composite/composite-batch.js';
import { compositeGraph } from './composite/composite-graph.js';
import { limits } from './limits.js';
import { QueryPages } from './records/query-pages.js';
import { sobjectCollections } from './records/sobject-collections.js';
import { requireMethod } from './call-checks.js';
import { sobjectTree } from './records/sobject-tree.js';
import { sobjects } from './records/sobjects.js';
import { Tooling } from './tooling.js';

/**
 * How many calls have reached the resources, by kind; a composite request and each of its subrequests count. Tests
 * check these counts instead of spying on a client.
 */
export interface CallCounts {
  queries: number;
  reads: number;
  writes: number;
  composites: number;
  others: number;
}

/** The parts that the resources use. */
export interface RestApiContext {
  readonly org: Org;
  readonly channels: Channels;
  readonly permissions: Permissions;
  readonly allocation: EventAllocation;
  readonly usage: { readonly used: number; readonly max: number };
}

/** The resources below `/services/data/vXX.X`. Throws `SalesforceFault` for calls that Salesforce would refuse. */
export class RestApi {
  readonly counts: CallCounts = { queries: 0, reads: 0, writes: 0, composites: 0, others: 0 };
  private readonly pages = new QueryPages();

  private readonly tooling: Tooling;

  constructor(private readonly context: RestApiContext) {
    this.tooling = new Tooling(context.channels);
  }

  readonly handle = (call: ApiCall): ApiAnswer => {
    const [resource, second] = call.path;
    switch (resource) {
      case 'query':
      case 'queryAll':
        return this.query(call, resource === 'queryAll');
      case 'sobjects':
        this.count(call, call.path[2] === undefined || call.path[2] === 'describe');
        this.requireReadable(second);
        return sobjects(call, this.mayRead);
      case 'composite':
        return this.composite(call, second);
      case 'limits':
        this.counts.others++;
        return limits(call, { ...this.context, mayRead: this.mayRead });
      case 'tooling':
        this.counts.others++;
        return this.tooling.handle(call);
      case undefined:
        return { status: 200, body: resources(call, this.context.org) };
      default:
        throw notFound();
    }
  };

  private composite(call: ApiCall, kind: string | undefined): ApiAnswer {
    if (kind === 'sobjects') {
      this.count(call, false);
      this.requireReadable(call.path[2]);
      return sobjectCollections(call);
    }
    this.counts.composites++;
    if (kind === 'tree') {
      this.requireReadable(call.path[2]);
      return sobjectTree(call);
    }
    if (call.path[2] !== undefined) throw notFound();
    switch (kind) {
      case 'batch':
        return compositeBatch(call, this.handle, this.context.org);
      case 'graph':
        return compositeGraph(call, this.handle, this.context.org);
      case undefined:
        return composite(call, this.handle);
      default:
        throw notFound();
    }
  }

  private query(call: ApiCall, withDeleted: boolean): ApiAnswer {
    requireMethod(call, 'GET');
    this.counts.queries++;
    const [, locator, ...rest] = call.path;
    if (rest.length > 0) throw notFound();
    if (locator !== undefined) return { status: 200, body: this.pages.next(locator, call.version, call.batchSize) };
    const soql = call.query.get('q');
    if (soql === null || soql.trim() === '')
      throw new SalesforceFault(400, 'MALFORMED_QUERY', 'the parameter q is missing');
    if (call.query.get('columns') === 'true') {
      const scope = { withDeleted, mayRead: this.mayRead };
      return { status: 200, body: queryColumns(this.context.org, soql, scope) };
    }
    const result = runQuery(this.context.org, soql, call.version, withDeleted, this.mayRead);
    return { status: 200, body: this.pages.first(result, call.version, call.batchSize) };
  }

  private readonly mayRead = (object: ObjectDefinition): boolean => this.context.permissions.canRead(object.name);

  private requireReadable(objectName: string | undefined): void {
    const object = objectName === undefined ? undefined : this.context.org.schema.object(objectName);
    if (object !== undefined && !this.context.permissions.canRead(object.name)) throw notFound();
  }

  /**
   * Every call below `/composite/sobjects/X` counts as a read, because a POST there only reads; a PATCH there is
   * counted so too, although it writes.
   */
  private count(call: ApiCall, isAboutObjects: boolean): void {
    const isRead = call.method === 'GET' || (call.path[0] === 'composite' && call.path[2] !== undefined);
    if (!isRead) this.counts.writes++;
    else if (isAboutObjects) this.counts.others++;
    else this.counts.reads++;
  }
}

function resources({ version, baseUrl }: ApiCall, org: Org): Record<string, string> {
  const names = ['sobjects', 'query', 'queryAll', 'composite', 'limits', 'tooling'];
  const urls = Object.fromEntries(names.map((name) => [name, `/services/data/${version}/${name}`]));
  return { ...urls, identity: `${baseUrl}/id/${org.organizationId}/${org.userId}` };
}
