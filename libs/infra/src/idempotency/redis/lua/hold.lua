#!lua flags=allow-oom
-- hold: prolong the claim of a key or give it up, and say that its work cannot be repeated.
-- Atomic: between the check and the write, another holder could begin.
-- KEYS record
-- ARGV holder leaseMs unrepeatableMs
--   leaseMs: 0 gives the claim up
--   unrepeatableMs: how long the key is kept without an answer, '' if nothing is said of that
-- -> 1, 0: the holder does not have the claim any more, and nothing was changed
local record = KEYS[1]
local holder, leaseMs, unrepeatableMs = unpack(ARGV, 1, 3)
if redis.call('HGET', record, 'h') ~= holder then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', record, 'u', string.format('%.0f', now + leaseMs))
if unrepeatableMs ~= '' then
  redis.call('HSET', record, 's', '1')
  redis.call('PEXPIRE', record, unrepeatableMs)
elseif not redis.call('HGET', record, 's') then
  redis.call('PEXPIRE', record, leaseMs)
end
return 1
