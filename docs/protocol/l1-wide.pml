/* l1-wide.pml - an invalidation of a record on which very many entries of an L1 depend. It only marks the record, with its clock; then it is
 * acknowledged. A sweep removes the entries later, one by one, while hits go on. One L1; two keys whose entries depend on the same record.
 *
 * The store is reduced to what the other models have shown: a read of it at the clock c answers a value that contains every invalidation up to
 * c. An entry has the clock of its value, and the order in which it was kept.
 * The promise: acked is the highest clock of an acknowledged invalidation; a hit returns no value of a lower clock.
 * The rules: an entry that was kept after the last mark (order > upTo) is served at once. An older one is served unless its record is marked
 * with a higher clock than its own. The mark goes when a sweep that began after it has passed every entry. What is kept is judged by the
 * window of remembered invalidations (mayKeep), which may forget the record at any moment, but then keeps a floor; marks are not in it.
 * Without room for a mark, every entry that was kept so far is dead (order <= forgotten). A few dependants are removed at once.
 * Switches:  NI invalidations by each of NV other processes  NF fills  SELF one invalidation of this process
 * Mutations, each must break it:
 *   NO_CHECK        a hit does not look at the marks
 *   ACK_EARLY       acknowledged before it is marked
 *   KEEP_LATE       a value read before the mark is kept after it: the sweep has perhaps passed
 *   CLEAR_EARLY     the mark goes before the sweep has passed every entry
 *   NO_RESTART      a second mark does not begin the sweep anew
 *   LOW_MARK        a second mark keeps the clock of the first
 *   LOW_ORDER       a second mark does not raise upTo
 *   MARK_IN_WINDOW  the mark is forgotten with what the window forgets
 *   OVERFLOW_DROPS  without room, a mark goes and nothing else
 *   OWN_NODROP      (SELF) the process does not mark its own invalidation with the clock of the reply
 */
#ifndef NI
#define NI 2
#endif
#ifndef NV
#define NV 1
#endif
#ifndef NF
#define NF 3
#endif
#define MAX(a, b) ((a) > (b) -> (a) : (b))

byte clk;                                             /* the store */
chan bus = [4] of { byte };
byte acked;                                           /* ghost */
/* the L1: entries, what they were kept under, the window, the mark */
bit eP[2]; byte eC[2], eO[2], order, forgotten;
byte followed, ownTip, last, floor;
bit isMarked; byte markC, upTo, place;
byte said;                                            /* acknowledged by this L1 */

#define SUSPECT(k) (eO[k] <= upTo)
#ifdef NO_CHECK
#define DEAD(k) (eO[k] <= forgotten)
#else
#define DEAD(k) (SUSPECT(k) && (eO[k] <= forgotten || (isMarked && eC[k] < markC)))
#endif

inline drop(k, c) { if :: eP[k] && eC[k] < c -> eP[k] = 0; eC[k] = 0; eO[k] = 0 :: else fi }
inline mark(c) {                                      /* which of the three: how many dependants there are, and marks */
  if
  :: drop(0, c); drop(1, c)
  ::
#ifdef LOW_MARK
     markC = (isMarked -> markC : c);
#else
     markC = MAX(markC, c);
#endif
#ifdef LOW_ORDER
     upTo = (isMarked -> upTo : order);
#else
     upTo = order;
#endif
#ifdef NO_RESTART
     place = (isMarked -> place : 0);
#else
     place = 0;
#endif
     isMarked = 1
  :: isMarked = 0; markC = 0; place = 0;
#ifdef OVERFLOW_DROPS
     upTo = forgotten
#else
     forgotten = order; upTo = order
#endif
  fi }

proctype Invalidator() { byte n, c;
  do
  :: n < NI -> n++; atomic { clk++; c = clk; bus!c }; (said >= c); atomic { acked = MAX(acked, c); c = 0 }
  :: else -> break
  od; n = 0 }

proctype Bus() { byte c;
  end: do
  :: atomic { bus?c -> followed = c };
#ifdef ACK_EARLY
     said = c;
#endif
     atomic { last = MAX(last, c); mark(c) };
     atomic { said = c; c = 0 }
  od }

#ifdef SELF
proctype Own() { byte c;
  atomic { c = MAX(eC[0], eC[1]) + 1; mark(c) };      /* before the store is asked: all that is there */
  atomic { clk++; c = clk; bus!c };
  atomic {
    last = MAX(last, c); ownTip = c;
#ifndef OWN_NODROP
    mark(c);
#endif
    acked = MAX(acked, c); c = 0 } }
#endif

proctype Sweep() {
  end: do
  :: atomic { isMarked && place < 2 -> drop(place, markC); place++ }
  :: atomic { isMarked && place == 2 -> isMarked = 0; markC = 0; place = 0; upTo = forgotten }
  :: atomic { eP[0] && eO[0] <= forgotten -> eP[0] = 0; eC[0] = 0; eO[0] = 0 }
  :: atomic { eP[1] && eO[1] <= forgotten -> eP[1] = 0; eC[1] = 0; eO[1] = 0 }
#ifdef CLEAR_EARLY
  :: atomic { isMarked -> isMarked = 0; markC = 0; place = 0; upTo = forgotten }
#endif
  od }

proctype Window() {
  atomic { last > 0 -> floor = MAX(floor, last); last = 0;
#ifdef MARK_IN_WINDOW
    isMarked = 0; markC = 0; place = 0; upTo = forgotten
#endif
  } }

inline keep(k) {
  atomic {
    if
#ifdef KEEP_LATE
    :: !(eP[k] && !DEAD(k) && eC[k] >= c) ->
#else
    :: c >= last && c >= floor && (c <= followed || c == ownTip) && !(eP[k] && !DEAD(k) && eC[k] >= c) ->
#endif
       order++; eP[k] = 1; eC[k] = c; eO[k] = order
    :: else
    fi;
    c = 0 } }
proctype Fill() { byte c; bit k;
  atomic { c = clk; if :: k = 0 :: k = 1 fi };        /* the reply of the store */
  keep(k); k = 0 }

/* a hit is one step: it begins, looks and answers in one turn of the event loop */
proctype Hits() {
  end: do
  :: atomic { eP[0] && !DEAD(0) -> assert(eC[0] >= acked) }
  :: atomic { eP[1] && !DEAD(1) -> assert(eC[1] >= acked) }
  od }

init { byte i;
  atomic {
    for (i : 1 .. NV) { run Invalidator() };
    for (i : 1 .. NF) { run Fill() };
    i = 0;
    run Bus(); run Sweep(); run Window(); run Hits();
#ifdef SELF
    run Own();
#endif
  } }
