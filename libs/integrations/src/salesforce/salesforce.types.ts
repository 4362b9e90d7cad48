/** This file declares the records that this project's queries read, with Salesforce's own names of the fields. */
export interface AccountRecord {
  readonly Id: string;
  readonly Name: string;
  /** The portal user (the token's subject) who owns this account. */
  readonly Portal_User_Id__c: string | null;
  readonly WHMCS_Client_Id__c: string | null;
  readonly Internet_Eligibility__c: string | null;
  readonly Internet_Eligibility_Status__c: string | null;
  readonly Eligible_Regions__c: string | null;
}

export interface Product2Record {
  readonly Id: string;
  readonly Name: string;
  readonly ProductCode: string | null;
  readonly Description: string | null;
  readonly IsActive: boolean;
  /** The portal's category: `Internet`, `SIM`, `VPN`, `Voice`, `Hardware`. */
  readonly Family: string | null;
  /** Region where the product is sold; null means everywhere. */
  readonly Region__c: string | null;
  readonly Billing_Cycle__c: string | null;
  readonly Availability__c: string | null;
  readonly Stock__c: number | null;
}

export interface PricebookEntryRecord {
  readonly Id: string;
  readonly Product2Id: string;
  readonly Pricebook2Id: string;
  readonly UnitPrice: number;
  readonly IsActive: boolean;
}

export interface OrderItemRecord {
  readonly Id: string;
  readonly OrderId: string;
  readonly OrderItemNumber: string;
  readonly Product2Id: string;
  readonly PricebookEntryId: string;
  readonly Quantity: number;
  readonly UnitPrice: number;
  readonly TotalPrice: number;
  readonly Description: string | null;
  readonly Billing_Cycle__c: string | null;
  readonly Product2: { readonly Name: string; readonly ProductCode: string | null } | null;
}

export interface OrderRecord {
  readonly Id: string;
  readonly OrderNumber: string;
  readonly AccountId: string;
  readonly Status: string;
  readonly Type: string | null;
  readonly EffectiveDate: string;
  readonly TotalAmount: number;
  readonly CreatedDate: string;
  readonly LastModifiedDate: string;
  readonly OrderItems: {
    readonly totalSize: number;
    readonly done: boolean;
    readonly records: OrderItemRecord[];
  } | null;
}
