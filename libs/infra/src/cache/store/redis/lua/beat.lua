#!lua flags=allow-oom
-- beat: renew the L1 lease of one process in this partition, and record how far it follows the bus.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown member pclk ptip isMember(0|1) newVersion
--   known: the position that the process remembers; (pclk, ptip) = the last position that its L1 has processed
--   isMember 0: a bounded L1, for which no invalidation waits
-- -> {code, gate, serverMs}   OK position accepted | JOIN was no member: start afresh | LOST position unknown here:
--   start afresh
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local me, pclk, ptip, isMember, code = ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1', 'OK'
-- The score is the clock at the last beat, not a time: `pend` may remove a member only if no beat of it ran since.
if isMember and R('ZADD', T .. ':in', clk, me) == 1 then
  code = 'JOIN'
  R('HSET', M, 'mv', ARGV[9])
  R('HSET', T .. ':ac', me, Z:format(clk))
else
  local at = ptip ~= '' and R('ZSCORE', T .. ':tz', ptip)
  if not at or tonumber(at) ~= tonumber(pclk) then code = 'LOST'
  elseif isMember then R('HSET', T .. ':ac', me, pclk) end
end
return { code, gate(), Z:format(now()) }
