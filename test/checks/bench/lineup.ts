import type { Contender, Scenario } from './contender.js';

/** One contender in one scenario, with the resource that the scenario opened for it. */
export interface Entrant<T> {
  readonly name: string;
  readonly opened: T;
}

/**
 * The contenders of one scenario. A peer that cannot take part, or fails, leaves with its reason and stops nothing. A
 * failure of the first contender rejects. That is Evergreen, without which a benchmark is useless; in a fan-out it is
 * the index made by hand.
 */
export class Lineup<T> {
  private readonly entrants: Entrant<T>[] = [];
  private readonly reasons = new Map<string, string>();

  private constructor(
    private readonly contenders: readonly Contender[],
    private readonly closeOne: (opened: T) => Promise<unknown>,
  ) {}

  static async open<T>(
    scenario: Scenario,
    contenders: readonly Contender[],
    open: (contender: Contender) => Promise<T>,
    close: (opened: T) => Promise<unknown>,
  ): Promise<Lineup<T>> {
    const lineup = new Lineup<T>(contenders, close);
    for (const contender of contenders) {
      const reason = contender.cannot[scenario];
      if (reason) lineup.reasons.set(contender.name, reason);
      else {
        await lineup.try(contender.name, async () => {
          lineup.entrants.push({ name: contender.name, opened: await open(contender) });
        });
      }
    }
    return lineup;
  }

  /** Calls `act` for each contender in turn; each round begins with another contender. */
  async round(round: number, act: (entrant: Entrant<T>) => Promise<void>): Promise<void> {
    const { length } = this.entrants;
    const order = this.entrants.map((_, i) => this.entrants[(i + round) % length] as Entrant<T>);
    for (const entrant of order) if (!this.reasons.has(entrant.name)) await this.try(entrant.name, () => act(entrant));
  }

  /** A row for each contender: its cells, or dashes. */
  rows(columns: number, cells: (name: string) => readonly string[]): string[][] {
    return this.contenders.map(({ name }) => [
      name,
      ...(this.reasons.has(name) ? Array<string>(columns).fill('–') : cells(name)),
    ]);
  }

  /** A line with the reason for each contender without numbers. */
  notes(): string[] {
    return [...this.reasons].map(([name, reason]) => `${name}: – ${reason}.`);
  }

  /** Whether the contender has numbers. */
  has(name: string): boolean {
    return !this.reasons.has(name);
  }

  async close(): Promise<void> {
    for (const { name, opened } of this.entrants) await this.try(name, () => this.closeOne(opened));
  }

  private async try(name: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (name === this.contenders[0]?.name) throw error;
      this.reasons.set(name, `failed: ${String(error).split('\n')[0]}`);
    }
  }
}
