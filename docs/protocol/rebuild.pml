/* rebuild.pml - values that are replaced without an invalidation: refresh, early refresh, `maxAgeSeconds`. One partition, one
 * key, NI processes with an L1 (strict), one record B that a value depends on or not, as its fetch finds.
 *
 * Promise G6: after a forced build has answered, no later read in any process returns a value whose fetch began before that
 * build's fetch. The ghost eF of an entry is the number of its fetch, counted when it begins; answered = the highest of the forced builds
 * that have answered. The promise of the other models (started, acked) is asserted for record B beside it.
 * The bus loses nothing here and every L1 has a lease: what happens else is the matter of strict.pml.
 *
 * The mend: a commit that replaces a valid entry, or that was asked for under a maximum age, is an invalidation of entry(key) in the same
 * script: it ticks, is announced, and answers when every L1 has followed. A forced build that is refused (an invalidation since its start, a
 * lease that was taken over, a fetch longer than the TTL) stores nothing, but drops the older entry and settles likewise.
 * Switches:  NI processes  NR reads  NF forced among them  NR1, NF1 the same for process 1  NW invalidations of B  NX expiries of the lease  NE evictions of the entry
 *   TODAY    the build 31835a3   LATE  a build may turn out to have taken longer than its TTL
 *   AWAY     a commit may not reach the store at all, and the builder answers (what is left: violated)
 *   JOIN     a forced read that finds the lease taken waits, and may be answered with what that build has stored, if its fetch began
 *            after the read did: it answers when every L1 has followed what was announced until then
 *   NUMBERS  entries carry the number of their build, and an L1 keeps the higher one (the runs hold without)
 * Mutations, each must break it:  REBUILD_NO_TICK  REBUILD_NO_WAIT  OWN_NODROP  REFUSED_KEEPS (a refused build leaves the older entry)
 *   JOIN_NO_SETTLE (with JOIN: it answers at once)
 *   TICK_IF_VALID (only if there is a valid entry; with NE: an L1 may outlive the entry in the store)
 * Not needed, the runs hold with it:  KEEP_BY_END (of two values of one clock an L1 takes the one that ends later for newer)
 */
#ifndef NI
#define NI 2
#endif
#ifndef NR
#define NR 3
#endif
#ifndef NF
#define NF 2       /* forced reads a process */
#endif
#ifndef NR1
#define NR1 NR
#endif
#ifndef NF1
#define NF1 NF
#endif
#ifndef NW
#define NW 0
#endif
#ifndef NX
#define NX 0
#endif
#ifndef NE
#define NE 0
#endif
#ifdef TODAY
#define REBUILD_NO_TICK
#define REBUILD_NO_WAIT
#define OWN_NODROP
#define REFUSED_KEEPS
#define KEEP_BY_END
#endif
byte clk, ivK, ivB, lTok;                             /* T:g clock; T:iv of k:<id> and of B; T:l */
bit eP, eB; byte eF, eI, eEnd;                        /* T:e: present, depends on B, ghosts; its end */
byte fetches, answered, started, acked;               /* ghosts */
bit lP[NI], lB[NI]; byte lV[NI], lF[NI], lI[NI], lEnd[NI];       /* L1: the entry, clock of the reply that brought it */
byte livK[NI], livB[NI], fol[NI];                     /* L1: last invalidations followed; position */
chan bus[NI] = [4] of { byte, bit };                  /* clock; 1 = of the key, 0 = of B */

#define MAX(a,b) (a > b -> a : b)
#define NONE(i) lP[i] = 0; lB[i] = 0; lV[i] = 0; lF[i] = 0; lI[i] = 0; lEnd[i] = 0
#define DROP eP = 0; eB = 0; eF = 0; eI = 0; eEnd = 0
#define CHECK(f,i,b) assert(!(rf > f) && !(b && ri > i))
inline announce(c, k) { j = 0; do :: j < NI -> bus[j]!c,k; j++ :: else -> break od; j = 0 }
inline follow(i, c, k) {                              /* drops what it concerns and remembers it */
  if :: k -> livK[i] = MAX(livK[i], c) :: else -> livB[i] = MAX(livB[i], c) fi;
  if :: lP[i] && lV[i] < c && (k || lB[i]) -> NONE(i) :: else fi
}
#if NI == 1
#define FOLLOWED(c) (fol[0] >= c)
#define OTHERS_FOLLOWED(c) skip
#else
#define FOLLOWED(c) (fol[0] >= c && fol[1] >= c)
#define OTHERS_FOLLOWED(c) (fol[1 - i] >= c)
#endif

proctype Bus(byte i) { byte c; bit k;
end: do :: atomic { bus[i]?c,k -> follow(i, c, k); fol[i] = c; c = 0; k = 0 } od }

proctype Worker() { byte i, c, j;
  do
  :: i < NW -> i++; started++;
     atomic { clk++; ivB = clk; c = clk; if :: eB -> DROP :: else fi; announce(clk, 0) };
     atomic { FOLLOWED(c) -> acked = started; c = 0 }
  :: else -> break
  od }

/* what an L1 has against a reply */
#ifdef NUMBERS
#define NEWER(i) (lV[i] < V || (lV[i] == V && lF[i] < f))
#elif defined(KEEP_BY_END)
#define NEWER(i) (lV[i] < V || (lV[i] == V && lEnd[i] < en))
#else
#define NEWER(i) (lV[i] <= V)
#endif
#define LEASED (lTok == tok || (lTok == 0 && !eP))
#ifdef REBUILD_NO_TICK
#define TICKS 0
#elif defined(TICK_IF_VALID)
#define TICKS eP
#else
#define TICKS (eP || forced)
#endif

proctype Reader(byte i) { byte n, nf, rf, ri, f, I, s, V, en, tok, c, j; bit forced, dB, ok;
#ifdef JOIN
  byte before;                                        /* fetches that had begun when the read did */
#endif
  do
  :: n < (i == 0 -> NR : NR1) ->
     atomic {
#ifdef JOIN
       before = fetches;
#endif
       n++; rf = answered; ri = acked; if :: nf < (i == 0 -> NF : NF1) -> forced = 1; nf++ :: forced = 0 fi };
     if
     :: forced
     :: atomic { !forced && lP[i] -> CHECK(lF[i], lI[i], lB[i]); goto fin }
     :: atomic { !forced && !lP[i] && eP -> V = clk; f = eF; I = eI; dB = eB; en = eEnd; CHECK(f, I, dB) };
        atomic {                                      /* the reply: keep it */
          if
          :: livK[i] <= V && (!dB || livB[i] <= V) && (!lP[i] || NEWER(i)) ->
             lP[i] = 1; lB[i] = dB; lV[i] = V; lF[i] = f; lI[i] = I; lEnd[i] = en
          :: else
          fi; goto fin }
     :: !forced && !lP[i] && !eP
     fi;
     if                                               /* begin.lua */
     :: atomic { !forced && eP -> CHECK(eF, eI, eB); goto fin }
     :: atomic { (forced || !eP) && lTok == 0 -> tok = 1 + i + 2*n; lTok = tok; s = clk;
          fetches++; f = fetches; I = started }
     :: (forced || !eP) && lTok != 0 -> goto fin      /* waited in vain */
#ifdef JOIN
     :: forced && lTok != 0 ->
        if
        :: goto fin
        :: atomic { eP && eF > before -> f = eF; I = eI; dB = eB; s = clk };
#ifndef JOIN_NO_SETTLE
           FOLLOWED(s);
#endif
           goto answer
        fi
#endif
     fi;
     atomic { if :: dB = 0 :: NW > 0 -> dB = 1 fi; if :: en = 1 :: en = 2 fi };
#ifdef AWAY
     if :: goto answer :: skip fi;
#endif
     atomic {                                         /* commit.lua */
       ok = ivK <= s && (!dB || ivB <= s) && LEASED;
#ifdef LATE
       if :: ok = 0 :: skip fi;
#endif
       if
       :: ok ->
          if :: TICKS -> clk++; ivK = clk; c = clk; announce(clk, 1) :: else fi;
          eP = 1; eB = dB; eF = f; eI = I; eEnd = en
       :: else -> skip;
#ifndef REFUSED_KEEPS
          if :: forced -> if :: TICKS -> clk++; ivK = clk; c = clk; announce(clk, 1) :: else fi; DROP :: else fi
#endif
       fi;
       if :: lTok == tok -> lTok = 0 :: else fi };
     if
     :: c > 0 -> skip;
#ifndef OWN_NODROP
        atomic { follow(i, c, 1) };
#endif
#ifndef REBUILD_NO_WAIT
        OTHERS_FOLLOWED(c);
#endif
        skip
     :: else
     fi;
answer:
     atomic { CHECK(f, I, dB); if :: forced -> answered = MAX(answered, f) :: else fi };
fin: atomic {
#ifdef JOIN
       before = 0;
#endif
       rf = 0; ri = 0; f = 0; I = 0; s = 0; V = 0; en = 0; tok = 0; c = 0; forced = 0; dB = 0; ok = 0 }
  :: else -> break
  od }
proctype Expire() { byte n; end: do :: atomic { n < NX && lTok != 0 -> lTok = 0; n++ } od }
proctype Evict() { byte n; end: do :: atomic { n < NE && eP -> DROP; n++ } od }

init { atomic { byte i; fetches = 1; eP = 1; eF = 1; eEnd = 2;
  do :: i < NI -> run Bus(i); run Reader(i); i++ :: else -> break od;
  run Worker(); run Expire(); run Evict() } }
