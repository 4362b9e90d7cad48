/* fast.pml - what the product does: recommended.pml with the gate. One-command hits, the read floor, flush and adopt.
 *
 * hit iff entry present && s >= rf && s >= uf, read together with the gate (MGET); otherwise the slow path, a later step.
 * Switches:  those of recommended.pml, and
 *   FLUSH      a flush of the partition at any moment        FASTUN     the older rule "nothing unswept" instead of s >= uf
 *   SPLIT_GE   GET gate, then GET entry: also safe
 *   WALK       a dependency without an index (a table or namespace with many dependants): unswept until a round over the
 *              directory, begun after its invalidation, has ended
 *   FAILOVER with one of
 *     ADOPT       the first command on a new server adopts the partition (standalone, Sentinel)
 *     ADOPT_LATE  clients go on at once, the sweeper adopts (Cluster): promises only reads that begin after the adoption
 *     EMPTY       the server comes back without any data: use() begins a new history
 * Mutations:  GATE_STALE (an invalidation forgets uf)   SPLIT_EG (entry read before the gate)   NO_RF (no read floor)
 *   SWEEP_EARLY (gate opened before the dependants are gone)
 *   WALK_LATE (a round counts for what was invalidated before its end, not its beginning)   COMMIT_NOREG (commit does not register in the index)
 *   ADOPT_NO_FF (adopt leaves the fill floor)   NO_ADOPT (a promoted server is used as it is)
 */
#define GATE
#include "recommended.pml"
