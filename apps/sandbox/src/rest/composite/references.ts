import { SalesforceFault } from '../../org/org.errors.js';

/** The answer to one subrequest, as the answer to the composite request contains it. */
export interface SubResponse {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

/** The value, with every `@{reference.path}` in it replaced by the earlier answer's value at that path. */
export function resolved(value: unknown, earlier: readonly SubResponse[]): unknown {
  if (typeof value === 'string')
    return value.replace(/@\{([^}]*)\}/g, (_, path: string) => String(valueAt(path, earlier)));
  if (Array.isArray(value)) return value.map((item) => resolved(item, earlier));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, earlier)]));
}

function valueAt(path: string, earlier: readonly SubResponse[]): unknown {
  const [referenceId, ...steps] = path.replace(/\[(\d+)\]/g, '.$1').split('.');
  let value: unknown = earlier.find((response) => response.referenceId === referenceId)?.body;
  for (const step of steps) {
    const has = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    value = has ? (value as Record<string, unknown>)[step] : undefined;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new SalesforceFault(
    400,
    'PROCESSING_HALTED',
    `Invalid reference specified. No value for ${path} found in ${referenceId ?? ''}`,
  );
}
