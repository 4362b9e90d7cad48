import type { Redis } from 'ioredis';

/** Bytes that Redis has allocated for data and its own bookkeeping, without the buffers of normal clients. */
export async function usedMemory(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const number = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return number('used_memory') - number('mem_clients_normal');
}
