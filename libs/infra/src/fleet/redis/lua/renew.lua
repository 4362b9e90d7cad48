#!lua flags=allow-oom
-- renew: prolong the term, and record how far each feed has been followed, by the server's clock.
-- KEYS base   ARGV consumer "fence holder" leaseMs (feed ageMs)...   -> 1, 0: the term is over and nothing was changed
-- base:feeds  HASH  feed -> server ms up to which all its changes are known to have been applied
local lease = KEYS[1] .. ':lease:' .. ARGV[1]
if redis.call('GET', lease) ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', lease, ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local feeds = KEYS[1] .. ':feeds'
for i = 4, #ARGV, 2 do
  redis.call('HSET', feeds, ARGV[i], string.format('%.0f', now - tonumber(ARGV[i + 1])))
end
return 1
