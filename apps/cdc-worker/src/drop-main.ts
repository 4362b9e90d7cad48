import { loadConfig } from '@bff/modules/config/load-config';
import { drop } from './drop/drop.js';
import { dropRequest, USAGE, type DropRequest } from './drop/drop-request.js';

/** `npm run drop -- <what>`, or `node dist/apps/cdc-worker/src/drop-main.js <what>` in the image. */
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(USAGE);
} else {
  const request = asked();
  if (request) {
    const { code, text } = await drop(request, configured());
    (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
    process.exitCode = code;
  }
}

function asked(): DropRequest | undefined {
  try {
    return dropRequest(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

function configured() {
  try {
    return loadConfig();
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(2);
  }
}
