/** An order to the switch; it answers each with `done`. */
export type SwitchOrder =
  /** The bus port of each node, in the order of the nodes. */
  | { readonly kind: 'connect'; readonly busPorts: readonly number[] }
  /** Cuts every connection between these nodes and the others. */
  | { readonly kind: 'isolate'; readonly nodes: readonly number[] }
  | { readonly kind: 'rejoin' };

export type SwitchReport =
  /** The port at which each node's bus is reachable for the others. */
  { readonly kind: 'ready'; readonly ports: readonly number[] } | { readonly kind: 'done' };

/** The address from which a node calls the others: the loopback network is all of 127.0.0.0/8. */
export function addressOf(node: number): string {
  return `127.0.0.${node + 10}`;
}
