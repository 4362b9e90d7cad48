#!lua flags=allow-oom
-- pend: list those of these members that do not follow up to clock c yet.
-- KEYS T:g   ARGV T c evict(0|1) newVersion birth member...
--   evict 1: allowed only after the caller has waited a whole lease since the invalidation. Removes members without a
--     beat since then, only in the history of `birth`: clocks of two histories are not comparable (mutation
--     EVICT_ANY_BIRTH)
-- -> {'OK', born, member...}   a process that is no member owes nothing in the history that `born` names
local refused = use(ARGV[1])
if refused then return refused end
local c, isChanged = tonumber(ARGV[2]), false
local out, mayEvict = { 'OK', Z:format(born) }, ARGV[3] == '1' and born == tonumber(ARGV[5])
for i = 6, #ARGV do
  local beat = R('ZSCORE', T .. ':in', ARGV[i])
  if beat and tonumber(R('HGET', T .. ':ac', ARGV[i]) or '-1') < c then
    if mayEvict and tonumber(beat) < c then
      R('ZREM', T .. ':in', ARGV[i])
      R('HDEL', T .. ':ac', ARGV[i])
      isChanged = true
    else out[#out + 1] = ARGV[i] end
  end
end
if isChanged then R('HSET', M, 'mv', ARGV[4]) end
return out
