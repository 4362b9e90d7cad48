import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';
import { pathBelow, resolveImport } from '../eslint/source-path.mjs';
import { root } from '../workspace.mjs';

/** The source of each entry of the package; they are all in `package/`. */
export const ENTRIES = ['index', 'nest', 'testing'];

/** Where a source lies in the package. What has no place here is no part of it, so an import of it is an error. */
const PLACES = [
  [/^package\//, ''],
  [/^libs\/infra\/src\/(?=(?:cache|redis|process)\/)/, ''],
  [/^test\/contract\/(?=cache-store[./]|[a-z-]+-under-test\.|expect\.|test-runner\.)/, 'testing/contract/'],
  [/^test\/support\/(?=eventually\.)/, 'testing/contract/'],
];

/** What the package needs beside the options of the project. */
const OPTIONS = { declaration: true, sourceMap: false, noEmit: false, noEmitOnError: true };

/**
 * Compiles the entries and all that they import. Returns the text of each file by its path below `dist/` of the package,
 * and the names of the packages that these files import. Throws an `Error` with what the compiler says, or with the
 * source that must not be packed.
 */
export function compilePackage() {
  const sources = ENTRIES.map((name) => `${root}/package/${name}.ts`);
  const program = ts.createProgram(sources, { ...projectOptions(), ...OPTIONS });
  const emitted = new Map();
  const { diagnostics } = program.emit(undefined, (path, text, _bom, _onError, [{ fileName }]) => {
    const source = pathBelow(root, fileName);
    const kind = path.endsWith('.d.ts') ? '.d.ts' : '.js';
    emitted.set(placeOf(source).replace(/\.ts$/, kind), moved(source, text, kind));
  });
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, formatHost));
  // Files of types alone are empty, and the types of what is private are of no use.
  const reached = new Set(ENTRIES.flatMap((name) => [`${name}.js`, `${name}.d.ts`]));
  for (const path of reached) for (const file of emitted.get(path).files) reached.add(file);
  const kept = [...reached].sort().map((path) => [path, emitted.get(path)]);
  return {
    files: new Map(kept.map(([path, { text }]) => [path, text])),
    packages: new Set(kept.flatMap(([, { packages }]) => packages)),
  };
}

/** The path below `dist/` of the package that belongs to a source. */
function placeOf(source) {
  const place = PLACES.find(([pattern]) => pattern.test(source));
  if (place) return source.replace(...place);
  throw new Error(`${source} must not be packed: remove its import, or give it a place in tools/pack/compile.mjs`);
}

/**
 * The text that was compiled from a source, with its imports as its new place needs them; and what they name: files of
 * the same kind, and packages.
 */
function moved(source, text, kind) {
  const folder = posix.dirname(placeOf(source));
  const files = [];
  const packages = [];
  let result = '';
  let done = 0;
  for (const { fileName: specifier, pos } of ts.preProcessFile(text, true, true).importedFiles) {
    const imported = resolveImport(root, `${root}/${source}`, specifier);
    let written = specifier;
    if (imported !== undefined) {
      const place = placeOf(pathBelow(root, imported)).replace(/\.ts$/, '');
      files.push(place + kind);
      written = `${posix.relative(folder, place)}.js`.replace(/^(?!\.)/, './');
    } else if (!isBuiltin(specifier)) packages.push(packageOf(specifier));
    result += text.slice(done, pos + 1) + written; // `pos` is that of the quote
    done = pos + 1 + specifier.length;
  }
  return { text: result + text.slice(done), files, packages };
}

/** The name of the package in `@scope/name/file` or `name/file`. */
function packageOf(specifier) {
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)[0];
}

function projectOptions() {
  const { config, error } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile);
  if (error) throw new Error(ts.formatDiagnostics([error], formatHost));
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: ['package/index.ts'] }, ts.sys, root).options;
}

const formatHost = {
  getCanonicalFileName: (path) => path,
  getCurrentDirectory: () => root,
  getNewLine: () => '\n',
};
