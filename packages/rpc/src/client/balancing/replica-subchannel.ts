import { connectivityState, experimental } from '@grpc/grpc-js';
import { CountedSubchannel } from './counted-subchannel.ts';
import type { ReplicaHealth } from './outliers.ts';
import type { SpareConnections } from './spare-connections.ts';

/** The state of a replica, by its address. */
export interface Replica {
  readonly address: string;
  readonly health: ReplicaHealth;
  /** Subchannels in use. The child policy makes new ones when the addresses of the name change. */
  readonly subchannels: Set<ReplicaSubchannel>;
  readonly onConnected: () => void;
  readonly spares: SpareConnections;
}

/** A replica's connection as the child policy sees it: unhealthy while the replica is ejected. */
export class ReplicaSubchannel extends experimental.BaseSubchannelWrapper {
  readonly replica: Replica;
  /** The connection for calls that the policy sends to the replica. */
  readonly counted: CountedSubchannel;

  constructor(subchannel: experimental.SubchannelInterface, replica: Replica, maxResponseBytes: number) {
    super(subchannel);
    this.replica = replica;
    this.counted = new CountedSubchannel(subchannel, maxResponseBytes);
    this.followHealth();
  }

  override ref() {
    super.ref();
    if (this.replica.subchannels.has(this)) return;
    this.replica.subchannels.add(this);
    this.addConnectivityStateListener(this.#onState);
  }

  protected override destroy() {
    super.destroy();
    this.replica.subchannels.delete(this);
    this.removeConnectivityStateListener(this.#onState);
  }

  followHealth() {
    this.setHealthy(!this.replica.health.isEjected);
  }

  readonly #onState: experimental.ConnectivityStateListener = (_subchannel, _previous, state) => {
    if (state === connectivityState.READY) this.replica.onConnected();
  };
}
