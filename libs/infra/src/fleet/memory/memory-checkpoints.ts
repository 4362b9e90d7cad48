import { TermOverError } from '../../cache/cache.errors.js';
import { Checkpoints } from '../checkpoints.js';
import type { ConsumerTerm } from '../consumer-leases.js';
import type { MemoryConsumerLeases } from './memory-consumer-leases.js';

/** Positions that live as long as the process, like the entries that go with them in the embedded store. */
export class MemoryCheckpoints extends Checkpoints {
  private readonly positions = new Map<string, string>();

  constructor(private readonly leases: MemoryConsumerLeases) {
    super();
  }

  async load(name: string): Promise<string | undefined> {
    return this.positions.get(name);
  }

  async save(name: string, position: string, term?: ConsumerTerm): Promise<void> {
    if (term !== undefined && !this.leases.isCurrent(term)) throw new TermOverError(term.consumer);
    this.positions.set(name, position);
  }

  async remove(name: string): Promise<void> {
    this.positions.delete(name);
  }
}
