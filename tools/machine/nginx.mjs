import { installPackage, works } from './system-package.mjs';

/** Whether nginx runs, after an attempt to install it where that needs no confirmation. */
export async function ensureNginx() {
  if (!works('nginx', '-v')) {
    await installPackage({ 'apt-get': 'nginx-light', dnf: 'nginx', apk: 'nginx', brew: 'nginx' });
  }
  return works('nginx', '-v');
}
