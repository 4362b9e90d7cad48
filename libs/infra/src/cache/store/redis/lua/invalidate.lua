#!lua flags=allow-oom
-- invalidate: tick the clock, remember the dependencies, remove what was built from them. Atomic: a fill that began
-- before is refused from this step on, and no entry that depends on them is served after it. May run out of memory limit:
-- an invalidation that is refused for want of memory would be staleness.
-- KEYS T:g   ARGV T newTip inlineMax windowMax rq knownMv dep...
--   inlineMax: the work done at once, in entries with a handful of dependencies; a dependency with more dependants is left
--   to the sweeper, and they are refused on read meanwhile
-- -> {'OK', gate, dropped, deferred, mv, members, born, mature, id...}   at most 1,000 ids of what was removed
use(ARGV[1], ARGV[2])
local budget, dropped, deferred, lazy = tonumber(ARGV[3]), 0, 0, false
local previous = tick(ARGV[2])
local deps, out = {}, { 'OK', '', 0, 0, audience(ARGV[6]) }
for i = 7, #ARGV do deps[#deps + 1] = ARGV[i] end
local function remove(id)
  if drop(id) == 1 then
    dropped = dropped + 1
    if dropped <= 1000 then out[#out + 1] = id end
  end
end
for _, d in ipairs(deps) do
  R('ZADD', T .. ':iv', clk, d)
  if d:sub(1, 2) == 'k:' then                          -- the entry itself: known by name, not by the index
    remove(d:sub(3)); endLease(d:sub(3))
  else
    local X = T .. ':x:' .. d
    local isDone = R('ZCARD', X) <= budget
    for _, id in ipairs(isDone and R('ZRANGE', X, 0, -1) or {}) do
      budget = budget - costOf(id)
      if budget < 0 then isDone = false; break end
      remove(id)
    end
    if isDone then R('DEL', X)
    else R('ZADD', T .. ':un', clk, d); deferred = deferred + 1; lazy = true end
  end
end
if lazy then uf = clk end                              -- clk is the newest, so it is the highest of T:un
storeGate()
announce(previous, deps, ARGV[5])
trim(tonumber(ARGV[4]))
out[2], out[3], out[4] = gate(), dropped, deferred
return out
