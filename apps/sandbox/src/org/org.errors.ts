/** One refusal in Salesforce's words: the HTTP status of the answer and the entry of its error array. */
export class SalesforceFault extends Error {
  constructor(
    readonly status: number,
    readonly errorCode: string,
    message: string,
    readonly fields: readonly string[] | undefined = undefined,
  ) {
    super(message);
    this.name = 'SalesforceFault';
  }

  /**
   * The body of the answer. REST errors are always arrays (REST API Developer Guide, "Status Codes and Error
   * Responses").
   */
  body(): unknown[] {
    const entry = { message: this.message, errorCode: this.errorCode };
    return [this.fields === undefined ? entry : { ...entry, fields: this.fields }];
  }
}

/** The refusal of a record or resource that does not exist. */
export function notFound(): SalesforceFault {
  return new SalesforceFault(404, 'NOT_FOUND', 'The requested resource does not exist');
}

/** The refusal of a field that the object does not have, in the words of the record endpoints. */
export function noSuchColumn(field: string, object: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_FIELD', `No such column '${field}' on sobject of type ${object}`);
}

/** The refusal of a record that is in the recycle bin. */
export function entityIsDeleted(): SalesforceFault {
  return new SalesforceFault(404, 'ENTITY_IS_DELETED', 'entity is deleted');
}
