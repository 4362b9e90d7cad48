-- count: publish what a process has counted under a topic, so that it stays in the sums when the process has ended.
-- Atomic: what a process has counted is in the sums once, by its own report or among those that were added up.
-- KEYS index ledger
-- ARGV process report standing liveMs indexMs keptMs apartMax
--   report: JSON; its `content` holds numbers that only grow, in tables
--   standing: "new", or "known": this process has published the topic before
--   apartMax: with more reports than this, a new process adds up those of processes that are not live
-- -> 1, 0: this process was taken for ended, and what it had counted was added up; nothing was changed
-- index          SET     ids of processes, dead ones among them
-- index:process  STRING  the report; expires when the process is not live any more
-- ledger         HASH    process -> its last report, "ended" -> the sum of those that were added up
local index, ledger = KEYS[1], KEYS[2]
local process, report, standing, liveMs, indexMs, keptMs, apartMax = unpack(ARGV, 1, 7)

local function add(sum, more)
  for name, value in pairs(more) do
    if type(value) == 'table' then
      sum[name] = add(type(sum[name]) == 'table' and sum[name] or {}, value)
    elseif type(value) == 'number' then
      sum[name] = (tonumber(sum[name]) or 0) + value
    end
  end
  return sum
end

local ended = redis.call('HGET', ledger, 'ended')
if standing == 'known' and ended and not redis.call('HGET', ledger, process) then return 0 end
if standing == 'new' then
  local found = redis.call('HGETALL', ledger)
  if #found / 2 > tonumber(apartMax) then
    local sum = ended and cjson.decode(ended).content or {}
    for i = 1, #found, 2 do
      local other = found[i]
      if other ~= 'ended' and redis.call('EXISTS', index .. ':' .. other) == 0 then
        add(sum, cjson.decode(found[i + 1]).content)
        redis.call('HDEL', ledger, other)
      end
    end
    redis.call('HSET', ledger, 'ended', cjson.encode({ content = sum }))
  end
end
redis.call('HSET', ledger, process, report)
redis.call('PEXPIRE', ledger, keptMs)
redis.call('SET', index .. ':' .. process, report, 'PX', liveMs)
redis.call('SADD', index, process)
redis.call('PEXPIRE', index, indexMs)
return 1
