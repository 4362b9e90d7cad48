import type { StoredValue } from '../../../protocol/cache-store.js';
import type { Partition } from '../partition/partition.js';
import type { PartitionScripts } from '../partition/partition-scripts.js';
import { storedValue } from './entry-envelope.js';

/** The valid entry of this key as the store itself judges it, where its gate does not prove it valid. */
export async function examinedEntry(
  scripts: PartitionScripts,
  partition: Partition,
  key: string,
): Promise<StoredValue | undefined> {
  const [code, , envelope] = await scripts.run('peek', partition, [key]);
  return code === 'FRESH' ? storedValue(envelope as Buffer) : undefined;
}
