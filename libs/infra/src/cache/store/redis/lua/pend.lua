#!lua flags=allow-oom
-- pend: list those of these members that have not followed up to a clock yet, or remove them.
-- Atomic: no beat runs between the look at a member and its removal.
-- KEYS T:g
-- ARGV tag upToClk evict newVersion knownBorn member...
--   evict: 1 = remove those of them that have not beaten since upToClk. The caller must have waited a whole lease since
--     the invalidation.
--   knownBorn: the history of upToClk. In another history nobody is removed, because clocks of two histories are not
--     comparable (model strict.pml, mutation EVICT_ANY_BIRTH).
-- -> {'OK', born, member...}   a process that is no member owes nothing in the history that `born` names
local tag, upToClk, evict, newVersion, knownBorn = arguments(5, 'member...')
local refused = use(tag)
if refused then return refused end
local c, isChanged = tonumber(upToClk), false
local out, mayEvict = { 'OK', Z:format(born) }, evict == '1' and born == tonumber(knownBorn)
for _, member in ipairs(listed()) do
  local beat = R('ZSCORE', T .. ':in', member)
  if beat and tonumber(R('HGET', T .. ':ac', member) or '-1') < c then
    if mayEvict and tonumber(beat) < c then
      R('ZREM', T .. ':in', member)
      R('HDEL', T .. ':ac', member)
      isChanged = true
    else out[#out + 1] = member end
  end
end
if isChanged then R('HSET', M, 'mv', newVersion) end
return out
