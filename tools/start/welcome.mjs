const EMBEDDED = 'embedded (set REDIS_URL to share it between processes)';
const STEPS_NEED_REDIS = 'Until then the steps below show no cache: every answer comes from the sandbox.';

/**
 * Why the cache cannot use its Redis, in the words of the BFF's `/health`, which hold no password; undefined if it can.
 * `health` is the answer of `/health`; undefined (no answer) is a reason too.
 */
export function redisTroubleIn(health) {
  const redis = health?.details?.redis;
  if (redis?.status === 'up') return undefined;
  return redis?.reason ?? 'the BFF does not say in /health how Redis is';
}

/**
 * The text that `npm start` prints once everything runs. `worker` is omitted with the embedded store; with
 * `redisTrouble` the text says that nothing is cached, and what to do.
 */
export function welcomeText({ config, bff, worker, sandbox, seconds, redisTrouble, eventsAreLive }) {
  const isSandbox = config.salesforce.isSandbox;
  const lines = [
    '',
    `Evergreen is ready (${seconds} s)${redisTrouble ? ', but without Redis: NOTHING IS CACHED' : ''}.`,
    '',
    `  BFF      ${urlOf(bff)}/health   log: ${bff.logFile}`,
  ];
  if (worker) lines.push(`  Worker   ${urlOf(worker)}/health/sf-events   log: ${worker.logFile}`);
  lines.push(
    isSandbox
      ? `  Sandbox  ${urlOf(sandbox)}   a page: change records, make things fail   log: ${sandbox.logFile}`
      : `  Org      ${config.salesforce.loginUrl}`,
  );
  if (redisTrouble) lines.push(...troubleLines(redisTrouble, config.redis, isSandbox));
  else lines.push(`  Store    ${worker ? 'Redis, shared by all processes' : EMBEDDED}`);
  if (config.cache.usesDemoEncryptionKey)
    lines.push('  Sensitive entries are encrypted with the published demo key: for made-up data only.');
  if (!config.events.enabled)
    lines.push(
      `  Change events are switched off (SF_EVENTS_ENABLED): the cache hears of no change, and its entries live at most ${config.cache.feedLostMaxAgeSeconds} s.`,
    );
  else if (!eventsAreLive && !redisTrouble)
    lines.push(`  Change events are not live yet: see ${urlOf(worker ?? bff)}/health/sf-events`);
  return `${lines.join('\n')}\n`;
}

function troubleLines(reason, redis, isSandbox) {
  const { address, login } = variablesOf(redis);
  return [
    `  Store    none. Redis cannot be used: ${reason}`,
    '           Start or mend that Redis: Evergreen takes it up by itself, and change events with it.',
    `           If its address or password is wrong: Ctrl-C, correct ${login}, start again.`,
    `           To cache without Redis: Ctrl-C, start without ${address}. Reasons: docs/operating/redis-outage.md`,
    ...(isSandbox ? [`           ${STEPS_NEED_REDIS}`] : []),
  ];
}

/** The variables that hold the address and the credentials of Redis; a URL carries its own password. */
function variablesOf({ url, sentinels }) {
  if (url) return { address: 'REDIS_URL', login: 'REDIS_URL' };
  const address = sentinels ? 'REDIS_SENTINELS' : 'REDIS_CLUSTER_NODES';
  return { address, login: `${address} or REDIS_PASSWORD` };
}

/** The URL of a program, reachable from this machine. */
export function urlOf({ host, port }) {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
