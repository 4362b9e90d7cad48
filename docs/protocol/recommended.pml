/* recommended.pml - invalidation clock, validation at commit and at read; one partition, one key.
 *
 * Every atomic{} or d_step{} on `m` is one Lua script. Record 0 = A, always a dependency; record 1 = B, a dependency iff the
 * version of A that was fetched is odd: known only after the fetch. Ghosts: started[], acked[]; eF[] = started[] when the
 * fetch of the entry began. Assertion at every return: not (acked at the read's begin > started at the fetch's begin).
 * fast.pml includes this file with GATE, the layout of the product.
 * Switches:  CRASH (a builder dies)  REDELIVER (an event is applied twice)  JOINER (a second caller in the builder's process)
 *   RELEASE (a failed build gives its lease back)  TAKEOVER (a doomed lease is taken over)  WRITE (`set`: tick + write)
 *   MONO (asserts too that a superseded builder does not overwrite its successor)
 *   NO_LEASE (no leases at all: safety does not need them)  L1 (bounded L1, chain of tips)  ONEINST  NOLAZY
 *   FAILOVER with WAITREPL (WAIT before the ack) or REPAIR (re-apply)   NW writes a worker  NR reads a reader  NX expiries  NHB
 * Mutations, each must break it:  NO_VALIDATE NO_FLOOR NO_UNSWEPT NO_SEAL NO_TIP SWEEP_BLIND L1_NOCHAIN L1_NOPOP
 *   NUMBERED (events of a lower number are taken for duplicates)  RENEW_MOVES_START (renewing takes a new start point)
 *   JOIN_REFUSED (a late caller shares a refused value)  NO_FENCE (commit ignores the lease; needs MONO)
 *   WRITE_NO_TICK (`set` does not tick)  WRITE_SPLIT (tick and write are two steps)
 */
#ifndef NW
#define NW 1
#endif
#ifndef NR
#define NR 2
#endif
#ifndef NX
#define NX 1
#endif
#ifndef NHB
#define NHB 2
#endif
#define MAXC 12
typedef RS {
  byte clk; byte tip; byte tipAt[MAXC];   /* T:g clk, tip; T:tz */
  byte iv[2];                             /* T:iv: clock of the last invalidation, a window */
  byte ff;                                /* T:m: fill floor */
#ifdef GATE
  byte rf; byte uf;                       /* T:g: read floor, highest unswept clock */
  bit  own;                               /* T:m: last written under the second run of a server */
#endif
  bit  un[2];                             /* T:un: invalidated, dependants not swept yet */
  bit  eP; bit eB; byte eS; byte eF[2];   /* T:e: entry: present, depends on B, fill clock, GHOST */
  bit  x[2];                              /* T:x: reverse index */
  byte lTok;                              /* T:l: lease */
#ifdef TAKEOVER
  byte lS;                                /* T:l: its start point */
#endif
#ifdef WRITE
  byte ivK; byte eFK;                     /* T:iv of k:<id>; ghost of the entry */
#endif
#ifdef NUMBERED
  byte sq;                                /* number of the last applied event */
#endif
}
RS m;
#ifdef FAILOVER
RS r;
bit failed;
bit susp; byte verified;
#endif
byte src[2], started[2], acked[2];        /* source, ghosts */
byte nonce;                               /* never rolled back: random tips */
#ifdef FLUSH
byte nfl;
#endif
#ifdef WRITE
byte startedK, ackedK;                    /* `set` invalidates the key: its own ghosts */
#define KCHECK(f) ; assert(!(rak > f))
#else
#define KCHECK(f)
#endif

/* coalescing in the process of reader 0 */
#ifdef JOINER
byte fl;                                  /* 0 none 1 open 2 sealed */
bit jw; byte jres; byte jF0, jF1; bit jB;
#endif
#ifdef ONEINST
#define NBUS 1
#else
#define NBUS 2
#endif
#ifdef L1
byte nhb;
bit l1P[2], l1B[2]; byte l1V[2], l1F0[2], l1F1[2], ltip[2], gen[2], liv[4], pv[4];
chan bus0 = [2] of { byte, byte, byte, byte, byte, byte };
chan bus1 = [2] of { byte, byte, byte, byte, byte, byte };
#define PUB(c,t,p,k,a,b) if :: nfull(bus0) -> bus0!c,t,p,k,a,b :: skip fi; \
                         if :: (NBUS == 2 && nfull(bus1)) -> bus1!c,t,p,k,a,b :: skip fi   /* lossy */
#endif

/* ---- what may be served ---- */
#define FRESH_IV (m.iv[0] <= m.eS && (!m.eB || m.iv[1] <= m.eS))
#ifdef NO_UNSWEPT
#define VALID (m.eP)
#else
#ifdef GATE
#define VALID (m.eP && RFOK(m.rf) && ((!m.un[0] && !m.un[1]) || FRESH_IV))
#else
#define VALID (m.eP && ((!m.un[0] && !m.un[1]) || FRESH_IV))
#endif
#endif
#ifdef FASTUN
#define UFOK(u) (u == 0)
#else
#define UFOK(u) (m.eS >= u)
#endif
#ifdef NO_RF
#define RFOK(f) 1
#else
#define RFOK(f) (m.eS >= f)
#endif
#ifdef GATE
#define SETUF if :: m.un[0] && m.un[1] -> if :: m.iv[0] > m.iv[1] -> m.uf = m.iv[0] :: else -> m.uf = m.iv[1] fi \
  :: m.un[0] && !m.un[1] -> m.uf = m.iv[0] :: !m.un[0] && m.un[1] -> m.uf = m.iv[1] :: else -> m.uf = 0 fi
#define THEN_SETUF ; SETUF
#else
#define THEN_SETUF
#endif
#ifdef WRITE
#define DROPK m.eFK=0;
#else
#define DROPK
#endif
#define DROP DROPK m.eP=0; m.eB=0; m.eS=0; m.eF[0]=0; m.eF[1]=0; m.x[0]=0; m.x[1]=0

/* ---- what may be committed ---- */
#ifdef NO_TIP
#define TIPOK 1
#else
#define TIPOK (m.tipAt[s] == tp)
#endif
#ifdef NO_FLOOR
#define FLOOROK 1
#else
#define FLOOROK (s >= m.ff)
#endif
#ifdef WRITE
#define IVKOK (m.ivK <= s)
#else
#define IVKOK 1
#endif
#ifdef NO_VALIDATE
#define IVOK 1
#else
#define IVOK (m.iv[0] <= s && (!dB || m.iv[1] <= s) && IVKOK)
#endif
#ifdef TAKEOVER
#define ENDLEASE m.lTok = 0; m.lS = 0
#define LEASESTART m.lS = m.clk;
#ifdef GATE
#define DOOMED_RF (m.lS < m.rf)
#else
#define DOOMED_RF 0
#endif
#ifdef WRITE
#define DOOMED_K (m.ivK > m.lS)
#else
#define DOOMED_K 0
#endif
#define DOOMED (m.lS < m.ff || DOOMED_RF || m.iv[0] > m.lS || DOOMED_K)     /* A is known beforehand, B is not */
#else
#define ENDLEASE m.lTok = 0
#define LEASESTART
#define DOOMED 0
#endif
#if defined(NO_LEASE) || defined(NO_FENCE)
#define FILLOK (TIPOK && FLOOROK && IVOK)
#else
#define FILLOK (TIPOK && FLOOROK && IVOK && (m.lTok == tok || (m.lTok == 0 && !VALID)))
#endif
#ifdef NO_LEASE                           /* not a mutation: shows that safety does not need the lease */
#define FREE 1
#else
#define FREE (m.lTok == 0 || DOOMED)
#endif
#define CHECK(f0,f1,b) assert(!(ra0 > f0) && !(b && ra1 > f1))

/* ---- a server that is not the one that wrote last ---- */
#if defined(ADOPT) && !defined(NO_ADOPT)
#define UP (!failed || m.own)             /* no command runs on a new server before it has adopted the partition */
#else
#define UP 1
#endif
#ifdef REPAIR
#define NOT_YET_PROMISED (!(failed && !susp))
#endif
#ifdef ADOPT_LATE
#define NOT_YET_PROMISED (!(failed && m.own))
#endif
#ifdef NOT_YET_PROMISED
#define ONLY_PROMISED if :: NOT_YET_PROMISED -> ra0 = 0; ra1 = 0 :: else fi;
#else
#define ONLY_PROMISED
#endif

inline tick() { m.clk++; nonce++; m.tip = nonce; m.tipAt[m.clk] = nonce }

inline inv(k) {                           /* invalidate.lua */
#ifdef L1
  PUB(m.clk + 1, nonce + 1, m.tip, k, 0, 0);
#endif
  tick(); m.iv[k] = m.clk;
  if
#ifdef NOLAZY
  :: m.x[k] -> DROP
#else
#ifdef WALK
  :: m.un[k] = 1; m.uf = m.clk                                   /* wide: there is no index to look into */
#elif defined(GATE) && !defined(GATE_STALE)
  :: m.x[k] -> if :: DROP :: m.un[k] = 1; m.uf = m.clk fi     /* small fan-out at once, or left to the sweeper */
#else
  :: m.x[k] -> if :: DROP :: m.un[k] = 1 fi
#endif
#endif
#ifndef WALK
  :: else
#endif
  fi;
  ic = m.clk; it = m.tip
}

proctype Worker(byte k) {
  byte n, ic, it;
  do
  :: n < NW ->
     src[k]++;
     started[k]++;
again:
#ifdef NUMBERED                           /* the deposed consumer's 2 (B) makes the new leader's 1 (A) a "duplicate" */
     atomic { if :: k + 1 > m.sq -> m.sq = k + 1; inv(k) :: else -> ic = m.clk; it = m.tip fi };
#else
     atomic { UP -> inv(k) };
#endif
#ifdef REDELIVER
     if :: skip :: (k == 1) -> atomic { UP -> inv(k) } fi;        /* crash before the ack: applied again */
#endif
#ifdef WAITREPL
     if                                                     /* WAIT <all replicas> */
     :: atomic { !failed && r.tipAt[ic] == it -> acked[k]++ }
     :: atomic { failed && m.tipAt[ic] == it -> acked[k]++ }
     :: atomic { failed && m.tipAt[ic] != it -> goto again }  /* connection lost: retry */
     fi;
#else
     acked[k]++;
#endif
     n++
  :: else -> break
  od;
#ifdef REPAIR
  /* heartbeat: my last acknowledged (clk, tip) must still be in the history, else re-apply */
  if
  :: atomic { failed && m.tipAt[ic] == it -> verified++ }
  :: atomic { failed && m.tipAt[ic] != it -> inv(k); verified++ }
  fi;
  atomic { if :: verified == 2 -> susp = 0 :: else fi }
#endif
}

#ifdef WRITE
#define PUT(s,f0,f1,fk) m.eP = 1; m.eS = s; m.eF[0] = f0; m.eF[1] = f1; m.eFK = fk; m.x[0] = 1; \
                        if :: m.eB = 1; m.x[1] = 1 :: m.eB = 0; m.x[1] = 0 fi
proctype Writer() {                       /* write.lua: counts as fetched at the instant at which the store applies it */
  byte s, f0, f1, fk;
  startedK++;
#ifdef WRITE_SPLIT
  atomic { UP -> tick(); m.ivK = m.clk; s = m.clk; f0 = started[0]; f1 = started[1]; fk = startedK };
  atomic { UP -> DROP; ENDLEASE; PUT(s, f0, f1, fk) };
#else
  atomic { UP ->
#ifndef WRITE_NO_TICK
    tick(); m.ivK = m.clk;
#endif
    DROP; ENDLEASE; PUT(m.clk, started[0], started[1], startedK) };
#endif
  ackedK++
}
#endif

#ifdef WALK_LATE
#define MET(k) m.un[k]                    /* whatever is unswept when the round ends */
#else
#define MET(k) (m.un[k] && m.iv[k] <= wac)
#endif

proctype Sweep() {
#ifdef WALK
  byte wst, wac;
#endif
end: do
#ifdef WALK                               /* sweep.lua: a round over the directory (of one entry), a step at a time */
  :: atomic { UP && wst == 0 && (m.un[0] || m.un[1]) -> wac = m.clk; wst = 1 }
  :: atomic { UP && wst == 1 ->
       if :: m.eP && m.eS < m.uf && (m.eS < m.iv[0] || (m.eB && m.eS < m.iv[1])) -> DROP :: else fi; wst = 2 }
  :: atomic { UP && wst == 2 ->
       if :: MET(0) -> m.un[0] = 0 :: else fi; if :: MET(1) -> m.un[1] = 0 :: else fi; wst = 0 THEN_SETUF }
#else
  :: atomic { UP && m.un[0] -> if
#ifdef SWEEP_BLIND
       :: m.x[0] && m.eP && m.eS >= m.iv[0] -> m.x[0] = 0     /* forgets a newer registration */
#endif
       :: m.x[0] && m.eP && m.eS < m.iv[0] -> DROP :: else fi; m.un[0] = 0 THEN_SETUF }
  :: atomic { UP && m.un[1] -> if
#ifdef SWEEP_BLIND
       :: m.x[1] && m.eP && m.eS >= m.iv[1] -> m.x[1] = 0
#endif
       :: m.x[1] && m.eP && m.eS < m.iv[1] -> DROP :: else fi; m.un[1] = 0 THEN_SETUF }
#endif
#ifdef SWEEP_EARLY
  :: atomic { m.un[0] -> m.un[0] = 0 THEN_SETUF }
#endif
#ifdef FLUSH
  :: atomic { nfl < 1 -> nfl++; tick(); m.ff = m.clk; m.rf = m.clk; m.un[0] = 0; m.un[1] = 0; m.uf = 0 }
#endif
#if (defined(ADOPT) || defined(ADOPT_LATE)) && !defined(NO_ADOPT)
  :: atomic { failed && !m.own -> m.own = 1;                  /* adopt.lua, and the sweeper's own look */
       tick();
#ifndef ADOPT_NO_FF
       m.ff = m.clk;
#endif
       m.rf = m.clk; m.un[0] = 0; m.un[1] = 0; m.uf = 0 }
#endif
  /* trim the window (memory bound): forget iv[k], raise the fill floor */
#ifndef NOLAZY
  :: atomic { UP && m.iv[0] > 0 && !m.un[0] -> if :: m.iv[0] > m.ff -> m.ff = m.iv[0] :: else fi; m.iv[0] = 0 }
  :: atomic { UP && m.iv[1] > 0 && !m.un[1] -> if :: m.iv[1] > m.ff -> m.ff = m.iv[1] :: else fi; m.iv[1] = 0 }
#ifdef WRITE
  :: atomic { UP && m.ivK > 0 -> if :: m.ivK > m.ff -> m.ff = m.ivK :: else fi; m.ivK = 0 }
#endif
#endif
#ifdef L1
  :: atomic { m.clk > 0 && nhb < NHB -> nhb++; PUB(m.clk, m.tip, m.tip, 2, acked[0], acked[1]) }   /* heartbeat */
#endif
  od
}

proctype Expire() { byte n; end: do :: atomic { n < NX && m.lTok != 0 -> ENDLEASE; n++ } od }

#ifdef FAILOVER
#ifdef GATE
#define CPG(a,b) ; a.rf=b.rf; a.uf=b.uf; a.own=b.own
#else
#define CPG(a,b)
#endif
#ifdef TAKEOVER
#define CPL(a,b) ; a.lS=b.lS
#else
#define CPL(a,b)
#endif
#ifdef WRITE
#define CPK(a,b) ; a.ivK=b.ivK; a.eFK=b.eFK
#else
#define CPK(a,b)
#endif
#define CP(a,b) a.clk=b.clk; a.tip=b.tip; a.iv[0]=b.iv[0]; a.iv[1]=b.iv[1]; a.ff=b.ff; a.un[0]=b.un[0]; \
  a.un[1]=b.un[1]; a.eP=b.eP; a.eB=b.eB; a.eS=b.eS; a.eF[0]=b.eF[0]; a.eF[1]=b.eF[1]; a.x[0]=b.x[0]; \
  a.x[1]=b.x[1]; a.lTok=b.lTok; a.tipAt[0]=b.tipAt[0]; a.tipAt[1]=b.tipAt[1]; a.tipAt[2]=b.tipAt[2]; \
  a.tipAt[3]=b.tipAt[3]; a.tipAt[4]=b.tipAt[4]; a.tipAt[5]=b.tipAt[5]; a.tipAt[6]=b.tipAt[6]; a.tipAt[7]=b.tipAt[7] \
  CPG(a,b) CPL(a,b) CPK(a,b)
proctype Repl() {
end: do
#ifdef EMPTY
  :: d_step { !failed -> CP(m,r); failed = 1;       /* r was never written: the server comes back empty, a new gate is made */
       nonce++; m.clk = 1; m.tip = nonce; m.tipAt[0] = 255; m.tipAt[1] = nonce; m.rf = 1; m.ff = 1; m.own = 1 }
#else
  :: d_step { !failed -> CP(r,m) }                 /* asynchronous replication, or a snapshot, catches up */
  :: d_step { !failed -> CP(m,r); failed = 1; susp = 1 }   /* promoted, or restarted from it: the suffix is lost */
#endif
  :: failed -> break
  od
}
#endif

proctype Reader(byte me) {
  byte ra0, ra1, s, tp, tok, f0, f1, vA, reads; bit dB;
#ifdef GATE
  byte grf, guf, xS, x0, x1; bit gok, xP, xB;
#endif
#ifdef WRITE
  byte rak, fk;
#endif
#ifdef L1
  byte g, vc, p0, p1;
#endif
next:
  do
  :: reads < NR ->
     d_step { ra0 = acked[0]; ra1 = acked[1]; reads++;
       ONLY_PROMISED
#ifdef WRITE
       rak = ackedK;
#endif
#ifdef L1
       g = gen[me]; p0 = pv[2*me]; p1 = pv[2*me+1];
#endif
     };
#ifdef L1
     if
     :: atomic { l1P[me] -> assert(p0 <= l1F0[me] && (!l1B[me] || p1 <= l1F1[me])); goto fin }
     :: !l1P[me]
     fi;
#endif
#ifdef GATE                                         /* fast path: MGET gate entry */
#ifdef SPLIT_GE
     d_step { grf = m.rf; guf = m.uf; gok = 1 };
     if :: atomic { m.eP && RFOK(grf) && UFOK(guf) -> CHECK(m.eF[0], m.eF[1], m.eB); goto fin } :: skip fi;
#else
#ifdef SPLIT_EG
     d_step { xP = m.eP; xS = m.eS; x0 = m.eF[0]; x1 = m.eF[1]; xB = m.eB };
     if :: atomic { xP && xS >= m.rf && xS >= m.uf -> CHECK(x0, x1, xB); goto fin } :: skip fi;
#else
     if :: atomic { UP && m.eP && RFOK(m.rf) && UFOK(m.uf) -> CHECK(m.eF[0], m.eF[1], m.eB) KCHECK(m.eFK); goto fin }
        :: UP && !(m.eP && RFOK(m.rf) && UFOK(m.uf))
     fi;
#endif
#endif
#endif
     if                                             /* slow path: begin.lua, a later step */
     :: atomic { UP && VALID -> CHECK(m.eF[0], m.eF[1], m.eB) KCHECK(m.eFK);
#ifdef L1
          vc = m.clk; f0 = m.eF[0]; f1 = m.eF[1]; dB = m.eB
        }; goto pop;
#else
        }; goto fin;
#endif
     :: atomic { UP && !VALID && FREE -> tok = 1 + me + 2*reads; m.lTok = tok; LEASESTART s = m.clk; tp = m.tip;
          f0 = started[0]; f1 = started[1];
#ifdef WRITE
          fk = startedK;
#endif
#ifdef JOINER
          if :: me == 0 -> fl = 1 :: else fi
#endif
        }
     :: UP && !VALID && m.lTok != 0 -> goto fin     /* wait timed out: private uncached fetch */
     fi;
     vA = src[0];                                   /* source read, later than fetch begin */
#ifdef RENEW_MOVES_START
     d_step { s = m.clk; tp = m.tip };
#endif
#ifdef CRASH
     if
     :: skip
     :: me == 1 -> goto fin                         /* crash: lease stays until it expires */
     fi;
#endif
#ifdef RELEASE
     if
     :: skip
     :: atomic { UP -> if :: m.lTok == tok -> ENDLEASE :: else fi; goto fin }     /* release.lua: the fetch failed */
     fi;
#endif
     dB = vA % 2;
#ifdef JOINER
     atomic { if :: me == 0 ->
#ifdef NO_SEAL
       skip
#else
       fl = 2
#endif
       :: else fi };
#endif
     atomic { UP ->                                 /* commit.lua */
       CHECK(f0, f1, dB) KCHECK(fk);                /* the builder itself may always return it */
       if
       :: FILLOK ->
#ifdef MONO
          assert(!(VALID && m.eS > s));
#endif
          m.eP = 1; m.eB = dB; m.eS = s; m.eF[0] = f0; m.eF[1] = f1;
#ifdef WRITE
          m.eFK = fk;
#endif
#ifndef COMMIT_NOREG
          m.x[0] = 1; m.x[1] = dB;
#endif
          if :: m.lTok == tok -> ENDLEASE :: else fi;
          tok = 0;
#ifdef L1
          vc = m.clk
#endif
       :: else ->
          if :: m.lTok == tok -> ENDLEASE :: else fi; tok = 255
       fi
     };
#ifdef JOINER
     atomic { if
       :: me == 0 -> fl = 0;
          if :: jw -> jw = 0; jF0 = f0; jF1 = f1; jB = dB; if :: tok == 0 -> jres = 1 :: else -> jres = 2 fi :: else fi
       :: else fi };
#endif
     if :: tok == 255 -> goto fin :: else fi;
#ifdef L1
pop: atomic {                                       /* L1 populate after the reply arrived */
       if
#ifdef L1_NOPOP
       :: (me == 0 || NBUS == 2) ->
#else
       :: (me == 0 || NBUS == 2) && gen[me] == g && liv[2*me] <= vc && (!dB || liv[2*me+1] <= vc) ->
#endif
          l1P[me] = 1; l1B[me] = dB; l1V[me] = vc; l1F0[me] = f0; l1F1[me] = f1
       :: else
       fi };
#endif
fin: atomic { ra0=0; ra1=0; s=0; tp=0; tok=0; f0=0; f1=0; vA=0; dB=0;
#ifdef GATE
       grf=0; guf=0; gok=0; xP=0; xB=0; xS=0; x0=0; x1=0;
#endif
#ifdef WRITE
       rak=0; fk=0;
#endif
#ifdef L1
       g=0; vc=0; p0=0; p1=0
#endif
     }
  :: else -> break
  od
}

#ifdef JOINER
#ifdef JOIN_REFUSED
#define MAY_SHARE 1
#else
#define MAY_SHARE (jres == 1)
#endif
proctype Joiner() {                                  /* a second caller in the process of reader 0 */
  byte ra0, ra1;
  d_step { ra0 = acked[0]; ra1 = acked[1]; ONLY_PROMISED };
  if
  :: atomic { fl == 1 -> jw = 1 };
     atomic { jres != 0 -> if :: MAY_SHARE -> CHECK(jF0, jF1, jB); goto out :: else fi }
  :: fl != 1
  fi;
  if :: atomic { UP && VALID -> CHECK(m.eF[0], m.eF[1], m.eB) } :: skip fi;
out: skip
}
#endif

#ifdef L1
#define FORGET(i) l1P[i]=0; l1B[i]=0; l1V[i]=0; l1F0[i]=0; l1F1[i]=0; liv[2*i]=0; liv[2*i+1]=0; gen[i]=gen[i]+1
#define RX(i,ch) ch?c,t,p,k,a,b -> \
   if \
   :: GAP(i) -> FORGET(i); \
   :: else -> if :: k < 2 -> liv[2*i+k] = c; \
        if :: l1P[i] && (k == 0 || l1B[i]) && l1V[i] < c -> l1P[i]=0; l1B[i]=0; l1V[i]=0; l1F0[i]=0; l1F1[i]=0 :: else fi \
        :: else fi \
   fi; ltip[i] = t; if :: k == 2 -> pv[2*i] = a; pv[2*i+1] = b :: else fi; c=0;t=0;p=0;k=0;a=0;b=0
#ifdef L1_NOCHAIN
#define GAP(i) (0)
#else
#define GAP(i) (p != ltip[i])
#endif
proctype Bus() { byte c,t,p,k,a,b;
end: do
  :: atomic { RX(0,bus0) }
  :: atomic { RX(1,bus1) }
  od }
#endif

init { atomic { src[0] = 1; src[1] = 1; nonce = 0;
  run Worker(0); run Worker(1); run Sweep(); run Expire(); run Reader(0); run Reader(1);
#ifdef WRITE
  run Writer();
#endif
#ifdef JOINER
  run Joiner();
#endif
#ifdef L1
  run Bus();
#endif
#ifdef FAILOVER
  run Repl();
#endif
} }
