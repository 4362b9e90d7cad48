/* global document */
import { at, element } from './dom.mjs';

/** Maximum number of entries in the event log of the page; then the oldest goes. */
const LOG_MAX = 200;
const POLL_MS = 500;

/** The newest entry that the page shows. */
let lastId = 0;

/**
 * Shows what happens in the sandbox, while the page is open and not hidden. It asks again and again, because an open
 * stream would count as an answer that is still to come: a browser without a window, with a budget of virtual time,
 * would wait for it for ever.
 */
export function watch() {
  void poll().finally(() => setTimeout(watch, POLL_MS));
}

async function poll() {
  if (document.hidden) return;
  try {
    const response = await fetch(`/sandbox/feed.json?after=${lastId}`);
    const { status, entries, newestId } = await response.json();
    for (const entry of entries) addToLog(entry, entry.kind === 'fault' ? describeFault : describeEvent);
    lastId = newestId;
    showStatus(status);
    at('log-state').textContent = 'Live: the newest is on top.';
  } catch {
    at('log-state').textContent = 'The sandbox cannot be reached; trying again …';
  }
}

function addToLog(entry, describe) {
  const { title, details } = describe(entry);
  const item = element('li', '', { className: entry.kind });
  const box = element('details');
  box.append(element('summary', `${entry.at.slice(11, 19)}  ${title}`));
  box.append(element('pre', JSON.stringify(details, undefined, 2)));
  item.append(box);
  at('log').prepend(item);
  while (at('log').childElementCount > LOG_MAX) at('log').lastElementChild.remove();
}

function describeEvent({ replayId, channel, changeType, recordIds, payload }) {
  const changed = payload.ChangeEventHeader?.changedFields?.filter((name) => name !== 'LastModifiedDate') ?? [];
  const parts = [channel, changeType, recordIds?.join(', '), changed.join(', '), `replay id ${replayId}`];
  return { title: parts.filter(Boolean).join(' · '), details: payload };
}

function describeFault({ fault, effect }) {
  return { title: `fault · ${fault}`, details: effect };
}

function showStatus({ now, pubSubStreams, cometdSessions, faults: inForce }) {
  at('now').textContent = now.replace('T', ' ').slice(0, 19);
  at('streams').textContent = String(pubSubStreams);
  at('sessions').textContent = String(cometdSessions);
  const names = Object.keys(inForce);
  at('in-force').textContent = names.length === 0 ? 'none' : names.join(', ');
  at('in-force').className = names.length === 0 ? '' : 'fault';
}
