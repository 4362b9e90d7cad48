import { startRedisServer } from '../support/redis-server.js';
import { markdownTable } from './bench-result.js';
import { benchL2Hit } from './l2-hit.bench.js';
import { benchSingleFlight } from './single-flight.bench.js';

/** Measures against the floors of the same run and prints a table; the exit code says whether every target was met. */
const redis = await startRedisServer();
try {
  const results = [...(await benchL2Hit(redis.url)), ...(await benchSingleFlight(redis.url))];
  console.log(`Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n\n${markdownTable(results)}`);
  if (results.some(({ isMet }) => !isMet)) process.exitCode = 1;
} finally {
  await redis.stop();
}
