#!lua flags=allow-oom
-- sweep: one bounded step of freeing what can no longer be served. Atomic per step; any process may run it at any time.
-- KEYS T:g   ARGV T batch windowMax freshTip
-- -> {freed, more(0|1)}
local batch = tonumber(ARGV[2])
use(ARGV[1], ARGV[4])
local freed, more = 0, 0
local function free(id) drop(id); freed = freed + 1 end

-- 1. Dependants of the oldest deferred invalidation; the gate opens only after they are gone.
local oldest = R('ZRANGE', T .. ':un', 0, 0, 'WITHSCORES')
if oldest[1] then
  local X = T .. ':x:' .. oldest[1]
  local ids = R('ZRANGEBYSCORE', X, '-inf', '(' .. oldest[2], 'LIMIT', 0, batch)
  for _, id in ipairs(ids) do free(id); R('ZREM', X, id) end
  if #ids < batch then
    R('ZREM', T .. ':un', oldest[1])
    uf = tonumber(R('ZREVRANGE', T .. ':un', 0, 0, 'WITHSCORES')[2] or '0')
    storeGate()
  end
  if R('EXISTS', T .. ':un') == 1 then more = 1 end
end

-- 2. What expired: Redis removed the value, the index is ours to clean.
local expired = R('ZRANGEBYSCORE', T .. ':ut', '-inf', now(), 'LIMIT', 0, batch)
for _, id in ipairs(expired) do free(id) end
if #expired == batch then more = 1 end

-- 3. After a lost gate: entries older than the read floor, by a cursor over the directory.
local cursor = R('HGET', M, 'fc')
if cursor then
  local page = R('ZSCAN', T .. ':ut', cursor, 'COUNT', batch)
  for i = 1, #page[2], 2 do
    local header = R('GETRANGE', T .. ':e:' .. page[2][i], 0, 23)
    if #header < 24 or select(4, struct.unpack(F, header)) < rf then free(page[2][i]) end
  end
  if page[1] == '0' then R('HDEL', M, 'fc') else R('HSET', M, 'fc', page[1]); more = 1 end
end

-- 4. A sample of the directory: values that were evicted or deleted by hand leave their index behind.
for _, id in ipairs(R('ZRANDMEMBER', T .. ':ut', 10)) do
  if R('EXISTS', T .. ':e:' .. id) == 0 then free(id) end
end
trim(tonumber(ARGV[3]))
return { freed, more }
