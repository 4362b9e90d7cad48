import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createCache } from 'evergreen/dist/libs/infra/src/cache/create-cache.js';
import { createFleet } from 'evergreen/dist/libs/infra/src/fleet/create-fleet.js';
import { cacheReport } from 'evergreen/dist/libs/infra/src/health/cache-report.js';
import { createRedisClient } from 'evergreen/dist/libs/infra/src/redis/redis-client.js';
import { ProductsCache } from './products-cache.mjs';

const appName = 'shop';
const url = process.env.REDIS_URL;
const redis = url ? createRedisClient({ url }) : null; // no URL: the store in this process
const { reports } = createFleet({ redis, appName }); // the counters of all shops
const cache = createCache({ redis, appName, reports });
const products = new ProductsCache(cache);

async function answerTo(request) {
  const [, first, second] = request.url.split('/');
  switch (`${request.method} ${first}`) {
    case 'GET products':
      return products.inCategory(second);
    case 'PUT prices':
      return products.setPrice(second, await json(request));
    case 'GET health':
      return cacheReport(products);
    default:
      return undefined;
  }
}

const server = createServer((request, response) => {
  const send = (status, body) => response.writeHead(status).end(`${JSON.stringify(body)}\n`);
  answerTo(request).then(
    (body) => send(body === undefined ? 404 : 200, body ?? {}),
    (error) => send(error.retryable ? 503 : 500, { code: error.code, message: error.message }),
  );
});
server.listen(Number(process.env.PORT ?? 8081), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.once('SIGINT', async () => {
  server.close();
  server.closeAllConnections();
  await cache.close();
  await reports.close();
  redis?.disconnect();
});
