import type { Balancer, Candidate } from './balancer.ts';
import { LeastRequests } from './least-requests.ts';
import { RandomOfTwo } from './random.ts';
import { RoundRobin } from './round-robin.ts';

/** The balancer for the word that the user wrote. */
export function makeBalancer<T extends Candidate>(
  word: 'round-robin' | 'least-requests' | 'random',
  random: () => number,
): Balancer<T> {
  switch (word) {
    case 'round-robin':
      return new RoundRobin<T>(random);
    case 'least-requests':
      return new LeastRequests<T>(new RoundRobin<T>(random));
    case 'random':
      return new RandomOfTwo<T>(random);
  }
}
