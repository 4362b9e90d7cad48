#!lua flags=allow-oom
-- hold: prolong the claim of a key or give it up, and say that its work cannot be repeated, or may be done.
-- Atomic: between the check and the write, another holder could begin.
-- KEYS record
-- ARGV holder leaseMs unrepeatableMs mayBeDoneMs
--   leaseMs: 0 gives the claim up
--   unrepeatableMs: how long the key is kept without an answer, '' if nothing is said of that
--   mayBeDoneMs: how long begin says that the work may be done, '' if nothing is said of that
-- -> 1, 0: the holder does not have the claim any more, and nothing was changed
local record = KEYS[1]
local holder, leaseMs, unrepeatableMs, mayBeDoneMs = unpack(ARGV, 1, 4)
local state = redis.call('HMGET', record, 'h', 's', 'd')
local present, unrepeatable, doer = unpack(state, 1, 3)
if present ~= holder then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', record, 'u', string.format('%.0f', now + leaseMs))
if unrepeatableMs ~= '' then
  redis.call('HSET', record, 's', '1')
  redis.call('PEXPIRE', record, unrepeatableMs)
elseif mayBeDoneMs ~= '' then
  if not doer then redis.call('HSET', record, 'd', holder) end
  redis.call('PEXPIRE', record, mayBeDoneMs)
elseif not unrepeatable and not doer then
  redis.call('PEXPIRE', record, leaseMs)
end
return 1
