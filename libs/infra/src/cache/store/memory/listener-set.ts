import type { Unsubscribe } from '../../protocol/cache-store.js';

/**
 * Listeners of one kind of message. Each is called in a microtask of its own, so never inside the operation that sent
 * the message. An error of one reaches neither the sender nor the other listeners.
 */
export class ListenerSet<T> {
  private readonly listeners = new Set<{ readonly call: (message: T) => void }>();

  constructor(private readonly onError: (error: unknown) => void) {}

  add(call: (message: T) => void): Unsubscribe {
    const listener = { call }; // one object for each subscription: the same function may listen twice
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(message: T): void {
    for (const listener of this.listeners) queueMicrotask(() => this.deliver(listener, message));
  }

  clear(): void {
    this.listeners.clear();
  }

  private deliver(listener: { readonly call: (message: T) => void }, message: T): void {
    if (!this.listeners.has(listener)) return; // unsubscribed, or cleared, since
    try {
      listener.call(message);
    } catch (error) {
      this.onError(error);
    }
  }
}
