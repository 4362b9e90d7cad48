import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { startBrowser } from './browser.js';

describe('the page of the sandbox, in a browser', () => {
  let sandbox: Sandbox;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0, portalUrl: 'http://127.0.0.1:3999' });
    browser = await startBrowser();
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  beforeEach(async () => {
    sandbox.endFaults();
    complaints.length = 0;
    await page.goto(sandbox.url);
    await shows('#records button');
    await shows('#log-state', 'Live');
  });
  afterAll(async () => {
    await browser?.close();
    await sandbox.close();
  });

  /** Waits until a matching element contains this text; returns its whole text. */
  const shows = async (selector: string, text = ''): Promise<string> => {
    const handle = await page.waitForFunction(
      (wanted: string, part: string) =>
        [...(globalThis as any).document.querySelectorAll(wanted)]
          .map((e) => e.textContent)
          .find((t) => t.includes(part)),
      { timeout: 10_000 },
      selector,
      text,
    );
    return String(await handle.jsonValue());
  };
  const fill = (selector: string, value: string) =>
    page.$eval(
      selector,
      (element: any, text: string) => {
        element.value = text;
        element.dispatchEvent(new (globalThis as any).Event('input', { bubbles: true }));
      },
      value,
    );
  /** Opens the first record in the editor; returns the order's id. */
  const openOrder = async (): Promise<string> => {
    await page.click('#records button');
    return (await shows('#editor-title', 'Order 801')).replace('Order ', '');
  };

  it('changes a record: it is saved, and its event appears in the log with what was changed', async () => {
    const id = await openOrder();
    await fill('#fields [name="Description"]', 'written by hand');
    await page.click('#editor button[type="submit"]');
    await shows('#said', 'Saved: Description');
    expect(sandbox.org.find('Order', id)?.['Description']).toBe('written by hand');
    const entry = await shows('#log li.event summary', id);
    expect(entry).toContain(`/data/OrderChangeEvent · UPDATE · ${id} · Description · replay id ${sandbox.events.tip}`);
    expect(complaints).toEqual([]);
  });

  it('shows an event that came from elsewhere, and keeps what was shown when it is opened again', async () => {
    const account = sandbox.org.create('Account', { Name: 'From elsewhere' });
    await shows('#log li.event summary', account);
    await page.reload();
    await shows('#log li.event summary', account);
  });

  it('fires a fault: it is in force, the log says so, and ends it again', async () => {
    await page.select('#faults', 'event-limit');
    await shows('#does', "The day's event deliveries are used up");
    await page.click('#fault-form button[type="submit"]');
    await shows('#fault-said', 'Done: {"fault":"event-limit"');
    await shows('#log li.fault summary', 'fault · event-limit');
    await shows('#in-force', 'event-limit');
    await page.click('#end-faults');
    await shows('#in-force', 'none');
  });

  it('says what is wrong with an order or a value, and stays usable', async () => {
    await fill('#order', '{"fault": "meteor"}');
    await page.click('#fault-form button[type="submit"]');
    await shows('#fault-said.error', 'there is no fault "meteor"');
    await openOrder();
    await fill('#fields [name="EffectiveDate"]', '');
    await page.click('#editor button[type="submit"]');
    await shows('#said.error', 'REQUIRED_FIELD_MISSING');
  });

  it('signs in again when its token has ended', async () => {
    sandbox.fault({ fault: 'revoke-tokens' });
    await openOrder();
  });

  it('finds, makes and deletes records of other objects', async () => {
    await page.select('#objects', 'Account');
    await shows('#records button', '');
    await page.click('#new');
    await fill('#fields [name="Name"]', "O'Brien & 50% <Sons>_");
    await page.click('#editor button[type="submit"]');
    await shows('#said', 'Saved: Name');
    await fill('#find', "o'brien & 50% <sons>_");
    await page.waitForFunction(() => (globalThis as any).document.querySelectorAll('#records button').length === 1);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.click('#records button');
    await shows('#editor-title', 'Account 001');
    await page.click('#delete');
    await shows('#said', 'Deleted 001');
    expect(sandbox.org.records('Account', { Name: "O'Brien & 50% <Sons>_" })).toEqual([]);
  });

  it('[N11] marks what needs a value before it is saved, and calls no box by the name of an object', async () => {
    await page.click('#new');
    await shows('#editor-title', 'New Order');
    const labels = await page.$$eval('label', (all) => all.map((label: any) => label.firstChild.textContent.trim()));
    const objects = await page.$$eval('#objects option', (all) => all.map((option: any) => option.value));
    expect(labels.filter((label) => objects.includes(label))).toEqual([]);
    const required = await page.$$eval('#fields :required', (all) => all.map((input: any) => input.name));
    expect(required).toEqual(expect.arrayContaining(['AccountId', 'EffectiveDate', 'Status']));
    expect(labels.filter((label) => label.endsWith(' *'))).toHaveLength(required.length);
    await shows('#needed', '* needs a value');
  });

  it('[N11] shows the bills of a client, and changes one', async () => {
    await shows('#invoices label', 'Invoice 1');
    await shows('#services', '(');
    const invoice = await page.$eval('#invoices select', (select: any) => String(select.dataset.invoice));
    await page.select('#invoices select', 'Refunded');
    await shows('#billing-said', `Invoice ${invoice} is Refunded.`);
    await page.reload();
    await shows('#invoices label', `Invoice ${invoice}`);
    expect(await page.$eval('#invoices select', (select: any) => select.value)).toBe('Refunded');
    await fill('#client', '999999');
    await page.$eval('#client', (input: any) => input.dispatchEvent(new (globalThis as any).Event('change')));
    await shows('#billing-said.error', 'Client ID Not Found');
    expect(complaints).toEqual([]);
  });

  it('[N11] links to the BFF', async () => {
    await shows('#bff', 'BFF: http://127.0.0.1:3999');
    expect(await page.$eval('#bff', (link: any) => link.href)).toBe('http://127.0.0.1:3999/health');
  });

  it('[N11] lets a picture of it end: no answer stays open', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'evergreen-page-')), 'page.png');
    const program = browser.process()?.spawnfile as string;
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=5000'];
    const chromium = spawn(program, [...options, `--screenshot=${file}`, sandbox.url], { stdio: 'ignore' });
    try {
      const code = await Promise.race([
        new Promise((resolve) => chromium.once('exit', resolve)),
        new Promise((resolve) => setTimeout(resolve, 25_000, 'it did not end').unref()),
      ]);
      expect([code, existsSync(file)]).toEqual([0, true]);
    } finally {
      chromium.kill('SIGKILL');
      rmSync(dirname(file), { recursive: true, force: true });
    }
  });

  it('shows what was written as text, whatever it is', async () => {
    const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    sandbox.org.create('Account', { Name: attack });
    await shows('#log li.event pre', 'onerror');
    await page.select('#objects', 'Account');
    await shows('#records button', attack);
    expect(await page.title()).toBe('Evergreen sandbox');
    expect(await page.$$('main img, main script')).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('fits the width of a phone', async () => {
    await page.setViewport({ width: 360, height: 740 });
    await openOrder();
    const widths = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = (globalThis as any).document.documentElement;
      return [scrollWidth, clientWidth];
    });
    expect(widths[0]).toBe(widths[1]);
    await page.setViewport({ width: 1200, height: 900 });
  });
});
