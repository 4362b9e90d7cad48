import type { StoredValue } from '../../../protocol/cache-store.js';
import type { Partition } from '../partition/partition.js';
import type { PartitionScripts } from '../partition/partition-scripts.js';
import { storedValue } from './entry-envelope.js';

/** The entry of this key if the store judges it valid: for an entry that the gate alone does not prove valid. */
export async function examinedEntry(
  scripts: PartitionScripts,
  partition: Partition,
  key: string,
): Promise<StoredValue | undefined> {
  const [code, , envelope] = await scripts.run('peek', partition, [key]);
  return code === 'FRESH' ? storedValue(envelope as Buffer) : undefined;
}
