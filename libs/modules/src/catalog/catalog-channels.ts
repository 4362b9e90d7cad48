import { defaulted } from '@bff/infra/config/documented-variable';
import { channel } from '@bff/integrations/salesforce/salesforce-variables';

/** The channels on which the changes of this domain arrive. */
export const catalogChannelVariables = {
  SF_CATALOG_PRODUCT_CDC_CHANNEL: defaulted(channel, '/data/Product2ChangeEvent', {
    group: 'events',
    description: 'The channel with the changes of products.',
  }),
  SF_CATALOG_PRICEBOOKENTRY_CDC_CHANNEL: defaulted(channel, '/data/PricebookEntryChangeEvent', {
    group: 'events',
    description: 'The channel with the changes of price book entries.',
  }),
  SF_ACCOUNT_CDC_CHANNEL: defaulted(channel, '/data/AccountChangeEvent', {
    group: 'events',
    description: 'The channel with the changes of accounts.',
  }),
  SF_ACCOUNT_EVENT_CHANNEL: defaulted(channel, '/event/Account_Eligibility_Update__e', {
    group: 'events',
    description: "The platform event that announces a change of an account's eligibility.",
  }),
};
