/** What is used of the package, which comes without types. */
declare module 'proxy-from-env' {
  /** The proxy's URL for this URL; an empty text if there is none. */
  export function getProxyForUrl(url: string): string;
}
