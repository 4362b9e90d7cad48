import type { Agent } from 'node:http';
import createHttpsProxyAgent from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';

/**
 * The agent of the forward proxy that the usual variables name for this address (`https_proxy`, `http_proxy`,
 * `no_proxy`, either case); undefined if there is none. A package reads them the conventional way, so they are not part
 * of our schema.
 */
export function forwardProxyFor(url: URL): Agent | undefined {
  const proxy = getProxyForUrl(url.href);
  return proxy === '' ? undefined : (createHttpsProxyAgent(proxy) as unknown as Agent);
}
