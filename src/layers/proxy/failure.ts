/**
 * How a proxy could not serve a connection: a WSA code for the application, a reason for people.
 */
export interface ProxyFailure {
  readonly code: number;
  readonly reason: string;
}
