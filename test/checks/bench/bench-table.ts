/** A declared target, and whether this run met it. */
export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** The outcome of one scenario. */
export interface BenchTable {
  readonly title: string;
  /** The method, and how to read the numbers. */
  readonly intro: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
  readonly targets: readonly Target[];
}

/** How thorough a run is. */
export interface BenchEffort {
  /** Fewer rounds and smaller sizes: two minutes in place of ten. */
  readonly isQuick: boolean;
}

/** The table of a scenario as a section of a Markdown page. */
export function section(table: BenchTable): string {
  const notes = table.notes.map((note) => `- ${note}`).join('\n');
  const text = [`## ${table.title}`, table.intro, markdownTable(table.header, table.rows)];
  return [...text, ...(notes ? [notes] : [])].join('\n\n');
}

/** All targets as a section of a Markdown page, with whether each was met. */
export function targetSection(targets: readonly Target[]): string {
  const rows = targets.map((t) => [t.what, t.target, t.measured, t.isMet ? 'yes' : '**no**']);
  const how =
    'Times and ratios are medians over the rounds, counts the worst of them; the tables below show worst rounds, too.';
  return `## Targets\n\n${how}\n\n${markdownTable(['of Evergreen', 'target', 'measured', 'met'], rows)}`;
}

/** A table of Markdown with columns of even width. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(3, title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) => `| ${widths.map((w, i) => (cells[i] ?? '').padEnd(w)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
