/** A read was not sent, because what is left of the source's quota is kept for others. The message says why. */
export class QuotaReservedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuotaReservedError';
  }
}
