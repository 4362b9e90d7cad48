import { defaulted } from '@bff/infra/config/documented-variable';
import { channel } from '@bff/integrations/salesforce/salesforce-variables';

/** The channels on which the changes of this domain arrive. */
export const orderChannelVariables = {
  SF_ORDER_CDC_CHANNEL: defaulted(channel, '/data/OrderChangeEvent', {
    group: 'events',
    description: 'The channel with the changes of orders.',
  }),
  SF_ORDER_ITEM_CDC_CHANNEL: defaulted(channel, '/data/OrderItemChangeEvent', {
    group: 'events',
    description: 'The channel with the changes of order items.',
  }),
};
