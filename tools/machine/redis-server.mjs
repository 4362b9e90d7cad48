import { installPackage, works } from './system-package.mjs';

/** Whether redis-server runs, after an attempt to install it where that needs no confirmation. */
export async function ensureRedisServer() {
  if (!works('redis-server', '--version')) {
    await installPackage({ 'apt-get': 'redis-server', dnf: 'redis', apk: 'redis', brew: 'redis' });
  }
  return works('redis-server', '--version');
}
