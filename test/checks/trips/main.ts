import { register } from 'node:module';

/**
 * Prints the files that a read and a change pass through, in the order in which they are entered first; `--json` prints
 * them for a program. The reads go through a bucket to a private Redis, the change from a gRPC message of the sandbox to
 * the acknowledged invalidation.
 */
register('./trace-hook.js', import.meta.url); // before the first file of the product is loaded
const alive = setInterval(() => undefined, 60_000); // the private Redis does not keep this process alive
const { measureTrips } = await import('./trips.js');
const trips = await measureTrips();
clearInterval(alive);

if (process.argv.includes('--json')) console.log(JSON.stringify(trips));
else for (const [name, files] of trips) console.log(`\n${name}: ${files.length} files\n  ${files.join('\n  ')}`);
process.exit(); // a connection of gRPC may be left
