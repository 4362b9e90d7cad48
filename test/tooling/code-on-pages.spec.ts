import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const folder = 'test/examples/cases';
const page = readFileSync('docs/adding-a-cache.md', 'utf8');

describe('docs/adding-a-cache.md', () => {
  it.each(readdirSync(folder))('shows %s as it is compiled and tested', (file) => {
    const code = readFileSync(join(folder, file), 'utf8');
    expect(page).toContain(`\`${file}\`\n\n\`\`\`ts\n${code}\`\`\`\n`);
  });
});
