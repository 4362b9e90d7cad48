import { Checkpoints } from '../../checkpoints.js';

/** Positions for as long as the process lives, as long as the entries that go with them in the embedded store. */
export class MemoryCheckpoints extends Checkpoints {
  private readonly positions = new Map<string, string>();

  async load(name: string): Promise<string | undefined> {
    return this.positions.get(name);
  }

  async save(name: string, position: string): Promise<void> {
    this.positions.set(name, position);
  }

  async remove(name: string): Promise<void> {
    this.positions.delete(name);
  }
}
