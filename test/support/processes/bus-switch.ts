import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { addressOf, type SwitchOrder, type SwitchReport } from './bus-switch.messages.js';

/**
 * A Cluster's bus passes through this process, so that connections between nodes can be cut. It listens on one port for
 * each node; a node's number is its place in the list of nodes.
 */
const nodeCount = Number(process.argv[2]);
const wires = new Set<{ readonly from: number; readonly to: number; cut(): void }>();
let busPorts: readonly number[] = [];
let isolated: readonly number[] = [];

function isCut(from: number, to: number): boolean {
  return isolated.includes(from) !== isolated.includes(to);
}

function accept(caller: Socket, to: number): void {
  const from = Array.from({ length: nodeCount }, (_, node) => addressOf(node)).indexOf(caller.remoteAddress ?? '');
  const port = busPorts[to];
  if (port === undefined || isCut(from, to)) return void caller.destroy();
  const called = connect({ port, host: '127.0.0.1', noDelay: true });
  const wire = { from, to, cut: () => [caller, called].forEach((socket) => socket.destroy()) };
  wires.add(wire);
  for (const [socket, other] of [
    [caller, called],
    [called, caller],
  ] as const) {
    socket.pipe(other);
    socket.on('error', () => undefined); // `close` follows, and cleans up
    socket.once('close', () => {
      wire.cut();
      wires.delete(wire);
    });
  }
}

async function listening(to: number): Promise<Server> {
  const server = createServer({ noDelay: true }, (caller) => accept(caller, to));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function obey(order: SwitchOrder): void {
  if (order.kind === 'connect') busPorts = order.busPorts;
  else isolated = order.kind === 'isolate' ? order.nodes : [];
  for (const wire of wires) if (isCut(wire.from, wire.to)) wire.cut();
}

function say(report: SwitchReport): void {
  process.send?.(report);
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: SwitchOrder) => {
  obey(order);
  say({ kind: 'done' });
});
const servers = await Promise.all(Array.from({ length: nodeCount }, (_, node) => listening(node)));
say({ kind: 'ready', ports: servers.map((server) => (server.address() as AddressInfo).port) });
