import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The source: a table in a file, and an answer that is under way for 300 ms. */
const FILE = 'products.json';
const ANSWER_MS = 300;

export async function productsOf(category) {
  console.log(`query: ${category}`);
  const rows = readRows().filter((row) => row.category === category);
  await delay(ANSWER_MS);
  return rows;
}

export async function setPrice(id, price) {
  const rows = readRows().map((row) => (row.id === id ? { ...row, price } : row));
  writeFileSync(`${FILE}.new`, JSON.stringify(rows, null, 2));
  renameSync(`${FILE}.new`, FILE); // no reader sees half a file
}

function readRows() {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}
