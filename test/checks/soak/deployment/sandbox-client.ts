import { HttpClient, jsonOf, type HttpAnswer } from './http-client.js';

/** A record as REST shows it. */
export type Row = { readonly Id: string } & Readonly<Record<string, unknown>>;

const DATA = '/services/data/v67.0';
const JSON_BODY = { 'content-type': 'application/json' };

/** A call that Salesforce did not carry out, or whose outcome is unknown. */
export class NotAcknowledgedError extends Error {
  constructor(
    readonly status: number | undefined,
    text: string,
  ) {
    super(text);
    this.name = 'NotAcknowledgedError';
  }
}

/** The org from outside: its REST API, as an administrator's tool uses it, and the faults of the sandbox. */
export class SandboxClient {
  private readonly http: HttpClient;
  private token: string | undefined;

  constructor(url: string) {
    this.http = new HttpClient(url);
  }

  /**
   * Resolves with the body when Salesforce has confirmed the call. Rejects with `NotAcknowledgedError` if it has not, or
   * if there is no token, so that nothing was sent.
   */
  async rest(method: string, path: string, body?: object): Promise<unknown> {
    this.token ??= await this.tokenAt('/demo/salesforce-token');
    const answer = await this.send(method, path, body);
    if (answer.status >= 200 && answer.status < 300) return jsonOf(answer);
    if (answer.status === 401) this.token = undefined; // the next call signs in again
    throw new NotAcknowledgedError(answer.status, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  /** All rows, over all pages. */
  async query(soql: string): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let path: string | undefined = `/query?q=${encodeURIComponent(soql)}`;
    while (path !== undefined) {
      const page = (await this.rest('GET', path)) as { records: Row[]; nextRecordsUrl?: string };
      rows.push(...page.records);
      path = page.nextRecordsUrl?.slice(DATA.length);
    }
    return rows;
  }

  /** Creates a record, and resolves with its id. */
  async create(object: string, fields: object): Promise<string> {
    return ((await this.rest('POST', `/sobjects/${object}`, fields)) as { id: string }).id;
  }

  async update(object: string, id: string, fields: object): Promise<void> {
    await this.rest('PATCH', `/sobjects/${object}/${id}`, fields);
  }

  async delete(object: string, id: string): Promise<void> {
    await this.rest('DELETE', `/sobjects/${object}/${id}`);
  }

  /** Changes the behaviour of the sandbox from now on: docs/operating/sandbox.md. */
  async fault(order: { readonly fault: string } & Readonly<Record<string, unknown>>): Promise<void> {
    const body = JSON.stringify(order);
    const answer = await this.http.call('/sandbox/faults', {
      method: 'POST',
      headers: JSON_BODY,
      body,
      timeoutMs: 60_000,
    });
    if (answer.status !== 200) throw new Error(`the sandbox refused ${body}: ${answer.status} ${answer.text}`);
  }

  async endFaults(): Promise<void> {
    await this.http.call('/sandbox/faults', { method: 'DELETE', timeoutMs: 60_000 });
  }

  /** The number of events delivered to all subscribers together. */
  async deliveredEvents(): Promise<number> {
    const stats = jsonOf(await this.http.call('/sandbox/stats')) as { deliveredEvents?: number } | undefined;
    return stats?.deliveredEvents ?? 0;
  }

  /** The number of coming events that the fault `drop-events` will still lose. */
  async eventsToLose(): Promise<number> {
    type InForce = { inForce?: { 'drop-events'?: { events?: number } } };
    const faults = jsonOf(await this.http.call('/sandbox/faults')) as InForce | undefined;
    return faults?.inForce?.['drop-events']?.events ?? 0;
  }

  /** Rejects with `NotAcknowledgedError` if the sandbox issues none. */
  async customerToken(customer: number): Promise<string> {
    return this.tokenAt(`/demo/token/${customer}`);
  }

  close(): void {
    this.http.close();
  }

  private async tokenAt(path: string): Promise<string> {
    const advice = `look at the log of the sandbox at ${this.http.origin}, and at its /sandbox/faults`;
    let answer: HttpAnswer;
    try {
      answer = await this.http.call(path);
    } catch (error) {
      throw new NotAcknowledgedError(undefined, `no token, ${(error as Error).message}; ${advice}`);
    }
    const { status, text } = answer;
    if (status === 200 && text !== '') return text;
    throw new NotAcknowledgedError(status, `no token, GET ${path}: ${status} ${text.slice(0, 300)}; ${advice}`);
  }

  private async send(method: string, path: string, body: object | undefined): Promise<HttpAnswer> {
    const headers = { authorization: `Bearer ${this.token}`, ...JSON_BODY };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    try {
      return await this.http.call(`${DATA}${path}`, { method, headers, ...text });
    } catch (error) {
      throw new NotAcknowledgedError(undefined, `${method} ${path}: ${(error as Error).message}`);
    }
  }
}
