#!lua flags=allow-oom
-- release: end the term if it is not over yet.
-- Atomic: between the check and the removal, the lease could pass to another holder.
-- KEYS base
-- ARGV consumer term
--   term: "fence holder"
-- -> 1, 0: it was over
local base = KEYS[1]
local consumer, term = unpack(ARGV, 1, 2)
local lease = base .. ':lease:' .. consumer
if redis.call('GET', lease) ~= term then return 0 end
return redis.call('DEL', lease)
