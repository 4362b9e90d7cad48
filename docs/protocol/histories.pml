/* histories.pml - one node whose whole content may go back: to a copy (SWAPDB, DEBUG RELOAD NOSAVE, an older snapshot), and to
 * and fro between two contents that both go on. One partition, one key, one record.
 *
 * Process 0 invalidates the record, process 1 reads, process 2 invalidates something else (it only ticks). Each remembers the
 * newest position (born, clock, tip) that it has seen. The ghost gI of a content counts the invalidations of the record in it; what
 * a process remembers covers mI of them. Asserted at each read's return: nothing that was acknowledged when the read began, and that
 * this process knew (its memory covers it), is newer than the value. ALL asserts it for what the process did not know as well.
 * The node's run and home stay as they are (with -DREPLID what goes back comes under another replication id, as when a replica
 * is promoted by hand, taken back and promoted again: scripts see that, reads cannot).
 *
 * The mend: a script that receives a remembered position that is not in its window begins a new history (adopt): fresh born and
 * tip, entries of another born are dead; it puts what it received into the window. A read believes a gate that contains what the
 * process remembers. How it tells:
 *   BY_CLOCK  same born and the clock not lower, or another born that has this one among its ancestors up to such a clock
 *   (default) the same tip, or one of the last tips that the gate carries; else a script looks into the window first
 * Switches:  NR reads  NW invalidations  NO ticks of process 2  NS exchanges of the contents  REPLID  ALL
 *   FOLLOW  strict L1: an invalidation is acknowledged when every process has followed it
 *   TODAY   the build 31835a3: no memory, no born (runs of the server stay the same)   FRESH  the reader remembers nothing
 * Mutations, each must break it:  NO_MEMORY (a read believes every gate)  NO_INV_CHECK (invalidations do not tell what they
 *   remember; with FOLLOW)  BY_CLOCK  BY_BORN (ancestors without a clock)
 *   ADOPT_KEEPS  KEEP_ANY (with L1: a value is kept though the bus has not told of the tip that its reply came with)
 * Not needed, the run holds with it:  FORGET_TOLD (adopt does not keep what it received)
 */
#ifndef NR
#define NR 3
#endif
#ifndef NW
#define NW 1
#endif
#ifndef NO
#define NO 2       /* ticks of process 2 */
#endif
#ifndef NS
#define NS 2       /* exchanges */
#endif
#define MB 10
#ifdef TODAY
#define NO_MEMORY
#define NO_INV_CHECK
#endif
#ifdef BY_BORN
#define BY_CLOCK
#endif
typedef DB {
  byte c, b, t, rf; int tz;                           /* T:g clock, born, tip, read floor; T:tz as a set of tips */
  byte iv;                                            /* T:iv */
  byte gI;                                            /* ghost: invalidations of the record in this history */
  bit eP; byte eB, eS, eF;                            /* T:e; ghost */
  byte rid;                                           /* T:m: the replication id that it was written under */
#ifdef BY_CLOCK
  byte an[MB];
#endif
}
DB d[2]; bit cur;                                     /* the content that commands see */
byte rid, nn, nb;                                     /* replication id; random tips and births: never rolled back */
byte started, acked;
#ifdef FOLLOW
bit fol[3]; byte fC, fT, fB, fI;
#endif
int mS[3]; byte mB[3], mC[3], mI[3];                  /* what the processes remember: tips; born, clock (BY_CLOCK); ghost */
#define m d[cur]
#define BIT(t) (1 << t)
#ifdef FRESH
#define NOTHING(p) (p == 1 || mS[p] == 0)
#else
#define NOTHING(p) (mS[p] == 0)
#endif
#define IN_WINDOW(p) (NOTHING(p) || (m.tz & mS[p]) == mS[p])
#if defined(REPLID) && !defined(TODAY)
#define OWN (m.rid == rid)
#else
#define OWN 1
#endif
#ifdef NO_INV_CHECK
#define KNOWN(p) 1
#else
#define KNOWN(p) IN_WINDOW(p)
#endif
#ifdef NO_MEMORY
#define BELIEVED(p) 1
#elif defined(BY_CLOCK)
#ifdef BY_BORN
#define ANCESTOR(p) (m.an[mB[p]] > 0)
#else
#define ANCESTOR(p) (m.an[mB[p]] > 0 && m.an[mB[p]] >= mC[p])
#endif
#ifdef EQUAL_TIP
#define SAME_BORN(p) (m.b == mB[p] && (m.c > mC[p] || (m.c == mC[p] && mS[p] == BIT(m.t))))
#else
#define SAME_BORN(p) (m.b == mB[p] && m.c >= mC[p])
#endif
#define BELIEVED(p) (NOTHING(p) || SAME_BORN(p) || (m.b != mB[p] && ANCESTOR(p)))
#else
#define BELIEVED(p) IN_WINDOW(p)
#endif
#ifdef ADOPT_KEEPS
#define BORN_OK 1
#else
#define BORN_OK (m.eB == m.b)
#endif
#define HIT (m.eP && BORN_OK && m.eS >= m.rf)
#define REMEMBER(p) mB[p] = m.b; mC[p] = m.c; mS[p] = BIT(m.t); mI[p] = (mI[p] > m.gI -> mI[p] : m.gI)
#ifdef ALL
#define CHECK(f) assert(!(ra > f))
#else
#define CHECK(f) assert(!(ra > f && kn > f))
#endif

#ifdef L1
bit lP; byte lF, lV, liv, gen, pt = 1;                /* process 1: its entry and ghost, clock of the reply; last invalidation, flushes, position */
int tips = 2;                                         /* followed since the last flush */
chan bus = [4] of { byte, byte, byte, byte };         /* tip, tip before, clock, 0 another record 1 the record 2 all */
#define PUB(k) if :: nfull(bus) -> bus!nn+1,m.t,m.c+1,k :: full(bus) -> skip fi;
#define FLUSH lP = 0; lF = 0; lV = 0; liv = 0; tips = 0; gen++
#else
#define PUB(k)
#endif
inline tick(k) { PUB(k) nn++; m.c++; m.t = nn; m.tz = m.tz | BIT(nn) }
inline adopt(p) {                                     /* a new history; keeps what it received */
#ifdef BY_CLOCK
  m.an[m.b] = m.c;
  if :: mS[p] != 0 && m.an[mB[p]] < mC[p] -> m.an[mB[p]] = mC[p] :: else fi;
#endif
#ifndef FORGET_TOLD
  m.tz = m.tz | mS[p];
#endif
  assert(nb < MB - 1 && nn < 30);
  nb++; m.b = nb; tick(2); m.rid = rid;
#ifndef ADOPT_KEEPS
  m.rf = m.c;
#endif
}
inline examine(p) { if :: OWN && KNOWN(p) -> skip :: else -> adopt(p) fi }

proctype Inv() { byte i;
  do
  :: i < NW -> i++; started++;
     atomic { examine(0); tick(1); m.iv = m.c; m.gI = started;
       m.eP = 0; m.eB = 0; m.eS = 0; m.eF = 0; REMEMBER(0)
#ifdef FOLLOW
       ; fol[1] = 1; fol[2] = 1; fC = m.c; fT = m.t; fB = m.b; fI = m.gI
#endif
     };
#ifdef FOLLOW
     atomic { !fol[1] && !fol[2] -> acked = started }
#else
     acked = started
#endif
  :: else -> break
  od }
#ifdef FOLLOW
proctype Follow(byte p) {                             /* the bus tells process p of an invalidation */
end: do
  :: atomic { fol[p] -> fol[p] = 0; mS[p] = mS[p] | BIT(fT); mI[p] = (mI[p] > fI -> mI[p] : fI);
       if :: mB[p] == fB && mC[p] > fC -> skip :: else -> mB[p] = fB; mC[p] = fC fi }
  od }
#endif
#ifdef L1
proctype Chain() { byte t, pr, c, k;                  /* process 1 follows the bus, and forgets all where the chain is broken */
end: do
  :: atomic { bus?t,pr,c,k ->
       if :: pr != pt || k == 2 -> FLUSH :: else fi;
       pt = t; tips = tips | BIT(t);
       if
       :: k == 1 -> liv = (liv > c -> liv : c);
          if :: lP && lV < c -> lP = 0; lF = 0; lV = 0 :: else fi;
          mS[1] = mS[1] | BIT(t);
          if :: t == fT -> mI[1] = (mI[1] > fI -> mI[1] : fI); fol[1] = 0 :: else fi
       :: else
       fi;
       t = 0; pr = 0; c = 0; k = 0 }
  od }
#endif
proctype Other() { byte i;
  do
  :: i < NO -> i++; atomic { examine(2); tick(0); REMEMBER(2) }
  :: else -> break
  od }
proctype Reader() { byte i, ra, kn, s, b, t, F; bit ask;
#ifdef L1
  byte g, V;
#endif
  do
  :: i < NR -> atomic { i++; ra = acked; kn = mI[1];
#ifdef L1
       if :: lP -> CHECK(lF); goto fin :: else -> g = gen fi
#endif
     };
     atomic {                                         /* MGET G E */
       if
       :: !BELIEVED(1) -> ask = 1
       :: BELIEVED(1) && HIT -> REMEMBER(1); CHECK(m.eF);
#ifdef L1
          F = m.eF; V = m.c; t = m.t; goto keep
#else
          goto fin
#endif
#ifndef BY_CLOCK
#ifndef NO_MEMORY
       :: !NOTHING(1) && mS[1] != BIT(m.t) -> ask = 1       /* the gate does not carry so many tips */
#endif
#endif
       :: else
       fi };
     if :: ask -> atomic { examine(1); REMEMBER(1); if :: HIT -> CHECK(m.eF); goto fin :: else fi } :: else fi;
     atomic { examine(1); REMEMBER(1);                /* begin.lua */
       if :: HIT -> CHECK(m.eF); goto fin :: else fi;
       s = m.c; b = m.b; t = m.t; F = started };
     atomic { examine(1);                             /* commit.lua */
       if
       :: (m.tz & BIT(t)) && m.b == b && m.iv <= s -> m.eP = 1; m.eB = b; m.eS = s; m.eF = F
       :: else
       fi;
       REMEMBER(1) };
#ifdef L1
     goto fin;
keep: atomic {                                        /* the reply */
       if
#ifdef KEEP_ANY
       :: gen == g && liv <= V ->
#else
       :: gen == g && liv <= V && (tips & BIT(t)) ->
#endif
          lP = 1; lF = F; lV = V
       :: else
       fi; V = 0; g = 0 };
#endif
fin: atomic { ra = 0; kn = 0; s = 0; b = 0; t = 0; F = 0; ask = 0 }
  :: else -> break
  od }
/* ---- the content goes back ---- */
#ifdef BY_CLOCK
#define AN2(x,y) d[y].an[1] = d[x].an[1]; d[y].an[2] = d[x].an[2]; d[y].an[3] = d[x].an[3]; d[y].an[4] = d[x].an[4]; \
  d[y].an[5] = d[x].an[5]; d[y].an[6] = d[x].an[6]; d[y].an[7] = d[x].an[7]; d[y].an[8] = d[x].an[8]; d[y].an[9] = d[x].an[9];
#else
#define AN2(x,y)
#endif
#define COPY(x,y) AN2(x,y) d[y].c = d[x].c; d[y].b = d[x].b; d[y].t = d[x].t; d[y].rf = d[x].rf; d[y].tz = d[x].tz; d[y].iv = d[x].iv; \
  d[y].gI = d[x].gI; d[y].eP = d[x].eP; d[y].eB = d[x].eB; d[y].eS = d[x].eS; d[y].eF = d[x].eF; d[y].rid = d[x].rid
proctype Back() { byte i;
  atomic { COPY(0,1) };                               /* a copy, at any moment */
  do
  :: i < NS -> atomic { i++; cur = 1 - cur;
#ifdef REPLID
       rid++
#endif
     }
  :: break
  od }

init { atomic { nb = 1; nn = 1; d[0].c = 1; d[0].b = 1; d[0].t = 1; d[0].tz = BIT(1);
  run Inv(); run Other(); run Reader(); run Back();
#ifdef FOLLOW
#ifdef L1
  run Chain();
#else
  run Follow(1);
#endif
  run Follow(2)
#endif
} }
