import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { SalesforceFault } from '../org/org.errors.js';
import { channelOfOne, channelOfSeveral, type CanViewAll, type Channel, type ChannelMember } from './channel.js';
import { changeEventName, channelOf } from './event-schema.js';

/** The channel that carries the changes of every selected object. */
export const ALL_CHANGES = '/data/ChangeEvents';

/** Maximum enriched fields of one member (Change Data Capture guide, "Event Enrichment"). */
const ENRICHED_FIELDS_MAX = 10;

/** The channels of the org: one for each object that has events, one for all changes, and custom ones. */
export class Channels {
  private readonly selected: Set<string>;
  /** Deselected in Setup: a subscription does not select them again. */
  private readonly deselected = new Set<string>();
  private readonly custom = new Map<string, Map<string, ChannelMember>>();
  private readonly listeners = new Set<(name: string) => void>();

  constructor(
    private readonly org: OrgState,
    private readonly canViewAll: CanViewAll,
  ) {
    const initial = org.schema.objects().filter((object) => object.traits.capturesChanges === true);
    this.selected = new Set(initial.map((object) => object.name));
  }

  /** Whether changes of this object become events: it is selected in Setup, or is on a custom channel. */
  isCaptured(object: ObjectDefinition): boolean {
    if (this.selected.has(object.name)) return true;
    for (const members of this.custom.values()) if (members.has(object.name)) return true;
    return false;
  }

  /** Adds an object to the channel of all changes or takes it off, as Setup, "Change Data Capture", does. */
  select(object: ObjectDefinition, isSelected: boolean): void {
    if (!supportsCapture(object)) throw refused(`${object.name} does not support Change Data Capture`);
    if (isSelected) this.selected.add(object.name);
    else this.selected.delete(object.name);
    if (isSelected) this.deselected.delete(object.name);
    else this.deselected.add(object.name);
  }

  /** Like `select`, by the name of the event: `OrderChangeEvent`. */
  selectEvent(event: string, isSelected: boolean): void {
    this.select(this.objectOf(event), isSelected);
  }

  /**
   * The channel that a client asks for by name. If it is the channel of one object that nobody has deselected, the
   * object is selected from now on: a sandbox publishes what its subscribers ask for. A real org refuses until somebody
   * selects the object in Setup; `select` with `false` makes this one refuse, too.
   */
  open(name: string): Channel | undefined {
    const object = this.org.schema.objects().find((candidate) => channelOf(candidate) === name);
    if (object !== undefined && supportsCapture(object) && !this.deselected.has(object.name)) {
      this.selected.add(object.name);
    }
    return this.find(name);
  }

  /** The channel of this name, if there is one now. */
  find(name: string): Channel | undefined {
    if (name === ALL_CHANGES) {
      const member = (object: ObjectDefinition): ChannelMember | undefined =>
        this.selected.has(object.name) ? { object, enrichedFields: [] } : undefined;
      return channelOfSeveral(name, this.org, this.canViewAll, member);
    }
    const members = this.custom.get(name);
    if (members !== undefined) {
      return channelOfSeveral(name, this.org, this.canViewAll, (object) => members.get(object.name));
    }
    const object = this.eventObjects().find((candidate) => channelOf(candidate) === name);
    return object === undefined ? undefined : channelOfOne(name, object, this.canViewAll);
  }

  /** The names of all channels, for people. */
  names(): string[] {
    return [ALL_CHANGES, ...this.eventObjects().map(channelOf), ...this.custom.keys()];
  }

  /** The names of the custom channels. */
  customNames(): string[] {
    return [...this.custom.keys()];
  }

  /** The objects on the channel of all changes. */
  selectedObjects(): string[] {
    return [...this.selected];
  }

  /** Creates a custom channel, `/data/Name__chn`. */
  add(name: string): void {
    if (!/^\/data\/[A-Za-z]\w*__chn$/.test(name)) throw refused(`a custom channel is named like Orders__chn: ${name}`);
    if (this.custom.has(name)) throw refused(`the channel ${name} exists already`, 'DUPLICATE_VALUE');
    this.custom.set(name, new Map());
  }

  /** Removes a custom channel; false if there was none. */
  remove(name: string): boolean {
    const had = this.custom.delete(name);
    if (had) for (const listener of this.listeners) listener(name);
    return had;
  }

  /** Calls back with the name of every removed custom channel. */
  onRemoved(listener: (name: string) => void): void {
    this.listeners.add(listener);
  }

  membersOf(name: string): readonly ChannelMember[] | undefined {
    const members = this.custom.get(name);
    return members === undefined ? undefined : [...members.values()];
  }

  /**
   * Puts an object on a custom channel, or replaces its enriched fields. `event` is a name such as `OrderChangeEvent`.
   */
  setMember(channel: string, event: string, enrichedFields: readonly string[]): void {
    const members = this.custom.get(channel);
    if (members === undefined) throw refused(`there is no custom channel ${channel}`);
    const object = this.org.schema.objects().find((candidate) => changeEventName(candidate.name) === event);
    if (object === undefined || !supportsCapture(object))
      throw refused(`there is no change event ${event} in this org`);
    if (enrichedFields.length > ENRICHED_FIELDS_MAX) {
      throw refused(`at most ${ENRICHED_FIELDS_MAX} fields can be enriched, not ${enrichedFields.length}`);
    }
    const names = enrichedFields.map((name) => {
      const field = object.field(name);
      if (field?.captured !== true) throw refused(`${event} has no field ${name} to be enriched with`);
      return field.name;
    });
    members.set(object.name, { object, enrichedFields: names });
  }

  /** Takes an object off a custom channel; false if it is not on it. */
  removeMember(channel: string, event: string): boolean {
    const members = this.custom.get(channel);
    const member = this.membersOf(channel)?.find(({ object }) => changeEventName(object.name) === event);
    return member !== undefined && members?.delete(member.object.name) === true;
  }

  private objectOf(event: string): ObjectDefinition {
    const object = this.org.schema.objects().find((candidate) => changeEventName(candidate.name) === event);
    if (object !== undefined && supportsCapture(object)) return object;
    throw refused(`there is no change event ${event} in this org`);
  }

  /** The objects that have a channel of their own. */
  private eventObjects(): ObjectDefinition[] {
    return this.org.schema.objects().filter((object) => object.traits.isEvent === true || this.isCaptured(object));
  }
}

function supportsCapture(object: ObjectDefinition): boolean {
  return object.traits.isEvent !== true && object.traits.isReadOnly !== true;
}

function refused(reason: string, errorCode = 'INVALID_INPUT'): SalesforceFault {
  return new SalesforceFault(400, errorCode, reason);
}
