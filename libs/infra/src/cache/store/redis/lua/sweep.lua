#!lua flags=allow-oom
-- sweep: one bounded step of freeing what can no longer be served. Atomic per step; any process may run it at any time.
-- KEYS T:g   ARGV T batch windowMax freshTip matureBorn
--   batch: the work of each part of the step, in entries with a handful of dependencies
--   matureBorn: the birth that the caller has known for longer than an L1 lease ('' = none)
-- -> {freed, more(0|1), born}
local batch = tonumber(ARGV[2])
use(ARGV[1], ARGV[4])
local freed, more = 0, 0
adopt(ARGV[4])                                                      -- a cluster replaces a master without a word to its clients

-- Frees ids until the work is done; how many of them.
local function free(ids)
  local budget = batch
  for i, id in ipairs(ids) do
    budget = budget - costOf(id)
    drop(id)
    freed = freed + 1
    if budget <= 0 then return i end
  end
  return #ids
end

-- 1. Dependants of the oldest deferred invalidation; the gate opens only after they are gone.
local oldest = R('ZRANGE', T .. ':un', 0, 0, 'WITHSCORES')
if oldest[1] then
  local X = T .. ':x:' .. oldest[1]
  local ids = R('ZRANGEBYSCORE', X, '-inf', '(' .. oldest[2], 'LIMIT', 0, batch)
  local done = free(ids)
  for i = 1, done do R('ZREM', X, ids[i]) end
  if done == #ids and #ids < batch then
    R('ZREM', T .. ':un', oldest[1])
    uf = tonumber(R('ZREVRANGE', T .. ':un', 0, 0, 'WITHSCORES')[2] or '0')
    storeGate()
  end
  if R('EXISTS', T .. ':un') == 1 then more = 1 end
end

-- 2. What expired: Redis removed the value, the index is ours to clean.
local expired = R('ZRANGEBYSCORE', T .. ':ut', '-inf', now(), 'LIMIT', 0, batch)
if free(expired) < #expired or #expired == batch then more = 1 end

-- 3. An audit of the directory, a page a step, round and round: values that were evicted or deleted by hand, and what a lost
--    gate has left, leave their index behind.
local page, dead = R('ZSCAN', T .. ':ut', R('HGET', M, 'fc') or '0', 'COUNT', batch), {}
for i = 1, #page[2], 2 do
  local header = R('GETRANGE', T .. ':e:' .. page[2][i], 0, 23)
  if #header < 24 or select(4, struct.unpack(F, header)) < rf then dead[#dead + 1] = page[2][i] end
end
local isPageDone = free(dead) == #dead
if isPageDone then R('HSET', M, 'fc', page[1]) end                  -- else the same page again: the freed ones are gone from it
if not isPageDone or (page[1] ~= '0' and #dead * 4 > #page[2] / 2) then more = 1 end
trim(tonumber(ARGV[3]))
if ARGV[5] ~= '' and ARGV[5] == R('HGET', M, 'born') then R('HSET', M, 'mature', ARGV[5]) end
return { freed, more, R('HGET', M, 'born') or '-' }
