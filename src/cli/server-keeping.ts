/** A backup that was made or restored, as far as commands tell of it. */
export interface BackupFacts {
  readonly madeAt: string;
  readonly server: {
    readonly thumbprint: string;
    readonly publicUrl?: string | undefined;
    readonly organisation?: string | undefined;
  };
  /** `folder`, or the bucket's address. */
  readonly content: string;
  readonly database: {
    readonly migration: string;
    readonly exhibits: number;
    readonly sealed: number;
    readonly identities: number;
    readonly shares: number;
    readonly newest?:
      | {
          readonly id: string;
          readonly case: string;
          readonly reference: string;
          readonly sealedAt: string;
        }
      | undefined;
  };
}

export interface BackupRequest {
  /** Left out, the folder that `serve` uses when nobody names one. */
  readonly dataDir: string | undefined;
  /** A file that is not there yet, or a folder in which the backup gets a name of its own. Absolute. */
  readonly target: string;
  readonly passphrase: string | undefined;
}

export interface MadeBackup extends BackupFacts {
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly encrypted: boolean;
}

export interface RestoreRequest {
  /** Absolute. */
  readonly file: string;
  /** An empty folder, or one that is not there yet. Absolute. */
  readonly dataDir: string;
  /** Asked for where the backup is encrypted. @throws `usage.missing` */
  readonly passphrase: () => Promise<string>;
}

export interface RestoredBackup extends BackupFacts {
  readonly dataDir: string;
}

export interface RotateRequest {
  readonly dataDir: string | undefined;
  /** The old key signs nothing: it is lost, or in wrong hands. */
  readonly oldKeyLost: boolean;
}

export interface RotatedKey {
  readonly dataDir: string;
  readonly thumbprint: string;
  /** The keys that are retired now, the latest first. */
  readonly retired: readonly { readonly thumbprint: string; readonly retiredAt: string }[];
}

/** The data folders of exhibit servers on this machine. */
export interface ServerKeeping {
  /** Copies what a server needs beside its content, while it runs. @throws `not-found.store`, `conflict.exists`, `conflict.locked`, `unavailable.no-space` */
  backup(request: BackupRequest, signal: AbortSignal): Promise<MadeBackup>;
  /** Makes a data folder from a backup. @throws `conflict.exists`, `integrity.mismatch`, `auth.keys-refused`, `conflict.schema-newer` */
  restore(request: RestoreRequest, signal: AbortSignal): Promise<RestoredBackup>;
  /** Gives a server that does not run a new key. @throws `not-found.store`, `conflict.locked`, `conflict.exists` where the old key is gone */
  rotateKey(request: RotateRequest): Promise<RotatedKey>;
}
