/* many.pml - getMany: one call to the source for several keys. Two keys, each with a record of its own that is invalidated; two processes that
 * read both keys, in opposite orders; one more caller in process 0, of key 1 alone. No L1: that is the matter of strict.pml.
 *
 * The promise: started[k], acked[k] count the invalidations of record k; what was fetched remembers what started[k] was when the call was sent;
 * a read returns no value of k below what acked[k] was when the read began.
 * The rules: each key has a lease, a start point and a commit of its own. A process sends its call when it knows of each key whether it has the
 * lease; a key of which it has none is not in the call, and is waited for only after the call and its commits. A later call loads what is
 * still missing. Another caller of the process joins the flight of a key until that key's commit is sent; if it is refused, it reads anew.
 * Switches:  NW invalidations of each record  NX expiries of leases
 * Mutations, each must break it:
 *   LATE_START    the start point of the second key is taken after the call was sent
 *   JOIN_SENT     a key whose lease comes after the call was sent takes its value from that call
 *   ONE_COMMIT    the commit of the first key decides for all
 *   NO_SEAL       the caller may join until every commit of the call is answered
 *   REFUSED_SHARED   the value of a refused commit answers the caller that has joined
 *   WAIT_FIRST    the call is sent when all keys are leased: two processes wait for each other
 */
#ifndef NW
#define NW 1
#endif
#ifndef NX
#define NX 0
#endif
byte clk, iv[2], lTok[2];
bit eP[2]; byte eI[2];                                /* entries, ghost */
byte started[2], acked[2];                            /* ghosts */
byte done;
/* the flight of key 1 in process 0 */
bit isOpen, isSettled, isOk; byte fI, flight;

#define FREE(k) (lTok[k] == 0)

proctype Worker(byte k) { byte n;
  do
  :: n < NW -> n++; started[k]++; atomic { clk++; iv[k] = clk; eP[k] = 0; eI[k] = 0 }; acked[k] = started[k]
  :: else -> break
  od; n = 0 }

inline begin(k) {                                     /* read and begin.lua */
  atomic {
    if
    :: eP[k] -> assert(eI[k] >= r[k]); has[k] = 1
    :: !eP[k] && FREE(k) -> lTok[k] = me; mine[k] = 1; s[k] = clk;
       if :: me == 1 && k == 1 -> isOpen = 1; isSettled = 0; flight++ :: else fi
    :: else -> skip                                   /* another builds it */
    fi }
}
inline commit(k) {
  atomic {
#ifndef NO_SEAL
    if :: me == 1 && k == 1 -> isOpen = 0 :: else fi;
#endif
    ok = (iv[k] <= s[k] && lTok[k] == me);
#ifdef ONE_COMMIT
    if :: first == 2 -> first = ok :: else -> ok = first fi;
#endif
    if :: ok -> eP[k] = 1; eI[k] = I[k] :: else fi;
    if :: lTok[k] == me -> lTok[k] = 0 :: else fi;
    mine[k] = 0; has[k] = 1;
    if :: me == 1 && k == 1 -> isOk = ok; fI = I[k] :: else fi };
  atomic {                                            /* the reply */
    if :: me == 1 && k == 1 -> isSettled = 1 :: else fi;
    assert(I[k] >= r[k]) }                            /* its own caller came before the start point */
}

proctype Many(byte me, a, b) { byte r[2], s[2], I[2], first; bit has[2], mine[2], ok;
  atomic { r[0] = acked[0]; r[1] = acked[1] };
  do
  :: has[0] && has[1] -> break
  :: !(has[0] && has[1]) ->
     first = 2;
     if :: !has[a] -> begin(a) :: else fi;
#ifndef LATE_START
     if :: !has[b] -> begin(b) :: else fi;
#endif
#ifdef WAIT_FIRST
     do :: !has[a] && !mine[a] -> (eP[a] || FREE(a)); begin(a) :: !has[b] && !mine[b] -> (eP[b] || FREE(b)); begin(b)
        :: (has[a] || mine[a]) && (has[b] || mine[b]) -> break od;
#endif
     if
     :: mine[0] || mine[1] ->
        atomic { I[0] = started[0]; I[1] = started[1] };    /* the call is sent */
#ifdef LATE_START
        if :: !has[b] -> begin(b) :: else fi;
#endif
        if :: mine[a] -> commit(a) :: else fi;
#ifdef JOIN_SENT
        if :: !has[b] && !mine[b] -> (eP[b] || FREE(b)); begin(b) :: else fi;
#endif
        if :: mine[b] -> commit(b) :: else fi;
#ifdef NO_SEAL
        if :: me == 1 -> isOpen = 0 :: else fi;
#endif
        skip
     :: else
     fi;
     if                                               /* now it waits for others */
     :: !has[0] -> (eP[0] || FREE(0))
     :: has[0] && !has[1] -> (eP[1] || FREE(1))
     :: has[0] && has[1]
     fi
  od;
  done++ }

/* a caller of key 1 in process 0 */
proctype Caller() { byte r, mineFlight;
  r = acked[1];
  if
  :: atomic { eP[1] -> assert(eI[1] >= r) }
  :: atomic { isOpen -> mineFlight = flight };
     isSettled && flight == mineFlight;
#ifdef REFUSED_SHARED
     assert(fI >= r)
#else
     if :: isOk -> assert(fI >= r) :: else fi
#endif
  :: !eP[1] && !isOpen                                /* it builds by itself */
  fi }
proctype Expire() { byte n; end: do :: n < NX -> atomic { if :: lTok[0] != 0 -> lTok[0] = 0 :: lTok[1] != 0 -> lTok[1] = 0 fi; n++ } od }
/* nothing else can move: then all have been answered */
proctype Watch() { timeout -> assert(done == 2) }

init { atomic { run Worker(0); run Worker(1); run Many(1, 0, 1); run Many(2, 1, 0); run Caller(); run Expire(); run Watch() } }
