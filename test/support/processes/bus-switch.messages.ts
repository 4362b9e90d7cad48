/** An order to the process through which the nodes of a Cluster reach each other. It answers each order with `done`. */
export type SwitchOrder =
  /** The bus port of each node, in the order of the nodes. */
  | { readonly kind: 'connect'; readonly busPorts: readonly number[] }
  /** Cuts every connection between these nodes and the others, and refuses new ones until `rejoin`. */
  | { readonly kind: 'isolate'; readonly nodes: readonly number[] }
  | { readonly kind: 'rejoin' };

export type SwitchReport =
  /** The port at which each node's bus is reachable for the others. */
  { readonly kind: 'ready'; readonly ports: readonly number[] } | { readonly kind: 'done' };

/**
 * The address from which a node calls the others, and by which the process recognizes it. All of 127.0.0.0/8 is
 * loopback, so each node can have its own.
 */
export function addressOf(node: number): string {
  return `127.0.0.${node + 10}`;
}
