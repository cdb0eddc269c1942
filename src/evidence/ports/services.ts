/** Systems that a service can be written for: systemd, and the Task Scheduler of Windows. */
export type ServiceSystem = "linux" | "windows";

/** A command of this program that the system is to run by itself, for this user. */
export interface Service {
  /** `exhibit-resume`. */
  readonly name: string;
  readonly description: string;
  /** What is typed behind `exhibit`; paths absolute. */
  readonly argv: readonly string[];
  /** One that ends is run at start-up or log-on, and again while the store is gone; one that stays is started again when it fails. */
  readonly kind: "ends" | "stays";
}

/** A service as its system takes it. */
export interface WrittenService {
  /** Where it belongs, or is. */
  readonly file: string;
  readonly text: string;
  /** What is left to do for the person, and how to look at it: a line each. */
  readonly steps: readonly string[];
}

export interface InstalledService extends WrittenService {
  /** False where it was there already, just so. */
  readonly isNew: boolean;
}

/** What this machine's system runs by itself for this user. */
export interface Services {
  /** The system of this machine; undefined where it is none that we know. */
  readonly system: ServiceSystem | undefined;
  /** Writes nothing. */
  print(service: Service, system: ServiceSystem): WrittenService;
  /** Puts a service in its place, and tells the system. @throws `policy.unsupported`, `usage.invalid`, `unavailable.program` */
  install(service: Service): Promise<InstalledService>;
  /** @returns where it was; undefined where there was none */
  remove(name: string): Promise<string | undefined>;
}
