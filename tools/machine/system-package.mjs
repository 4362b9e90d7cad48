import { spawnSync } from 'node:child_process';
import { run, say } from '../workspace.mjs';

/** RUNLEVEL=1 keeps Debian's packages from starting servers: the tests start private ones. */
const quietly = ['env', 'RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive'];

/** The install commands of each package manager, in the order in which the managers are tried. */
const managers = [
  {
    name: 'apt-get',
    needsRoot: true,
    commands: (name) => [
      [...quietly, 'apt-get', 'update'],
      [...quietly, 'apt-get', 'install', '-y', '--no-install-recommends', name],
    ],
  },
  { name: 'dnf', needsRoot: true, commands: (name) => [['dnf', 'install', '-y', name]] },
  { name: 'apk', needsRoot: true, commands: (name) => [['apk', 'add', name]] },
  { name: 'brew', needsRoot: false, commands: (name) => [['brew', 'install', name]] },
];

/**
 * Tries to install a package where that needs no confirmation. The caller checks whether it worked.
 * @param names the package's name by package manager; a manager without a name installs nothing
 */
export async function installPackage(names) {
  const manager = managers.find(({ name }) => works(name, '--version'));
  const packageName = manager && names[manager.name];
  if (!packageName) return;
  const isRoot = process.getuid?.() === 0;
  if (manager.needsRoot && !isRoot && !works('sudo', '-n', 'true')) return;
  say(`Installing ${packageName} (${manager.name}) …`);
  for (const command of manager.commands(packageName)) {
    const [program, ...args] = manager.needsRoot && !isRoot ? ['sudo', '-n', ...command] : command;
    const code = await run(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (code !== 0) say(`${command.join(' ')} failed`); // an update may fail where the package is already known
  }
}

/** Whether the program runs successfully with these arguments. */
export function works(program, ...args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
