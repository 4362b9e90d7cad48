import type { Redis } from 'ioredis';
import type { BusConnections } from './bus-connections.js';
import { BusListener, LISTENING, type OnMessage, type OnRefused } from './bus-listener.js';

/** A second connection to the same server as the command connection, for SUBSCRIBE only. */
export class SingleBusConnection implements BusConnections {
  private readonly listener: BusListener;
  private readonly channels = new Set<string>();

  /** @param onChange called when `isSettled` may have changed */
  constructor(redis: Redis, onMessage: OnMessage, onChange: () => void, onRefused: OnRefused) {
    this.listener = new BusListener(redis.duplicate(LISTENING), onMessage, onChange, onRefused);
  }

  get isSettled(): boolean {
    return this.listener.isAway || [...this.channels].every((channel) => this.listener.isListeningTo(channel));
  }

  open(): void {
    this.listener.open();
  }

  close(): void {
    this.listener.close();
  }

  listenTo(channels: readonly string[]): void {
    channels.forEach((channel) => this.channels.add(channel));
    this.listener.listenTo(new Set(this.channels));
  }
}
