import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { ChildProcesses } from './child-processes.mjs';
import { demoSteps } from './demo.mjs';
import { ownKeys } from './own-keys.mjs';
import { redisTroubleIn, urlOf, welcomeText } from './welcome.mjs';
import { step } from '../steps.mjs';
import { answerHelp } from '../usage.mjs';
import { ensureBuilt, root, say, stop } from '../workspace.mjs';

/** `npm start`: installs and builds what is missing, starts everything on this machine, and prints what to try. */
const READY_DEADLINE_MS = 60_000;
/**
 * How long the BFF is asked again if it says that it cannot use Redis, enough for two more answers: a machine that
 * starts all this is busy, and Redis may have answered late.
 */
const REDIS_DOUBT_MS = 500;

const USAGE = `npm start
  Installs and builds what is missing, starts the sandbox (port 4000, gRPC 4001) and the BFF (3000), and prints a token
  and what to try. Ctrl-C stops everything. Needs Node 20 or later and, the first time, npm's registry.
    REDIS_URL=redis://127.0.0.1:6379 npm start    with Redis: a change-event worker (3100), too
    PORT=3010 SANDBOX_PORT=4010 SANDBOX_GRPC_PORT=4011 npm start    other ports
  With SF_LOGIN_URL, an org in place of the sandbox. Every variable: docs/reference/configuration.md
  One program alone: npm run start:sandbox, start:bff, start:worker`;

answerHelp(USAGE);
await ensureBuilt();
process.chdir(root);
const ofFile = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
Object.assign(process.env, ownKeys({ ...ofFile, ...process.env }));
const { loadConfig } = await builtModule('libs/modules/src/config/load-config.js');
const { isRedisConfigured } = await builtModule('libs/infra/src/redis/redis-client.js');
const config = validConfig();
const env = { ...ofFile, ...process.env };

const { host, shutdownGraceMs } = config.http;
const bff = { name: 'bff', variable: 'PORT', host, port: config.http.port, health: '/health/ready' };
const worker = { name: 'cdc-worker', variable: 'WORKER_PORT', host, port: config.worker.port, health: '/health/ready' };
const sandbox = {
  name: 'sandbox',
  variable: 'SANDBOX_PORT',
  host: config.sandbox.host,
  port: config.sandbox.port,
  health: '/health',
};
const usesRedis = isRedisConfigured(config.redis);
const programs = [...(config.salesforce.isSandbox ? [sandbox] : []), bff, ...(usesRedis ? [worker] : [])];
await refuseTakenPorts();

const children = new ChildProcesses((report) => void end(1, report));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void end(0, '\nStopping …'));
const startingAt = Date.now();
for (const program of programs) {
  program.logFile = children.start(program, join(root, 'dist', 'apps', program.name, 'src', 'main.js'), env);
  await step(`Starting ${program.name}`, () => untilAnswers(program, program.health));
  // The BFF has tried to reach Redis by now. The worker will try as long again; the warning need not wait for it.
  if (program === bff) warnOf(await redisTrouble());
}
const trouble = await redisTrouble();
// Change events cannot become live without the configured Redis.
const eventsAreLive =
  !config.events.enabled ||
  (!trouble && (await step('Following the change events', () => becomesLive(usesRedis ? worker : bff))));
say(
  welcomeText({
    config,
    bff,
    worker: usesRedis ? worker : undefined,
    sandbox,
    seconds: ((Date.now() - startingAt) / 1_000).toFixed(1),
    redisTrouble: trouble ?? (eventsAreLive ? undefined : await redisTrouble()),
    eventsAreLive,
  }),
);
if (config.salesforce.isSandbox) say(await demoSteps(urlOf(bff), urlOf(sandbox), config.salesforce.apiVersion));
else say(`Call it with a token of ${config.auth.issuer} for ${config.auth.audience}.\n`);
say('Ctrl-C stops everything.');

function builtModule(file) {
  return import(pathToFileURL(join(root, 'dist', file)).href);
}

function validConfig() {
  try {
    return loadConfig();
  } catch (error) {
    return stop(error.message);
  }
}

async function refuseTakenPorts() {
  const wrong = [];
  const grpc = { ...sandbox, name: 'sandbox, gRPC', variable: 'SANDBOX_GRPC_PORT', port: config.sandbox.grpcPort };
  const listeners = programs.includes(sandbox) ? [...programs, grpc] : programs;
  for (const { name, variable, host, port } of listeners) {
    if (port === 0) wrong.push(`${variable} is 0: name a port, so that the others and you can find the ${name}`);
    else if (await isTaken(host, port)) {
      wrong.push(
        `Port ${port} (${name}) is taken: stop what listens there, or choose another: ${variable}=${port + 10}`,
      );
    }
  }
  if (wrong.length > 0) stop(wrong.join('\n'));
}

function isTaken(host, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else reject(error);
    });
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}

/**
 * Waits until the program answers at this path with a success status. If it does not within the deadline, or if a
 * program ends meanwhile, this process ends.
 */
async function untilAnswers(program, path) {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await answers(program, path))) {
    if (Date.now() > deadline)
      await end(1, `${program.name} is not ready after ${READY_DEADLINE_MS / 1_000} s: see ${program.logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function answers(program, path) {
  try {
    const response = await fetch(urlOf(program) + path, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}

async function becomesLive(program) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if ((await answerOf(program, '/health/sf-events'))?.status === 'up') return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

/** Why the BFF cannot use Redis; undefined if it can, or if none is configured. */
async function redisTrouble() {
  const deadline = Date.now() + REDIS_DOUBT_MS;
  while (usesRedis) {
    const reason = redisTroubleIn(await answerOf(bff, '/health'));
    if (!reason || Date.now() > deadline) return reason;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

/** The program's JSON answer at this path, whatever the status; undefined if there is none. */
async function answerOf(program, path) {
  try {
    const response = await fetch(urlOf(program) + path, { signal: AbortSignal.timeout(2_000) });
    return await response.json();
  } catch {
    return undefined; // overloaded, or about to end, which is noticed elsewhere
  }
}

function warnOf(trouble) {
  if (trouble) process.stderr.write(`Redis cannot be used: ${trouble}\nStarting without it …\n`);
}

async function end(code, reason) {
  if (reason) (code === 0 ? process.stdout : process.stderr).write(`${reason}\n`);
  await children.stop(shutdownGraceMs + 2_000);
  process.exit(code);
}
