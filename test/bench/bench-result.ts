/** One line of the table. `ratio` compares ours with the floor of the same run. */
export interface BenchResult {
  readonly scenario: string;
  readonly floor: string;
  readonly ours: string;
  readonly ratio: string;
  readonly target: string;
  readonly isMet: boolean;
}

/** The results as a Markdown table. */
export function markdownTable(results: readonly BenchResult[]): string {
  const rows = results.map((r) => [r.scenario, r.floor, r.ours, r.ratio, r.target, r.isMet ? 'yes' : 'NO']);
  const header = ['scenario', 'floor', 'Evergreen', 'compared', 'target', 'met'];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
