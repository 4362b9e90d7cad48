import { spawnSync } from 'node:child_process';
import { run, say } from './workspace.mjs';

/** RUNLEVEL=1 keeps Debian's package from starting a server on port 6379: the tests start private ones. */
const quietly = ['env', 'RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive'];

/** How each package manager is told to install a Redis server, in the order in which they are looked for. */
const managers = [
  {
    name: 'apt-get',
    needsRoot: true,
    commands: [
      [...quietly, 'apt-get', 'update'],
      [...quietly, 'apt-get', 'install', '-y', '--no-install-recommends', 'redis-server'],
    ],
  },
  { name: 'dnf', needsRoot: true, commands: [['dnf', 'install', '-y', 'redis']] },
  { name: 'apk', needsRoot: true, commands: [['apk', 'add', 'redis']] },
  { name: 'brew', needsRoot: false, commands: [['brew', 'install', 'redis']] },
];

/** Whether redis-server can be run, after an attempt to install it where that is allowed without asking anybody. */
export async function ensureRedisServer() {
  if (works('redis-server', '--version')) return true;
  const manager = managers.find(({ name }) => works(name, '--version'));
  if (!manager) return false;
  const isRoot = process.getuid?.() === 0;
  if (manager.needsRoot && !isRoot && !works('sudo', '-n', 'true')) return false;
  say(`Installing redis-server (${manager.name}) …`);
  for (const command of manager.commands) {
    const [program, ...args] = manager.needsRoot && !isRoot ? ['sudo', '-n', ...command] : command;
    const code = await run(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (code !== 0) say(`${command.join(' ')} failed`); // an update may fail where the package is already known
  }
  return works('redis-server', '--version');
}

function works(program, ...args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
