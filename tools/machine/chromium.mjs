import { installPackage, works } from './system-package.mjs';

/** Browsers that Puppeteer can drive: by name in PATH, and at the paths that macOS uses. */
const programs = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The first browser that runs; undefined if there is none. */
export function findChromium() {
  return programs.find((program) => works(program, '--version'));
}

/** Whether a browser runs, after an attempt to install one where that needs no confirmation. */
export async function ensureChromium() {
  if (findChromium() === undefined) await installPackage({ 'apt-get': 'chromium', dnf: 'chromium', apk: 'chromium' });
  return findChromium() !== undefined;
}
