/** A product of the made-up portal and its price in yen. */
export interface RangeProduct {
  readonly Name: string;
  readonly ProductCode: string;
  readonly Family: 'Internet' | 'SIM' | 'VPN' | 'Voice' | 'Hardware';
  readonly Description: string;
  readonly Region__c: 'East' | 'West' | null;
  readonly Billing_Cycle__c: 'Monthly' | 'Onetime';
  readonly Availability__c: 'In stock' | 'Limited' | 'Out of stock';
  readonly Stock__c: number | null;
  readonly price: number;
}

type Row = readonly [code: string, name: string, price: number, description: string];

/** The whole range: 46 products in five families. Internet lines are sold by region; hardware has a stock. */
export function productRange(): RangeProduct[] {
  return [
    ...INTERNET.flatMap((row) => [regional(row, 'East'), regional(row, 'West')]),
    ...INSTALLATION.map((row) => service('Internet', row, 'Onetime')),
    ...SIM.map((row) => service('SIM', row, 'Monthly')),
    ...SIM_FEES.map((row) => service('SIM', row, 'Onetime')),
    ...VPN.map((row) => service('VPN', row, 'Monthly')),
    ...VOICE.map((row) => service('Voice', row, 'Monthly')),
    ...HARDWARE.map(([row, stock]) => ({
      ...service('Hardware', row, 'Onetime'),
      Stock__c: stock,
      Availability__c:
        stock === 0 ? ('Out of stock' as const) : stock < 20 ? ('Limited' as const) : ('In stock' as const),
    })),
  ];
}

function service(
  Family: RangeProduct['Family'],
  [code, name, price, text]: Row,
  cycle: 'Monthly' | 'Onetime',
): RangeProduct {
  return {
    Name: name,
    ProductCode: code,
    Family,
    Description: text,
    Region__c: null,
    Billing_Cycle__c: cycle,
    Availability__c: 'In stock',
    Stock__c: null,
    price,
  };
}

function regional([code, name, price, text]: Row, region: 'East' | 'West'): RangeProduct {
  const row: Row = [
    `${code}-${region.charAt(0)}`,
    `${name} (${region})`,
    region === 'East' ? price : price - 200,
    text,
  ];
  return { ...service('Internet', row, 'Monthly'), Region__c: region };
}

const INTERNET: readonly Row[] = [
  ['INT-H10G-G', 'Fibre Home 10G Gold', 8800, 'Fibre to the home, up to 10 Gbit/s, router and set-up help included.'],
  ['INT-H10G-S', 'Fibre Home 10G Silver', 7600, 'Fibre to the home, up to 10 Gbit/s.'],
  ['INT-H1G-G', 'Fibre Home 1G Gold', 6500, 'Fibre to the home, up to 1 Gbit/s, router and set-up help included.'],
  ['INT-H1G-S', 'Fibre Home 1G Silver', 5400, 'Fibre to the home, up to 1 Gbit/s.'],
  ['INT-A1G-S', 'Fibre Apartment 1G', 4300, 'Fibre to the apartment block, up to 1 Gbit/s.'],
  ['INT-A100-S', 'Fibre Apartment 100M', 3600, 'Fibre to the apartment block, up to 100 Mbit/s over the house wiring.'],
];

const INSTALLATION: readonly Row[] = [
  ['INT-INS-1', 'Installation, paid at once', 22000, 'The technician’s visit, paid with the first invoice.'],
  ['INT-INS-12', 'Installation, 12 months', 1900, 'The technician’s visit in twelve parts.'],
  ['INT-INS-24', 'Installation, 24 months', 1000, 'The technician’s visit in twenty-four parts.'],
  ['INT-WKND', 'Weekend installation', 3300, 'The visit on a Saturday, Sunday or holiday.'],
];

const SIM: readonly Row[] = [
  ['SIM-D5', 'Data SIM 5 GB', 1100, 'Data only, 5 GB a month.'],
  ['SIM-D10', 'Data SIM 10 GB', 1600, 'Data only, 10 GB a month.'],
  ['SIM-D25', 'Data SIM 25 GB', 2600, 'Data only, 25 GB a month.'],
  ['SIM-D50', 'Data SIM 50 GB', 4000, 'Data only, 50 GB a month.'],
  ['SIM-V5', 'Voice SIM 5 GB', 1700, 'Calls, texts and 5 GB a month.'],
  ['SIM-V10', 'Voice SIM 10 GB', 2300, 'Calls, texts and 10 GB a month.'],
  ['SIM-V25', 'Voice SIM 25 GB', 3300, 'Calls, texts and 25 GB a month.'],
  ['SIM-V50', 'Voice SIM 50 GB', 4800, 'Calls, texts and 50 GB a month.'],
];

const SIM_FEES: readonly Row[] = [
  ['SIM-ACT', 'SIM activation', 1500, 'Activation of one line.'],
  ['SIM-REISSUE', 'SIM re-issue', 1000, 'A new profile for an existing line.'],
];

const VPN: readonly Row[] = [
  ['VPN-SF', 'VPN San Francisco', 1000, 'A tunnel to San Francisco, router included.'],
  ['VPN-LON', 'VPN London', 1000, 'A tunnel to London, router included.'],
  ['VPN-DUO', 'VPN San Francisco and London', 1700, 'Both tunnels on one router.'],
];

const VOICE: readonly Row[] = [
  ['VOI-BASE', 'Line Phone', 550, 'A fixed-line number over fibre.'],
  ['VOI-PLUS', 'Line Phone Plus', 1650, 'A fixed-line number with 24 hours of calls a month.'],
  ['VOI-2ND', 'Second number', 110, 'A further number on the same line.'],
  ['VOI-CH', 'Second channel', 220, 'Two calls at once.'],
  ['VOI-ID', 'Caller display', 440, 'Shows who calls.'],
  ['VOI-FWD', 'Call forwarding', 550, 'Sends calls on to another number.'],
  ['VOI-BLK', 'Call blocking', 220, 'Turns unwanted callers away.'],
  ['VOI-FAX', 'Fax by mail', 110, 'Delivers faxes as PDF.'],
];

const HARDWARE: readonly (readonly [Row, number])[] = [
  [['HW-RT-AX', 'Wi-Fi 6 router', 12800, 'For homes up to 90 m².'], 140],
  [['HW-RT-BE', 'Wi-Fi 7 router', 29800, 'For 10 Gbit/s lines.'], 35],
  [['HW-MESH', 'Mesh point', 9800, 'Extends the Wi-Fi by one floor.'], 12],
  [['HW-ONU', 'Home gateway', 16500, 'Fibre terminal with telephone ports.'], 60],
  [['HW-SW8', '8-port switch', 6400, 'Gigabit, without fan.'], 0],
  [['HW-PHONE', 'Cordless telephone', 5900, 'Handset and base.'], 48],
  [['HW-UPS', 'Battery back-up', 18900, 'Keeps router and telephone up for four hours.'], 7],
  [['HW-POCKET', 'Pocket Wi-Fi', 14900, 'For data SIMs, ten devices.'], 88],
  [['HW-CAM', 'Door camera', 11200, 'Outdoor, with night vision.'], 22],
];
