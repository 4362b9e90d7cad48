import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The folder whose `package.json` names the peers. The benchmark starts in the root folder of the checkout. */
const FOLDER = join(process.cwd(), 'test', 'checks', 'bench');

/** A module of a peer. The adapter asserts its type, because peers are not installed where the product is compiled. */
export async function importPeer<T>(specifier: string): Promise<T> {
  const bridge = (await import(pathToFileURL(join(FOLDER, 'import-peer.mjs')).href)) as {
    importPeer(specifier: string): Promise<T>;
  };
  return bridge.importPeer(specifier);
}

/** The installed version of a peer; rejects if it is not installed. */
export async function peerVersion(packageName: string): Promise<string> {
  const text = await readFile(join(FOLDER, 'node_modules', packageName, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
