#!lua flags=allow-oom
-- invalidate: tick the clock, remember the dependencies, remove what was built from them. Atomic: a fill that began
-- before is refused from this step on, and no entry that depends on them is served after it. May run out of memory limit:
-- an invalidation that is refused for want of memory would be staleness.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown newTip inlineMax windowMax rq knownMv dep...
--   dep: none where the caller only wants to know that every L1 has followed what was announced before
--   known: what the caller remembers of this history; it is refused where that is not part of it
--   inlineMax: entries removed at once, if they are not too much work for one script; a dependency with more dependants is left to the
--   sweeper, and they are refused on read meanwhile
-- -> {'OK', gate, dropped, deferred, mv, members, mature, id...}   at most 1,000 ids of what was removed
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local budget, dropped, deferred = tonumber(ARGV[6]), 0, 0
local previous = tick(ARGV[5])
local deps, out = {}, { 'OK', '', 0, 0, audience(ARGV[9]) }
local HEAD = #out
for i = 10, #ARGV do deps[#deps + 1] = ARGV[i] end

-- Removes the first of ids, and tells which of them had a value; how many were looked at.
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

-- Removes the dependants of d; whether all of them are gone.
local function removeDependants(d)
  local X = T .. ':x:' .. d
  if isWide(d) or R('ZCARD', X) > budget then return false end
  repeat
    local ids = R('ZRANGE', X, 0, GROUP - 1)
    if #ids == 0 then return true end
    if isSpent() then return false end
    R('ZREM', X, unpack(ids, 1, remove(ids)))          -- also one whose dependencies are not on record
  until false
end

for _, d in ipairs(deps) do
  R('ZADD', T .. ':iv', clk, d)
  if d:sub(1, 2) == 'k:' then                          -- the entry itself: known by name, not by the index
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
