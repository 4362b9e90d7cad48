import { readFileSync, statSync } from 'node:fs';
import { importVisitor } from './import-visitor.mjs';
import { pathBelow, resolveImport } from './source-path.mjs';

const importPattern =
  /^\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\('([^']+)'\)/gm;

/** The imports of each file, cached until the file changes. */
const known = new Map();

/**
 * Refuses an import that leads back to its own file, type imports included. A cycle between decorated classes ends the
 * process at start (`Cannot access 'A' before initialization`), and a cycle of types becomes one of values unnoticed.
 */
export const noImportCycle = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      cycle: 'No import cycles, not even of types: {{path}}. Move what both sides need to a file of its own.',
    },
  },
  create(context) {
    const root = context.cwd;
    return importVisitor((node, specifier) => {
      const target = resolveImport(root, context.filename, specifier);
      const way = target && wayBack(root, target, context.filename);
      if (!way) return;
      const path = [context.filename, ...way].map((file) => pathBelow(root, file)).join(' → ');
      context.report({ node, messageId: 'cycle', data: { path } });
    });
  },
};

/** The shortest chain of imports from one file to another; undefined if there is none. */
function wayBack(root, from, to) {
  const cameFrom = new Map([[from, undefined]]);
  for (const file of cameFrom.keys()) {
    if (file === to) return chain(cameFrom, file);
    for (const next of importsOf(root, file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return undefined;
}

function chain(cameFrom, end) {
  const files = [];
  for (let file = end; file !== undefined; file = cameFrom.get(file)) files.unshift(file);
  return files;
}

function importsOf(root, file) {
  const status = statSync(file, { throwIfNoEntry: false });
  if (!status?.isFile()) return [];
  const entry = known.get(file);
  if (entry?.mtimeMs === status.mtimeMs) return entry.imports;
  const found = readFileSync(file, 'utf8').matchAll(importPattern);
  const imports = [...found]
    .map((match) => resolveImport(root, file, match[1] ?? match[2] ?? match[3]))
    .filter(Boolean);
  known.set(file, { mtimeMs: status.mtimeMs, imports });
  return imports;
}
