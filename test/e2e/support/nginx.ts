import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Watchdog } from '../../checks/consistency/watchdog.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';

const MISSING =
  'nginx is missing, and this test puts it in front of the BFFs: run "npm test", which installs it where it may, or ' +
  'install it, e.g. sudo apt-get install -y nginx-light (Debian, Ubuntu) or brew install nginx (macOS)';

/**
 * A reload of nginx closes connections that have no request yet, those of a moment ago
 * too. On Linux it can take a connection only when the request is there.
 */
const DEFERRED = process.platform === 'linux' ? ' deferred' : '';

/** A private nginx that spreads requests over servers. It repeats no request: what fails behind it fails in front. */
export class Nginx {
  private readonly watchdog = new Watchdog();

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    if (child.pid !== undefined) this.watchdog.guard(child.pid);
  }

  /** Resolves when it answers. Throws, saying how to get nginx, if it is not installed. */
  static async start(servers: readonly string[]): Promise<Nginx> {
    if (spawnSync('nginx', ['-v']).error) throw new Error(MISSING);
    const folder = await mkdtemp(join(tmpdir(), 'evergreen-nginx-'));
    const port = await freePort();
    await writeFile(join(folder, 'nginx.conf'), configuration(port, servers));
    const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, folder, child, port);
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`nginx has ended with code ${child.exitCode}`);
        return fetch(`${nginx.url}/health/live`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      { withinMs: 10_000, what: 'nginx answers' },
    );
    return nginx;
  }

  /** From now on new requests go to these servers alone; those under way are finished. */
  async sendTo(servers: readonly string[]): Promise<void> {
    await writeFile(join(this.folder, 'nginx.conf'), configuration(this.port, servers));
    this.child.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    this.watchdog.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function configuration(port: number, servers: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `daemon off;
pid nginx.pid;
error_log stderr error;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join(' ')}
  upstream bffs { ${servers.map((url) => `server ${new URL(url).host} max_fails=0;`).join(' ')} }
  server {
    listen 127.0.0.1:${port}${DEFERRED};
    location / { proxy_pass http://bffs; proxy_next_upstream off; }
  }
}
`;
}
