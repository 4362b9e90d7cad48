#!lua flags=allow-oom
-- beat: renew the L1 lease of one process in this partition, and say how far it follows the bus.
-- KEYS T:g   ARGV T member pclk ptip freshTip isMember(0|1)
--   (pclk, ptip) = the last position it has processed; isMember 0: a bounded L1, for which no invalidation waits
-- -> {code, gate, serverMs}   OK position accepted | JOIN was not a member: start afresh | LOST position unknown here: likewise
local me, pclk, ptip, code = ARGV[2], ARGV[3], ARGV[4], 'OK'
use(ARGV[1], ARGV[5])
-- The score is the clock at the last beat, not a time: `pend` may remove a member only if no beat of it ran since.
if ARGV[6] == '1' and R('ZADD', T .. ':in', clk, me) == 1 then
  code = 'JOIN'
  R('HSET', M, 'mv', ARGV[5])
  R('HSET', T .. ':ac', me, Z:format(clk))
else
  local at = ptip ~= '' and R('ZSCORE', T .. ':tz', ptip)
  if not at or tonumber(at) ~= tonumber(pclk) then code = 'LOST'
  elseif ARGV[6] == '1' then R('HSET', T .. ':ac', me, pclk) end
end
return { code, gate(), Z:format(now()) }
