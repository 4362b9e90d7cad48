import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ACTIONS } from '@bff/integrations/salesforce/events/pubsub/stream-faults';

const page = readFileSync('docs/reference/change-events.md', 'utf8');

/** The fields of an interface, in source order. */
function fieldsOf(file: string, name: string): string[] {
  const source = readFileSync(file, 'utf8');
  const body = source.slice(source.indexOf(`export interface ${name} {`)).split('\n}\n')[0] as string;
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1] as string);
}

/** The text in backticks of the first column of the tables under a heading. */
function namedUnder(heading: string): string[] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 1).split('\n#')[0] as string;
  const cells = [...section.matchAll(/^\| ([^|]*) \|/gm)].map((match) => match[1] as string);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string));
}

const sorted = (names: string[]) => [...names].sort();

describe('docs/reference/change-events.md', () => {
  const events = 'libs/modules/src/change-events';
  const source = 'libs/integrations/src/salesforce/events/change-event-source.ts';

  it('lists every field of the answer of /health/sf-events', () => {
    const fields = fieldsOf(`${events}/events-report.ts`, 'EventsHealth');
    expect(fields.length).toBeGreaterThan(5);
    expect(sorted(namedUnder('## `GET /health/sf-events`'))).toEqual(sorted(fields));
  });

  it('lists every field of a topic', () => {
    const fields = [
      ...fieldsOf(source, 'TopicHealth'),
      ...fieldsOf(`${events}/consuming/topic-consumer.ts`, 'TopicCounters'),
      'subscriptions',
    ];
    expect(sorted(namedUnder('### A topic'))).toEqual(sorted(fields).filter((field) => field !== 'transport'));
  });

  it('lists every field of the reconciler', () => {
    const fields = fieldsOf(`${events}/reconciler/reconciler.ts`, 'ReconcilerReport').filter(
      (field) => field !== 'tables',
    );
    expect(sorted(namedUnder('### The reconciler'))).toEqual(sorted(fields));
  });

  it('lists every code of the Pub/Sub API that has an action', () => {
    const codes = namedUnder('### The Pub/Sub API').filter((name) => /^[a-z.]+$/.test(name));
    expect(sorted(codes)).toEqual(sorted(Object.keys(ACTIONS)));
  });
});
