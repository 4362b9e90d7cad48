#!lua
-- begin: give the work under a key to one holder, or say what is known of the key. A holder may repeat it.
-- Atomic: of two holders that ask at once, one receives the work.
-- KEYS record
-- ARGV fingerprint holder leaseMs
-- -> {'begun', 1 if an earlier holder may have done it, else 0}, {'running', ms left of the lease}, {'abandoned'},
--    {'answered', answer}, {'mismatch'}
-- record  HASH  f fingerprint, h holder, u server ms until which h works, s 1 once its work cannot be repeated, a answer,
--               d the first holder that may have done the work
local record = KEYS[1]
local fingerprint, holder, leaseMs = unpack(ARGV, 1, 3)
local state = redis.call('HMGET', record, 'f', 'h', 'u', 's', 'a', 'd')
local known, present, untilMs, unrepeatable, answer, doer = unpack(state, 1, 6)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if known and known ~= fingerprint then return { 'mismatch' } end
if answer then return { 'answered', answer } end
if present and present ~= holder then
  local leftMs = tonumber(untilMs) - now
  if leftMs > 0 then return { 'running', leftMs } end
  if unrepeatable then return { 'abandoned' } end
end
redis.call('HSET', record, 'f', fingerprint, 'h', holder, 'u', string.format('%.0f', now + leaseMs))
if not doer then
  redis.call('PEXPIRE', record, leaseMs)
else
  redis.call('PEXPIRE', record, leaseMs, 'GT')
end
return { 'begun', doer and doer ~= holder and 1 or 0 }
