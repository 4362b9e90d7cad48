#!lua flags=allow-oom
-- invalidate: tick the clock, record the dependencies, remove their dependants. Atomic: from this step on, a fill that
-- began before is refused, and no earlier entry that depends on them is served. May exceed the memory limit: an
-- invalidation refused for lack of memory would leave old values in use.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown newTip inlineMax windowMax rq knownMv dep...
--   dep: none where the caller only waits until every L1 has followed the earlier announcements
--   known: the position that the caller remembers; the script refuses if it is not part of this history
--   inlineMax: entries removed at once, within the work of one script; a dependency with more dependants is left to the
--     sweeper, and reads refuse them meanwhile
-- -> {'OK', gate, dropped, deferred, mv, members, mature, id...}   at most 1,000 ids of removed entries
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local budget, dropped, deferred = tonumber(ARGV[6]), 0, 0
local previous = tick(ARGV[5])
local deps, out = {}, { 'OK', '', 0, 0, audience(ARGV[9]) }
local HEAD = #out
for i = 10, #ARGV do deps[#deps + 1] = ARGV[i] end

-- Removes the first of ids, and records which of them had a value; returns how many were looked at.
local function remove(ids)
  local keys = {}
  for i, id in ipairs(ids) do keys[i] = T .. ':e:' .. id end
  local wereAll, were = R('EXISTS', unpack(keys)) == #ids, {}
  for i = 1, #ids do were[i] = wereAll or R('EXISTS', keys[i]) == 1 end
  local had, count = drop(ids)
  for i = 1, count do
    if were[i] and #out - HEAD < 1000 then out[#out + 1] = ids[i] end
  end
  dropped, budget = dropped + had, budget - count
  return count
end

-- Removes the dependants of d; returns whether all are gone.
local function removeDependants(d)
  local X = T .. ':x:' .. d
  if isWide(d) or R('ZCARD', X) > budget then return false end
  repeat
    local ids = R('ZRANGE', X, 0, GROUP - 1)
    if #ids == 0 then return true end
    if isSpent() then return false end
    R('ZREM', X, unpack(ids, 1, remove(ids)))          -- also an id without recorded dependencies
  until false
end

for _, d in ipairs(deps) do
  R('ZADD', T .. ':iv', clk, d)
  if d:sub(1, 2) == 'k:' then                          -- the entry itself: found by name, not by the index
    remove({ d:sub(3) }); endLease(d:sub(3))
    R('DEL', T .. ':s:' .. d:sub(3))
  elseif not removeDependants(d) then
    R('ZADD', T .. ':un', clk, d)
    deferred = deferred + 1
  end
end
if deferred > 0 then
  uf = clk                                             -- clk is the newest, so it is the highest of T:un
  R('HSET', M, 'sf', Z:format(clk))
end
storeGate()
announce(previous, deps, ARGV[8])
if #out > HEAD then R('PUBLISH', T .. ':dr', table.concat(out, '\0', HEAD + 1)) end
trim(tonumber(ARGV[7]))
out[2], out[3], out[4] = gate(), dropped, deferred
return out
