import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js';
import { acceptEncodingKey, channelSettings, connectionOptions } from './channel-settings.ts';
import { CountedSubchannel } from './counted-subchannel.ts';
import { isAnswering } from './is-answering.ts';
import { ejectionAfter, initialHealth, onProbation, type ReplicaHealth } from './outliers.ts';
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

class OutlierEjection implements experimental.LoadBalancer {
  readonly #replicas = new Map<string, Replica>();
  readonly #child: experimental.ChildLoadBalancerHandler;
  /** The last resolution with addresses. */
  #update: Update | undefined;
  /** The numbers of connections, by address. 0 when absent. */
  readonly #connectionNumbers = new Map<string, number>();
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
        const number = this.#connectionNumbers.get(name) ?? 0;
        const shared = { ...connectionOptions(options), [connectionNumberOption]: number };
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
    for (const name of this.#connectionNumbers.keys())
      if (!present.has(name)) this.#connectionNumbers.delete(name);
    return this.#apply(this.#update);
  }

  #apply({ endpoints, config, options, note }: Update): boolean {
    const present = addressesOf(endpoints);
    for (const address of this.#replicas.keys()) if (!present.has(address)) this.#forget(address);
    const found = experimental.statusOrFromValue([...endpoints]);
    return this.#child.updateAddressList(found, config.childPolicy, options, note);
  }

  /** Replaces the connection of a replica, as if its address had left the name and joined it again. */
  #reconnect(address: string) {
    if (!this.#update) return;
    this.#connectionNumbers.set(address, (this.#connectionNumbers.get(address) ?? 0) + 1);
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
    for (const address of this.#replicas.keys()) this.#forget(address);
    this.#child.destroy();
  }

  getTypeName() {
    return outlierEjectionName;
  }

  #replicaAt(address: string, open: (number: number) => CountedSubchannel): Replica {
    const known = this.#replicas.get(address);
    if (known) return known;
    const replica: Replica = {
      address,
      health: initialHealth(),
      subchannels: new Set(),
      // Another process may serve the address now, so earlier faults do not count.
      onConnected: () => this.#readmit(replica, initialHealth()),
      spares: createSpareConnections({ open, onChange: () => this.#pickAgain() }),
      cancelReadmission: () => {},
    };
    this.#replicas.set(address, replica);
    return replica;
  }

  #forget(address: string) {
    const replica = this.#replicas.get(address);
    replica?.cancelReadmission();
    replica?.spares.close();
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
    replica.cancelReadmission = planReadmission({
      ejectionMs,
      isAnswering: async () => {
        const [connection] = replica.subchannels;
        // One that is lost is being replaced already.
        return connection?.getConnectivityState() !== connectivityState.READY || isAnswering(connection);
      },
      readmit: () => this.#readmit(replica, onProbation(replica.health)),
      reconnect: () => this.#reconnect(replica.address),
    });
  }

  #readmit(replica: Replica, health: ReplicaHealth) {
    replica.cancelReadmission();
    Object.assign(replica.health, health);
    for (const subchannel of replica.subchannels) subchannel.followHealth();
  }

  #readmitAll() {
    for (const replica of this.#replicas.values())
      if (replica.health.isEjected) this.#readmit(replica, onProbation(replica.health));
  }
}

function addressesOf(endpoints: readonly experimental.Endpoint[]): Set<string> {
  return new Set(endpoints.flatMap(({ addresses }) => addresses.map(experimental.subchannelAddressToString)));
}
