import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { launch, type Browser } from 'puppeteer-core';

const TOOL = '../../../tools/machine/chromium.mjs';

/**
 * Starts the machine's Chromium, headless and without its background traffic. Throws with an instruction for its
 * installation.
 */
export async function startBrowser(): Promise<Browser> {
  const { findChromium } = (await import(TOOL)) as { findChromium(): string | undefined };
  const program = findChromium();
  if (program === undefined) {
    throw new Error('There is no Chromium: npm test installs it where it may; else: sudo apt-get install -y chromium');
  }
  return launch({
    executablePath: program.includes('/') ? program : await pathOf(program),
    headless: true,
    args: [
      '--no-sandbox', // CI runs as root
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

async function pathOf(program: string): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, program);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new Error(`${program} is not in PATH`);
}
