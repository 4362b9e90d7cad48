import { SalesforceFault } from '../../org/org.errors.js';
import type { Org } from '../../org/org.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { requireVersion } from '../api-versions.js';
import { bodyFields, requireMethod } from '../call-checks.js';
import type { SubResponse } from './references.js';
import { hasFailed, runSubrequests, subrequestsOf, type Handle, type Subrequest } from './subrequests.js';

/**
 * Limits of one request (REST API guide, "Composite Graph Limits"). The depth and the number of different nodes are not
 * limited here.
 */
const GRAPHS_MAX = 75;
const NODES_MAX = 500;

interface Graph {
  readonly graphId: string;
  readonly nodes: readonly Subrequest[];
}

interface GraphResult {
  readonly graphId: string;
  readonly graphResponse: { readonly compositeResponse: readonly SubResponse[] };
  readonly isSuccessful: boolean;
}

/**
 * `/composite/graph`: every graph is a composite request for `sobjects` resources, all or none, in its own transaction.
 */
export function compositeGraph(call: ApiCall, handle: Handle, org: Org): ApiAnswer {
  requireVersion(call.version, 50);
  requireMethod(call, 'POST');
  return { status: 200, body: { graphs: graphsOf(call.body).map((graph) => runGraph(call, handle, org, graph)) } };
}

function runGraph(call: ApiCall, handle: Handle, org: Org, { graphId, nodes }: Graph): GraphResult {
  const rules = { allOrNone: true, mayCall: ([resource]: readonly string[]) => resource === 'sobjects' };
  const compositeResponse = org.transaction(
    (transaction) => runSubrequests({ ...call, transaction }, handle, nodes, rules),
    call.transaction.context,
  );
  return { graphId, graphResponse: { compositeResponse }, isSuccessful: !compositeResponse.some(hasFailed) };
}

function graphsOf(body: unknown): Graph[] {
  const { graphs } = bodyFields(body);
  if (!Array.isArray(graphs) || graphs.length === 0) {
    throw new SalesforceFault(400, 'JSON_PARSER_ERROR', "a list 'graphs' with at least one graph is expected");
  }
  if (graphs.length > GRAPHS_MAX) throw limitExceeded(`Cannot have more than ${GRAPHS_MAX} graphs in one request`);
  const seen = new Set<string>();
  const read = graphs.map((entry: unknown): Graph => {
    const { graphId, compositeRequest } = bodyFields(entry);
    if (typeof graphId !== 'string' || graphId === '' || seen.has(graphId)) {
      throw new SalesforceFault(400, 'INVALID_INPUT', 'every graph needs a graphId of its own');
    }
    seen.add(graphId);
    return { graphId, nodes: subrequestsOf(compositeRequest, NODES_MAX) };
  });
  const nodeCount = read.reduce((count, { nodes }) => count + nodes.length, 0);
  if (nodeCount > NODES_MAX) throw limitExceeded(`Cannot have more than ${NODES_MAX} nodes in one request`);
  return read;
}

function limitExceeded(message: string): SalesforceFault {
  return new SalesforceFault(400, 'LIMIT_EXCEEDED', message);
}
