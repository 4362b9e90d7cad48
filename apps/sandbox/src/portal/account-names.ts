import type { Random } from './random.js';

const GIVEN = [
  'Aiko',
  'Ben',
  'Carla',
  'Daichi',
  'Emma',
  'Farid',
  'Grace',
  'Haruto',
  'Ines',
  'Jun',
  'Kenji',
  'Lena',
  'Mika',
  'Noah',
  'Olga',
  'Priya',
];
const FAMILY = [
  'Abe',
  'Baker',
  'Costa',
  'Endo',
  'Fischer',
  'Goto',
  'Hall',
  'Ito',
  'Jansen',
  'Kimura',
  'Lopez',
  'Mori',
  'Novak',
  'Ono',
  'Park',
  'Sato',
];
const COMPANY = [
  'Trading',
  'Design',
  'Foods',
  'Logistics',
  'Studio',
  'Clinic',
  'Language School',
  'Books',
  'Bakery',
  'Consulting',
];
const TOWNS = [
  { city: 'Chiyoda', state: 'Tokyo', postal: '100', region: 'East' },
  { city: 'Yokohama', state: 'Kanagawa', postal: '220', region: 'East' },
  { city: 'Sendai', state: 'Miyagi', postal: '980', region: 'East' },
  { city: 'Sapporo', state: 'Hokkaido', postal: '060', region: 'East' },
  { city: 'Osaka', state: 'Osaka', postal: '530', region: 'West' },
  { city: 'Kyoto', state: 'Kyoto', postal: '600', region: 'West' },
  { city: 'Fukuoka', state: 'Fukuoka', postal: '810', region: 'West' },
  { city: 'Hiroshima', state: 'Hiroshima', postal: '730', region: 'West' },
] as const;

/** A made-up customer's name: a person, or in one of four cases a company. */
export function customerName(random: Random): string {
  if (random.chance(0.25)) return `${random.pick(FAMILY)} ${random.pick(COMPANY)}`;
  return `${random.pick(GIVEN)} ${random.pick(FAMILY)}`;
}

/** A made-up address and the region it lies in. */
export function customerAddress(random: Random): { region: 'East' | 'West'; fields: Record<string, string> } {
  const town = random.pick(TOWNS);
  const fields = {
    BillingStreet: `${random.integer(1, 9)}-${random.integer(1, 30)}-${random.integer(1, 20)}`,
    BillingCity: town.city,
    BillingState: town.state,
    BillingPostalCode: `${town.postal}-${String(random.integer(0, 9999)).padStart(4, '0')}`,
    BillingCountry: 'Japan',
  };
  return { region: town.region, fields };
}
