/* slots.pml - a partition whose slot moves between two nodes of a Redis Cluster, key by key. One partition, one key, one
 * dependency.
 *
 * The partition is four parts: G gate (clock, read floor, born, home, poison), W window (clock of the last invalidation, tips),
 * X index (record -> entry), E entry. A Mover opens the slot (migrating on node 1, importing on node 2) and moves parts one by
 * one in ANY order; a part that node 2 already holds stays (BUSYKEY) or is replaced. A phase ends in one of three ways: aborted
 * (stable on node 1, parts stranded on node 2), finished (node 2 owns the slot, what is left on node 1 is deleted), or node 1 is
 * replaced by its replica, which does not know that the slot was open, may not have got the poison, and may still hold what was moved.
 * As Redis does it: MGET G E is answered by node 1 if it has both, by node 2 (ASK) if node 1 has neither and node 2 both, else
 * TRYAGAIN: the read goes to the source. A script runs where its KEYS[1] = G leads: node 1, or node 2 with ASKING if node 1 has
 * no G. On node 1 a script that touches a missing key of an open slot is stopped; on node 2 missing keys look empty.
 *
 * The mend: every script asks first whether the slot is open (`EXISTS G <never>`) and refuses, after it has poisoned the gate;
 * a missing, poisoned or foreign gate is never made by an ordinary script, only by adopt: a new history with a fresh `born`;
 * entries and start points carry `born`; each process remembers the newest (born, clock) that it has seen and does not believe a
 * gate that this is no part of. A history keeps for each ancestor the clock up to which it contains it.
 * A phase that leaves something behind was seen by some script (a sweep a second in each partition): UNSEEN_… drop that, and are what is left.
 * Switches:  NR reads  NW invalidations  NPH phases  TODAY the build 31835a3  SELF  the reader is in the process of the invalidator
 *   UNSEEN_ABORT, UNSEEN_PROMOTE  such phases may end before any script ran: violated without SELF; UNSEEN_ABORT with it, too
 * Mutations, each must break it:  NO_SLOT_CHECK (and so no poison)  NO_POISON  NO_HOME  NO_BORN  NO_MEMORY (with UNSEEN_PROMOTE and SELF)
 */
#ifndef NR
#define NR 2
#endif
#ifndef NW
#define NW 1
#endif
#ifndef NPH
#define NPH 2      /* phases in which the slot is open */
#endif
#define MB 8       /* histories: born 1 .. MB-1 */
#ifdef TODAY
#define NO_SLOT_CHECK
#define NO_HOME
#define NO_BORN
#define NO_MEMORY
#endif
#ifdef NO_SLOT_CHECK
#define NO_POISON
#endif
typedef NODE {
  bit gP, gBad; byte gC, gRf, gB, gH; byte an[MB];   /* T:g; an[b] = clock up to which this history contains history b */
  bit wP; byte wIv;                                   /* T:iv, T:tz, T:m */
  bit xP;                                             /* T:x */
  bit eP; byte eB, eS, eF;                            /* T:e: born, clock at the fetch's start, ghost */
}
NODE m[2];
byte owner; bit open, seen; byte id0 = 1;             /* the slot's; id of node 0, of node 1 it is 2 */
byte nb;                                              /* never rolled back: random births */
byte started, acked;
byte memB[2], memC[2];                                /* what process 0 (invalidator), 1 (reader) remembers; 0 = nothing */

#define ID(n) (n == 0 -> id0 : 2)
#define MAX(a,b) (a > b -> a : b)
/* ---- where commands go ---- */
#define SCRIPT_AT (owner == 1 || (open && !m[0].gP) -> 1 : 0)
#define BOTH(i) (m[i].gP && m[i].eP)
#define NONE(i) (!m[i].gP && !m[i].eP)
#define TRYAGAIN (open && !BOTH(0) && !(NONE(0) && BOTH(1)))
#define READ_AT (owner == 1 || (open && !BOTH(0)) -> 1 : 0)
/* ---- what is believed ---- */
#ifdef NO_MEMORY
#define PART(n,p) 1
#else
#define PART(n,p) (memB[p] == 0 || (m[n].gB == memB[p] && m[n].gC >= memC[p]) || \
                   (m[n].gB != memB[p] && m[n].an[memB[p]] >= memC[p] && m[n].an[memB[p]] > 0))
#endif
#ifdef NO_HOME
#define HOME(n) 1
#else
#define HOME(n) (m[n].gH == ID(n))
#endif
#define USABLE(n,p) (m[n].gP && !m[n].gBad && HOME(n) && PART(n,p))
#ifdef NO_BORN
#define BORN_OK(n) 1
#else
#define BORN_OK(n) (m[n].eB == m[n].gB)
#endif
#define HIT(n) (m[n].gP && !m[n].gBad && m[n].eP && BORN_OK(n) && m[n].eS >= m[n].gRf)
#define REMEMBER(n,p) memB[p] = m[n].gB; memC[p] = m[n].gC
/* ---- a script's first lines ---- */
#ifdef NO_POISON
#define POISON(n)
#else
#define POISON(n) ; if :: m[n].gP -> m[n].gBad = 1 :: else fi
#endif
#ifdef NO_SLOT_CHECK
#define REFUSED(n,needs) (n == 0 && open && !(needs))          /* by Redis: a missing key of a slot that migrates */
#define NOTICE(n)
#else
#define REFUSED(n,needs) open
#define NOTICE(n) seen = 1 POISON(n)
#endif

inline begins(n, p) {                                 /* a new history: adopt.lua; today: use() in any script */
  assert(nb < MB - 1); nb++;
  if
  :: m[n].gP -> m[n].an[m[n].gB] = m[n].gC; m[n].gC = m[n].gC + 1
  :: else -> k = 0; do :: k < MB -> m[n].an[k] = 0; k++ :: else -> break od; k = 0;
#ifdef TODAY
     if :: m[n].wP -> m[n].gC = m[n].wIv + 1 :: else -> m[n].gC = 1 fi
#else
     m[n].gC = 1
#endif
  fi;
  if :: memB[p] > 0 && m[n].an[memB[p]] < memC[p] -> m[n].an[memB[p]] = memC[p] :: else fi;
  m[n].gP = 1; m[n].gBad = 0; m[n].gRf = m[n].gC; m[n].gB = nb; m[n].gH = ID(n); m[n].an[nb] = 0;
#ifdef TODAY
  m[n].wP = 1
#else
  m[n].wP = 1; m[n].wIv = 0
#endif
}
inline adopt(p) {                                     /* one step; refuses on an open slot */
  n = SCRIPT_AT;
  if
  :: REFUSED(n, m[n].wP) -> NOTICE(n)
  :: else -> if :: USABLE(n,p) -> skip :: else -> begins(n,p) fi; REMEMBER(n,p)
  fi
}
#ifdef TODAY
#define OR_MAKE(n,p) if :: !m[n].gP -> begins(n,p) :: else fi
#define OUT_OF_USE(n,p) 0
#else
#define OR_MAKE(n,p) skip
#define OUT_OF_USE(n,p) (!USABLE(n,p))
#endif

proctype Inv() { byte i, n, k;
  do
  :: i < NW -> i++; started++;
again:
     atomic {                                         /* invalidate.lua */
       n = SCRIPT_AT;
       if
       :: REFUSED(n, m[n].wP && m[n].xP && m[n].eP) -> NOTICE(n); n = 0; goto again
       :: else ->
          if
          :: OUT_OF_USE(n,0) -> n = 2
          :: else -> OR_MAKE(n,0);
             m[n].gC++; m[n].wP = 1; m[n].wIv = m[n].gC;
             if :: m[n].xP -> m[n].xP = 0; m[n].eP = 0; m[n].eB = 0; m[n].eS = 0; m[n].eF = 0 :: else fi;
             REMEMBER(n,0); n = 0
          fi
       fi };
     if :: n == 2 -> atomic { adopt(0); n = 0; goto again } :: else fi;
     acked = started
  :: else -> break
  od }

#ifdef SELF
#define ME 0
#else
#define ME 1
#endif
proctype Reader() { byte i, n, ra, s, b, F, k;
  do
  :: i < NR -> atomic { i++; ra = acked };
     atomic { n = READ_AT;                            /* MGET G E */
       if
       :: TRYAGAIN -> goto fin
       :: else ->
          if
          :: m[n].gP && !m[n].gBad && !PART(n,ME) -> n = 2
          :: m[n].gP && !m[n].gBad && PART(n,ME) && HIT(n) -> REMEMBER(n,ME); assert(!(ra > m[n].eF)); goto fin
          :: else -> n = 0
          fi
       fi };
     if :: n == 2 -> atomic { adopt(ME); n = 0 } :: else fi;
     atomic { n = SCRIPT_AT;                          /* begin.lua */
       if
       :: REFUSED(n, m[n].wP && m[n].eP) -> NOTICE(n); goto fin
       :: else ->
          if
          :: OUT_OF_USE(n,ME) -> n = 2
          :: else -> OR_MAKE(n,ME); REMEMBER(n,ME);
             if :: HIT(n) -> assert(!(ra > m[n].eF)); goto fin :: else fi;
             s = m[n].gC; b = m[n].gB; F = started; n = 0
          fi
       fi };
     if :: n == 2 -> atomic { adopt(ME); goto fin } :: else fi;
     atomic { n = SCRIPT_AT;                          /* commit.lua */
       if
       :: REFUSED(n, m[n].wP && m[n].xP && m[n].eP) -> NOTICE(n)
       :: else ->
          if
          :: OUT_OF_USE(n,ME) -> skip
          :: else -> OR_MAKE(n,ME);
             if
             :: m[n].wP && m[n].gB == b && m[n].gC >= s && m[n].wIv <= s ->
                m[n].xP = 1; m[n].eP = 1; m[n].eB = b; m[n].eS = s; m[n].eF = F
             :: else
             fi;
             REMEMBER(n,ME)
          fi
       fi };
fin: atomic { n = 0; ra = 0; s = 0; b = 0; F = 0 }
  :: else -> break
  od }

/* a sweep: what makes sure that a slot that stays open is seen */
proctype Sweep() { byte n, k;
end: do
  :: atomic { open && !seen -> n = SCRIPT_AT; seen = 1 POISON(n); n = 0 }
  od }

/* ---- the move ---- */
#define G2(a,b) m[b].gP = 1; m[b].gBad = m[a].gBad; m[b].gC = m[a].gC; m[b].gRf = m[a].gRf; m[b].gB = m[a].gB; m[b].gH = m[a].gH; \
  m[b].an[1] = m[a].an[1]; m[b].an[2] = m[a].an[2]; m[b].an[3] = m[a].an[3]; m[b].an[4] = m[a].an[4]; m[b].an[5] = m[a].an[5]; \
  m[b].an[6] = m[a].an[6]; m[b].an[7] = m[a].an[7]
#define NOG(a) m[a].gP = 0; m[a].gBad = 0; m[a].gC = 0; m[a].gRf = 0; m[a].gB = 0; m[a].gH = 0; \
  m[a].an[1] = 0; m[a].an[2] = 0; m[a].an[3] = 0; m[a].an[4] = 0; m[a].an[5] = 0; m[a].an[6] = 0; m[a].an[7] = 0
#define W2(a,b) m[b].wP = 1; m[b].wIv = m[a].wIv
#define NOW_(a) m[a].wP = 0; m[a].wIv = 0
#define E2(a,b) m[b].eP = 1; m[b].eB = m[a].eB; m[b].eS = m[a].eS; m[b].eF = m[a].eF
#define NOE(a) m[a].eP = 0; m[a].eB = 0; m[a].eS = 0; m[a].eF = 0
#ifdef UNSEEN_ABORT
#define MAY_ABORT 1
#else
#define MAY_ABORT seen
#endif
#ifdef UNSEEN_PROMOTE
#define MAY_PROMOTE 1
#else
#define MAY_PROMOTE seen
#endif
#define MAY(step) if :: step :: skip fi
proctype Mover() { byte i; bit g, w, x, e;            /* g w x e: moved in this phase */
  do
  :: i < NPH && owner == 0 ->
     atomic { i++; open = 1; seen = 0 };
     do
     :: atomic { m[0].gP -> G2(0,1); NOG(0); g = 1 }  /* MIGRATE, over what is there too (REPLACE) */
     :: atomic { m[0].wP -> W2(0,1); NOW_(0); w = 1 }
     :: atomic { m[0].xP -> m[1].xP = 1; m[0].xP = 0; x = 1 }
     :: atomic { m[0].eP -> E2(0,1); NOE(0); e = 1 }
     :: atomic { MAY_ABORT -> open = 0; break }
     :: atomic { open = 0; owner = 1; NOG(0); NOW_(0); m[0].xP = 0; NOE(0); break }
     :: atomic { MAY_PROMOTE && id0 == 1 -> open = 0; id0 = 3;
          if :: m[0].gP && m[0].gBad -> m[0].gBad = 0 :: skip fi;
#ifndef NO_SLOT_CHECK
          if :: g -> G2(1,0); m[0].gBad = 0 :: skip fi; if :: w -> W2(1,0) :: skip fi;
          if :: x -> m[0].xP = 1 :: skip fi; if :: e -> E2(1,0) :: skip fi;
#endif
          break }
     od;
     atomic { g = 0; w = 0; x = 0; e = 0; seen = 0 }
  :: else -> break
  od }

init { atomic { nb = 1; m[0].gP = 1; m[0].gC = 1; m[0].gB = 1; m[0].gH = 1; m[0].wP = 1;
  run Inv(); run Reader(); run Mover(); run Sweep() } }
