/* strict.pml - strict L1: leases and acknowledgements. One partition, one key, one dependency; NI processes with an L1, one
 * invalidator outside them (SELF: it is process 0); the bus loses messages, acknowledgements and replies to beats.
 *
 * L2 is the protocol of recommended.pml and fast.pml, reduced to: an entry is valid iff its fetch began after the last
 * invalidation. TIME: "a lease has passed since the script answered" means on every process: each lease counted from a beat
 * SENT before the script ran is over (kill[i] = beats sent by then; lease b is alive iff b > kill[i]). A lease may also end
 * earlier at any moment; a process may stand still anywhere.
 * Switches:  NI processes  NR, NR1 reads  NB, NB1 beats  NW invalidations  NC early ends of a lease  SELF
 *   WRITE    some of the invalidations are a `set`: tick and write in one step
 *   RESTART  once, Redis comes back without its members: empty (clock 1), or adopted from a snapshot or a replica, with or
 *            without the last invalidation. A new birth; clocks of two births are not comparable. A process that has known
 *            a birth for a lease tells the others (mature). ONLY_EMPTY: only the first of these
 *   CLK0     the clock at the start
 * Mutations, each must break it:  NO_ACKWAIT  REPLY_TIME  REJOIN_NOFLUSH  NO_GEN  NO_LIV  NO_EXPIRY  NO_CATCHUP  EVICT_BLIND
 *   CHECK_EARLY; with SELF: OWN_NODROP  LIV_LOWER; with RESTART: NO_BIRTH_WAIT (a new gate is trusted at once)
 *   MATURE_EARLY (maturity is reported before a lease has passed)  PEND_ANY_BIRTH (a new gate's "no member" settles an
 *   invalidation of the old one)  EVICT_ANY_BIRTH (eviction compares clocks of two births)  CHAIN_BY_CLOCK (no tips)
 */
#ifndef NI
#define NI 2
#endif
#ifndef NW
#define NW 2       /* invalidations */
#endif
#ifndef NR
#define NR 2       /* reads per instance */
#endif
#ifndef NB
#define NB 2       /* beats per instance */
#endif
#ifndef NR1
#define NR1 NR     /* the same for instance 1 */
#endif
#ifndef NB1
#define NB1 NB
#endif
#if NI == 1
#define ALLW WAITED(0)
#else
#define ALLW (WAITED(0) && WAITED(1))
#endif
#ifndef CLK0
#define CLK0 0     /* the clock at the start */
#endif
#ifndef NC
#define NC 1       /* crash/restart (join with a new identity) per instance */
#endif
byte started, acked;                 /* ghosts: invalidations started / acknowledged */
byte clk;                                 /* gate clock */
bit  eP; byte eF;                         /* L2 entry, ghost F = started at the begin of its fetch */
bit  in[NI]; byte inC[NI], ac[NI];        /* T:in member, score = clk at its last beat ; T:ac processed position */
/* per instance */
bit  lP[NI]; byte lV[NI], lF[NI];         /* L1 entry, vclk, ghost */
byte pclk[NI], gen[NI], liv[NI];          /* last processed bus position, flush generation, last processed clk of the dep */
byte sent[NI], lease[NI], kill[NI];       /* beats sent, beat that carries the lease (0 none), dead up to */
bit  ackd[NI];                            /* ack for the current invalidation arrived */
byte cur;                                 /* clock the invalidator waits for (0 = none) */
#ifdef RESTART
bit  birth, mature;                       /* T:m born, mature */
byte base;                                /* what the second birth has kept of the first: its history up to here (0 = nothing) */
bit  pb[NI], cb;                          /* birth of the processed position; of the invalidation that is waited for */
#define BIRTH birth
#define PB(i) pb[i]
#define SET_PB(i,b) ; pb[i] = b
#ifdef CHAIN_BY_CLOCK
#define SAME_BIRTH(a,b) 1
#define IN_HISTORY(c,b) 1
#else
#define SAME_BIRTH(a,b) (a == b)
#define IN_HISTORY(c,b) (b == birth || (base > 0 && c <= base))
#endif
#define RANDOM_TIP(b) (b == cb)
#ifdef PEND_ANY_BIRTH
#define PEND_OK 1
#else
#define PEND_OK (cb == birth)
#endif
#ifdef EVICT_ANY_BIRTH
#define EVICT_OK 1
#else
#define EVICT_OK (cb == birth)
#endif
#else
#define BIRTH 0
#define PB(i) 0
#define SET_PB(i,b)
#define SAME_BIRTH(a,b) 1
#define IN_HISTORY(c,b) 1
#define RANDOM_TIP(b) 1
#define PEND_OK 1
#define EVICT_OK 1
#endif
chan bus[NI] = [2] of { byte, bit };      /* invalidations: clk, birth: together they stand for the random tip */
#define FLUSH(i) lP[i]=0; lV[i]=0; lF[i]=0; liv[i]=0; gen[i]=gen[i]+1
#ifdef NO_EXPIRY
#define LEASE(i) (lease[i] > 0)
#else
#define LEASE(i) (lease[i] > kill[i])
#endif
#ifdef CHECK_EARLY
#define OK1(i) (okc)
#else
#define OK1(i) LEASE(i)
#endif
/* ---- bus receiver of instance i (same thread as its reads: atomic) ---- */
#define ACK(i,c,b) if :: c == cur && RANDOM_TIP(b) -> ackd[i] = 1 :: skip fi      /* ack published; it may be lost */
proctype Bus(byte i) { byte c; bit b;
end: do
  :: atomic { bus[i]?c,b ->
       if
       :: !(c == pclk[i] + 1 && SAME_BIRTH(b, PB(i))) -> FLUSH(i)                          /* gap: something was lost */
#ifdef LIV_LOWER
       :: else -> liv[i] = c;
#else
       :: else -> liv[i] = (liv[i] > c -> liv[i] : c);                 /* maximum: an own inv may be ahead of the bus */
#endif
          if :: lP[i] && lV[i] < c -> lP[i]=0; lV[i]=0; lF[i]=0 :: else fi
       fi;
       pclk[i] = c SET_PB(i,b); ACK(i,c,b); c = 0; b = 0 }
  od }
#ifdef RESTART
#define ADOPTS (pclk[i] < rc || PB(i) != rb)
#else
#define ADOPTS (pclk[i] < rc)
#endif
/* ---- beats: send, execute, reply, with anything in between; crash/restart = leave + empty L1, new identity ---- */
proctype Beat(byte i) { byte n, b, rc, pc, cr; bit joined, pcb, rb;
end: do
  :: n < (i == 0 -> NB : NB1) ->
     n++;
     atomic {                                                           /* send: position carried, monotonic time noted */
#ifndef REPLY_TIME
       sent[i] = sent[i] + 1; b = sent[i];
#endif
       pc = pclk[i]; pcb = PB(i) };
     atomic { joined = !in[i]; in[i] = 1; inC[i] = clk; rb = BIRTH;     /* beat script; a position unknown here: LOST */
       if :: joined -> ac[i] = clk :: !joined && IN_HISTORY(pc,pcb) -> ac[i] = pc :: else -> joined = 1 fi; rc = clk };
     if
     :: atomic { 1 ->                                                    /* reply */
#ifdef REPLY_TIME
       sent[i] = sent[i] + 1; b = sent[i];                               /* lease counted from the reply */
#endif
       if
#ifdef REJOIN_NOFLUSH
       :: joined -> if :: ADOPTS -> pclk[i] = rc SET_PB(i,rb) :: else fi; lease[i] = b
#else
       :: joined -> FLUSH(i); if :: ADOPTS -> pclk[i] = rc SET_PB(i,rb) :: else fi; lease[i] = b
#endif
       :: !joined && pclk[i] >= rc -> lease[i] = b                       /* caught up */
#ifdef NO_CATCHUP
       :: !joined && pclk[i] < rc -> lease[i] = b
#else
       :: !joined && pclk[i] < rc -> skip                                /* keep the old lease, wait for the bus */
       :: !joined && pclk[i] < rc -> FLUSH(i); pclk[i] = rc SET_PB(i,rb); lease[i] = b
#endif
       fi }
     :: skip                                                             /* reply lost */
     fi;
     atomic { b = 0; rc = 0; pc = 0; joined = 0; pcb = 0; rb = 0 }
  :: atomic { lease[i] > 0 && LEASE(i) && cr < NC -> cr++; lease[i] = 0 }        /* local expiry / pause / disconnection: any time */
  od }
/* ---- readers ---- */
proctype Reader(byte i) { byte n, ra, F, V, g; bit okc, vb;
next: do
  :: n < (i == 0 -> NR : NR1) ->
#ifdef CHECK_EARLY
     okc = LEASE(i);
#endif
     n++; atomic { ra = acked; g = gen[i] };                             /* read begins */
     if
     :: atomic { OK1(i) && lP[i] -> V = lV[i]; F = lF[i] };                            /* L1: clock check and lookup, then any pause */
        assert(!(ra > F)); goto fin                                      /* ... before the return */
     :: !(OK1(i) && lP[i])
     fi;
     if
     :: atomic { eP -> V = clk; F = eF; assert(!(ra > F)) }              /* L2 hit: MGET */
     :: atomic { !eP -> V = clk; vb = BIRTH; F = started };                          /* get + fetch begins; commit below */
        if
        :: atomic { V == clk && vb == BIRTH && !eP -> eP = 1; eF = F; V = clk; assert(!(ra > F)) }
        :: atomic { !(V == clk && vb == BIRTH && !eP) -> goto fin }                     /* refused: uncached */
        fi
     fi;
     atomic {                                                            /* reply: populate */
       if
#ifdef NO_GEN
       :: liv[i] <= V ->
#else
#ifdef NO_LIV
       :: gen[i] == g ->
#else
       :: gen[i] == g && liv[i] <= V ->
#endif
#endif
          lP[i] = 1; lV[i] = V; lF[i] = F
       :: else
       fi };
fin: atomic { ra = 0; F = 0; V = 0; g = 0; okc = 0; vb = 0 }
  :: else -> break
  od }
/* ---- invalidator ---- */
#define WAITED(i) (!mem[i] || ackd[i] || to || (PEND_OK && (!in[i] || ac[i] >= cur)))     /* pub/sub ack, lease over, or pend says so */
proctype Inv() { byte n, i; bit mem[NI]; bit to; byte at[NI]; bit must, known;
  do
  :: n < NW ->
     n++; started++;
     atomic { clk++; cur = clk;                                          /* inv script: kills the L2 entry, lists the members */
#ifdef WRITE
       if :: eP = 0; eF = 0 :: eP = 1; eF = started fi;                  /* write script: the same, and the new entry */
#else
       eP = 0; eF = 0;
#endif
#ifdef RESTART
       cb = birth;
#ifndef NO_BIRTH_WAIT
       must = (birth != known && !mature);                               /* members may be missing, their leases are not */
#endif
#endif
       i = 0; do :: i < NI -> mem[i] = in[i]; ackd[i] = 0;
            at[i] = sent[i];
            if :: nfull(bus[i]) -> bus[i]!clk,BIRTH :: skip fi;          /* lossy */
            i++ :: else -> break od; i = 0; to = 0 };
#ifdef SELF
     atomic { mem[0] = 0;
#ifndef OWN_NODROP
       liv[0] = (liv[0] > cur -> liv[0] : cur); if :: lP[0] && lV[0] < cur -> lP[0]=0; lV[0]=0; lF[0]=0 :: else fi
#endif
     };
#endif
#ifndef NO_ACKWAIT
     if
     :: atomic { ALLW && !must -> skip }
     :: atomic { !ALLW || must ->                            /* leaseMs passed since inv answered */
          to = 1;
#ifdef RESTART
          known = cb;
#endif
          i = 0; do :: i < NI -> if :: at[i] > kill[i] -> kill[i] = at[i] :: else fi;
             if
#ifdef EVICT_BLIND
             :: mem[i] && !ackd[i] -> in[i] = 0
#else
             :: EVICT_OK && mem[i] && !ackd[i] && in[i] && inC[i] < cur && ac[i] < cur -> in[i] = 0      /* evict: no beat since inv */
#endif
             :: else fi;
             i++ :: else -> break od; i = 0 }
     fi;
#endif
     atomic { acked = started; cur = 0; to = 0; must = 0;
       i = 0; do :: i < NI -> mem[i] = 0; at[i] = 0; ackd[i] = 0; i++ :: else -> break od; i = 0 }
  :: else -> break
  od }
#ifdef RESTART
proctype Restart() { byte i; byte rs[NI];
  atomic { birth = 1; eP = 0; eF = 0;
    if
    :: clk = 1; base = 0                                                 /* empty */
#ifndef ONLY_EMPTY
    :: clk > 0 -> base = clk - 1                                         /* adopted, the last invalidation was lost */
    :: base = clk; clk++                                                 /* adopted, nothing was lost */
#endif
    fi;
    i = 0; do :: i < NI -> rs[i] = sent[i];
         if :: in[i] && base > 0 && inC[i] <= base && ac[i] <= base -> skip      /* known to the snapshot */
            :: in[i] = 0; inC[i] = 0; ac[i] = 0 fi;
         if :: base > 0 && nfull(bus[i]) -> bus[i]!clk,birth :: skip fi; /* adopt tells everybody to forget */
         i++ :: else -> break od; i = 0 };
  atomic { mature = 1;                                                   /* somebody has known this birth for a lease */
#ifndef MATURE_EARLY
    i = 0; do :: i < NI -> if :: rs[i] > kill[i] -> kill[i] = rs[i] :: else fi; i++ :: else -> break od;
#endif
    i = 0; do :: i < NI -> rs[i] = 0; i++ :: else -> break od; i = 0 }
}
#endif
init { atomic { byte i = 0;
#if CLK0 > 0
  clk = CLK0; do :: i < NI -> pclk[i] = CLK0; i++ :: else -> break od; i = 0;
#endif
#ifdef RESTART
  run Restart();
#endif
  do :: i < NI -> run Bus(i); run Beat(i); run Reader(i); i++ :: else -> break od; i = 0; run Inv() } }
