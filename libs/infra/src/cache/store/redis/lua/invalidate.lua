#!lua flags=allow-oom
-- invalidate: tick the clock, record the dependencies, remove their dependants. May exceed the memory limit: an
-- invalidation refused for lack of memory would leave old values in use.
-- Atomic: from this step on, a build of their dependants that began before is refused, and no earlier entry that
--   depends on them is served.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown newTip inlineMax windowMax requester mvKnown dep...
--   inlineMax: maximum number of dependants that this script removes, within the work of one step. A dependency that is
--     not indexed, or has more dependants than can still be removed, is deferred: the sweeper removes them, and reads
--     refuse them meanwhile.
--   dep: none where the caller only waits until every L1 has followed the earlier announcements
-- -> {'OK', gate, dropped, deferred, mv, members, mature, id...}   dropped: number of removed entries; deferred: number
--   of deferred dependencies; at most 1,000 ids of removed entries
local tag, clkKnown, tipKnown, bornKnown, newTip, inlineMax, windowMax, requester, mvKnown = arguments(9, 'dep...')
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)
if refused then return refused end
local budget, dropped, deferred = tonumber(inlineMax), 0, 0
local previous = tick(newTip)
local deps, out = listed(), { 'OK', '', 0, 0, audience(mvKnown) }
local HEAD = #out

-- Drops as many of ids as one `drop` takes, and adds to the reply those that had a value; returns how many it took.
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
    R('ZREM', X, unpack(ids, 1, remove(ids)))          -- also ids that T:d lacks, which `drop` leaves
  until false
end

for _, d in ipairs(deps) do
  R('ZADD', T .. ':iv', clk, d)
  if d:sub(1, 2) == 'k:' then                          -- a key: its entry is found by name, not by the index
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
announce(previous, deps, requester)
if #out > HEAD then R('PUBLISH', T .. ':dr', table.concat(out, '\0', HEAD + 1)) end
trim(tonumber(windowMax))
out[2], out[3], out[4] = gate(), dropped, deferred
return out
