/**
 * A cache of another commit in its own process, driven by its parent's messages: `node older-cache.mjs <folder of the
 * compiled commit> <url of Redis> <appName>`. Each message has `id`, `method`, `key` and `value`; the answer has `id`
 * and either `result` or `error`.
 */
const [, , folder, redisUrl, appName] = process.argv;
const { createCache } = await import(`${folder}/libs/infra/src/cache/create-cache.js`);
const { record } = await import(`${folder}/libs/infra/src/cache/dependencies.js`);
const cache = createCache({ redisUrl, appName, commandTimeoutMs: 5000 });

const methods = {
  open: () => cache.open(),
  read: ({ key, value }) => cache.getOrSet(key, async () => value, { dependsOn: [record('Thing', key)] }),
  invalidate: ({ key }) => cache.invalidate(record('Thing', key)),
  close: () => cache.close(),
};

process.on('message', (message) => {
  methods[message.method](message).then(
    (result) => process.send({ id: message.id, result }),
    ({ code, message: text }) => process.send({ id: message.id, error: { code, message: text } }),
  );
});
process.on('disconnect', () => process.exit(0));
