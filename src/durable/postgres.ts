/** A Postgres server: a given one, or a private cluster in a folder. */
export interface PostgresServer {
  readonly url: string;
  readonly source: "DATABASE_URL" | "npm" | "debian";
  readonly pid?: number;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Folder of the private cluster; made when it is missing. */
  readonly dir: string;
  /** False: a power cut may lose everything. For tests. Default true. */
  readonly durable?: boolean;
}

export function startPostgres(_options: PostgresOptions): Promise<PostgresServer> {
  throw new Error("startPostgres");
}
