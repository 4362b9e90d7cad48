/**
 * The expected results of the models. Each run names its model, its switches, and what Spin must find: `holds` (the
 * whole space searched, no assertion fails) or `violated`. Each mutation removes one mechanism; its violation proves
 * that the runs that hold could have failed. `quick` marks the small set that CI runs.
 */
const one = '-DNI=1 -DNR=3 -DNB=2 -DNW=2';
const two = '-DNR=2 -DNR1=1 -DNB=1 -DNB1=1 -DNW=1 -DNC=0';
const restart = '-DNI=1 -DNR=2 -DNB=1 -DNW=1 -DNC=0 -DRESTART';
const restartBig = '-DNI=1 -DNR=2 -DNB=2 -DNW=1 -DNC=0 -DRESTART';
const emptied = '-DNI=1 -DNR=2 -DNB=2 -DNW=2 -DNC=0 -DRESTART -DONLY_EMPTY';
const l1 = '-DL1 -DONEINST -DNOLAZY -DNX=0 -DNHB=2';
const unseenSelf = '-DUNSEEN_PROMOTE -DSELF';
const noTicks = '-DFOLLOW -DNO=0 -DNW=2 -DNS=3';
const own = '-DSELF -DNI=1';
const adoptJoiner = '-DFAILOVER -DADOPT -DJOINER -DNR=1 -DNOLAZY -DNX=0';

export const runs = [
  // Common cache designs.
  ...violated('naive', [
    ['naive', '', 'quick'],
    ['naive_lock', '-DLOCK', 'quick'],
    ['naive_lease', '-DLEASE', 'quick'],
  ]),

  // The protocol: clock, window, lease, reverse index.
  ...holds('recommended', [
    ['l2', '-DCRASH', 'quick'],
    ['l2_redeliver', '-DCRASH -DREDELIVER'],
    ['l2_release_takeover', '-DRELEASE -DTAKEOVER -DMONO -DCRASH'],
    ['l2_joiner', '-DJOINER -DNR=1 -DCRASH'],
    ['l2_nw2_nr1', '-DNW=2 -DNR=1'],
    ['l2_nw2_nx0', '-DNW=2 -DNX=0'],
    ['l2_no_lease', '-DNO_LEASE -DNX=0 -DCRASH', 'quick'],
    ['l1_one', l1],
    ['fo_wait', '-DFAILOVER -DWAITREPL -DNR=1'],
    ['fo_repair', '-DFAILOVER -DREPAIR -DNR=1 -DNOLAZY'],
  ]),
  ...violated('recommended', [
    ['mut_NO_VALIDATE', '-DNO_VALIDATE -DCRASH', 'quick'],
    ['mut_NO_FLOOR', '-DNO_FLOOR -DCRASH', 'quick'],
    ['mut_NO_UNSWEPT', '-DNO_UNSWEPT -DCRASH', 'quick'],
    ['mut_SWEEP_BLIND', '-DSWEEP_BLIND -DNW=2', 'quick'],
    ['mut_NO_SEAL', '-DNO_SEAL -DJOINER -DNR=1 -DCRASH', 'quick'],
    ['mut_NO_SEAL_nr2', '-DNO_SEAL -DJOINER'],
    ['mut_JOIN_REFUSED', '-DJOIN_REFUSED -DJOINER -DNR=1', 'quick'],
    ['mut_NUMBERED', '-DNUMBERED -DNR=1', 'quick'],
    ['mut_RENEW_MOVES_START', '-DRENEW_MOVES_START -DNR=1', 'quick'],
    ['mut_NO_FENCE', '-DNO_FENCE -DTAKEOVER -DMONO', 'quick'],
    ['mut_NO_WAIT', '-DFAILOVER -DNR=1', 'quick'],
    ['mut_NO_TIP', '-DFAILOVER -DWAITREPL -DNO_TIP'],
    ['mut_NO_TIP_nr1', '-DFAILOVER -DWAITREPL -DNO_TIP -DNR=1'],
    ['mut_L1_NOCHAIN', `${l1} -DL1_NOCHAIN`, 'quick'],
    ['mut_L1_NOPOP', `${l1} -DL1_NOPOP`, 'quick'],
  ]),

  // The product's layout: the gate, one-command hits, flush, set, another run of the server.
  ...holds('fast', [
    ['f_base', '-DCRASH', 'quick'],
    ['f_release_takeover', '-DRELEASE -DTAKEOVER -DMONO', 'quick'],
    ['f_write', '-DWRITE -DNR=1 -DNOLAZY', 'quick'],
    ['f_write_lazy', '-DWRITE -DNR=1'],
    ['f_write_takeover', '-DWRITE -DTAKEOVER -DRELEASE -DMONO -DNR=1 -DNOLAZY'],
    ['f_flush', '-DFLUSH -DNX=0', 'quick'],
    ['f_flush_big', '-DFLUSH -DCRASH -DNX=1'],
    ['f_nw2', '-DNW=2 -DNX=0'],
    ['f_nw2_nr1', '-DNW=2 -DNR=1 -DNX=0'],
    ['f_walk', '-DWALK -DCRASH', 'quick'],
    ['f_walk_flush', '-DWALK -DFLUSH -DNX=0'],
    ['f_walk_nw2', '-DWALK -DNW=2 -DNR=1 -DNX=0'],
    ['f_split_ge', '-DSPLIT_GE -DNX=0'],
    ['f_un0', '-DCRASH -DFASTUN'],
    ['f_adopt', '-DFAILOVER -DADOPT -DNR=1 -DNOLAZY', 'quick'],
    ['f_adopt_lazy', '-DFAILOVER -DADOPT -DNR=1'],
    ['f_adopt_joiner', adoptJoiner],
    ['f_adopt_late', '-DFAILOVER -DADOPT_LATE -DNR=1'],
    ['f_empty', '-DFAILOVER -DEMPTY -DNR=1', 'quick'],
  ]),
  ...violated('fast', [
    ['f_mut_GATE_STALE', '-DGATE_STALE', 'quick'],
    ['f_mut_COMMIT_NOREG', '-DCOMMIT_NOREG', 'quick'],
    ['f_mut_SWEEP_EARLY', '-DSWEEP_EARLY', 'quick'],
    ['f_mut_WALK_LATE', '-DWALK -DWALK_LATE', 'quick'],
    ['f_mut_SPLIT_EG', '-DSPLIT_EG -DNW=1', 'quick'],
    ['f_mut_NO_RF', '-DFLUSH -DNO_RF -DNR=2', 'quick'],
    ['f_mut_NO_FENCE', '-DNO_FENCE -DMONO', 'quick'],
    ['f_mut_WRITE_NO_TICK', '-DWRITE -DWRITE_NO_TICK -DNR=1 -DNOLAZY', 'quick'],
    ['f_mut_WRITE_SPLIT', '-DWRITE -DWRITE_SPLIT -DNR=1 -DNOLAZY', 'quick'],
    ['f_mut_NO_ADOPT', '-DFAILOVER -DADOPT -DNO_ADOPT -DNR=1', 'quick'],
    ['f_mut_ADOPT_NO_RF', '-DFAILOVER -DADOPT -DNO_RF -DNR=1', 'quick'],
    ['f_mut_ADOPT_NO_FF', `${adoptJoiner} -DADOPT_NO_FF`],
    ['f_mut_ADOPT_NO_TIP', '-DFAILOVER -DADOPT -DNO_TIP -DNR=1'],
    ['f_mut_EMPTY_NO_TIP', '-DFAILOVER -DEMPTY -DNO_TIP -DNR=1', 'quick'],
  ]),

  // L1 leases and acknowledgements.
  ...holds('strict', [
    ['s_one', one, 'quick'],
    ['s_self', `${one} -DSELF`, 'quick'],
    ['s_write', `${one} -DWRITE`],
    ['s_one_b3', '-DNI=1 -DNR=2 -DNB=3 -DNW=2'],
    ['s_one_w3', '-DNI=1 -DNR=2 -DNB=2 -DNW=3'],
    ['s_one_big', '-DNI=1 -DNR=3 -DNB=3 -DNW=3 -DNC=1'],
    ['s_two', two],
    ['s_two_c', '-DNR=2 -DNR1=1 -DNB=2 -DNB1=1 -DNW=1 -DNC=0'],
    ['s_two_self', `${two} -DSELF`],
    ['s_restart', restart, 'quick'],
    ['s_restart_b2', restartBig],
    ['s_restart_w2', '-DNI=1 -DNR=2 -DNB=1 -DNW=2 -DNC=0 -DRESTART'],
    ['s_restart_write', `${restartBig} -DWRITE`],
    ['s_restart_self', `${restartBig} -DSELF`],
    ['s_restart_empty', emptied],
    ['s_restart_empty_clk', `${emptied} -DCLK0=1`],
  ]),
  ...violated('strict', [
    ...['NO_ACKWAIT', 'REPLY_TIME', 'REJOIN_NOFLUSH', 'NO_GEN', 'NO_LIV', 'NO_EXPIRY', 'NO_CATCHUP', 'EVICT_BLIND'].map(
      (mutation) => [`s_mut_${mutation}`, `${one} -D${mutation}`, 'quick'],
    ),
    ['s_mut_CHECK_EARLY', `${one} -DCHECK_EARLY`, 'quick'],
    ['s_mut_OWN_NODROP', `${one} -DSELF -DOWN_NODROP`, 'quick'],
    ['s_mut_LIV_LOWER', `${one} -DSELF -DLIV_LOWER`, 'quick'],
    ['s_vac_two_NO_ACKWAIT', `${two} -DNO_ACKWAIT`],
    ['s_vac_two_NO_LIV', `${two} -DNO_LIV`],
    ['s_mut_NO_BIRTH_WAIT', `${restart} -DNO_BIRTH_WAIT`, 'quick'],
    ['s_mut_MATURE_EARLY', `${restart} -DMATURE_EARLY`, 'quick'],
    ['s_mut_PEND_ANY_BIRTH', `${restart} -DPEND_ANY_BIRTH`, 'quick'],
    ['s_mut_CHAIN_BY_CLOCK', `${emptied} -DCHAIN_BY_CLOCK`, 'quick'],
    ['s_mut_EVICT_ANY_BIRTH', `${emptied} -DCLK0=1 -DEVICT_ANY_BIRTH`],
  ]),

  // A slot that moves key by key [A1] [T1]. `left` marks a known gap, described in docs/protocol/README.md.
  ...violated('slots', [
    ['slots_today', '-DTODAY', 'quick'],
    ['slots_mut_NO_SLOT_CHECK', '-DNO_SLOT_CHECK', 'quick'],
    ['slots_mut_NO_POISON', '-DNO_POISON', 'quick'],
    ['slots_mut_NO_HOME', '-DNO_HOME', 'quick'],
    ['slots_mut_NO_BORN', '-DNO_BORN', 'quick'],
    ['slots_mut_NO_MEMORY', `${unseenSelf} -DNO_MEMORY`, 'quick'],
    ['slots_left_abort', '-DUNSEEN_ABORT'],
    ['slots_left_abort_self', '-DUNSEEN_ABORT -DSELF'],
    ['slots_left_promote', '-DUNSEEN_PROMOTE'],
  ]),
  ...holds('slots', [
    ['slots', '', 'quick'],
    ['slots_self', '-DSELF'],
    ['slots_nr3', '-DNR=3'],
    ['slots_nw2', '-DNW=2'],
    ['slots_nph3', '-DNPH=3'],
    ['slots_unseen_promote_self', unseenSelf, 'quick'],
    ['slots_no_memory', '-DNO_MEMORY'],
  ]),

  // A history that goes back [A2].
  ...violated('histories', [
    ['h_today', '-DTODAY', 'quick'],
    ['h_today_replid', '-DTODAY -DREPLID', 'quick'],
    ['h_mut_NO_MEMORY', '-DNO_MEMORY', 'quick'],
    ['h_mut_NO_INV_CHECK', '-DNO_INV_CHECK', 'quick'],
    ['h_mut_NO_INV_CHECK_follow', '-DNO_INV_CHECK -DFOLLOW', 'quick'],
    ['h_mut_ADOPT_KEEPS', '-DADOPT_KEEPS', 'quick'],
    ['h_mut_BY_CLOCK', '-DBY_CLOCK -DNO=1', 'quick'],
    ['h_mut_BY_CLOCK_tip', '-DBY_CLOCK -DEQUAL_TIP', 'quick'],
    ['h_mut_BY_CLOCK_follow', '-DBY_CLOCK -DEQUAL_TIP -DFOLLOW'],
    ['h_mut_KEEP_ANY', '-DALL -DFOLLOW -DL1 -DKEEP_ANY', 'quick'],
    ['h_mut_BY_BORN', `${noTicks} -DBY_BORN`, 'quick'],
    ['h_left_not_looked', '-DALL'],
    ['h_left_replid', '-DALL -DREPLID'],
    ['h_left_fresh', '-DFRESH'],
  ]),
  ...holds('histories', [
    ['h', '', 'quick'],
    ['h_ns3', '-DNS=3'],
    ['h_nw2', '-DNW=2'],
    ['h_replid', '-DREPLID'],
    ['h_follow_all', '-DALL -DFOLLOW', 'quick'],
    ['h_follow_all_nw2', '-DALL -DFOLLOW -DNW=2'],
    ['h_follow_all_replid', '-DALL -DFOLLOW -DREPLID'],
    ['h_l1', '-DALL -DFOLLOW -DL1'],
    ['h_l1_ns1', '-DALL -DFOLLOW -DL1 -DNS=1', 'quick'],
    ['h_forget_told', '-DFORGET_TOLD'],
    ['h_by_clock_no_ticks', '-DBY_CLOCK -DNO=0 -DNW=2'],
    ['h_by_clock_tip_one_tick', '-DBY_CLOCK -DEQUAL_TIP -DNO=1'],
    ['h_by_clock_follow_no_ticks', `${noTicks} -DBY_CLOCK`],
  ]),

  // A value that is replaced without an invalidation [D1].
  ...violated('rebuild', [
    ['r_today', '-DTODAY', 'quick'],
    ['r_today_one', '-DTODAY -DNI=1', 'quick'],
    ['r_mut_REBUILD_NO_TICK', '-DREBUILD_NO_TICK', 'quick'],
    ['r_mut_REBUILD_NO_WAIT', '-DREBUILD_NO_WAIT', 'quick'],
    ['r_mut_OWN_NODROP', '-DOWN_NODROP', 'quick'],
    ['r_mut_TICK_IF_VALID', '-DTICK_IF_VALID -DNE=1', 'quick'],
    ['r_mut_REFUSED_KEEPS', '-DREFUSED_KEEPS -DNW=1 -DNR=2 -DNR1=1', 'quick'],
    ['r_mut_REFUSED_KEEPS_fenced', '-DREFUSED_KEEPS -DNX=1', 'quick'],
    ['r_mut_REFUSED_KEEPS_late', '-DREFUSED_KEEPS -DLATE', 'quick'],
    ['r_mut_JOIN_NO_SETTLE', '-DJOIN -DJOIN_NO_SETTLE', 'quick'],
    ['r_left_away', '-DAWAY'],
  ]),
  ...holds('rebuild', [
    ['r', '', 'quick'],
    ['r_join', '-DJOIN', 'quick'],
    ['r_join_nx', '-DJOIN -DNX=1'],
    ['r_nx', '-DNX=1'],
    ['r_ne', '-DNE=1 -DNX=1'],
    ['r_late', '-DLATE -DNX=1 -DNR1=2'],
    ['r_nw', '-DNW=1 -DNR=2 -DNF=1'],
    ['r_nw_reader', '-DNW=1 -DNR1=2 -DNF1=0'],
    ['r_keep_by_end', '-DKEEP_BY_END -DNE=1 -DNX=1 -DNR1=2'],
    ['r_numbers', '-DNUMBERS'],
  ]),

  // One call to the source for several keys.
  ...holds('many', [
    ['m', '', 'quick'],
    ['m_nx', '-DNX=1'],
  ]),
  ...violated('many', [
    ['m_mut_LATE_START', '-DLATE_START', 'quick'],
    ['m_mut_JOIN_SENT', '-DJOIN_SENT', 'quick'],
    ['m_mut_ONE_COMMIT', '-DONE_COMMIT', 'quick'],
    ['m_mut_WAIT_FIRST', '-DWAIT_FIRST', 'quick'],
    ['m_mut_NO_SEAL', '-DNO_SEAL'],
    ['m_mut_REFUSED_SHARED', '-DREFUSED_SHARED'],
  ]),

  // An invalidation with very many dependants in an L1.
  ...holds('l1-wide', [
    ['w', '', 'quick'],
    ['w_self', `${own} -DNF=2`, 'quick'],
    ['w_self_nf3', own],
    ['w_self_ni2', '-DSELF -DNF=2'],
    ['w_nv2', '-DNV=2 -DNI=1'],
    ['w_nf4', '-DNF=4'],
  ]),
  ...violated('l1-wide', [
    ...['NO_CHECK', 'ACK_EARLY', 'KEEP_LATE', 'CLEAR_EARLY', 'NO_RESTART', 'LOW_MARK', 'LOW_ORDER'].map((mutation) => [
      `w_mut_${mutation}`,
      `-D${mutation}`,
      'quick',
    ]),
    ['w_mut_MARK_IN_WINDOW', '-DMARK_IN_WINDOW', 'quick'],
    ['w_mut_OVERFLOW_DROPS', '-DOVERFLOW_DROPS', 'quick'],
    ['w_mut_OWN_NODROP', `${own} -DNF=2 -DOWN_NODROP`, 'quick'],
  ]),

  // A deposed primary that does not know it: who vouches for it.
  ...holds('deposed', [
    ['d_sentinels', '', 'quick'],
    ['d_sentinels_acks', '-DACKS', 'quick'],
    ['d_quorum_1_of_3', '-DQ=1 -DK=3'],
    ['d_quorum_1_of_3_acks', '-DQ=1 -DK=3 -DACKS'],
    ['d_quorum_3_of_3', '-DQ=3 -DK=1'],
    ['d_back_hears', '-DBACK -DHEARS', 'quick'],
    ['d_back_hears_acks', '-DBACK -DHEARS -DACKS'],
    ['d_by_hand_asked', '-DBY_HAND -DVETO -DASKED', 'quick'],
    ['d_by_hand_asked_acks', '-DBY_HAND -DVETO -DASKED -DACKS'],
    ['d_all_replicas', '-DREPLICAS=2', 'quick'],
  ]),
  ...violated('deposed', [
    ['d_nothing', '-DNOTHING', 'quick'],
    ['d_nothing_acks', '-DNOTHING -DACKS', 'quick'],
    ['d_one_replica', '-DREPLICAS=1', 'quick'],
    ['d_quorum_1_of_2', '-DQ=1', 'quick'],
    ['d_back', '-DBACK', 'quick'],
    ['d_back_epoch', '-DBACK -DEPOCH', 'quick'],
    ['d_by_hand', '-DBY_HAND', 'quick'],
    ['d_by_hand_late', '-DBY_HAND -DVETO', 'quick'],
    ...['NO_WAIT', 'FROM_REPLY', 'NAMES', 'NO_CAP', 'EARLY'].map((mutation) => [
      `d_mut_${mutation}`,
      `-D${mutation}`,
      'quick',
    ]),
    ['d_mut_ACK_BY_LEASE', '-DACKS -DACK_BY_LEASE', 'quick'],
    ['d_mut_ACK_FOR_ANOTHER', '-DACKS -DACK_FOR_ANOTHER', 'quick'],
  ]),

  // The variant for keys that share no slot.
  ...holds('xslot', [['xslot', '', 'quick']]),
  ...violated('xslot', [['mut_xslot_START_LATE', '-DSTART_LATE', 'quick']]),
];

function holds(model, rows) {
  return rows.map((row) => asRun(model, 'holds', row));
}

function violated(model, rows) {
  return rows.map((row) => asRun(model, 'violated', row));
}

function asRun(model, expected, [name, switches, set]) {
  return { name, model, expected, switches: switches.split(' ').filter(Boolean), isQuick: set === 'quick' };
}
