import { defaulted } from '@bff/infra/config/documented-variable';
import { text, wholeNumber } from '@bff/infra/config/value-kinds';

/** The variables of `POST /api/orders`. */
export const orderVariables = {
  ORDER_TOTAL_MAX: defaulted(wholeNumber(1, 1_000_000_000_000), '10000000', {
    group: 'orders',
    description: "The largest total of one order, in the org's currency; a larger one is answered with 422.",
  }),
  SF_ORDER_REQUEST_ID_FIELD: defaulted(
    text('the API name of a custom field, such as Portal_Request_Id__c, or none', /^([A-Za-z]\w{0,76}__c|none)$/),
    'Portal_Request_Id__c',
    {
      group: 'orders',
      description:
        'The unique text field of Order by which Salesforce refuses a second order for one idempotency key. none: there is no such field.',
    },
  ),
};
