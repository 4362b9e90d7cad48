import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** The functions here find the place of a source file in the workspace (ARCHITECTURE.md, "Layers"). */

/** The file's path below the root, with slashes. */
export function pathBelow(root, file) {
  return relative(root, file).split(sep).join('/');
}

/** The file of this workspace that an import refers to; undefined for a package. */
export function resolveImport(root, importer, specifier) {
  const alias = /^@bff\/(infra|integrations|modules)\/(.+)$/.exec(specifier);
  if (alias) return join(root, 'libs', alias[1], 'src', `${alias[2]}.ts`);
  if (!specifier.startsWith('.')) return undefined;
  const target = resolve(dirname(importer), specifier);
  const source = target.replace(/\.js$/, '.ts');
  return existsSync(source) || target.endsWith('.js') ? source : target;
}

/** Whether the file is a test. Tests may import everything: they inspect internals on purpose. */
export function isTest(path) {
  return path.startsWith('test/') || /\.(spec|contract)\.ts$/.test(path);
}

/** Sub-folders with a public face of their own, beside that of their parent. */
const faces = ['libs/integrations/src/salesforce/events'];

/**
 * The layer, the area in it (an app, or a folder at the top of a library), and `owner`: the only folder whose files may
 * import this file, undefined when the file is part of a face. Undefined for a file outside of apps and libs.
 */
export function placeOf(path) {
  const [top, unit, src, area, ...rest] = path.split('/');
  if (src !== 'src' || rest.length === 0) return top === 'apps' ? { layer: top, area: unit } : undefined;
  const folder = [top, unit, src, area].join('/');
  const owner = faces.find((face) => path.startsWith(`${face}/`)) ?? folder;
  const isFace = dirname(path) === owner;
  return { layer: top === 'apps' ? top : unit, area: top === 'apps' ? unit : area, owner: isFace ? undefined : owner };
}
