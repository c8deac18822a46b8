import { ServiceProcess, type ServiceListener, type ServiceSettings } from './service-process.js';

/** Milliseconds after which the new process of a deploy takes over although it is not ready. */
const READY_WITHIN_MS = 20_000;

/** How the fleet's processes are made. */
export interface FleetSettings extends Omit<ServiceSettings, 'environment'> {
  /** Settings of a process that listens on this port. */
  environment(port: number): Readonly<Record<string, string>>;
  /** One for each of the two processes that there can be at once. */
  readonly ports: readonly [number, number];
  listener(slot: number): ServiceListener;
  /** Webhooks go there from now on. */
  onTraffic(url: string): void;
}

/**
 * The service as a platform like Cloud Run runs it: one process after the other, and two side by side during
 * a deploy or a rollback.
 */
export class ServiceFleet {
  readonly #slots: readonly [ServiceProcess, ServiceProcess];
  #current: 0 | 1 = 0;

  constructor(private readonly settings: FleetSettings) {
    const create = (slot: 0 | 1): ServiceProcess => {
      const { main, nodeArguments, ports } = settings;
      const environment = settings.environment(ports[slot]);
      const logFile = slot === 0 ? settings.logFile : settings.logFile.replace(/(\.log)?$/, '-2.log');
      return new ServiceProcess(
        { main, environment, logFile, ...(nodeArguments === undefined ? {} : { nodeArguments }) },
        settings.listener(slot),
      );
    };
    this.#slots = [create(0), create(1)];
  }

  /** The one that all is about but during a deploy. */
  get current(): ServiceProcess {
    return this.#slots[this.#current];
  }

  get #next(): ServiceProcess {
    return this.#slots[this.#current === 0 ? 1 : 0];
  }

  /** How many processes there have been. */
  get starts(): number {
    return this.#slots[0].starts + this.#slots[1].starts;
  }

  /**
   * Starts a second process beside the present one, which gets the webhooks as soon as it is ready, or after
   * a while.
   */
  async deploy(): Promise<void> {
    await this.#next.start();
    const patience = new Promise<void>((resolve) => setTimeout(resolve, READY_WITHIN_MS).unref());
    await Promise.race([this.#next.ready().catch(() => undefined), patience]);
    this.settings.onTraffic(this.#next.url);
  }

  /** Ends the older of the two. @param how SIGTERM, or SIGKILL */
  async finish(how: 'terminate' | 'kill'): Promise<void> {
    const older = this.current;
    this.#current = this.#current === 0 ? 1 : 0;
    await older[how]();
    await this.current.start();
  }

  /** Ends the newer of the two; the older one gets the webhooks again. */
  async rollBack(): Promise<void> {
    this.settings.onTraffic(this.current.url);
    await this.#next.terminate();
    await this.current.start();
  }

  /** Starts a process again that has ended by itself. @param slot as given to the listener */
  async restart(slot: number): Promise<void> {
    await this.#slots[slot === 0 ? 0 : 1].start();
  }

  /** Ends them for good. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map((process) => process.close()));
  }
}
