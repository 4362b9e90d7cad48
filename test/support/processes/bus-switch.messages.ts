/** What the switch is told. Each is answered by `done`. */
export type SwitchOrder =
  /** Where the bus of each node is, in the order of the nodes. */
  | { readonly kind: 'connect'; readonly busPorts: readonly number[] }
  /** Nothing passes any more between one of these nodes and another one. */
  | { readonly kind: 'isolate'; readonly nodes: readonly number[] }
  | { readonly kind: 'rejoin' };

export type SwitchReport =
  /** Where the bus of each node is for the others. */
  { readonly kind: 'ready'; readonly ports: readonly number[] } | { readonly kind: 'done' };

/** From where a node calls the others: the system has all of 127.0.0.0/8 for itself. */
export function addressOf(node: number): string {
  return `127.0.0.${node + 10}`;
}
