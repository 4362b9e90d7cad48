#!lua flags=allow-oom
-- beat: renew the L1 lease of one process in this partition, and record how far it follows the bus.
-- Atomic: an invalidation after this step waits for this member; one before it is part of the gate in the reply.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown member followedClk followedTip isMember newVersion
--   followedClk, followedTip: the last position that the L1 has processed; followedTip '' = none
--   isMember: 0 = a bounded L1, for which no invalidation waits
-- -> {code, gate, serverMs}   OK position accepted | JOIN was no member: start afresh | LOST position unknown here:
--   start afresh
local tag, clkKnown, tipKnown, bornKnown, member, followedClk, followedTip, isMember, newVersion = arguments(9)
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)
if refused then return refused end
local isStrict, code = isMember == '1', 'OK'
-- The score is the clock at the last beat, not a time: `pend` compares it with the clock of an invalidation.
if isStrict and R('ZADD', T .. ':in', clk, member) == 1 then
  code = 'JOIN'
  R('HSET', M, 'mv', newVersion)
  R('HSET', T .. ':ac', member, Z:format(clk))
else
  local at = followedTip ~= '' and R('ZSCORE', T .. ':tz', followedTip)
  if not at or tonumber(at) ~= tonumber(followedClk) then code = 'LOST'
  elseif isStrict then R('HSET', T .. ':ac', member, followedClk) end
end
return { code, gate(), Z:format(now()) }
