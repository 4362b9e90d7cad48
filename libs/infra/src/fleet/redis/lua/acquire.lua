#!lua flags=allow-oom
-- acquire: begin a term of the consumer, unless another holder has one. A holder may repeat it if the reply was lost.
-- Atomic: of two holders that ask at once, one receives the term.
-- KEYS base
-- ARGV consumer holder leaseMs
-- -> the fence of the term, 0: another holder has the lease
local base = KEYS[1]
local consumer, holder, leaseMs = unpack(ARGV, 1, 3)
local lease = base .. ':lease:' .. consumer
local present = redis.call('GET', lease)
if present and present:match('^%d+ (.*)$') ~= holder then return 0 end
local fence = redis.call('HINCRBY', base .. ':fences', consumer, 1)
redis.call('SET', lease, fence .. ' ' .. holder, 'PX', leaseMs)
return fence
