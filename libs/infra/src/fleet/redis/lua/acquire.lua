#!lua flags=allow-oom
-- acquire: begin a term of the consumer, unless another holder has one. A holder may repeat it if the reply was lost.
-- KEYS base   ARGV consumer holder leaseMs   -> the fence of the term, 0: another holder has the lease
local lease = KEYS[1] .. ':lease:' .. ARGV[1]
local present = redis.call('GET', lease)
if present and present:match('^%d+ (.*)$') ~= ARGV[2] then return 0 end
local fence = redis.call('HINCRBY', KEYS[1] .. ':fences', ARGV[1], 1)
redis.call('SET', lease, fence .. ' ' .. ARGV[2], 'PX', ARGV[3])
return fence
