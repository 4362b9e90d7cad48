import { installPackage, works } from './system-package.mjs';

/** Where a browser that Puppeteer can drive is looked for: by name in PATH, and where macOS keeps it. */
const programs = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser, undefined if there is none. */
export function findChromium() {
  return programs.find((program) => works(program, '--version'));
}

/** Whether there is a browser, after an attempt to install one where that is allowed without asking anybody. */
export async function ensureChromium() {
  if (findChromium() === undefined) await installPackage({ 'apt-get': 'chromium', dnf: 'chromium', apk: 'chromium' });
  return findChromium() !== undefined;
}
