import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js';
import { getOrInsert } from '../../node-24/get-or-insert.ts';
import { acceptEncodingKey, channelSettings, connectionOptions } from './channel-settings.ts';
import { CountedSubchannel } from './counted-subchannel.ts';
import { healthCheckCode } from './health-check-code.ts';
import { ejectionAfter, initialHealth, mayReturnEarly, onProbation, type ReplicaHealth } from './outliers.ts';
import { planReadmission } from './readmission.ts';
import { type Replica, ReplicaSubchannel } from './replica-subchannel.ts';
import { createSpareConnections } from './spare-connections.ts';
import { takeStreamMarker } from './stream-marker.ts';

/** The policy's name in a service config: `{ outlier_ejection: { childPolicy: [{ round_robin: {} }] } }`. */
export const outlierEjectionName = 'outlier_ejection';

/** Distinguishes the spare connections to a replica. grpc-js would share connections with equal channel options. */
const spareNumberOption = 'acme.spare_connection';

/** Distinguishes the connection of a replica from an earlier one that does not answer. */
const connectionNumberOption = 'acme.connection';

/** Queues a call until one of its replica's connections is ready. */
const queued: experimental.PickResult = {
  pickResultType: experimental.PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
};

/**
 * Registers a balancing policy that hides replicas from its child policy for a while if they fail several calls in a row
 * (the idea of gRFC A50). grpc-js's own outlier_detection counts every status but OK as a failure, and counts nothing on
 * a channel whose connections existed before it.
 */
export function registerOutlierEjection(): void {
  experimental.registerLoadBalancerType(outlierEjectionName, OutlierEjection, OutlierEjectionConfig);
}

class OutlierEjectionConfig implements experimental.TypedLoadBalancingConfig {
  readonly childPolicy: experimental.TypedLoadBalancingConfig;

  constructor(childPolicy: experimental.TypedLoadBalancingConfig) {
    this.childPolicy = childPolicy;
  }

  static createFromJson({ childPolicy }: { childPolicy?: unknown }): OutlierEjectionConfig {
    const child = Array.isArray(childPolicy) ? experimental.selectLbConfigFromList(childPolicy) : null;
    if (!child) throw new Error('childPolicy names no known policy');
    return new OutlierEjectionConfig(child);
  }

  getLoadBalancerName() {
    return outlierEjectionName;
  }

  toJsonObject() {
    return { [outlierEjectionName]: { childPolicy: [this.childPolicy.toJsonObject()] } };
  }
}

interface Update {
  readonly endpoints: readonly experimental.Endpoint[];
  readonly config: OutlierEjectionConfig;
  readonly options: ChannelOptions;
  readonly note: string;
}

/** State of an address while the name has it, whatever the connections to it. */
interface AddressState {
  /** Number of its current connection. */
  connectionNumber: number;
  readonly health: ReplicaHealth;
  /** Cancels the planned readmission of an ejected replica. */
  cancelReadmission: () => void;
}

/** Codes of a health check that is not answered, or by a proxy whose server is dead. */
const codesOfFailedChecks: readonly status[] = [status.DEADLINE_EXCEEDED, status.UNAVAILABLE];

class OutlierEjection implements experimental.LoadBalancer {
  readonly #replicas = new Map<string, Replica>();
  readonly #child: experimental.ChildLoadBalancerHandler;
  /** The last resolution with addresses. */
  #update: Update | undefined;
  readonly #addresses = new Map<string, AddressState>();
  /** Last state that the child policy reported. */
  #state = connectivityState.IDLE;
  /** Settings of the channel, which connections are shared without. */
  #settings = channelSettings({});
  /** Makes queued calls pick again. */
  #pickAgain = () => {};

  constructor(helper: experimental.ChannelControlHelper) {
    const childHelper = experimental.createChildChannelControlHelper(helper, {
      createSubchannel: (address, options) => {
        const name = experimental.subchannelAddressToString(address);
        const { connectionNumber } = this.#stateOf(name);
        const shared = { ...connectionOptions(options), [connectionNumberOption]: connectionNumber };
        const { maxResponseBytes } = this.#settings;
        const open = (number: number) =>
          new CountedSubchannel(
            helper.createSubchannel(address, { ...shared, [spareNumberOption]: number }),
            maxResponseBytes,
          );
        const replica = this.#replicaAt(name, open);
        return new ReplicaSubchannel(helper.createSubchannel(address, shared), replica, maxResponseBytes);
      },
      updateState: (state, picker, error) => {
        this.#state = state;
        // No other replica can serve. If an ejected one can, readmitting it reports another state.
        if (state === connectivityState.TRANSIENT_FAILURE) this.#readmitAll();
        if (this.#state !== state) return;
        const isReady = state === connectivityState.READY;
        const ownPicker = isReady ? this.#watched(picker) : picker;
        this.#pickAgain = () => helper.updateState(state, ownPicker, error);
        this.#pickAgain();
      },
    });
    this.#child = new experimental.ChildLoadBalancerHandler(childHelper);
  }

  updateAddressList(...update: Parameters<experimental.LoadBalancer['updateAddressList']>): boolean {
    const [endpoints, config, options, note] = update;
    if (!(config instanceof OutlierEjectionConfig)) return false;
    this.#settings = channelSettings(options);
    if (!endpoints.ok) return this.#child.updateAddressList(endpoints, config.childPolicy, options, note);
    this.#update = { endpoints: endpoints.value, config, options, note };
    const present = addressesOf(endpoints.value);
    for (const [address, state] of this.#addresses) {
      if (present.has(address)) continue;
      state.cancelReadmission();
      this.#addresses.delete(address);
    }
    return this.#apply(this.#update);
  }

  #apply({ endpoints, config, options, note }: Update): boolean {
    const present = addressesOf(endpoints);
    for (const address of this.#replicas.keys()) if (!present.has(address)) this.#forget(address);
    const found = experimental.statusOrFromValue([...endpoints]);
    return this.#child.updateAddressList(found, config.childPolicy, options, note);
  }

  /** Replaces the connection of a replica, as if its address had left the name and joined it again. Its ejection stays. */
  #reconnect(address: string) {
    if (!this.#update) return;
    this.#stateOf(address).connectionNumber++;
    const others = this.#update.endpoints.filter((each) => !addressesOf([each]).has(address));
    this.#apply({ ...this.#update, endpoints: others });
    this.#apply(this.#update);
  }

  exitIdle() {
    this.#child.exitIdle();
  }

  resetBackoff() {
    this.#child.resetBackoff();
  }

  destroy() {
    for (const { cancelReadmission } of this.#addresses.values()) cancelReadmission();
    for (const address of this.#replicas.keys()) this.#forget(address);
    this.#child.destroy();
  }

  getTypeName() {
    return outlierEjectionName;
  }

  #stateOf(address: string): AddressState {
    const initial = () => ({ connectionNumber: 0, health: initialHealth(), cancelReadmission: () => {} });
    return getOrInsert(this.#addresses, address, initial);
  }

  #replicaAt(address: string, open: (number: number) => CountedSubchannel): Replica {
    const known = this.#replicas.get(address);
    if (known) return known;
    const replica: Replica = {
      address,
      health: this.#stateOf(address).health,
      subchannels: new Set(),
      onConnected: () => this.#onConnected(replica),
      spares: createSpareConnections({ open, onChange: () => this.#pickAgain() }),
    };
    this.#replicas.set(address, replica);
    return replica;
  }

  #forget(address: string) {
    this.#replicas.get(address)?.spares.close();
    this.#replicas.delete(address);
  }

  /** Returns the child's picker, with the outcomes of its calls counted. */
  #watched(picker: experimental.Picker): experimental.Picker {
    return {
      pick: (call) => {
        const isStream = takeStreamMarker(call.metadata);
        if (!this.#settings.acceptsCompression) call.metadata.remove(acceptEncodingKey);
        const extraPickInfo = isStream ? { ...call.extraPickInfo, stream: '1' } : call.extraPickInfo;
        const picked = picker.pick({ ...call, extraPickInfo });
        if (!(picked.subchannel instanceof ReplicaSubchannel)) return picked;
        const { replica, counted } = picked.subchannel;
        const subchannel = replica.spares.choose(counted);
        if (!subchannel) return queued;
        subchannel.countPick();
        return {
          ...picked,
          subchannel,
          onCallEnded: (code, details, metadata) => {
            picked.onCallEnded?.(code, details, metadata);
            // Its address has left the name, or its connection was replaced.
            if (this.#replicas.get(replica.address) !== replica) return;
            const health = [...this.#replicas.values()].map((each) => each.health);
            const ejectionMs = ejectionAfter(replica.health, code, isStream, health);
            if (ejectionMs > 0) this.#eject(replica, ejectionMs);
          },
        };
      },
    };
  }

  #eject(replica: Replica, ejectionMs: number) {
    for (const subchannel of replica.subchannels) subchannel.followHealth();
    const { address } = replica;
    this.#stateOf(address).cancelReadmission = planReadmission({
      ejectionMs,
      isSilent: async () => (await this.#check(replica)) === status.DEADLINE_EXCEEDED,
      readmit: () => this.#readmit(address),
      reconnect: () => this.#reconnect(address),
    });
  }

  async #check({ subchannels }: Replica): Promise<status> {
    const [connection] = subchannels;
    // A lost connection is being replaced already.
    return connection?.getConnectivityState() === connectivityState.READY
      ? healthCheckCode(connection)
      : status.UNAVAILABLE;
  }

  /** Another process may serve the address now. */
  async #onConnected(replica: Replica) {
    const { address, health } = replica;
    if (health.ejections === 0) health.faultsInARow = 0;
    if (!mayReturnEarly(health) || codesOfFailedChecks.includes(await this.#check(replica))) return;
    if (this.#replicas.get(address) === replica && mayReturnEarly(health)) this.#readmit(address);
  }

  #readmit(address: string) {
    const { health, cancelReadmission } = this.#stateOf(address);
    cancelReadmission();
    Object.assign(health, onProbation(health));
    for (const subchannel of this.#replicas.get(address)?.subchannels ?? []) subchannel.followHealth();
  }

  #readmitAll() {
    for (const { address, health } of this.#replicas.values()) if (health.isEjected) this.#readmit(address);
  }
}

function addressesOf(endpoints: readonly experimental.Endpoint[]): Set<string> {
  return new Set(endpoints.flatMap(({ addresses }) => addresses.map(experimental.subchannelAddressToString)));
}
