/* deposed.pml - a primary that was replaced and does not know it. D is the deposed one, N the replica that was promoted.
 * A process P reads from D (L2) and keeps what it read (L1); an invalidator acknowledges at N. On the other side of the
 * split somebody invalidates at D, and somebody else fills and reads at N.
 *
 * TIME is a counter that may advance between any two steps. V: how long a vouch lasts, counted from when it was asked for, and
 * an L1 lease likewise; W >= V: how long the first invalidations after the birth of N's gate wait.
 * THE TOPOLOGY decides by three Sentinels (the masters of a Cluster are the same): each may find D down at any moment; when Q
 * of them do at once, a failover begins, and at any later moment N is promoted. They hear of N later, or never. Questions and
 * answers may be late, or lost, or there are none at all between P and one of them.
 * What vouches for D:
 *   (nothing)   NOTHING: nobody does
 *   REPLICAS=k  P writes to D and WAITs for k of its two replicas, one of which is N
 *   (default)   K Sentinels that name D and do not find it down
 * Switches:  Q, K  T the last instant
 *   BACK    a Sentinel that found D down may see it again, before it has heard of N
 *   HEARS   not between the beginning of a failover and its having heard of N
 *   EPOCH   P believes nobody who names D after somebody has named N to it (a newer epoch wins for ever)
 *   ACKS    instead of P and the invalidator at N: an invalidation at D, and fills and reads at N
 *   BY_HAND N may be promoted by a Sentinel that asks nobody (SENTINEL FAILOVER); VETO: an answer "a failover is under way"
 *           of any Sentinel ends the vouch; ASKED: P has the answer of that Sentinel before N is promoted
 * Mutations, each must break it:  NO_WAIT (N acknowledges at once)  FROM_REPLY (a vouch counts from its reply)  NAMES (a Sentinel
 *   that finds D down still counts)  NO_CAP (an L1 lease outlasts the vouch)  EARLY (looks at the vouch, then begins to read)
 *   ACK_BY_LEASE (an invalidation at D is acknowledged by a vouch that was asked for before it was carried out)
 *   ACK_FOR_ANOTHER (or by a vouch for N, to which its process has turned meanwhile)
 */
#ifndef Q
#define Q 2
#endif
#ifndef K
#define K 2
#endif
#ifndef T
#define T 3
#endif
#define NS 3
#define V 2
#define W 2
byte now;
bit down[NS], knows[NS];             /* finds D down; has heard of N */
bit begun, promoted, hand;           /* failover begun; N promoted; begun by Sentinel 0, which asks nobody */
bit acked;                           /* ghost: an invalidation was acknowledged at N */
bit src, exec, ackedD;               /* the source has changed; D has carried out the invalidation; it was acknowledged there */
byte asOf[NS];                       /* P: 1 + when the newest answer for D was asked for, 0 = there is none */
bit conf[NS];                        /* an answer for D to a question from after exec */
bit heard, veto;                     /* P: somebody has named N; a failover is under way */
byte l1;                             /* until when the L1 serves */
byte hb;                             /* REPLICAS: 1 + when the newest heartbeat with enough replicas was sent */
#define FRESH(i) (asOf[i] > 0 && now + 1 < asOf[i] + V)
#define MIN(a,b) (a < b -> a : b)
#define MAX(a,b) (a > b -> a : b)
#if K == 1
#define KTH MAX(MAX(asOf[0], asOf[1]), asOf[2])
#endif
#if K == 2
#define KTH MAX(MIN(asOf[0], asOf[1]), MIN(MAX(asOf[0], asOf[1]), asOf[2]))
#endif
#if K == 3
#define KTH MIN(MIN(asOf[0], asOf[1]), asOf[2])
#endif
#ifdef NOTHING
#define VOUCH (now + 1)
#else
#ifdef REPLICAS
#define VOUCH hb
#else
#define VOUCH KTH
#endif
#endif
#define UNTIL (VOUCH > 0 -> VOUCH - 1 + V : 0)
#define OPEN (!(heard || veto))
#define VOUCHED (OPEN && now < UNTIL)
#define DOWNS (down[0] + down[1] + down[2])
#define OVER(i) if :: asOf[i] > 0 && now + 1 >= asOf[i] + V -> asOf[i] = 0 :: else fi    /* only to have fewer states */
proctype Clock() {
  do
  :: now < T -> atomic { now++; OVER(0); OVER(1); OVER(2); if :: now >= l1 -> l1 = 0 :: else fi }
  :: else -> break
  od }
/* ---- the topology ---- */
proctype Sentinel(byte i) {
end: do
  :: atomic { !down[i] && !knows[i] -> down[i] = 1 }
#ifdef BACK
#ifdef HEARS
  :: atomic { down[i] && !begun -> down[i] = 0 }
#else
  :: atomic { down[i] -> down[i] = 0 }
#endif
#endif
  :: atomic { promoted && !knows[i] -> knows[i] = 1; down[i] = 0 }
  od }
proctype Failover() {
  if
  :: atomic { DOWNS >= Q -> begun = 1 }
#ifdef BY_HAND
  :: atomic { begun = 1; hand = 1 };
#ifdef ASKED
     veto
#endif
#endif
  fi;
  atomic { promoted = 1 } }
/* ---- P asks ---- */
/* A question takes no time: if it does, the vouch counts from earlier, or ends earlier. */
proctype Ask(byte i) { byte a; bit ok;
end: do
  :: atomic { a = now;
#ifdef NAMES
       ok = !knows[i];
#else
       ok = !knows[i] && !down[i];
#endif
#ifdef FROM_REPLY
     }; atomic { a = now;
#endif
       if :: ok && exec -> conf[i] = 1 :: else fi;
       asOf[i] = (ok && a + V > now -> a + 1 : 0);
#ifdef EPOCH
       if :: knows[i] -> heard = 1 :: else fi;
#endif
#ifdef VETO
       if :: hand && i == 0 && !knows[0] -> veto = 1 :: else fi;
#endif
       a = 0; ok = 0 }
  od }
#ifdef REPLICAS
proctype Heartbeat() { byte n, a; bit gotN, gotR;
end: do
  :: n < 3 ->
     n++; a = now;                                             /* SET and WAIT are sent */
     if :: atomic { !promoted -> gotN = 1 } :: skip fi;        /* N confirms as long as it follows D */
     if :: gotR = 1 :: skip fi;                                /* the other replica may follow D for ever */
     if :: atomic { gotN + gotR >= REPLICAS -> hb = a + 1 } :: skip fi;
     atomic { a = 0; gotN = 0; gotR = 0 }
  od }
#endif
/* ---- P reads at D; every value there is older than what N acknowledges ---- */
proctype P() { byte b; bit c;
end: do
#ifdef EARLY
  :: c = VOUCHED; if :: c -> assert(!acked) :: else fi; c = 0
#else
  :: atomic { VOUCHED -> assert(!acked) }                      /* L2: the read begins, looks, and believes what D answers */
#endif
  :: atomic { b == 0 -> b = now + 1 }                          /* a beat is sent to D */
  :: atomic { b > 0 && VOUCHED ->                              /* and answered */
#ifdef NO_CAP
       l1 = b - 1 + V;
#else
       l1 = MIN(b - 1 + V, UNTIL);
#endif
       b = 0 }
  :: atomic { b > 0 -> b = 0 }                                 /* or lost, or not believed */
  :: atomic { now < l1 -> assert(!acked) }                     /* L1 */
  od }
/* ---- the other side: invalidates at N ---- */
proctype InvN() { byte born;
  atomic { promoted -> born = now };                           /* adopted: all that N held is dropped, its gate is born */
#ifndef NO_WAIT
  now >= born + W;
#endif
  acked = 1 }
/* ---- D's side invalidates at D; N's side fills and reads at N ---- */
proctype InvD() {
  src = 1;
  exec = 1;
#if defined(NOTHING) || defined(ACK_BY_LEASE)
  VOUCHED;
#else
  if
  :: (OPEN && conf[0] + conf[1] + conf[2] >= K)                /* so many said so, asked after it was carried out */
#ifdef ACK_FOR_ANOTHER
  :: (promoted && knows[0] + knows[1] + knows[2] >= K)
#endif
  fi;
#endif
  ackedD = 1 }
proctype ReaderN() { bit v, ra;
  promoted;
  v = src;                                                     /* fetch; the commit is fine with N, which has no invalidation */
  ra = ackedD;                                                 /* a read begins, hits */
  assert(!(ra && !v)) }
init { atomic { byte i = 0;
  run Clock();
#ifdef REPLICAS
  run Heartbeat();
#else
#ifndef NOTHING
  do :: i < NS -> run Ask(i); i++ :: else -> break od; i = 0;
#endif
#endif
  do :: i < NS -> run Sentinel(i); i++ :: else -> break od;
  run Failover();
#ifdef ACKS
  run InvD(); run ReaderN()
#else
  run P(); run InvN()
#endif
  } }
