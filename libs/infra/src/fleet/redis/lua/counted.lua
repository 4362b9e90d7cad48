-- counted: what all processes have counted under a topic, those that have ended included.
-- Atomic: a process that ends meanwhile is found once, with the live ones or with the others.
-- KEYS index ledger
-- ARGV (none)
-- -> { report, ... } of live processes, { report, ... } of the others, the sum of the oldest of them included
local index, ledger = KEYS[1], KEYS[2]
local live, ended, isLive = {}, {}, {}
for _, process in ipairs(redis.call('SMEMBERS', index)) do
  local report = redis.call('GET', index .. ':' .. process)
  if report then
    live[#live + 1] = report
    isLive[process] = true
  end
end
local found = redis.call('HGETALL', ledger)
for i = 1, #found, 2 do
  if not isLive[found[i]] then ended[#ended + 1] = found[i + 1] end
end
return { live, ended }
