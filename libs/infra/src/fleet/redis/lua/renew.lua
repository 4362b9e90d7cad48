#!lua flags=allow-oom
-- renew: prolong the term, and record how far each feed has been followed, by the server's clock.
-- Atomic: a holder whose term is over vouches for no feed.
-- KEYS base
-- ARGV consumer term leaseMs (feed ageMs)...
--   term: "fence holder"
--   ageMs: all changes of the feed up to this long ago are known to have been applied
-- -> 1, 0: the term is over and nothing was changed
-- base:feeds  HASH  feed -> server ms up to which all its changes are known to have been applied
local base = KEYS[1]
local consumer, term, leaseMs = unpack(ARGV, 1, 3)
local ages = { unpack(ARGV, 4) }
local lease, feeds = base .. ':lease:' .. consumer, base .. ':feeds'
if redis.call('GET', lease) ~= term then return 0 end
redis.call('PEXPIRE', lease, leaseMs)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ages, 2 do
  local feed, ageMs = ages[i], ages[i + 1]
  redis.call('HSET', feeds, feed, string.format('%.0f', now - tonumber(ageMs)))
end
return 1
