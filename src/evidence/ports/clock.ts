/** Time, as one thing that can be handed in. */
export interface Clock {
  now(): Date;
}
