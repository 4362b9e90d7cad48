#!lua flags=allow-oom
-- sweep: free what can no longer be served, in one bounded step, trim the window, and record that the history is
-- mature. Any process may run it at any time.
-- Atomic: no entry is stored between the look at it and the removal of its index.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown batchMax windowMax matureBorn
--   batchMax: how many entries each part of the step looks at: at most, or about as many in each page of the walk
--   matureBorn: the birth that the caller has known for longer than an L1 lease; '' = none
-- -> {freed, more(0|1), gate}   freed: number of freed ids; more: 1 = there is probably more to free
local tag, clkKnown, tipKnown, bornKnown, batchMax, windowMax, matureBorn = arguments(7)
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)           -- a cluster may replace a master unnoticed
if refused then return refused end
local batch = tonumber(batchMax)
local freed, more = 0, 0

-- Frees ids until the work of a step is done; returns how many.
local function free(ids)
  local done = dropSome(ids)
  freed = freed + done
  return done
end

local function forgetUnswept(deps)
  R('ZREM', T .. ':un', unpack(deps))
  uf = tonumber(R('ZREVRANGE', T .. ':un', 0, 0, 'WITHSCORES')[2] or '0')
  storeGate()
end

-- 1. Dependants of the oldest deferred dependency that is indexed. uf falls only after they are gone.
local unswept, hasWide = R('ZRANGE', T .. ':un', 0, 99, 'WITHSCORES'), false
for i = 1, #unswept, 2 do
  local d = unswept[i]
  if isWide(d) then hasWide = true
  else
    local X = T .. ':x:' .. d
    local ids = R('ZRANGEBYSCORE', X, '-inf', '(' .. unswept[i + 1], 'LIMIT', 0, batch)
    local done = free(ids)
    if done > 0 then R('ZREM', X, unpack(ids, 1, done)) end         -- also ids that T:d lacks
    if done == #ids and #ids < batch then forgetUnswept({ d }) end
    break
  end
end

-- 2. Expired entries: Redis has removed the value; this step removes the index.
local expired = isSpent() and {} or R('ZRANGEBYSCORE', T .. ':ut', '-inf', now(), 'LIMIT', 0, batch)
if free(expired) < #expired or #expired == batch or isSpent() then more = 1 end

-- 3. An endless walk over the directory, one page a step. While a wide dependency is unswept, whose dependants only the
--    walk can find, a step takes as many pages as its work allows. The walk also frees the index of values that were
--    evicted, deleted by hand, or left by a lost gate.
local function walkPage()
  local cursor = R('HGET', M, 'fc') or '0'
  if cursor == '0' then R('HSET', M, 'ac', Z:format(clk)) end
  local page, dead = R('HSCAN', T .. ':d', cursor, 'COUNT', batch), {}
  work = work + #page[2] / 2
  for i = 1, #page[2], 2 do
    local id = page[2][i]
    if not valid(id, R('GETRANGE', T .. ':e:' .. id, 0, HEADER - 1), page[2][i + 1]) then dead[#dead + 1] = id end
  end
  if free(dead) < #dead then                                        -- next time this page again
    more = 1
    return false
  end
  R('HSET', M, 'fc', page[1])
  if #dead * 8 > #page[2] then more = 1 end                         -- over a quarter is dead: expect more
  return page[1] == '0'
end
local isRoundDone = false
while not isRoundDone and not isSpent() do
  isRoundDone = walkPage()
  if not hasWide then break end
end
if isRoundDone then
  -- The round has met every dependant of the wide dependencies that were invalidated before it began, and
  -- `commit` has stored no older value since.
  local met = {}
  for _, d in ipairs(R('ZRANGEBYSCORE', T .. ':un', '-inf', R('HGET', M, 'ac'), 'LIMIT', 0, 1000)) do
    if isWide(d) then met[#met + 1] = d end
  end
  if #met > 0 then forgetUnswept(met) end
  if R('EXISTS', T .. ':d') == 0 then R('DEL', T .. ':wd') end
end
if R('EXISTS', T .. ':un') == 1 then more = 1 end
trim(tonumber(windowMax))
if matureBorn == Z:format(born) then R('HSET', M, 'mature', matureBorn) end
return { freed, more, gate() }
